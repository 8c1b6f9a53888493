#include "bundle/heal.h"

#include "base/own.h"
#include "bundle/head.h"
#include "bundle/layout.h"
#include "bundle/region.h"

/* A copy as it will be: the patch's chunks, and what stands between them. */
struct overlay {
	struct medium medium;
	const struct patch *patch;
	struct medium *copy;
};

static const struct piece *piece_of(const struct patch *p, uint64_t chunk)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pieces[i].chunk == chunk)
			return &p->pieces[i];
	return NULL;
}

static bool overlay_read(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	const struct overlay *o = (const struct overlay *)self;

	for (char *to = bytes; len;) {
		const uint64_t within = offset % PART_CHUNK;
		const uint64_t left = PART_CHUNK - within;
		const size_t part = len < left ? len : (size_t)left;
		const struct piece *piece = piece_of(o->patch, offset / PART_CHUNK);
		const bool ok =
		    piece ? file_read_at(o->patch->fd, to, part, piece->at + within, e)
			  : medium_read(o->copy, to, part, offset, e);

		if (!ok)
			return false;
		to += part;
		len -= part;
		offset += part;
	}
	return true;
}

static bool touches(const struct patch *p, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pieces[i].chunk * PART_CHUNK < to
		    && (p->pieces[i].chunk + 1) * PART_CHUNK > from)
			return true;
	return false;
}

static bool check_touched(const struct patch *p, struct medium *m, const struct inventory *inv,
    const struct layout *layout, struct err *e)
{
	for (size_t i = 0; i < inv->member_count; i++) {
		const struct region region = {
		    .medium = m, .member = &inv->members[i], .at = layout->headers[i]};
		const uint64_t end =
		    i + 1 < inv->member_count ? layout->headers[i + 1] : layout->trailer;
		struct sink nowhere = null_sink();
		char path[MEMBER_PATH];

		if (touches(p, region.at, end) && !region_check(&region, &nowhere, e))
			return err_in(e, "%s", member_path(region.member, path));
	}
	return region_zeros(m, layout->trailer, TRAILER, e)
	       || err_in(e, "the end of the tar file");
}

/* Whether all that the patch touches holds as m has it. */
static bool check_healed(const struct patch *p, struct medium *m, struct err *e)
{
	OWNED(head_drop) struct head head = {0};
	OWNED(inventory_drop) struct inventory *inv = NULL;
	OWNED(layout_drop) struct layout layout = {0};
	struct digest id;

	if (!head_read(m, &head, e))
		return false;
	digest_of(buf_slice(&head.inventory), &id);
	if (!digest_equal(&id, &p->id))
		return err_set(
		    e, ERR_USAGE, "expected a patch for this bundle, found one for another");
	return inventory_read(buf_slice(&head.inventory), &inv, e)
	       && layout_make(inv, head.inventory.len, &layout, e)
	       && (layout.total == p->total || patch_is_none(e))
	       && check_touched(p, m, inv, &layout, e);
}

static bool write_pieces(const struct patch *p, struct medium *copy, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		struct file_source from;
		struct medium_sink to;

		patch_source(p, i, &from);
		medium_sink_init(
		    &to, copy, p->pieces[i].chunk * PART_CHUNK, p->pieces[i].bytes.size);
		if (!stream_copy(&from.source, &to.sink, e))
			return false;
	}
	return true;
}

bool heal(const struct patch *p, struct medium *copy, struct err *e)
{
	struct overlay healed = {.medium = {.read = overlay_read}, .patch = p, .copy = copy};

	if (!check_healed(p, &healed.medium, e))
		return e->kind != ERR_SYSTEM && e->kind != ERR_MISSING
		       && err_in(e, "this patch does not heal it");
	return (write_pieces(p, copy, e) && copy->uncache(copy, e) && check_healed(p, copy, e))
	       || err_in(e, "writing the patch; run the same command again");
}
