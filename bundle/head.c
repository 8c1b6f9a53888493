#include "bundle/head.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/ustar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "bundle/sig/";
static const char pad_name[] = "bundle/pad";

enum {
	FOLDER_LEN = sizeof(folder) - 1,
	KID_LEN = KID_TEXT - 1,
};

static bool all_zero(const unsigned char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Whether the header at bytes is the one that name and size make. */
static bool is_header(const unsigned char *bytes, const char *name, uint64_t size)
{
	unsigned char want[TAR_BLOCK];

	ustar_header(name, size, want);
	return memcmp(bytes, want, TAR_BLOCK) == 0;
}

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
	    || !is_header(header, INVENTORY_NAME, size))
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
	return all_zero(pad, padding)
	       || err_set(e, ERR_UNTRUSTED, "expected zero bytes after %s, found others",
		   INVENTORY_NAME);
}

/* "bundle/sig/<16 hex>.<suffix>" */
static bool parse_name(const char *name, struct head_signature *s)
{
	const char *suffix = name + FOLDER_LEN + KID_LEN + 1;

	if (strncmp(name, folder, FOLDER_LEN) != 0 || strlen(name) < FOLDER_LEN + KID_LEN + 2)
		return false;
	(void)memcpy(s->kid, name + FOLDER_LEN, KID_LEN);
	s->kid[KID_LEN] = '\0';
	if (strspn(s->kid, "0123456789abcdef") != KID_LEN || suffix[-1] != '.'
	    || strspn(suffix, "abcdefghijklmnopqrstuvwxyz0123456789.") != strlen(suffix))
		return false;
	(void)snprintf(s->name, sizeof(s->name), "%s", name + FOLDER_LEN);
	s->suffix = strcmp(suffix, "sig") == 0 ? "sig" : NULL;
	return true;
}

static bool broken_area(size_t at, const char *what, struct err *e)
{
	return err_set(e, ERR_DAMAGED,
	    "signature area, byte %zu: expected %s, found something else", at, what);
}

/* Takes the signature whose header stands at *at; name is that of the one before and becomes
 * its own, since they are sorted. */
static bool take_signature(
    struct head *h, size_t *at, char last[USTAR_NAME_MAX + 1], struct err *e)
{
	struct head_signature *s = &h->signatures[h->count];
	const unsigned char *header = h->area + *at;
	char name[USTAR_NAME_MAX + 1];
	uint64_t size;

	if (h->count == HEAD_SIGNATURES_MAX || !ustar_claimed_name(header, name)
	    || !parse_name(name, s) || strcmp(last, name) >= 0)
		return broken_area(*at, "bundle/sig/KID.SUFFIX, sorted, or bundle/pad", e);
	if (!ustar_claimed_size(header, &size) || size > SIGNATURE_MAX
	    || !is_header(header, name, size)
	    || *at + TAR_BLOCK + ustar_padded(size) > SIGNATURE_AREA - TAR_BLOCK)
		return broken_area(*at, "the header of a signature", e);
	const unsigned char *data = header + TAR_BLOCK;
	if (!all_zero(data + size, (size_t)(ustar_padded(size) - size)))
		return broken_area(*at, "zero bytes after a signature", e);
	s->data = slice_at(data, (size_t)size);
	(void)memcpy(last, name, sizeof(name));
	*at += TAR_BLOCK + (size_t)ustar_padded(size);
	h->count++;
	return true;
}

static bool parse_area(struct head *h, struct err *e)
{
	char last[USTAR_NAME_MAX + 1] = "";
	size_t at = 0;

	while (at + TAR_BLOCK <= SIGNATURE_AREA) {
		const size_t left = SIGNATURE_AREA - at - TAR_BLOCK;
		if (is_header(h->area + at, pad_name, left))
			return all_zero(h->area + at + TAR_BLOCK, left)
			       || broken_area(at + TAR_BLOCK, "zero bytes", e);
		if (!take_signature(h, &at, last, e))
			return false;
	}
	return broken_area(at, pad_name, e);
}

static bool read_area(int fd, size_t inventory_size, struct head *out, struct err *e)
{
	out->area = own_array(SIGNATURE_AREA, 1);
	return (file_read_at(
		    fd, out->area, SIGNATURE_AREA, TAR_BLOCK + ustar_padded(inventory_size), e)
		   || err_in(e, "signature area"))
	       && parse_area(out, e);
}

bool head_read(int fd, struct head *out, struct err *e)
{
	OWNED(head_drop) struct head h = {0};

	if (!read_inventory(fd, &h.inventory, e) || !read_area(fd, h.inventory.len, &h, e))
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
	       && read_area(fd, inventory.len, out, e);
}

void head_drop(struct head *h)
{
	buf_drop(&h->inventory);
	free(h->area);
	*h = (struct head){0};
}

static bool write_zeros(int fd, size_t len, uint64_t offset, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];

	return len == 0 || file_write_at(fd, zeros, len, offset, e);
}

bool head_write(
    int fd, struct slice inventory, const char *kid, struct slice signature, struct err *e)
{
	OWNED(drop_any) unsigned char *area = own_array(SIGNATURE_AREA, 1);
	const size_t pad_at = TAR_BLOCK + (size_t)ustar_padded(signature.len);
	const uint64_t padded = ustar_padded(inventory.len);
	unsigned char header[TAR_BLOCK];
	char name[USTAR_NAME_MAX + 1];

	if (signature.len > SIGNATURE_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected a signature of at most %d bytes, found %zu", SIGNATURE_MAX,
		    signature.len);
	(void)snprintf(name, sizeof(name), "%s%s.sig", folder, kid);
	ustar_header(name, signature.len, area);
	(void)memcpy(area + TAR_BLOCK, signature.ptr, signature.len);
	ustar_header(pad_name, SIGNATURE_AREA - pad_at - TAR_BLOCK, area + pad_at);
	ustar_header(INVENTORY_NAME, inventory.len, header);
	return file_write_at(fd, header, sizeof(header), 0, e)
	       && file_write_at(fd, inventory.ptr, inventory.len, TAR_BLOCK, e)
	       && write_zeros(
		   fd, (size_t)(padded - inventory.len), TAR_BLOCK + inventory.len, e)
	       && file_write_at(fd, area, SIGNATURE_AREA, TAR_BLOCK + padded, e);
}
