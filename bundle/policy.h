/*
 * How much is wanted before a bundle is used: trust.conf.  BUNDLE.md 3.
 *
 *	threshold = 2       distinct trusted keys that must have signed; 1 without it
 *	approvals = 1       distinct approvers that must have approved a push; 0 without it
 */
#pragma once

#include "base/buf.h"

enum { POLICY_MAX = 32 }; /* what either number may be at most */

struct policy {
	unsigned threshold;
	unsigned approvals;
};

/* What holds where there is no trust.conf. */
struct policy policy_default(void);

/* Reads trust.conf's text; what names it in errors.  ERR_UNTRUSTED for what is not understood.
 */
bool policy_read(
    struct slice text, const char *what, struct policy *out, struct err *e) MUST_CHECK;
