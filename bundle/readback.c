#include "bundle/readback.h"

#include "base/own.h"
#include "bundle/format.h"
#include "bundle/ustar.h"

static bool write_list(struct output *o, const struct parts *parts, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(PARTS_LIST_MAX);

	return parts_write(parts, o->name, &text, e)
	       && o->beside(o, "parts.json", buf_slice(&text), e);
}

static bool write_head(struct output *o, const struct survey *survey, struct err *e)
{
	const size_t len = TAR_BLOCK + (size_t)ustar_padded(survey->bytes.len) + SIGNATURE_AREA;
	OWNED(drop_any) char *head = own_array(len, 1);

	return medium_read(o->medium, head, len, 0, e)
	       && o->beside(o, "head", slice_at(head, len), e);
}

bool readback(struct output *o, const struct survey *survey, struct err *e)
{
	OWNED(parts_drop) struct parts parts = {0};

	if (!o->medium->uncache || !o->beside)
		return err_set(e, ERR_USAGE,
		    "expected a file or parts to be read back, found a pipe, which cannot be");
	return o->medium->uncache(o->medium, e) && survey_read(survey, &parts, e)
	       && write_list(o, &parts, e) && write_head(o, survey, e);
}
