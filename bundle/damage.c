#include "bundle/damage.h"

#include "base/own.h"
#include "bundle/head.h"
#include "bundle/layout.h"
#include "bundle/region.h"
#include "bundle/survey.h"

#include <stdlib.h>

void damage_drop(struct damage *d)
{
	free(d->bad);
	*d = (struct damage){0};
}

size_t damage_count(const struct damage *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->chunks; i++)
		count += d->bad[i];
	return count;
}

void damage_ranges(const struct damage *d, struct buf *out)
{
	for (size_t i = 0; i < d->chunks; i++) {
		const size_t first = i;

		if (!d->bad[i])
			continue;
		while (i + 1 < d->chunks && d->bad[i + 1])
			i++;
		buf_addf(out, "%s%zu", out->len ? "," : "", first + 1);
		if (i > first)
			buf_addf(out, "-%zu", i + 1);
	}
}

static void set_up(struct damage *d, uint64_t total)
{
	d->total = total;
	d->chunks = parts_pieces(total, PART_CHUNK);
	d->bad = own_array(d->chunks, sizeof(*d->bad));
}

/* The chunks of len bytes from offset on. */
static void mark(struct damage *d, uint64_t offset, uint64_t len)
{
	const uint64_t last = len ? offset + len - 1 : offset;

	for (uint64_t i = offset / PART_CHUNK; i <= last / PART_CHUNK && i < d->chunks; i++)
		d->bad[i] = true;
}

/* Damage is what is looked for; anything else ends the search. */
static bool is_damage(const struct err *found, struct err *e)
{
	if (found->kind == ERR_DAMAGED || found->kind == ERR_SYSTEM
	    || found->kind == ERR_UNTRUSTED)
		return true;
	*e = *found;
	return false;
}

static bool check_member(struct medium *m, const struct member *member, uint64_t at,
    struct watch *watch, struct err *e)
{
	const struct region region = {.medium = m, .member = member, .at = at};
	struct sink nowhere = null_sink();
	const bool ok = region_check(&region, &nowhere, e);

	watch_tell(watch, &(struct news){.kind = NEWS_BYTES, .bytes = member->size});
	return ok;
}

static bool check_members(struct medium *m, const struct inventory *inv,
    const struct layout *layout, struct watch *watch, struct damage *d, struct err *e)
{
	struct err found = {0};

	for (size_t i = 0; i < inv->member_count; i++) {
		const uint64_t end =
		    i + 1 < inv->member_count ? layout->headers[i + 1] : layout->trailer;

		err_clear(&found);
		if (check_member(m, &inv->members[i], layout->headers[i], watch, &found))
			continue;
		if (!is_damage(&found, e))
			return false;
		mark(d, layout->headers[i], end - layout->headers[i]);
	}
	err_clear(&found);
	if (region_zeros(m, layout->trailer, TRAILER, &found))
		return true;
	mark(d, layout->trailer, TRAILER);
	return is_damage(&found, e);
}

/* By the inventory: a member that does not hold is bad as a whole. */
static bool find_by_inventory(
    struct medium *m, struct watch *watch, struct damage *d, struct err *e)
{
	OWNED(head_drop) struct head head = {0};
	OWNED(inventory_drop) struct inventory *inv = NULL;
	OWNED(layout_drop) struct layout layout = {0};

	if (!head_read(m, &head, e) || !inventory_read(buf_slice(&head.inventory), &inv, e)
	    || !layout_make(inv, head.inventory.len, &layout, e))
		return false;
	if (!d->bad)
		set_up(d, layout.total);
	digest_of(buf_slice(&head.inventory), &d->id);
	return check_members(m, inv, &layout, watch, d, e);
}

/* A list of which nothing fits is another bundle's, unless there is one chunk only. */
static bool is_foreign(const struct damage *d)
{
	return d->chunks > 1 && damage_count(d) == d->chunks;
}

bool damage_find(struct medium *m, const struct parts *list, struct watch *watch,
    struct damage *out, struct err *e)
{
	OWNED(damage_drop) struct damage d = {0};

	if (list) {
		set_up(&d, list->total);
		d.id = list->id;
		if (!survey_chunks(m, list, d.bad, e))
			return false;
		if (is_foreign(&d))
			damage_drop(&d);
	}
	if (!damage_count(&d) && !find_by_inventory(m, watch, &d, e))
		return false;
	if (!damage_count(&d) && !m->check_end(m, d.total, e))
		return false; /* no chunk that is sent would mend what is too much */
	*out = STEAL(d);
	return true;
}

/* Letters and digits that sound and look unlike each other. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

enum { ID_SHORT = 8, CHECK_LEN = 4 };

static void add_check(struct buf *line, size_t from)
{
	struct digest d;
	uint32_t bits;

	digest_of(slice_at(line->ptr + from, line->len - from), &d);
	bits = (uint32_t)d.bytes[0] << 16 | (uint32_t)d.bytes[1] << 8 | d.bytes[2];
	buf_adds(line, ":");
	for (int i = 0; i < CHECK_LEN; i++)
		buf_add(line, &alphabet[bits >> (5 * i) & 31], 1);
}

void need_write(const struct damage *d, struct buf *out)
{
	OWNED(buf_drop) struct buf ranges = BUF(NEED_LINE);
	const size_t from = out->len;
	char hex[DIGEST_TEXT];

	damage_ranges(d, &ranges);
	buf_addf(out, "%.*s:%s", ID_SHORT, digest_hex(&d->id, hex), buf_text(&ranges));
	add_check(out, from);
}

static bool misheard(const char *what, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "expected a line as sealift parts need prints it, found one that does not fit in "
	    "its %s; "
	    "hear it again",
	    what);
}

static bool read_range(struct slice text, struct damage *d, struct err *e)
{
	struct slice rest = text;
	struct slice part;
	uint64_t first;
	uint64_t last;

	if (!slice_cut(&rest, '-', &part) || !slice_u64(part, d->chunks, &first) || !first)
		return misheard("chunk number", e);
	last = first;
	if (slice_cut(&rest, '-', &part)
	    && (rest.ptr || !slice_u64(part, d->chunks, &last) || last < first))
		return misheard("range of chunks", e);
	for (uint64_t i = first; i <= last; i++)
		d->bad[i - 1] = true;
	return true;
}

bool need_read(const char *line, const struct digest *id, uint64_t total, struct damage *out,
    struct err *e)
{
	OWNED(damage_drop) struct damage d = {.id = *id};
	OWNED(buf_drop) struct buf again = BUF(NEED_LINE);
	struct slice rest = slice_trim(slice_of(line));
	const struct slice whole = rest;
	struct slice name;
	struct slice ranges;
	struct slice range;
	char hex[DIGEST_TEXT];

	if (!slice_cut(&rest, ':', &name) || !slice_cut(&rest, ':', &ranges) || !rest.ptr)
		return misheard("form", e);
	buf_addf(&again, "%.*s:%.*s", SLICE_ARG(name), SLICE_ARG(ranges));
	add_check(&again, 0);
	if (!slice_equal(buf_slice(&again), whole))
		return misheard("last four characters", e);
	(void)digest_hex(id, hex);
	if (!slice_equal(name, slice_at(hex, ID_SHORT)))
		return err_set(e, ERR_USAGE,
		    "expected a line for the bundle %.8s, found one for %.*s; take the bundle "
		    "that it was made from",
		    hex, SLICE_ARG(name));
	set_up(&d, total);
	while (slice_cut(&ranges, ',', &range))
		if (!read_range(range, &d, e))
			return false;
	*out = STEAL(d);
	return true;
}
