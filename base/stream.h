/*
 * Bytes in motion.  A download is a chain of sinks (http -> verify -> file), an upload a chain
 * of sources (file -> verify -> http), and stream_copy is the only loop that moves bytes from
 * one to the other.  Parallelism is outside: each worker runs a chain of its own.
 */
#pragma once

#include "base/buf.h"

struct sink {
	/* Takes all len bytes or fails. */
	bool (*write)(struct sink *self, const void *bytes, size_t len, struct err *e);
	/* Forgets what was written, so that the same bytes can come again; NULL: it cannot. */
	bool (*rewind)(struct sink *self, struct err *e);
};

struct source {
	/* Up to room bytes into *bytes; *got 0 is the end. */
	bool (*read)(struct source *self, void *bytes, size_t room, size_t *got, struct err *e);
	/* Starts again at the first byte; NULL: it cannot (a pipe). */
	bool (*rewind)(struct source *self, struct err *e);
};

/* Everything that source gives until its end goes into sink; ends early on stop_request. */
bool stream_copy(struct source *from, struct sink *to, struct err *e) MUST_CHECK;

/* A source over bytes in memory, which are borrowed. */
struct mem_source {
	struct source source;
	struct slice bytes;
	size_t at;
};
void mem_source_init(struct mem_source *s, struct slice bytes);

/* A sink that adds to a buf, which is borrowed; more than its ceiling is ERR_LIMIT. */
struct buf_sink {
	struct sink sink;
	struct buf *buf;
};
void buf_sink_init(struct buf_sink *s, struct buf *into);

/* A piece of a longer source as a source of its own: pieces one after another read it once, and
 * a piece that is wanted again rewinds it and passes over what stands before. */
struct window_source {
	struct source source;
	struct source *from; /* borrowed */
	uint64_t passed;     /* bytes of from that were read */
	uint64_t start;
	uint64_t end;
};
void window_source_init(struct window_source *w, struct source *from);

/* From now on it gives size bytes beginning at start. */
bool window_source_set(
    struct window_source *w, uint64_t start, uint64_t size, struct err *e) MUST_CHECK;

/* A sink that takes everything and keeps nothing. */
struct sink null_sink(void);
