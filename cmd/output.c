#include "cmd/output.h"

#include "base/own.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	SAY_MAX = 64 * 1024,
	CELL_MAX = 1024,
};

/* The length of one harmless character at s: printable ASCII, or well-formed UTF-8 that is
 * neither a C1 control, a line or paragraph mark, nor a direction mark; 0 when it is none of
 * these. */
static size_t harmless(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned point;
	size_t len;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len)
		return 0;
	point = p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3fU);
	}
	if (point < 0xa0 || (len == 3 && point < 0x800) || (len == 4 && point < 0x10000))
		return 0;
	if ((point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e)
	    || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point == 0x61c
	    || (point >= 0xd800 && point < 0xe000))
		return 0;
	return len;
}

static void escape_but(struct buf *out, struct slice text, char keep)
{
	while (text.len) {
		size_t len = *text.ptr == keep && keep ? 1 : harmless(text);
		if (len)
			buf_add(out, text.ptr, len);
		else
			buf_addf(out, "\\x%02x", (unsigned)(unsigned char)*text.ptr);
		len = len ? len : 1;
		text = slice_at(text.ptr + len, text.len - len);
	}
}

void escape(struct buf *out, struct slice text)
{
	escape_but(out, text, '\0');
}

void say(FILE *out, const char *fmt, ...)
{
	OWNED(drop_text) char *text = NULL;
	OWNED(buf_drop) struct buf safe = BUF(SAY_MAX * 4);
	va_list args;

	va_start(args, fmt);
	const int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return;
	}
	escape_but(&safe, slice_at(text, (size_t)len), '\n');
	(void)fwrite(buf_text(&safe), 1, safe.len, out);
}

const char *size_text(uint64_t bytes, char out[24])
{
	static const char units[] = "KMGTPE";
	uint64_t size = bytes;
	uint64_t rest = 0; /* of 1024, below size */
	int unit = -1;

	for (; size >= 1024; unit++) {
		rest = size % 1024;
		size /= 1024;
	}
	if (unit < 0)
		(void)snprintf(out, 24, "%u B", (unsigned)size);
	else
		(void)snprintf(out, 24, "%u.%u %ciB", (unsigned)size,
		    (unsigned)(rest * 10 / 1024), units[unit]);
	return out;
}

const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void table_add(struct table *t, const char *fmt, ...)
{
	OWNED(drop_text) char *text = NULL;
	struct buf cell = BUF(CELL_MAX * 4);
	va_list args;

	va_start(args, fmt);
	const int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		text = NULL;
	else
		escape(&cell, slice_at(text, (size_t)len));
	t->cells = own_grow(t->cells, t->count + 1, sizeof(*t->cells));
	t->cells[t->count++] = cell.ptr ? cell.ptr : own_text("");
}

/* How many columns of a terminal a text of harmless characters takes. */
static size_t width(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

void table_print(const struct table *t, FILE *out)
{
	size_t widest[TABLE_COLUMNS] = {0};

	for (size_t i = 0; i < t->count; i++)
		if (width(t->cells[i]) > widest[i % t->columns])
			widest[i % t->columns] = width(t->cells[i]);
	for (size_t i = 0; i < t->count; i++) {
		const size_t column = i % t->columns;
		const bool last = column + 1 == t->columns;
		const int pad = (int)(widest[column] - width(t->cells[i]));

		if (t->right[column])
			(void)fprintf(out, "%*s%s%s", pad, "", t->cells[i], last ? "\n" : "  ");
		else if (last)
			(void)fprintf(out, "%s\n", t->cells[i]);
		else
			(void)fprintf(out, "%s%*s  ", t->cells[i], pad, "");
	}
}

void table_drop(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
