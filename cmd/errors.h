/*
 * Many failures at once, for the phases that collect all before they stop.
 */
#pragma once

#include "manifests/watch.h"

/* True when none of count errors is set; else *e is the first, and says how many there are of
 * "what"; the others are told to watch. */
bool errors_join(const struct err *errors, size_t count, const char *what, struct watch *watch,
    struct err *e) MUST_CHECK;
