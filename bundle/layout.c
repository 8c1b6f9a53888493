#include "bundle/layout.h"

#include "base/own.h"
#include "bundle/ustar.h"

#include <stdlib.h>

bool layout_make(
    const struct inventory *inv, uint64_t inventory_size, struct layout *out, struct err *e)
{
	OWNED(layout_drop) struct layout l = {.count = inv->member_count};
	static const uint64_t around =
	    TAR_BLOCK + TAR_BLOCK + TRAILER; /* header, padding, end */
	uint64_t at;

	l.area = TAR_BLOCK + ustar_padded(inventory_size);
	at = l.area + SIGNATURE_AREA;
	l.headers = own_array(l.count, sizeof(*l.headers));
	for (size_t i = 0; i < l.count; i++) {
		l.headers[i] = at;
		if (inv->members[i].size > LAYOUT_TOTAL_MAX - around
		    || at > LAYOUT_TOTAL_MAX - around - inv->members[i].size)
			return err_set(e, ERR_LIMIT,
			    "expected a bundle of less than 2^53 bytes, found more");
		at += TAR_BLOCK + ustar_padded(inv->members[i].size);
	}
	l.trailer = at;
	l.total = at + TRAILER;
	*out = STEAL(l);
	return true;
}

void layout_drop(struct layout *l)
{
	free(l->headers);
	*l = (struct layout){0};
}

uint64_t layout_data(const struct layout *l, size_t i)
{
	return l->headers[i] + TAR_BLOCK;
}
