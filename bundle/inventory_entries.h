/*
 * One entry of an inventory's lists, and its bundle object: from JSON into the struct, each
 * value of the type and the grammar it must have.  BUNDLE.md 1.3.
 */
#pragma once

#include "bundle/inventory.h"
#include "manifests/json.h"

/* The largest number there may be: 2^53 - 1. */
#define INVENTORY_NUMBER_MAX (((uint64_t)1 << 53) - 1)

/* Each adds to inv what it reads; ERR_DAMAGED or ERR_FORMAT. */
bool entry_bundle(const struct json *from, struct inventory *inv, struct err *e) MUST_CHECK;
bool entry_chart(const struct json *from, struct inventory *inv, struct err *e) MUST_CHECK;
bool entry_image(const struct json *from, struct inventory *inv, struct err *e) MUST_CHECK;
bool entry_file(const struct json *from, struct inventory *inv, struct err *e) MUST_CHECK;
bool entry_member(const struct json *from, struct inventory *inv, struct err *e) MUST_CHECK;

/* What this version does not know must not be used as if it knew: key should have been empty.
 * Always false, with ERR_FORMAT and inv->newer. */
bool entry_unknown(
    struct inventory *inv, const char *key, const char *empty, struct err *e) MUST_CHECK;
