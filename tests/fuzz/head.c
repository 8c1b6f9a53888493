/*
 * The head of a bundle, which is read before anybody vouches for it; told as text, so that the
 * corpus can be read: the inventory in one line, signatures "KID.SUFFIX TEXT" up to an empty
 * line, then changes "OFFSET VALUE" to the bytes that this makes, "OFFSET" alone to cut them
 * there.  A head that is accepted has no byte that could be another: written anew from what was
 * read, it is the same.
 */
#include "base/own.h"
#include "bundle/head.h"
#include "bundle/reader.h"
#include "bundle/ustar.h"

#include <stdlib.h>
#include <string.h>

enum {
	RECIPE_MAX = 64 * 1024,
	ROOM = RECIPE_MAX + 2 * TAR_BLOCK + SIGNATURE_AREA,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A bundle in memory. */
struct held {
	struct medium medium;
	unsigned char *bytes; /* ROOM */
	uint64_t len;
};

static bool held_read(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	const struct held *h = (const struct held *)self;

	if (offset > h->len || len > h->len - offset)
		return err_set(
		    e, ERR_DAMAGED, "it ends at byte %llu", (unsigned long long)h->len);
	if (len)
		(void)memcpy(bytes, h->bytes + offset, len);
	return true;
}

static bool held_write(
    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct held *h = (struct held *)self;

	(void)e;
	if (offset > ROOM || len > ROOM - offset)
		abort();
	if (len)
		(void)memcpy(h->bytes + offset, bytes, len);
	h->len = offset + len > h->len ? offset + len : h->len;
	return true;
}

static void held_init(struct held *h)
{
	*h = (struct held){
	    .medium = {.read = held_read, .write = held_write}, .bytes = own_array(ROOM, 1)};
}

static bool add_signature(
    struct signatures *s, struct slice name, struct slice text, struct err *e)
{
	OWNED(drop_text) char *kid = own_bytes(name.ptr, name.len);
	char *dot = strchr(kid, '.');
	struct buf *out;

	if (!dot)
		return true;
	*dot = '\0';
	if (!signatures_add(s, kid, dot + 1, &out, e))
		return false;
	buf_add(out, text.ptr, text.len);
	return buf_ok(out, e);
}

static bool write_it(struct slice *recipe, struct held *h, struct err *e)
{
	OWNED(signatures_drop) struct signatures signatures = {0};
	struct slice inventory;
	struct slice line;

	(void)slice_cut(recipe, '\n', &inventory);
	while (slice_cut(recipe, '\n', &line) && line.len) {
		struct slice name;

		(void)slice_cut(&line, ' ', &name);
		if (!add_signature(&signatures, name, line, e))
			return false;
	}
	return head_write(&h->medium, inventory, &signatures, e);
}

static void change(struct slice recipe, struct held *h)
{
	struct slice line;

	while (recipe.len) {
		struct slice offset;
		uint64_t at;
		uint64_t value;

		(void)slice_cut(&recipe, '\n', &line);
		(void)slice_cut(&line, ' ', &offset);
		if (!slice_u64(offset, ROOM - 1, &at))
			continue;
		if (slice_u64(line, UINT8_MAX, &value))
			h->bytes[at] = (unsigned char)value;
		else
			h->len = at < h->len ? at : h->len;
	}
}

/* Whether h is what is written from what was read of it. */
static bool is_canonical(const struct held *h, const struct head *head, struct err *e)
{
	OWNED(signatures_drop) struct signatures signatures = {0};
	struct held again;

	held_init(&again);
	for (size_t i = 0; i < head->area.count; i++) {
		const struct area_signature *s = &head->area.signatures[i];
		if (!add_signature(&signatures, slice_of(s->name), s->data, e))
			abort();
	}
	const bool same = head_write(&again.medium, buf_slice(&head->inventory), &signatures, e)
			  && again.len <= h->len
			  && memcmp(again.bytes, h->bytes, (size_t)again.len) == 0;
	free(again.bytes);
	return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(head_drop) struct head head = {0};
	OWNED(glimpse_drop) struct glimpse glimpse = {0};
	struct slice recipe = slice_at(data, size);
	struct err e = {0};
	struct held h;

	if (size > RECIPE_MAX)
		return 0;
	held_init(&h);
	if (write_it(&recipe, &h, &e)) {
		change(recipe, &h);
		if (head_read(&h.medium, &head, &e) && !is_canonical(&h, &head, &e))
			abort();
		err_clear(&e);
		if (reader_glimpse(&h.medium, &glimpse, &e) && !head.inventory.ptr)
			abort();
	}
	free(h.bytes);
	return 0;
}
