/*
 * Where a registry may send us for tokens: to no place that is worse protected than itself, and
 * to none that it could not reach but we can.  PROTOCOL section 3 (CHL-07, CHL-08),
 * BUNDLE.md 6.
 */
#pragma once

#include "base/err.h"

/* Whether a registry at base may name realm as its token service: https when it is https
 * itself, and no address of this machine, this link or a private network unless it has such an
 * address, too.  ERR_DENIED; host names the registry in the sentence. */
bool realm_check(
    const char *base, const char *realm, const char *host, struct err *e) MUST_CHECK;
