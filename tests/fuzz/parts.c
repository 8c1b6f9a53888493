/* The list beside a bundle's parts, and the line that asks for chunks: nobody vouches for
 * either. */
#include "bundle/damage.h"

#include "base/own.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A list that is read is written as it was read. */
static void read_list(struct slice text)
{
	OWNED(parts_drop) struct parts p = {0};
	OWNED(buf_drop) struct buf again = BUF(PARTS_LIST_MAX);
	struct err e = {0};

	if (parts_read(text, &p, &e) && !parts_write(&p, "b.tar", &again, &e))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct digest id = {{0}};
	OWNED(damage_drop) struct damage want = {0};
	OWNED(drop_text) char *line = own_bytes(data, size);
	struct err e = {0};

	read_list(slice_at(data, size));
	if (need_read(line, &id, PART_CHUNK * 300, &want, &e) && want.chunks != 300)
		__builtin_trap();
	return 0;
}
