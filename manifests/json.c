#include "manifests/json.h"

#include "base/own.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson has macros of these names; ours are functions. */
#undef json_is_object
#undef json_is_array
#undef json_is_null

/* struct json is jansson's json_t under our own name; this is the one place that knows. */
static const json_t *in(const struct json *v)
{
	return (const json_t *)(const void *)v;
}

static const struct json *out(const json_t *v)
{
	return (const struct json *)(const void *)v;
}

/* Bytes that jansson takes for a value of each kind and its place in what holds it, measured
 * and rounded up; texts come to their length. */
enum {
	OBJECT_BYTES = 256,
	ARRAY_BYTES = 96,
	MEMBER_BYTES = 64,
};

static size_t cost_of(char c)
{
	switch (c) {
	case '{':
		return OBJECT_BYTES;
	case '[':
		return ARRAY_BYTES;
	case ':':
	case ',':
		return MEMBER_BYTES;
	default:
		return 0;
	}
}

/* The end of the text that begins before at. */
static size_t end_of_text(struct slice text, size_t at)
{
	while (at < text.len && text.ptr[at] != '"')
		at += text.ptr[at] == '\\' ? 2 : 1;
	return at;
}

/* The memory that a document and its tree take: itself, its texts once more, the longest of
 * them while it is read, and the rest (a tree can be a hundred times as large as its text). */
static size_t memory_of(struct slice text)
{
	size_t cost = 2 * text.len;
	size_t longest = 0;

	for (size_t at = 0; at < text.len; at++) {
		cost += cost_of(text.ptr[at]);
		if (text.ptr[at] != '"')
			continue;
		const size_t end = end_of_text(text, at + 1);
		longest = end - at > longest ? end - at : longest;
		at = end;
	}
	return cost + longest;
}

bool json_parse(struct slice text, const char *what, struct json **doc, struct err *e)
{
	const char *nul = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
	json_error_t error;

	/* jansson overlooks a NUL behind a number. */
	if (nul)
		return err_set(e, ERR_FORMAT,
		    "%s: expected a JSON document, found at byte %zu: a NUL", what,
		    (size_t)(nul - text.ptr));
	if (memory_of(text) > JSON_MEMORY_MAX)
		return err_set(e, ERR_LIMIT,
		    "%s: expected a JSON document that takes at most %d MiB of memory, found "
		    "one "
		    "of %zu bytes that takes more",
		    what, JSON_MEMORY_MAX / (1024 * 1024), text.len);
	json_t *tree =
	    json_loadb(text.len ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &error);
	if (!tree)
		return err_set(e, ERR_FORMAT,
		    "%s: expected a JSON document, found at byte %d: %s", what, error.position,
		    error.text);
	*doc = (struct json *)(void *)tree;
	return true;
}

void json_free(struct json *doc)
{
	json_decref((json_t *)(void *)doc);
}

void json_drop(struct json **doc)
{
	json_free(*doc);
	*doc = NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return object ? out(json_object_get(in(object), key)) : NULL;
}

size_t json_count(const struct json *array)
{
	return array ? json_array_size(in(array)) : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
	return array ? out(json_array_get(in(array), i)) : NULL;
}

bool json_is_object(const struct json *v)
{
	return v && json_typeof(in(v)) == JSON_OBJECT;
}

bool json_is_array(const struct json *v)
{
	return v && json_typeof(in(v)) == JSON_ARRAY;
}

bool json_is_null(const struct json *v)
{
	return v && json_typeof(in(v)) == JSON_NULL;
}

bool json_bool(const struct json *v)
{
	return v && json_typeof(in(v)) == JSON_TRUE;
}

struct slice json_text(const struct json *v)
{
	if (!v || json_typeof(in(v)) != JSON_STRING)
		return (struct slice){0};
	return slice_at(json_string_value(in(v)), json_string_length(in(v)));
}

bool json_u64(const struct json *v, uint64_t *number)
{
	if (!v || json_typeof(in(v)) != JSON_INTEGER || json_integer_value(in(v)) < 0)
		return false;
	*number = (uint64_t)json_integer_value(in(v));
	return true;
}

bool json_number(const struct json *v, double *number)
{
	const struct slice text = json_text(v);
	char *end = NULL;

	if (v && json_is_number(in(v))) {
		*number = json_number_value(in(v));
		return true;
	}
	if (!text.len)
		return false;
	*number = strtod(text.ptr, &end);
	return end == text.ptr + text.len && isfinite(*number);
}

bool json_next(
    const struct json *object, void **iter, const char **key, const struct json **value)
{
	json_t *tree = (json_t *)(uintptr_t)in(object);

	*iter = *iter ? json_object_iter_next(tree, *iter) : json_object_iter(tree);
	if (!*iter)
		return false;
	*key = json_object_iter_key(*iter);
	*value = out(json_object_iter_value(*iter));
	return true;
}

/* What stands where something else was expected. */
static const char *kind_of(const struct json *v)
{
	static const char *const kinds[] = {
	    [JSON_OBJECT] = "an object",
	    [JSON_ARRAY] = "an array",
	    [JSON_STRING] = "text",
	    [JSON_INTEGER] = "a number",
	    [JSON_REAL] = "a fraction",
	    [JSON_TRUE] = "true",
	    [JSON_FALSE] = "false",
	    [JSON_NULL] = "null",
	};

	return v ? kinds[json_typeof(in(v))] : "nothing";
}

bool json_need_text(const struct json *object, const char *key, const char *what,
    struct slice *text, struct err *e)
{
	const struct json *v = json_get(object, key);

	*text = json_text(v);
	return text->ptr
	       || err_set(e, ERR_FORMAT, "%s: expected text in \"%s\", found %s", what, key,
		   kind_of(v));
}

bool json_need_u64(const struct json *object, const char *key, const char *what, uint64_t max,
    uint64_t *number, struct err *e)
{
	const struct json *v = json_get(object, key);

	if (json_u64(v, number) && *number <= max)
		return true;
	if (v && json_is_integer(in(v)))
		return err_set(e, ERR_FORMAT,
		    "%s: expected a number from 0 to %llu in \"%s\", found %lld", what,
		    (unsigned long long)max, key, (long long)json_integer_value(in(v)));
	return err_set(e, ERR_FORMAT,
	    "%s: expected a number from 0 to %llu in \"%s\", found %s", what,
	    (unsigned long long)max, key, kind_of(v));
}

bool json_need_array(const struct json *object, const char *key, const char *what,
    const struct json **array, struct err *e)
{
	*array = json_get(object, key);
	return json_is_array(*array)
	       || err_set(e, ERR_FORMAT, "%s: expected an array in \"%s\", found %s", what, key,
		   kind_of(*array));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct slice *s)
{
	while (s->len && is_blank(*s->ptr))
		*s = slice_at(s->ptr + 1, s->len - 1);
}

static bool take(struct slice *s, char c)
{
	skip_blanks(s);
	if (!s->len || *s->ptr != c)
		return false;
	*s = slice_at(s->ptr + 1, s->len - 1);
	return true;
}

/* The length of the string that s begins with, quotes included; 0 when it does not end. */
static size_t string_length(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t scalar_length(struct slice s)
{
	size_t len = 0;

	while (len < s.len && !is_blank(s.ptr[len]) && !strchr(",]}", s.ptr[len]))
		len++;
	return len;
}

/* The length of the object or array that s begins with; brackets are counted, what stands
 * between them is left to json_parse. */
static size_t nested_length(struct slice s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"') {
			const size_t len = string_length(slice_at(s.ptr + i, s.len - i));
			if (!len)
				return 0;
			i += len - 1;
		} else if (s.ptr[i] == '{' || s.ptr[i] == '[') {
			depth++;
		} else if ((s.ptr[i] == '}' || s.ptr[i] == ']') && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* Takes the value that *s begins with, whatever it is. */
static bool take_value(struct slice *s, struct slice *value)
{
	size_t len;

	skip_blanks(s);
	if (!s->len)
		return false;
	if (*s->ptr == '"')
		len = string_length(*s);
	else if (*s->ptr == '{' || *s->ptr == '[')
		len = nested_length(*s);
	else
		len = scalar_length(*s);
	*value = slice_at(s->ptr, len);
	*s = slice_at(s->ptr + len, s->len - len);
	return len > 0;
}

/* Goes to the next item of a container: past its opening bracket at the start, past a comma
 * later; false at its end, with *bad when that is not the end of the text. */
static bool next_item(struct slice *rest, char open, char close, bool *bad)
{
	const bool first = take(rest, open);

	if (take(rest, close)) {
		skip_blanks(rest);
		*bad = rest->len > 0;
		return false;
	}
	*bad = !first && !take(rest, ',');
	return !*bad;
}

/* Whether an item is followed by a comma or by the end of its container, as every item is. */
static bool followed(struct slice *rest, char close)
{
	skip_blanks(rest);
	return rest->len && (*rest->ptr == ',' || *rest->ptr == close);
}

bool json_skim_member(struct slice *rest, struct slice *key, struct slice *value, bool *bad)
{
	if (!next_item(rest, '{', '}', bad))
		return false;
	skip_blanks(rest);
	/* Keys are compared as they stand: one with an escape could be any key. */
	*bad = !rest->len || *rest->ptr != '"' || !take_value(rest, key)
	       || memchr(key->ptr, '\\', key->len) || !take(rest, ':')
	       || !take_value(rest, value) || !followed(rest, '}');
	if (*bad)
		return false;
	*key = slice_at(key->ptr + 1, key->len - 2);
	return true;
}

bool json_skim_element(struct slice *rest, struct slice *value, bool *bad)
{
	if (!next_item(rest, '[', ']', bad))
		return false;
	*bad = !take_value(rest, value) || !followed(rest, ']');
	return !*bad;
}

static void comma(struct json_writer *w)
{
	if (w->comma)
		buf_add(w->out, ",", 1);
	w->comma = true;
}

void json_begin(struct json_writer *w, char open)
{
	comma(w);
	buf_add(w->out, &open, 1);
	w->comma = false;
}

void json_end(struct json_writer *w, char close)
{
	buf_add(w->out, &close, 1);
	w->comma = true;
}

void json_key(struct json_writer *w, const char *key)
{
	json_put_text(w, slice_of(key));
	buf_add(w->out, ":", 1);
	w->comma = false;
}

/* The code point that s begins with, in *len bytes; U+FFFD in one byte where it is no UTF-8. */
static uint32_t code_point(struct slice s, size_t *len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s.ptr;
	uint32_t point;

	*len = 1;
	if (p[0] < 0x80)
		return p[0];
	const size_t need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < need)
		return 0xfffd;
	point = p[0] & (0x7fU >> need);
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xfffd;
		point = point << 6 | (p[i] & 0x3fU);
	}
	if (point < least[need] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0xfffd;
	*len = need;
	return point;
}

static void put_point(struct buf *out_text, uint32_t point)
{
	if (point >= 0x10000)
		buf_addf(out_text, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
		    0xdc00 + ((point - 0x10000) & 0x3ff));
	else if (point == '"' || point == '\\')
		buf_addf(out_text, "\\%c", (char)point);
	else if (point < 0x20 || point >= 0x7f)
		buf_addf(out_text, "\\u%04x", point);
	else
		buf_add(out_text, &(char){(char)point}, 1);
}

void json_put_text(struct json_writer *w, struct slice text)
{
	size_t len;

	comma(w);
	buf_add(w->out, "\"", 1);
	for (; text.len; text = slice_at(text.ptr + len, text.len - len))
		put_point(w->out, code_point(text, &len));
	buf_add(w->out, "\"", 1);
}

void json_put_u64(struct json_writer *w, uint64_t number)
{
	comma(w);
	buf_addf(w->out, "%llu", (unsigned long long)number);
}

void json_put_raw(struct json_writer *w, struct slice json)
{
	comma(w);
	buf_add(w->out, json.ptr, json.len);
}

void json_pair(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_put_text(w, slice_of(text));
}
