/*
 * Text and bytes.  A slice is borrowed and read; a buf is owned and grows up to a ceiling its
 * maker chose.  Going over the ceiling is remembered, so a builder adds everything and asks
 * once, at the end, whether it was all right.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *ptr;
	size_t len;
};

struct buf {
	char *ptr; /* NUL-terminated whenever it is not NULL; the NUL does not count in len */
	size_t len;
	size_t cap;
	size_t max;
	bool over; /* something did not fit and was left out */
};

/* For a slice in a printf: "%.*s", SLICE_ARG(s). */
#define SLICE_ARG(s) (int)((s).len > 4096 ? 4096 : (s).len), (s).ptr

struct slice slice_of(const char *text);
struct slice slice_at(const void *ptr, size_t len);
bool slice_is(struct slice s, const char *text);
bool slice_equal(struct slice a, struct slice b);
bool slice_starts(struct slice s, const char *prefix);

/* Takes what stands before the first sep (or all) off *rest into *part; false when *rest is
 * NULL. */
bool slice_cut(struct slice *rest, char sep, struct slice *part);

/* Without blanks, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* The decimal number that the whole slice is, at most max; no sign, no blank, not empty. */
bool slice_u64(struct slice s, uint64_t max, uint64_t *number) MUST_CHECK;

/* An empty buf that holds at most max bytes; buf_drop gives its memory back. */
void buf_init(struct buf *b, size_t max);
void buf_drop(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct slice buf_slice(const struct buf *b);

/* NUL-terminated; "" for an empty one; valid until the next change. */
const char *buf_text(const struct buf *b);

/* False, with ERR_LIMIT, when something did not fit. */
bool buf_ok(const struct buf *b, struct err *e) MUST_CHECK;

#define BUF(max_bytes) ((struct buf){.max = (size_t)(max_bytes)})
