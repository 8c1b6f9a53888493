/*
 * The rules of an inventory that hold between its parts: what is named is a member, lists are
 * sorted, nothing is there twice, the total is the file's.  BUNDLE.md 1.3.
 */
#pragma once

#include "bundle/inventory.h"

/* Checks what inventory_read parsed from size bytes, and indexes the members.  ERR_DAMAGED. */
bool inventory_check(struct inventory *inv, size_t size, struct err *e) MUST_CHECK;
