/*
 * The last word of a verb, as a sentence or as one JSON object with "event":"result".
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/signature.h"
#include "cmd/options.h"

/* What export wrote. */
bool result_of_export(const struct common *common, const char *path,
    const struct inventory *inv, struct slice bytes, const struct key *key) MUST_CHECK;
