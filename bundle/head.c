#include "bundle/head.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/ustar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What cannot be read of the head was not signed by anybody. */
static bool untrusted(struct err *e)
{
	if (e->kind == ERR_DAMAGED)
		e->kind = ERR_UNTRUSTED;
	return err_in(e, "this is no signed bundle");
}

static bool read_inventory(int fd, struct buf *out, struct err *e)
{
	unsigned char header[TAR_BLOCK];
	unsigned char pad[TAR_BLOCK];
	uint64_t size;

	if (!file_read_at(fd, header, sizeof(header), 0, e))
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
	if (!file_read_at(fd, out->ptr, out->len, TAR_BLOCK, e)
	    || !file_read_at(fd, pad, padding, TAR_BLOCK + size, e))
		return untrusted(e);
	return ustar_is_padding(pad, padding)
	       || err_set(e, ERR_UNTRUSTED, "expected zero bytes after %s, found others",
		   INVENTORY_NAME);
}

static bool read_area(int fd, size_t inventory_size, struct area *out, struct err *e)
{
	out->bytes = own_array(SIGNATURE_AREA, 1);
	return (file_read_at(
		    fd, out->bytes, SIGNATURE_AREA, TAR_BLOCK + ustar_padded(inventory_size), e)
		   || err_in(e, "signature area"))
	       && area_parse(out, e);
}

bool head_read(int fd, struct head *out, struct err *e)
{
	OWNED(head_drop) struct head h = {0};

	if (!read_inventory(fd, &h.inventory, e) || !read_area(fd, h.inventory.len, &h.area, e))
		return false;
	*out = STEAL(h);
	return true;
}

/* Whether the file has these bytes at *at, which moves behind them. */
static bool same_bytes(int fd, const void *bytes, size_t len, uint64_t *at, struct err *e)
{
	const char *want = bytes;
	char found[8 * TAR_BLOCK];

	while (len) {
		const size_t part = len < sizeof(found) ? len : sizeof(found);
		if (!file_read_at(fd, found, part, *at, e))
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

bool head_compare(int fd, struct slice inventory, struct head *out, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];
	const size_t padding = (size_t)(ustar_padded(inventory.len) - inventory.len);
	unsigned char header[TAR_BLOCK];
	uint64_t at = 0;

	ustar_header(INVENTORY_NAME, inventory.len, header);
	return same_bytes(fd, header, sizeof(header), &at, e)
	       && same_bytes(fd, inventory.ptr, inventory.len, &at, e)
	       && same_bytes(fd, zeros, padding, &at, e)
	       && read_area(fd, inventory.len, &out->area, e);
}

void head_drop(struct head *h)
{
	buf_drop(&h->inventory);
	area_drop(&h->area);
	*h = (struct head){0};
}

static bool write_zeros(int fd, size_t len, uint64_t offset, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];

	return len == 0 || file_write_at(fd, zeros, len, offset, e);
}

bool head_write(int fd, struct slice inventory, struct signatures *signatures, struct err *e)
{
	OWNED(drop_any) unsigned char *area = own_array(SIGNATURE_AREA, 1);
	const uint64_t padded = ustar_padded(inventory.len);
	unsigned char header[TAR_BLOCK];

	ustar_header(INVENTORY_NAME, inventory.len, header);
	return area_make(signatures, area, e) && file_write_at(fd, header, sizeof(header), 0, e)
	       && file_write_at(fd, inventory.ptr, inventory.len, TAR_BLOCK, e)
	       && write_zeros(
		   fd, (size_t)(padded - inventory.len), TAR_BLOCK + inventory.len, e)
	       && file_write_at(fd, area, SIGNATURE_AREA, TAR_BLOCK + padded, e);
}
