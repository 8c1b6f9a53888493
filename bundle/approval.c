#include "bundle/approval.h"

#include "base/own.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://sealift/approval/v1"

void approval_drop(struct approval *a)
{
	free(a->name);
	free(a->note);
	free(a->destination);
	*a = (struct approval){0};
}

/* ---- writing */

static void put_or_null(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	if (text)
		json_put_text(w, slice_of(text));
	else
		json_put_raw(w, slice_of("null"));
}

static void put_predicate(struct json_writer *w, const struct approval *a)
{
	char created[DATE_TEXT];
	char expires[DATE_TEXT];

	json_begin(w, '{');
	json_pair(w, "note", a->note);
	json_pair(w, "created", date_text(a->created, created));
	put_or_null(w, "destination", a->destination);
	put_or_null(w, "expires", a->expires ? date_text(a->expires, expires) : NULL);
	json_end(w, '}');
}

static bool write_statement(const struct approval *a, struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};
	char hex[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "_type", STATEMENT_TYPE);
	json_key(&w, "subject");
	json_begin(&w, '[');
	json_begin(&w, '{');
	json_pair(&w, "name", a->name);
	json_key(&w, "digest");
	json_begin(&w, '{');
	json_pair(&w, "sha256", digest_hex(&a->id, hex));
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, ']');
	json_pair(&w, "predicateType", PREDICATE_TYPE);
	json_key(&w, "predicate");
	put_predicate(&w, a);
	json_end(&w, '}');
	return buf_ok(out, e);
}

bool approval_write(
    const struct approval *a, const struct signer *approver, struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf statement = BUF(ENVELOPE_MAX / 2);

	return write_statement(a, &statement, e)
	       && envelope_write(buf_slice(&statement), approver, out, e);
}

/* ---- reading */

static bool need_type(const struct json *from, const char *key, const char *want, struct err *e)
{
	struct slice found;

	if (!json_need_text(from, key, "statement", &found, e))
		return false;
	return slice_is(found, want)
	       || err_set(e, ERR_UNTRUSTED, "expected %s in \"%s\", found %.*s", want, key,
		   SLICE_ARG(found));
}

static bool read_subject(const struct json *statement, struct approval *out, struct err *e)
{
	const struct json *subjects;
	struct slice name;
	struct slice hex;

	if (!json_need_array(statement, "subject", "statement", &subjects, e))
		return false;
	if (json_count(subjects) != 1)
		return err_set(
		    e, ERR_UNTRUSTED, "expected one subject, found %zu", json_count(subjects));
	const struct json *subject = json_at(subjects, 0);
	if (!json_need_text(subject, "name", "subject", &name, e)
	    || !json_need_text(json_get(subject, "digest"), "sha256", "digest", &hex, e)
	    || !digest_parse_hex(hex, &out->id, e))
		return false;
	out->name = own_bytes(name.ptr, name.len);
	return true;
}

/* A condition that is not known cannot be met. */
static bool knows_all(const struct json *predicate, struct err *e)
{
	static const char *const known[] = {"note", "created", "destination", "expires"};
	const struct json *value;
	const char *key;
	void *iter = NULL;

	while (json_next(predicate, &iter, &key, &value)) {
		size_t i = 0;
		while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], key) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return err_set(e, ERR_UNTRUSTED,
			    "expected an approval that this version knows whole, found \"%s\" "
			    "in it",
			    key);
	}
	return true;
}

static bool read_expires(const struct json *predicate, uint64_t *expires, struct err *e)
{
	const struct json *value = json_get(predicate, "expires");
	struct slice text;

	if (json_is_null(value))
		return true;
	if (!json_need_text(predicate, "expires", "predicate", &text, e))
		return false;
	return (date_exact(text, expires) && *expires)
	       || err_set(e, ERR_UNTRUSTED, "expected a time in \"expires\", found \"%.*s\"",
		   SLICE_ARG(text));
}

static bool read_destination(const struct json *predicate, char **destination, struct err *e)
{
	struct slice text;

	if (json_is_null(json_get(predicate, "destination")))
		return true;
	if (!json_need_text(predicate, "destination", "predicate", &text, e))
		return false;
	*destination = own_bytes(text.ptr, text.len);
	return true;
}

static bool read_predicate(const struct json *predicate, struct approval *out, struct err *e)
{
	struct slice note;
	struct slice created;

	if (!json_is_object(predicate))
		return err_set(e, ERR_UNTRUSTED, "expected a predicate, found none");
	if (!knows_all(predicate, e)
	    || !json_need_text(predicate, "note", "predicate", &note, e)
	    || !json_need_text(predicate, "created", "predicate", &created, e))
		return false;
	if (!date_exact(created, &out->created))
		return err_set(e, ERR_UNTRUSTED,
		    "expected a time in \"created\", found \"%.*s\"", SLICE_ARG(created));
	out->note = own_bytes(note.ptr, note.len);
	return read_destination(predicate, &out->destination, e)
	       && read_expires(predicate, &out->expires, e);
}

static bool read_statement(struct slice text, struct approval *out, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;

	return json_parse(text, "statement", &doc, e)
	       && need_type(doc, "_type", STATEMENT_TYPE, e)
	       && need_type(doc, "predicateType", PREDICATE_TYPE, e)
	       && read_subject(doc, out, e)
	       && read_predicate(json_get(doc, "predicate"), out, e);
}

bool approval_read(struct slice envelope, const char *what, const struct keyring *ring,
    struct approval *out, struct envelope_signers *signers, struct err *e)
{
	OWNED(approval_drop) struct approval a = {0};
	OWNED(buf_drop) struct buf statement = BUF(0);

	*signers = (struct envelope_signers){0};
	if (!envelope_open(envelope, ring, &statement, signers, e)
	    || !read_statement(buf_slice(&statement), &a, e)) {
		if (e->kind == ERR_FORMAT || e->kind == ERR_DAMAGED)
			e->kind = ERR_UNTRUSTED;
		return err_in(e, "%s", what);
	}
	*out = STEAL(a);
	return true;
}

/* ---- what it allows */

bool approval_fits(const struct approval *a, const struct approval_use *use, struct err *e)
{
	char text[2][DIGEST_TEXT];
	char when[2][DATE_TEXT];

	if (!digest_equal(&a->id, use->id))
		return err_set(e, ERR_UNTRUSTED,
		    "expected an approval of this bundle, %s, found one of %s, %s",
		    digest_text(use->id, text[0]), a->name, digest_text(&a->id, text[1]));
	if (a->destination && strcmp(a->destination, use->destination) != 0)
		return err_set(e, ERR_UNTRUSTED,
		    "expected an approval for %s, found one for %s only", use->destination,
		    a->destination);
	if (a->expires && use->now > a->expires)
		return err_set(e, ERR_UNTRUSTED, "it was good until %s, and here it is %s",
		    date_text(a->expires, when[0]), date_text(use->now, when[1]));
	if (use->now + DATE_SLACK < a->created)
		return err_set(e, ERR_UNTRUSTED,
		    "it was given on %s, and here it is %s: this machine's clock is wrong",
		    date_text(a->created, when[0]), date_text(use->now, when[1]));
	return true;
}
