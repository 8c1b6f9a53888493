#include "bundle/countersign.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/survey.h"
#include "bundle/ustar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A journal is the bundle's first bytes up to the end of its area, as they were. */
enum { JOURNAL_MAX = TAR_BLOCK + INVENTORY_MAX + SIGNATURE_AREA, PATH_ROOM = 4096 };

void countersigning_drop(struct countersigning *c)
{
	head_drop(&c->head);
	inventory_drop(&c->inv);
}

static uint64_t area_at(size_t inventory_size)
{
	return TAR_BLOCK + ustar_padded(inventory_size);
}

/* Block 0 goes first and comes last: while it is zero no reader takes the area, and one block
 * is written whole or not at all. */
static bool write_area(struct medium *m, uint64_t at, const unsigned char *area, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];

	return medium_write(m, zeros, TAR_BLOCK, at, e) && m->uncache(m, e)
	       && medium_write(
		   m, area + TAR_BLOCK, SIGNATURE_AREA - TAR_BLOCK, at + TAR_BLOCK, e)
	       && m->uncache(m, e) && medium_write(m, area, TAR_BLOCK, at, e)
	       && m->uncache(m, e);
}

/* Whether the journal, or head, was made of a bundle with this inventory; then *area is in it.
 */
static bool fits(
    struct medium *m, const struct buf *journal, const unsigned char **area, uint64_t *at)
{
	OWNED(buf_drop) struct buf there = BUF(JOURNAL_MAX);
	struct err ignored = {0};
	struct medium_source from;
	struct buf_sink to;
	uint64_t size;

	if (journal->len < TAR_BLOCK
	    || !ustar_claimed_size((const unsigned char *)journal->ptr, &size)
	    || journal->len != TAR_BLOCK + ustar_padded(size) + SIGNATURE_AREA)
		return false;
	*at = journal->len - SIGNATURE_AREA;
	*area = (const unsigned char *)journal->ptr + *at;
	medium_source_init(&from, m, 0, *at);
	buf_sink_init(&to, &there);
	return stream_copy(&from.source, &to.sink, &ignored)
	       && memcmp(there.ptr, journal->ptr, (size_t)*at) == 0;
}

static bool remove_journal(const char *path, struct err *e)
{
	return unlink(path) == 0 || errno == ENOENT
	       || err_errno(e, "%s: cannot remove it", path);
}

/* Whether the area is the old one or the new one, and no mixture. */
static bool is_settled(struct medium *m)
{
	OWNED(head_drop) struct head head = {0};
	struct err ignored = {0};

	return head_read(m, &head, &ignored);
}

/* Puts the old area back when a killed run left its journal and a mixture. */
static bool recover(struct medium *m, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf journal = BUF(0);
	const unsigned char *area;
	uint64_t at;

	if (!file_read_plain(path, JOURNAL_MAX, &journal, e)) {
		if (e->kind != ERR_MISSING)
			return false;
		err_clear(e);
		return true;
	}
	if (!fits(m, &journal, &area, &at))
		return err_set(e, ERR_SYSTEM,
		    "%s: expected what a signing of this bundle left, found something else; "
		    "move it away",
		    path);
	return (is_settled(m) || write_area(m, at, area, e)) && remove_journal(path, e);
}

bool countersigning_open(
    struct medium *medium, const char *journal, struct countersigning *out, struct err *e)
{
	OWNED(countersigning_drop)
	struct countersigning c = {.medium = medium, .journal = journal};

	if (!recover(medium, journal, e) || !head_read(medium, &c.head, e)
	    || !inventory_read(buf_slice(&c.head.inventory), &c.inv, e))
		return false;
	*out = STEAL(c);
	return true;
}

/* The raw signature takes the form that is made of its bytes with it; the others stand alone.
 */
static bool is_replaced(
    const struct signatures *more, size_t count, const struct area_signature *s)
{
	const bool derived = strcmp(area_suffix(s), "sigstore.json") == 0;
	char raw[AREA_NAME];

	(void)snprintf(raw, sizeof(raw), "%s.sig", s->kid);
	for (size_t i = 0; i < count; i++)
		if (strcmp(more->items[i].name, s->name) == 0
		    || (derived && strcmp(more->items[i].name, raw) == 0))
			return true;
	return false;
}

/* Adds those that are there and stay. */
static bool keep_others(const struct area *area, struct signatures *more, struct err *e)
{
	const size_t count = more->count;

	for (size_t i = 0; i < area->count; i++) {
		const struct area_signature *s = &area->signatures[i];
		struct buf *text;

		if (is_replaced(more, count, s))
			continue;
		if (!signatures_add(more, s->kid, area_suffix(s), &text, e))
			return false;
		buf_add(text, s->data.ptr, s->data.len);
	}
	return true;
}

static bool read_head_bytes(const struct countersigning *c, struct buf *out, struct err *e)
{
	struct medium_source from;
	struct buf_sink to;

	medium_source_init(
	    &from, c->medium, 0, area_at(c->head.inventory.len) + SIGNATURE_AREA);
	buf_sink_init(&to, out);
	return stream_copy(&from.source, &to.sink, e);
}

static bool write_journal(const struct countersigning *c, struct err *e)
{
	OWNED(buf_drop) struct buf journal = BUF(JOURNAL_MAX);

	return read_head_bytes(c, &journal, e)
	       && file_write_new(c->journal, buf_slice(&journal), FILE_REFUSE, 0600, e);
}

bool countersigning_write(
    const struct countersigning *c, struct signatures *more, struct err *e)
{
	OWNED(drop_any) unsigned char *area = own_array(SIGNATURE_AREA, 1);
	const uint64_t at = area_at(c->head.inventory.len);

	if (!keep_others(&c->head.area, more, e) || !area_make(more, area, e))
		return false;
	if (memcmp(area, c->head.area.bytes, SIGNATURE_AREA) == 0)
		return true;
	return write_journal(c, e) && write_area(c->medium, at, area, e)
	       && remove_journal(c->journal, e);
}

static bool rewrite(const char *path, const char *suffix, struct slice bytes, struct err *e)
{
	OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);

	parts_beside(slice_of(path), suffix, &name);
	return buf_ok(&name, e)
	       && file_write_new(buf_text(&name), bytes, FILE_REPLACE, 0666, e);
}

static bool is_there(const char *path, const char *suffix)
{
	OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);

	parts_beside(slice_of(path), suffix, &name);
	return access(buf_text(&name), F_OK) == 0;
}

/* Hashes the chunks that have bytes of the area once more. */
static bool hash_again(const struct countersigning *c, struct parts *list, struct err *e)
{
	const uint64_t at = area_at(c->head.inventory.len);
	const uint64_t last = (at + SIGNATURE_AREA - 1) / PART_CHUNK;

	for (uint64_t i = at / PART_CHUNK; i <= last && i < list->chunk_count; i++)
		if (!survey_chunk(c->medium, list->total, (size_t)i, &list->chunks[i], e))
			return false;
	return true;
}

static bool refresh_list(const struct countersigning *c, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf text = BUF(0);
	OWNED(buf_drop) struct buf again = BUF(PARTS_LIST_MAX);
	OWNED(parts_drop) struct parts list = {0};
	struct digest id;

	parts_beside(slice_of(path), "parts.json", &name);
	digest_of(buf_slice(&c->head.inventory), &id);
	if (!file_read_plain(buf_text(&name), PARTS_LIST_MAX, &text, e))
		return false;
	if (!parts_read(buf_slice(&text), &list, e))
		return err_in(e, "%s", buf_text(&name));
	if (list.count || !digest_equal(&list.id, &id))
		return true;
	return hash_again(c, &list, e) && parts_write(&list, path, &again, e)
	       && rewrite(path, "parts.json", buf_slice(&again), e);
}

static bool refresh_head(const struct countersigning *c, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf there = BUF(0);
	OWNED(buf_drop) struct buf head = BUF(JOURNAL_MAX);
	const unsigned char *area;
	uint64_t at;

	parts_beside(slice_of(path), "head", &name);
	if (!file_read_plain(buf_text(&name), JOURNAL_MAX, &there, e))
		return false;
	if (!fits(c->medium, &there, &area, &at))
		return true;
	return read_head_bytes(c, &head, e) && rewrite(path, "head", buf_slice(&head), e);
}

bool countersigning_refresh(const struct countersigning *c, const char *path, struct err *e)
{
	return ((!is_there(path, "parts.json") || refresh_list(c, path, e))
		   && (!is_there(path, "head") || refresh_head(c, path, e)))
	       || err_in(e, "it is signed, but what stands beside it is as it was");
}
