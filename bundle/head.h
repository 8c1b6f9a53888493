/*
 * The head of a bundle: the inventory's bytes and the signature area, which every reader sees
 * before it believes anything.  BUNDLE.md 1.2, 1.4.
 */
#pragma once

#include "base/buf.h"
#include "bundle/area.h"
#include "bundle/medium.h"

struct head {
	struct buf inventory;
	struct area area;
};

/* Reads header, inventory and area from the beginning of a medium.  ERR_UNTRUSTED when header
 * or inventory do not hold, ERR_DAMAGED for the structure of the area. */
bool head_read(struct medium *m, struct head *out, struct err *e) MUST_CHECK;
void head_drop(struct head *h);

/* Like head_read for one that should begin with this inventory: it is compared piece by
 * piece, and out has the area only.  ERR_DAMAGED. */
bool head_compare(
    struct medium *m, struct slice inventory, struct head *out, struct err *e) MUST_CHECK;

/* Writes header, inventory and the area that holds these signatures at its beginning. */
bool head_write(struct medium *m, struct slice inventory, struct signatures *signatures,
    struct err *e) MUST_CHECK;
