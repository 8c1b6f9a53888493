/*
 * Where the parts of a bundle may be: folders, in which a part has its name, and devices or
 * files of any name, in which it is known by its bytes.  BUNDLE.md 1.7, 8.
 */
#pragma once

#include "bundle/parts.h"

struct places {
	char *stem;   /* the bundle's name, "b.tar"; owned */
	char **items; /* owned, as their texts are; the first is a folder */
	size_t count;
	struct parts list; /* NAME.parts.json, as far as it was found; total 0 when not */
};
void places_add(struct places *p, const char *path, size_t len);
void places_drop(struct places *p);

/* Reads NAME.parts.json from the first folder that has one; ERR_MISSING when none has. */
bool places_find_list(struct places *p, struct err *e) MUST_CHECK;

/* Opens part i, from 0, where it is found first, with these flags of open; its size is what the
 * file has, or of a device what the list says.  False when it is nowhere, and then *e is
 * untouched unless something else went wrong. */
bool places_open(const struct places *p, size_t i, int flags, int *fd, uint64_t *size,
    struct err *e) MUST_CHECK;
