/*
 * A plan as a file that a change board can read and export takes as it stands: the release with
 * the digest of everything that was found.
 */
#pragma once

#include "cmd/resolve.h"

/* Writes the lock of what request asked and plan found to path, which must not exist.  The
 * request's release is pinned by this. */
bool lock_write(struct request *request, const struct plan *plan, const char *path,
    struct err *e) MUST_CHECK;
