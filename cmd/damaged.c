#include "cmd/damaged.h"

#include "base/own.h"
#include "bundle/damage.h"
#include "bundle/survey.h"
#include "cmd/output.h"
#include "manifests/verify.h"

#include <stdlib.h>

/* The bad chunks that part i has bytes of; the rest of them are taken to be good. */
static void of_part(const struct damage *all, uint64_t part_size, size_t i, struct damage *out)
{
	const uint64_t first = part_size * i / PART_CHUNK;
	const uint64_t last = (part_size * (i + 1) - 1) / PART_CHUNK;

	*out = *all;
	out->bad = own_array(all->chunks, sizeof(*out->bad));
	for (uint64_t c = first; c <= last && c < all->chunks; c++)
		out->bad[c] = all->bad[c];
}

/* How many chunks have bytes in part i. */
static size_t chunks_of_part(const struct damage *all, uint64_t part_size, size_t i)
{
	const uint64_t last = (part_size * (i + 1) - 1) / PART_CHUNK;
	const uint64_t end = last < all->chunks ? last + 1 : all->chunks;

	return (size_t)(end - part_size * i / PART_CHUNK);
}

/* A chunk may have bytes of several parts; the part's own hash tells which is bad. */
static bool part_holds(struct medium *m, const struct parts *list, size_t i)
{
	const uint64_t left = list->total - list->size * i;
	const struct descriptor want = {
	    .digest = list->hashes[i], .size = left < list->size ? left : list->size};
	OWNED(verify_source_drop) struct verify_source verify = {0};
	struct medium_source from;
	struct sink nowhere = null_sink();
	struct err ignored = {0};

	medium_source_init(&from, m, list->size * i, want.size);
	verify_source_init(&verify, &want, &from.source);
	return stream_copy(&verify.source, &nowhere, &ignored);
}

static void say_part(
    struct medium *m, const struct damage *all, const struct parts *list, size_t i, FILE *out)
{
	OWNED(damage_drop) struct damage part = {0};
	OWNED(buf_drop) struct buf ranges = BUF(4096);

	of_part(all, list->size, i, &part);
	if (!damage_count(&part) || part_holds(m, list, i))
		return;
	damage_ranges(&part, &ranges);
	say(out, "damaged: part %zu, chunk%s %s of %zu%s\n", i + 1, plural(damage_count(&part)),
	    buf_text(&ranges), all->chunks,
	    damage_count(&part) == chunks_of_part(all, list->size, i)
		? ": none of its chunks is right, so it may be another bundle's"
		: "");
}

static void say_damage(
    struct medium *m, const struct damage *damage, const struct parts *list, FILE *out)
{
	OWNED(buf_drop) struct buf ranges = BUF(4096);

	for (size_t i = 0; i < list->count && list->count > 1; i++)
		say_part(m, damage, list, i, out);
	if (list->count > 1)
		return;
	damage_ranges(damage, &ranges);
	say(out, "damaged: chunk%s %s of %zu\n", plural(damage_count(damage)),
	    buf_text(&ranges), damage->chunks);
}

void damaged_report(const struct media_in_options *media, const char *path,
    const struct reader *reader, FILE *out)
{
	OWNED(parts_drop) struct parts list = {0};
	OWNED(medium_drop) struct medium *m = NULL;
	OWNED(damage_drop) struct damage damage = {0};
	struct err ignored = {0};
	char id[DIGEST_TEXT];

	if (reader_is_forward(reader) || !media_in_list(media, path, &list, &ignored))
		return;
	if (!digest_equal(&list.id, reader_id(reader))) {
		say(out, "the list of parts beside it is of another bundle, %s\n",
		    digest_text(&list.id, id));
		return;
	}
	if (!media_in_open(media, path, MEDIUM_READ, &m, &ignored)
	    || !damage_find(m, &list, NULL, &damage, &ignored) || !damage_count(&damage))
		return;
	say_damage(m, &damage, &list, out);
	say(out, "sealift parts need prints the line that asks for them\n");
}
