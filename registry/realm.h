/*
 * Where a registry may send us for tokens: to no place that is worse protected than itself, and
 * to none that it could not reach but we can.  PROTOCOL section 3 (CHL-07, CHL-08),
 * BUNDLE.md 6.
 */
#pragma once

#include "base/err.h"

enum realm_trust {
	REALM_GUARDED,
	REALM_ANY, /* a person allowed plain http and near addresses (allow-http-realm) */
};

/* Whether a registry at base may name realm as its token service: https when it is https
 * itself, and no address of this machine, this link or a private network unless it has such an
 * address, too.  ERR_DENIED; host names the registry in the sentence. */
bool realm_check(const char *base, const char *realm, const char *host, enum realm_trust trust,
    struct err *e) MUST_CHECK;

/* Whether a host at from may redirect to an address of this machine or link: only when it is
 * as near itself (DL-05).  Private networks are usual behind an air gap. */
bool realm_may_redirect(const char *from, const char *to);
