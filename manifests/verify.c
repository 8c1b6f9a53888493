#include "manifests/verify.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64 * 1024 };

static bool check_size(uint64_t seen, const struct descriptor *want, struct err *e)
{
	const unsigned long long expected = want->size;
	char digest[DIGEST_TEXT];

	if (seen < want->size)
		return err_set(e, ERR_DAMAGED, "%s: expected %llu bytes, got %llu",
		    digest_text(&want->digest, digest), expected, (unsigned long long)seen);
	if (seen > want->size)
		return err_set(e, ERR_DAMAGED, "%s: expected %llu bytes, got more",
		    digest_text(&want->digest, digest), expected);
	return true;
}

static bool check_digest(struct hash *hash, const struct descriptor *want, struct err *e)
{
	struct digest found;
	char text[2][DIGEST_TEXT];

	hash_end(hash, &found);
	if (digest_equal(&found, &want->digest))
		return true;
	return err_set(e, ERR_DAMAGED, "expected bytes with the digest %s, found %s",
	    digest_text(&want->digest, text[0]), digest_text(&found, text[1]));
}

static bool sink_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct verify_sink *v = (struct verify_sink *)self;

	if (len > v->want.size - v->seen)
		return check_size(v->want.size + 1, &v->want, e);
	hash_add(v->hash, bytes, len);
	v->seen += len;
	return v->to->write(v->to, bytes, len, e);
}

static bool sink_rewind(struct sink *self, struct err *e)
{
	struct verify_sink *v = (struct verify_sink *)self;

	if (!v->to->rewind)
		return err_set(e, ERR_SYSTEM,
		    "expected an output that can begin again, found one that cannot");
	hash_restart(v->hash);
	v->seen = 0;
	return v->to->rewind(v->to, e);
}

void verify_sink_init(struct verify_sink *v, const struct descriptor *want, struct sink *to)
{
	*v = (struct verify_sink){
	    .sink = {sink_write, sink_rewind}, .to = to, .want = *want, .hash = hash_new()};
}

void verify_sink_drop(struct verify_sink *v)
{
	hash_free(v->hash);
	*v = (struct verify_sink){0};
}

bool verify_sink_end(struct verify_sink *v, struct err *e)
{
	return check_size(v->seen, &v->want, e) && check_digest(v->hash, &v->want, e);
}

static bool hash_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	hash_add(((struct hash_sink *)self)->hash, bytes, len);
	return true;
}

static bool hash_rewind(struct sink *self, struct err *e)
{
	(void)e;
	hash_restart(((struct hash_sink *)self)->hash);
	return true;
}

void hash_sink_init(struct hash_sink *s, struct hash *hash)
{
	*s = (struct hash_sink){.sink = {hash_write, hash_rewind}, .hash = hash};
}

bool verify_sink_hold(struct verify_sink *v, struct source *held, struct err *e)
{
	struct sink nowhere = null_sink();
	struct sink *to = v->to;

	v->to = &nowhere;
	const bool ok = stream_copy(held, &v->sink, e);
	v->to = to;
	return ok;
}

/* Reads the last block whole, and one byte more to know that there is none. */
static bool read_last(struct verify_source *v, size_t *beyond, struct err *e)
{
	const size_t last = (size_t)(v->want.size - v->seen);
	size_t got = 1;
	char byte;

	*beyond = 0;
	while (v->held_len < last && got) {
		if (!v->from->read(v->from, v->held + v->held_len, last - v->held_len, &got, e))
			return false;
		v->held_len += got;
	}
	return v->held_len < last || v->from->read(v->from, &byte, 1, beyond, e);
}

/* Lets the last block be given away once size and digest of the whole hold. */
static bool judge(struct verify_source *v, struct err *e)
{
	char digest[DIGEST_TEXT];
	size_t beyond;

	if (v->refused)
		return err_set(e, ERR_DAMAGED,
		    "%s: expected another attempt to begin again, found it going on",
		    digest_text(&v->want.digest, digest));
	if (!read_last(v, &beyond, e))
		return false;
	hash_add(v->hash, v->held, v->held_len);
	v->seen += v->held_len;
	v->verified =
	    check_size(v->seen + beyond, &v->want, e) && check_digest(v->hash, &v->want, e);
	v->refused = !v->verified;
	return v->verified;
}

static bool source_read(
    struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct verify_source *v = (struct verify_source *)self;
	const uint64_t before_last = v->want.size > HELD_MAX ? v->want.size - HELD_MAX : 0;

	if (v->seen < before_last) {
		const uint64_t left = before_last - v->seen;
		if (!v->from->read(v->from, bytes, room < left ? room : (size_t)left, got, e))
			return false;
		hash_add(v->hash, bytes, *got);
		v->seen += *got;
		return *got || check_size(v->seen, &v->want, e);
	}
	if (!v->verified && !judge(v, e))
		return false;
	*got = v->held_len - v->held_at;
	*got = *got < room ? *got : room;
	if (*got)
		(void)memcpy(bytes, v->held + v->held_at, *got);
	v->held_at += *got;
	return true;
}

static bool source_rewind(struct source *self, struct err *e)
{
	struct verify_source *v = (struct verify_source *)self;

	if (!v->from->rewind)
		return err_set(e, ERR_SYSTEM,
		    "expected an input that can begin again, found one that cannot");
	hash_restart(v->hash);
	v->seen = 0;
	v->verified = false;
	v->refused = false;
	v->held_len = 0;
	v->held_at = 0;
	return v->from->rewind(v->from, e);
}

void verify_source_init(
    struct verify_source *v, const struct descriptor *want, struct source *from)
{
	const size_t held = want->size < HELD_MAX ? (size_t)want->size : HELD_MAX;

	*v = (struct verify_source){
	    .source = {source_read, source_rewind},
	    .from = from,
	    .want = *want,
	    .hash = hash_new(),
	    .held = own_array(held, 1),
	};
}

void verify_source_drop(struct verify_source *v)
{
	hash_free(v->hash);
	free(v->held);
	*v = (struct verify_source){0};
}
