/*
 * What a trusted key is believed for: the sidecar NAME.scope beside NAME.pub or NAME.pem.
 * BUNDLE.md 3.
 *
 *	# every line is optional, but there must be one
 *	bundle-name = immuta-*          may stand again; * and ? as in a shell
 *	not-before = 2026-01-01         its first second, UTC; or 2026-01-01T12:00:00Z
 *	not-after = 2026-12-31          its last second
 */
#pragma once

#include "base/date.h"

enum { SCOPE_NAMES_MAX = 64 };

/* One without any limit is all zeros. */
struct scope {
	char **names; /* globs, owned */
	size_t name_count;
	uint64_t not_before; /* seconds since 1970 */
	uint64_t not_after;  /* 0: no end */
};

/* Reads a sidecar's text; what names it in errors.  Anything that is not understood is
 * ERR_UNTRUSTED: a limit that was meant must not be lost. */
bool scope_read(
    struct slice text, const char *what, struct scope *out, struct err *e) MUST_CHECK;
void scope_drop(struct scope *s);

/* Whether a key of that scope counts for a bundle of that name at that time; else *why is a
 * sentence's end, "is for the bundles immuta-* only, and this one is trino". */
bool scope_covers(const struct scope *s, const char *name, uint64_t now, struct buf *why);

/* The whole scope on one line, "bundles immuta-*, until 2026-12-31T23:59:59Z"; "" for none. */
void scope_text(const struct scope *s, struct buf *out);
