#include "base/stream.h"

#include "base/stop.h"

#include <string.h>

enum { BLOCK = 128 * 1024 };

bool stream_copy(struct source *from, struct sink *to, struct err *e)
{
	char block[BLOCK];
	size_t got = 0;

	do {
		if (!stop_check(e) || !from->read(from, block, sizeof(block), &got, e))
			return false;
		if (got && !to->write(to, block, got, e))
			return false;
	} while (got);
	return true;
}

static bool mem_read(struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct mem_source *s = (struct mem_source *)self;
	const size_t left = s->bytes.len - s->at;

	(void)e;
	*got = room < left ? room : left;
	if (*got)
		(void)memcpy(bytes, s->bytes.ptr + s->at, *got);
	s->at += *got;
	return true;
}

static bool mem_rewind(struct source *self, struct err *e)
{
	(void)e;
	((struct mem_source *)self)->at = 0;
	return true;
}

void mem_source_init(struct mem_source *s, struct slice bytes)
{
	*s = (struct mem_source){.source = {mem_read, mem_rewind}, .bytes = bytes};
}

static bool buf_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct buf_sink *s = (struct buf_sink *)self;

	buf_add(s->buf, bytes, len);
	return buf_ok(s->buf, e);
}

static bool buf_rewind(struct sink *self, struct err *e)
{
	(void)e;
	buf_clear(((struct buf_sink *)self)->buf);
	return true;
}

void buf_sink_init(struct buf_sink *s, struct buf *into)
{
	*s = (struct buf_sink){.sink = {buf_write, buf_rewind}, .buf = into};
}

static bool window_read(
    struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct window_source *w = (struct window_source *)self;
	const uint64_t left = w->end - w->passed;

	*got = 0;
	if (!left)
		return true;
	if (!w->from->read(w->from, bytes, left < room ? (size_t)left : room, got, e))
		return false;
	w->passed += *got;
	return true;
}

bool window_source_set(struct window_source *w, uint64_t start, uint64_t size, struct err *e)
{
	struct sink nowhere = null_sink();

	if (w->passed > start) {
		if (!w->from->rewind(w->from, e))
			return false;
		w->passed = 0;
	}
	w->end = start;
	if (!stream_copy(&w->source, &nowhere, e))
		return false;
	w->start = start;
	w->end = start + size;
	return true;
}

static bool window_rewind(struct source *self, struct err *e)
{
	struct window_source *w = (struct window_source *)self;

	return window_source_set(w, w->start, w->end - w->start, e);
}

void window_source_init(struct window_source *w, struct source *from)
{
	*w = (struct window_source){.source = {window_read, window_rewind}, .from = from};
}

static bool null_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	(void)self;
	(void)bytes;
	(void)len;
	(void)e;
	return true;
}

static bool null_rewind(struct sink *self, struct err *e)
{
	(void)self;
	(void)e;
	return true;
}

struct sink null_sink(void)
{
	return (struct sink){null_write, null_rewind};
}
