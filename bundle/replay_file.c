#include "bundle/replay_file.h"

#include "base/file.h"
#include "base/own.h"
#include "manifests/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_TYPE "https://sealift/state/v1"
#define SEQUENCE_MAX UINT64_C(9007199254740991)

static void drop_record(struct replay_record *r)
{
	free(r->channel);
	free(r->destination);
	*r = (struct replay_record){0};
}

void replay_file_drop(struct replay_file *f)
{
	for (size_t i = 0; i < f->count; i++)
		drop_record(&f->records[i]);
	free(f->records);
	*f = (struct replay_file){0};
}

/* Lower case only: a folder may not tell the cases apart. */
static bool is_plain(const char *name)
{
	const size_t len = strlen(name);

	return len && len <= 64 && name[0] != '.' && name[0] != '-'
	       && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

const char *replay_file_name(const char *bundle, char out[REPLAY_NAME_MAX])
{
	struct digest d;
	char hex[DIGEST_TEXT];

	if (is_plain(bundle)) {
		(void)snprintf(out, REPLAY_NAME_MAX, "%s.json", bundle);
		return out;
	}
	digest_of(slice_of(bundle), &d);
	(void)snprintf(out, REPLAY_NAME_MAX, "=%s.json", digest_hex(&d, hex));
	return out;
}

static bool read_record(const struct json *from, struct replay_record *r, struct err *e)
{
	struct slice key;
	struct slice channel;
	struct slice destination;
	struct slice id;

	if (!json_need_text(from, "key", "record", &key, e)
	    || !digest_parse_hex(key, &r->key, e)
	    || !json_need_text(from, "channel", "record", &channel, e)
	    || !json_need_text(from, "destination", "record", &destination, e)
	    || !json_need_u64(from, "sequence", "record", SEQUENCE_MAX, &r->sequence, e)
	    || !json_need_text(from, "id", "record", &id, e) || !digest_parse(id, &r->id, e))
		return false;
	r->channel = own_bytes(channel.ptr, channel.len);
	r->destination = own_bytes(destination.ptr, destination.len);
	return true;
}

static bool read_records(
    const struct json *doc, const char *bundle, struct replay_file *out, struct err *e)
{
	const struct json *records;
	struct slice name;
	struct slice type;

	if (!json_need_text(doc, "_type", "state", &type, e)
	    || !json_need_text(doc, "name", "state", &name, e)
	    || !json_need_array(doc, "records", "state", &records, e))
		return false;
	if (!slice_is(type, STATE_TYPE) || !slice_is(name, bundle))
		return err_set(e, ERR_FORMAT, "expected what was used of %s", bundle);
	for (size_t i = 0; i < json_count(records); i++) {
		OWNED(drop_record) struct replay_record r = {0};

		if (!read_record(json_at(records, i), &r, e) || !replay_file_add(out, &r, e))
			return false;
		r = (struct replay_record){0};
	}
	return true;
}

bool replay_file_read(
    const char *path, const char *bundle, struct replay_file *out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(0);
	OWNED(json_drop) struct json *doc = NULL;
	OWNED(replay_file_drop) struct replay_file f = {0};
	struct err failure = {0};

	if (file_read(path, REPLAY_FILE_MAX, &text, &failure)
	    && json_parse(buf_slice(&text), path, &doc, &failure)
	    && (read_records(doc, bundle, &f, &failure) || err_in(&failure, "%s", path))) {
		*out = STEAL(f);
		return true;
	}
	if (failure.kind == ERR_MISSING) {
		*out = (struct replay_file){0};
		return true;
	}
	*e = failure;
	if (e->kind == ERR_SYSTEM || e->kind == ERR_STOPPED)
		return false;
	return err_set(e, ERR_UNTRUSTED,
	    "what was used before is not known, and so nothing is used now (%s); sealift state "
	    "reset forgets it",
	    failure.text);
}

static void put_record(struct json_writer *w, const struct replay_record *r)
{
	char text[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "key", digest_hex(&r->key, text));
	json_pair(w, "channel", r->channel);
	json_pair(w, "destination", r->destination);
	json_key(w, "sequence");
	json_put_u64(w, r->sequence);
	json_pair(w, "id", digest_text(&r->id, text));
	json_end(w, '}');
}

bool replay_file_write(
    const char *path, const char *bundle, const struct replay_file *f, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(REPLAY_FILE_MAX);
	struct json_writer w = {.out = &text};

	json_begin(&w, '{');
	json_pair(&w, "_type", STATE_TYPE);
	json_pair(&w, "name", bundle);
	json_key(&w, "records");
	json_begin(&w, '[');
	for (size_t i = 0; i < f->count; i++)
		put_record(&w, &f->records[i]);
	json_end(&w, ']');
	json_end(&w, '}');
	buf_adds(&text, "\n");
	return buf_ok(&text, e)
	       && file_write_new(path, buf_slice(&text), FILE_REPLACE, 0600, e);
}

struct replay_record *replay_file_find(const struct replay_file *f, const struct digest *key,
    const char *channel, const char *destination)
{
	for (size_t i = 0; i < f->count; i++) {
		struct replay_record *r = &f->records[i];
		if (digest_equal(&r->key, key) && strcmp(r->channel, channel) == 0
		    && strcmp(r->destination, destination) == 0)
			return r;
	}
	return NULL;
}

bool replay_file_add(struct replay_file *f, const struct replay_record *record, struct err *e)
{
	if (f->count == REPLAY_RECORDS_MAX)
		return err_set(e, ERR_LIMIT, "expected at most %d records, found more",
		    REPLAY_RECORDS_MAX);
	f->records = own_grow(f->records, f->count + 1, sizeof(*f->records));
	f->records[f->count++] = *record;
	return true;
}
