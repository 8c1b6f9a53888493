/*
 * Where the bytes of an upload go: the Location of a registry's answer, kept as it came and
 * made usable (PROTOCOL UPL-05, UPL-06).
 */
#pragma once

#include "registry/registry.h"

/* The Location of an answer as an address, its bytes as they came; our own host keeps our
 * scheme and port.  ERR_NETWORK when there is none, or it would send the bytes in the clear. */
bool location_read(const struct repository *at, const struct http_answer *a, const char *doing,
    struct buf *out, struct err *e) MUST_CHECK;
