#include "bundle/head.h"

#include "base/own.h"
#include "bundle/ustar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What cannot be read of the head was not signed by anybody. */
static bool untrusted(struct err *e)
{
	if (e->kind != ERR_DAMAGED)
		return false;
	e->kind = ERR_UNTRUSTED;
	return err_in(e, "this is no signed bundle");
}

static bool read_inventory(struct medium *m, struct buf *out, struct err *e)
{
	unsigned char header[TAR_BLOCK];
	unsigned char pad[TAR_BLOCK];
	uint64_t size;

	if (!medium_read(m, header, sizeof(header), 0, e))
		return untrusted(e);
	if (!ustar_claimed_size(header, &size) || size < 1 || size > INVENTORY_MAX
	    || !ustar_is_header(header, INVENTORY_NAME, size))
		return err_set(e, ERR_UNTRUSTED,
		    "expected a bundle, which begins with %s, found another file or a changed "
		    "one",
		    INVENTORY_NAME);
	buf_init(out, INVENTORY_MAX);
	out->cap = (size_t)size + 1;
	out->ptr = own_array(out->cap, 1);
	out->len = (size_t)size;
	const size_t padding = (size_t)(ustar_padded(size) - size);
	if (!medium_read(m, out->ptr, out->len, TAR_BLOCK, e)
	    || !medium_read(m, pad, padding, TAR_BLOCK + size, e))
		return untrusted(e);
	return ustar_is_padding(pad, padding)
	       || err_set(e, ERR_UNTRUSTED, "expected zero bytes after %s, found others",
		   INVENTORY_NAME);
}

static bool read_area(struct medium *m, size_t inventory_size, struct area *out, struct err *e)
{
	out->bytes = own_array(SIGNATURE_AREA, 1);
	return (medium_read(
		    m, out->bytes, SIGNATURE_AREA, TAR_BLOCK + ustar_padded(inventory_size), e)
		   || err_in(e, "signature area"))
	       && area_parse(out, e);
}

bool head_read(struct medium *m, struct head *out, struct err *e)
{
	OWNED(head_drop) struct head h = {0};

	if (!read_inventory(m, &h.inventory, e) || !read_area(m, h.inventory.len, &h.area, e))
		return false;
	*out = STEAL(h);
	return true;
}

/* Whether the file has these bytes at *at, which moves behind them. */
static bool same_bytes(
    struct medium *m, const void *bytes, size_t len, uint64_t *at, struct err *e)
{
	const char *want = bytes;
	char found[8 * TAR_BLOCK];

	while (len) {
		const size_t part = len < sizeof(found) ? len : sizeof(found);
		if (!medium_read(m, found, part, *at, e))
			return false;
		if (memcmp(found, want, part) != 0)
			return err_set(e, ERR_DAMAGED,
			    "expected the inventory as it was signed, found other bytes at "
			    "byte %llu or behind it",
			    (unsigned long long)*at);
		want += part;
		len -= part;
		*at += part;
	}
	return true;
}

bool head_compare(struct medium *m, struct slice inventory, struct head *out, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];
	const size_t padding = (size_t)(ustar_padded(inventory.len) - inventory.len);
	unsigned char header[TAR_BLOCK];
	uint64_t at = 0;

	ustar_header(INVENTORY_NAME, inventory.len, header);
	return same_bytes(m, header, sizeof(header), &at, e)
	       && same_bytes(m, inventory.ptr, inventory.len, &at, e)
	       && same_bytes(m, zeros, padding, &at, e)
	       && read_area(m, inventory.len, &out->area, e);
}

void head_drop(struct head *h)
{
	buf_drop(&h->inventory);
	area_drop(&h->area);
	*h = (struct head){0};
}

static bool write_zeros(struct medium *m, size_t len, uint64_t offset, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];

	return len == 0 || medium_write(m, zeros, len, offset, e);
}

bool head_write(
    struct medium *m, struct slice inventory, struct signatures *signatures, struct err *e)
{
	OWNED(drop_any) unsigned char *area = own_array(SIGNATURE_AREA, 1);
	const uint64_t padded = ustar_padded(inventory.len);
	unsigned char header[TAR_BLOCK];

	ustar_header(INVENTORY_NAME, inventory.len, header);
	return area_make(signatures, area, e) && medium_write(m, header, sizeof(header), 0, e)
	       && medium_write(m, inventory.ptr, inventory.len, TAR_BLOCK, e)
	       && write_zeros(m, (size_t)(padded - inventory.len), TAR_BLOCK + inventory.len, e)
	       && medium_write(m, area, SIGNATURE_AREA, TAR_BLOCK + padded, e);
}
