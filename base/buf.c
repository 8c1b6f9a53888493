#include "base/buf.h"

#include "base/own.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

struct slice slice_at(const void *ptr, size_t len)
{
	return (struct slice){ptr, len};
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of(text));
}

bool slice_starts(struct slice s, const char *prefix)
{
	const size_t len = strlen(prefix);

	return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

bool slice_cut(struct slice *rest, char sep, struct slice *part)
{
	if (!rest->ptr)
		return false;
	const char *at = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
	if (!at) {
		*part = *rest;
		*rest = (struct slice){0};
		return true;
	}
	*part = slice_at(rest->ptr, (size_t)(at - rest->ptr));
	*rest = slice_at(at + 1, rest->len - part->len - 1);
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.len && blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool slice_u64(struct slice s, uint64_t max, uint64_t *number)
{
	uint64_t sum = 0;

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		const uint64_t digit = (uint64_t)(s.ptr[i] - '0');
		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (sum > max)
		return false;
	*number = sum;
	return true;
}

void buf_init(struct buf *b, size_t max)
{
	*b = BUF(max);
}

void buf_drop(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->over = false;
	if (b->ptr)
		b->ptr[0] = '\0';
}

/* Room for len more bytes and the NUL; false, remembered, when that is above the ceiling. */
static bool make_room(struct buf *b, size_t len)
{
	if (b->over || len > b->max - b->len) {
		b->over = true;
		return false;
	}
	if (b->cap - b->len > len)
		return true;
	size_t cap = b->cap ? b->cap : 128;
	while (cap - b->len <= len)
		cap *= 2;
	b->ptr = own_grow(b->ptr, cap, 1);
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!make_room(b, len))
		return;
	if (len)
		(void)memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_list again;

	va_start(args, fmt);
	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		b->over = true;
	else if (make_room(b, (size_t)len)) {
		(void)vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

struct slice buf_slice(const struct buf *b)
{
	return slice_at(b->ptr ? b->ptr : "", b->len);
}

const char *buf_text(const struct buf *b)
{
	return b->ptr ? b->ptr : "";
}

bool buf_ok(const struct buf *b, struct err *e)
{
	if (b->over)
		return err_set(e, ERR_LIMIT, "expected at most %zu bytes, found more", b->max);
	return true;
}
