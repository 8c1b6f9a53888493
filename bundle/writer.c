#include "bundle/writer.h"

#include "base/own.h"
#include "bundle/head.h"
#include "bundle/layout.h"
#include "bundle/readback.h"
#include "bundle/region.h"
#include "bundle/ustar.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* Members up to this size are read back before the rename; layers were hashed as they
	   came. */
	SELF_CHECK_MAX = 1024 * 1024,
};

struct writer {
	struct output *output;
	char *path;
	const struct signer *signer;
	const struct inventory *inv;
	struct slice bytes; /* of inv, the caller's */
	struct layout layout;
	struct inventory *begun; /* what an interrupted run of this signer signed, or NULL */
	struct digest begun_id;	 /* of its bytes */
	bool resumed;
};

/* Believes the file under way only when this signer signed it: anyone who can write the folder
 * could have left it there. */
static void look_for_begun(struct writer *w)
{
	OWNED(head_drop) struct head h = {0};
	struct err ignored = {0};

	if (!head_read(w->output->medium, &h, &ignored)
	    || !signer_made(w->signer, &h.area, buf_slice(&h.inventory), &ignored)
	    || !inventory_read(buf_slice(&h.inventory), &w->begun, &ignored))
		return;
	digest_of(buf_slice(&h.inventory), &w->begun_id);
	w->output->keep(w->output);
}

struct writer *writer_new(const char *path, struct output **output, const struct signer *signer)
{
	struct writer *w = own_new(sizeof(*w));

	w->signer = signer;
	w->path = own_text(path);
	w->output = STEAL(*output);
	if (w->output->resumed && signer)
		look_for_begun(w);
	return w;
}

const struct inventory *writer_begun(const struct writer *w)
{
	return w->begun;
}

bool writer_continues(const struct writer *w, struct slice bytes)
{
	struct digest id;

	digest_of(bytes, &id);
	return w->begun && digest_equal(&id, &w->begun_id);
}

static bool begin_anew(struct writer *w, struct slice bytes, struct err *e)
{
	OWNED(signatures_drop) struct signatures signatures = {0};

	if (w->signer && !signer_sign(w->signer, w->inv, bytes, &signatures, e))
		return false;
	if (!w->output->empty(w->output, e) || !w->output->reserve(w->output, w->inv->total, e))
		return false;
	w->output->keep(w->output);
	return head_write(w->output->medium, bytes, &signatures, e);
}

bool writer_begin(
    struct writer *w, const struct inventory *inv, struct slice bytes, struct err *e)
{
	w->inv = inv;
	w->bytes = bytes;
	w->resumed = writer_continues(w, bytes);
	inventory_drop(&w->begun);
	if (!layout_make(inv, bytes.len, &w->layout, e)
	    || !(w->resumed ? w->output->reserve(w->output, inv->total, e)
			    : begin_anew(w, bytes, e)))
		return err_in(e, "%s", w->path);
	return true;
}

bool writer_is_forward(const struct writer *w)
{
	return medium_is_forward(w->output->medium);
}

bool writer_resumed(const struct writer *w)
{
	return w->resumed;
}

static size_t padding_of(const struct member *m)
{
	return (size_t)(ustar_padded(m->size) - m->size);
}

static uint64_t padding_at(const struct writer *w, size_t i)
{
	return layout_data(&w->layout, i) + w->inv->members[i].size;
}

static struct region region_of(const struct writer *w, size_t i)
{
	return (struct region){.medium = w->output->medium,
	    .member = &w->inv->members[i],
	    .at = w->layout.headers[i]};
}

/* Notes where the zeros begin that a file has where nothing was written yet. */
struct tail_sink {
	struct sink sink;
	uint64_t seen;
	uint64_t written; /* the end of the last byte that is not zero */
};

static bool tail_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct tail_sink *t = (struct tail_sink *)self;
	const unsigned char *at = bytes;
	size_t end = len;

	(void)e;
	while (end && !at[end - 1])
		end--;
	if (end)
		t->written = t->seen + end;
	t->seen += len;
	return true;
}

bool writer_has(struct writer *w, size_t i, bool *has, uint64_t *held, struct err *e)
{
	const struct region region = region_of(w, i);
	struct tail_sink tail = {.sink = {tail_write, NULL}};
	struct err found = {0};

	*has = region_check(&region, &tail.sink, &found);
	*held = tail.written;
	if (*has || found.kind == ERR_DAMAGED)
		return true;
	*e = found;
	return err_in(e, "%s", w->path);
}

void writer_held(struct writer *w, size_t i, uint64_t held, struct medium_source *s)
{
	medium_source_init(s, w->output->medium, layout_data(&w->layout, i), held);
}

bool writer_member(struct writer *w, size_t i, struct medium_sink *sink, struct err *e)
{
	const struct member *m = &w->inv->members[i];
	unsigned char header[TAR_BLOCK];
	char path[MEMBER_PATH];

	ustar_header(member_path(m, path), m->size, header);
	medium_sink_init(sink, w->output->medium, layout_data(&w->layout, i), m->size);
	return medium_write(w->output->medium, header, sizeof(header), w->layout.headers[i], e)
	       || err_in(e, "%s", w->path);
}

bool writer_member_end(struct writer *w, size_t i, struct err *e)
{
	static const unsigned char zeros[TAR_BLOCK];
	const size_t padding = padding_of(&w->inv->members[i]);

	return !padding || medium_write(w->output->medium, zeros, padding, padding_at(w, i), e)
	       || err_in(e, "%s", w->path);
}

static bool check_member(const struct writer *w, size_t i, struct err *e)
{
	const struct region region = region_of(w, i);
	struct sink nowhere = null_sink();
	char path[MEMBER_PATH];

	return (region.member->size <= SELF_CHECK_MAX ? region_check(&region, &nowhere, e)
						      : region_check_frame(&region, e))
	       || err_in(e, "%s", member_path(region.member, path));
}

/* Reads back what a person could not afford to find broken on the far side; what went into a
 * pipe has gone. */
static bool self_check(const struct writer *w, struct err *e)
{
	OWNED(head_drop) struct head h = {0};

	if (medium_is_forward(w->output->medium))
		return true;
	if (!head_compare(w->output->medium, w->bytes, &h, e)
	    || (w->signer && !signer_made(w->signer, &h.area, w->bytes, e)))
		return false;
	for (size_t i = 0; i < w->inv->member_count; i++)
		if (!check_member(w, i, e))
			return false;
	return true;
}

bool writer_end(struct writer *w, struct err *e)
{
	static const unsigned char zeros[TRAILER];

	if (!medium_write(w->output->medium, zeros, TRAILER, w->layout.trailer, e))
		return err_in(e, "%s", w->path);
	return self_check(w, e) || err_in(e, "%s: reading back what was written", w->path);
}

bool writer_read_back(struct writer *w, struct watch *watch, struct err *e)
{
	const struct survey survey = {
	    .medium = w->output->medium,
	    .inv = w->inv,
	    .bytes = w->bytes,
	    .part_size = w->output->part_size,
	    .watch = watch,
	};

	return readback(w->output, &survey, e)
	       || err_in(e, "%s: reading back what was written", w->path);
}

bool writer_commit(struct writer *w, struct err *e)
{
	return w->output->commit(w->output, e);
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	output_free(w->output);
	layout_drop(&w->layout);
	inventory_free(w->begun);
	free(w->path);
	free(w);
}

void writer_drop(struct writer **w)
{
	writer_free(*w);
	*w = NULL;
}
