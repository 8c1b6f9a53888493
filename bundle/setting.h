/*
 * The lines of the small files of settings, "NAME = VALUE": empty lines are skipped, and "#"
 * at the beginning of a line makes it a comment.
 */
#pragma once

#include "base/buf.h"

struct setting {
	struct slice name;
	struct slice value;
	size_t line; /* from 1 */
};

/* Where a file's reading stands: begin with all of its text as rest. */
struct settings {
	struct slice rest;
	size_t line;
};

/* The next setting into *out; false at the end, and *bad is set when a line is no setting. */
bool settings_next(struct settings *s, struct setting *out, bool *bad);
