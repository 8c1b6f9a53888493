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

/* Where a set's parts may be; all is borrowed while the medium is in use. */
struct parts_place {
	const char *path;	    /* of one part, whose folder comes first */
	const char *const *folders; /* further ones, and devices or files */
	size_t folder_count;
	const struct medium_wish *wish; /* is asked for a part that is in none; may be NULL */
};

/* Opens the set.  ERR_MISSING when the size of a part cannot be learnt. */
bool medium_open_parts(const struct parts_place *where, enum medium_access access,
    struct medium **out, struct err *e) MUST_CHECK;
