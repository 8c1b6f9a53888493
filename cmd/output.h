/*
 * What a person sees.  Everything that is printed goes through here, where control characters,
 * terminal escapes and direction marks lose their power: names and error texts come from files
 * and networks.
 */
#pragma once

#include "base/buf.h"

#include <stdio.h>

/* Prints a line or several; "\n" keeps its meaning, every other control character is shown as
 * \xHH. */
void say(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds text so that it is harmless on a terminal and stays on one line. */
void escape(struct buf *out, struct slice text);

/* "1.4 MiB": binary units, one decimal; into out, which is returned. */
const char *size_text(uint64_t bytes, char out[24]);

/* "s" when there is not exactly one. */
const char *plural(uint64_t count);

/* A table of cells, printed when it is whole so that the columns fit. */
enum {
	TABLE_COLUMNS = 8,
};
struct table {
	size_t columns;
	char **cells; /* owned, row by row; escaped when they were added */
	size_t count;
	bool right[TABLE_COLUMNS]; /* numbers stand right */
};
void table_add(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_print(const struct table *t, FILE *out);
void table_drop(struct table *t);
