#include "bundle/survey.h"

#include "base/own.h"
#include "bundle/head.h"
#include "bundle/layout.h"
#include "bundle/region.h"
#include "manifests/verify.h"

#include <stdlib.h>

/* Hashes pieces of one size, one after another. */
struct pieces {
	struct hash *hash;
	uint64_t size;
	uint64_t at; /* within the piece under way */
	struct digest *digests;
	size_t count;
};

static void pieces_begin(struct pieces *p, uint64_t size)
{
	*p = (struct pieces){.hash = hash_new(), .size = size};
}

static void end_piece(struct pieces *p)
{
	if (p->count % 256 == 0)
		p->digests = own_grow(p->digests, p->count + 256, sizeof(*p->digests));
	hash_end(p->hash, &p->digests[p->count++]);
	hash_restart(p->hash);
	p->at = 0;
}

static void add_bytes(struct pieces *p, const char *bytes, size_t len)
{
	while (len) {
		const uint64_t left = p->size - p->at;
		const size_t part = len < left ? len : (size_t)left;

		hash_add(p->hash, bytes, part);
		p->at += part;
		bytes += part;
		len -= part;
		if (p->at == p->size)
			end_piece(p);
	}
}

/* A medium that hashes what passes for the first time. */
struct tap {
	struct medium medium;
	struct medium *from;
	struct watch *watch;
	uint64_t at;
	struct pieces parts;
	struct pieces chunks;
};

static bool tap_read(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct tap *t = (struct tap *)self;

	if (!medium_read(t->from, bytes, len, offset, e))
		return false;
	if (offset != t->at)
		return true;
	if (t->parts.size)
		add_bytes(&t->parts, bytes, len);
	add_bytes(&t->chunks, bytes, len);
	t->at += len;
	watch_tell(t->watch, &(struct news){.kind = NEWS_BYTES, .bytes = len});
	return true;
}

static void tap_drop(struct tap *t)
{
	hash_free(t->parts.hash);
	hash_free(t->chunks.hash);
	free(t->parts.digests);
	free(t->chunks.digests);
}

static bool check_member(struct tap *t, const struct member *m, uint64_t at, struct err *e)
{
	const struct region region = {.medium = &t->medium, .member = m, .at = at};
	struct sink nowhere = null_sink();
	char path[MEMBER_PATH];

	return region_check(&region, &nowhere, e)
	       || err_in(e, "%s, at byte %llu", member_path(m, path), (unsigned long long)at);
}

static bool read_all(struct tap *t, const struct survey *s, struct err *e)
{
	OWNED(layout_drop) struct layout layout = {0};
	OWNED(head_drop) struct head head = {0};

	if (!layout_make(s->inv, s->bytes.len, &layout, e)
	    || !head_compare(&t->medium, s->bytes, &head, e))
		return false;
	for (size_t i = 0; i < s->inv->member_count; i++)
		if (!check_member(t, &s->inv->members[i], layout.headers[i], e))
			return false;
	return (region_zeros(&t->medium, layout.trailer, TRAILER, e)
		   && s->medium->check_end(s->medium, layout.total, e))
	       || err_in(e, "the end of the tar file");
}

bool survey_read(const struct survey *s, struct parts *out, struct err *e)
{
	const uint64_t total = s->inv->total;
	OWNED(tap_drop) struct tap t = {.from = s->medium, .watch = s->watch};

	t.medium.read = tap_read;
	pieces_begin(&t.parts, s->part_size);
	pieces_begin(&t.chunks, PART_CHUNK);
	if (!read_all(&t, s, e))
		return false;
	if (t.parts.at && s->part_size)
		end_piece(&t.parts);
	if (t.chunks.at)
		end_piece(&t.chunks);
	*out = (struct parts){.total = total, .size = s->part_size ? s->part_size : total};
	out->hashes = STEAL(t.parts.digests);
	out->count = t.parts.count;
	out->chunks = STEAL(t.chunks.digests);
	out->chunk_count = t.chunks.count;
	digest_of(s->bytes, &out->id);
	return true;
}

bool survey_chunk(struct medium *m, uint64_t total, size_t i, struct digest *out, struct err *e)
{
	const uint64_t at = PART_CHUNK * i;
	const uint64_t left = total - at;
	OWNED(hash_drop) struct hash *hash = hash_new();
	struct medium_source bytes;
	struct hash_sink sink;

	medium_source_init(&bytes, m, at, left < PART_CHUNK ? left : PART_CHUNK);
	hash_sink_init(&sink, hash);
	if (!stream_copy(&bytes.source, &sink.sink, e))
		return false;
	hash_end(hash, out);
	return true;
}

bool survey_chunks(struct medium *m, const struct parts *list, bool *bad, struct err *e)
{
	for (size_t i = 0; i < list->chunk_count; i++) {
		struct err found = {0};
		struct digest hash;
		const bool read = survey_chunk(m, list->total, i, &hash, &found);

		bad[i] = !read || !digest_equal(&hash, &list->chunks[i]);
		if (!read && found.kind != ERR_DAMAGED && found.kind != ERR_SYSTEM) {
			*e = found;
			return false;
		}
	}
	return true;
}
