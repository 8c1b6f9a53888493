/*
 * A bundle read in place from its parts, wherever they are: nothing is joined, copied or
 * changed.  BUNDLE.md 1.7, 8.
 */
#pragma once

#include "bundle/medium.h"
#include "bundle/parts.h"

/* Asks a person for a medium. */
struct medium_wish {
	/* Comes back when the medium with that file may be there; false when nobody can be
	 * asked, or a stop was wished (*e). */
	bool (*ask)(const struct medium_wish *self, const char *name, struct err *e);
};

/* Opens the set that the part at path belongs to.  Parts are looked for in its folder, then in
 * the further folders; wish (may be NULL) is asked for one that is in none.  folders are
 * borrowed.  ERR_MISSING when the size of a part cannot be learnt. */
bool medium_open_parts(const char *path, const char *const *folders, size_t folder_count,
    const struct medium_wish *wish, struct medium **out, struct err *e) MUST_CHECK;

/* Reads NAME.parts.json from the first folder that has one; ERR_MISSING when none has. */
bool parts_find_list(struct slice stem, const char *const *folders, size_t folder_count,
    struct parts *out, struct err *e) MUST_CHECK;
