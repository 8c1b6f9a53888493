/*
 * Inventories: what is accepted can be written, and what is written is read as the same.
 */
#include "base/own.h"
#include "bundle/inventory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void write_again(struct inventory *inv, struct buf *out)
{
	struct err e = {0};

	buf_init(out, INVENTORY_MAX);
	if (!inventory_write(inv, out, &e) || !buf_ok(out, &e))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(inventory_drop) struct inventory *first = NULL;
	OWNED(inventory_drop) struct inventory *second = NULL;
	OWNED(buf_drop) struct buf once = BUF(0);
	OWNED(buf_drop) struct buf twice = BUF(0);
	struct err e = {0};

	if (!inventory_read(slice_at(bytes, len), &first, &e))
		return 0;
	write_again(first, &once);
	if (!inventory_read(buf_slice(&once), &second, &e))
		abort();
	write_again(second, &twice);
	if (!slice_equal(buf_slice(&once), buf_slice(&twice)))
		abort();
	return 0;
}
