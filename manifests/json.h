/*
 * JSON: bounded reading (duplicate keys refused), required fields with sentences, and exact
 * writing.  The one file that meets jansson; a manifest is its bytes, never its tree.
 */
#pragma once

#include "base/buf.h"

struct json; /* a value inside a document; borrowed unless json_parse gave it */

enum { JSON_MEMORY_MAX = 18 * 1024 * 1024 }; /* bytes of a document and its tree together */

/* Parses one document; what names it in errors.  The caller frees it.  ERR_FORMAT with what and
 * the offset; duplicate keys, trailing bytes and NUL are refused.  ERR_LIMIT for one that would
 * take more than JSON_MEMORY_MAX. */
bool json_parse(
    struct slice text, const char *what, struct json **doc, struct err *e) MUST_CHECK;
void json_free(struct json *doc);
void json_drop(struct json **doc);

/* Looking: NULL, 0 or an empty slice when the value is absent or of another type. */
const struct json *json_get(const struct json *object, const char *key);
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t i);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_null(const struct json *v);
struct slice json_text(const struct json *v);
bool json_bool(const struct json *v);
/* An integer that is not negative. */
bool json_u64(const struct json *v, uint64_t *number) MUST_CHECK;
/* Seconds and the like: integer, real or numeric text (TOK-05). */
bool json_number(const struct json *v, double *number) MUST_CHECK;

/* The members of an object in order: *iter starts NULL; false at the end. */
bool json_next(
    const struct json *object, void **iter, const char **key, const struct json **value);

/* Requiring: ERR_FORMAT "<what>: expected text in \"key\", found …". */
bool json_need_text(const struct json *object, const char *key, const char *what,
    struct slice *out, struct err *e) MUST_CHECK;
bool json_need_u64(const struct json *object, const char *key, const char *what, uint64_t max,
    uint64_t *out, struct err *e) MUST_CHECK;
bool json_need_array(const struct json *object, const char *key, const char *what,
    const struct json **out, struct err *e) MUST_CHECK;

/* Skimming a large document without a tree: the next member of an object or element of an
 * array, as the bytes it stands in.  *rest begins as the whole object or array text and is
 * consumed; false at the end, and *bad is set when the structure does not hold or a key has an
 * escape in it.  A value is only measured; what it is, json_parse says. */
bool json_skim_member(struct slice *rest, struct slice *key, struct slice *value, bool *bad);
bool json_skim_element(struct slice *rest, struct slice *value, bool *bad);

/* Writing, ASCII, no blanks, keys in the order they are put: the bytes depend on nothing else.
 */
struct json_writer {
	struct buf *out;
	bool comma; /* the next value in this container needs one before it */
};
void json_begin(struct json_writer *w, char open); /* '{' or '[' */
void json_end(struct json_writer *w, char close);  /* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_put_text(struct json_writer *w, struct slice text);
void json_put_u64(struct json_writer *w, uint64_t number);
void json_put_raw(
    struct json_writer *w, struct slice json); /* null, true, a document's own bytes */
/* key and text value at once, as most members are. */
void json_pair(struct json_writer *w, const char *key, const char *text);
