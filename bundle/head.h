/*
 * The head of a bundle: the inventory's bytes and the signature area, which every reader sees
 * before it believes anything.  BUNDLE.md 1.2, 1.4.
 */
#pragma once

#include "base/buf.h"
#include "bundle/area.h"

struct head {
	struct buf inventory;
	struct area area;
};

/* Reads header, inventory and area from fd's beginning.  ERR_UNTRUSTED when header or inventory
 * do not hold, ERR_DAMAGED for the structure of the area. */
bool head_read(int fd, struct head *out, struct err *e) MUST_CHECK;
void head_drop(struct head *h);

/* Like head_read for a file that should begin with this inventory: it is compared piece by
 * piece, and out has the area only.  ERR_DAMAGED. */
bool head_compare(int fd, struct slice inventory, struct head *out, struct err *e) MUST_CHECK;

/* Writes header, inventory and the area that holds these signatures at fd's beginning. */
bool head_write(
    int fd, struct slice inventory, struct signatures *signatures, struct err *e) MUST_CHECK;
