/*
 * Hosts that are fetched from elsewhere (PROTOCOL MIR-01).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct mirror {
	const char *host; /* as names say it: registry.immuta.com */
	const char *url;  /* where it is fetched: http://127.0.0.1:5001/prefix */
};

/* One of them, taken apart. */
struct mirrored {
	char *host;   /* as names say it */
	char *base;   /* http://127.0.0.1:5001 */
	char *prefix; /* "" or "prefix/", for repositories */
};

struct mirrors {
	struct mirrored *items;
	size_t count;
};

/* Takes them apart, once: out is dropped by mirrors_drop, also after a failure.  ERR_USAGE
 * where an address is none, or has a login or a query in it. */
bool mirrors_read(
    const struct mirror *said, size_t count, struct mirrors *out, struct err *e) MUST_CHECK;
void mirrors_drop(struct mirrors *m);

/* What stands for the host; NULL where nothing does. */
const struct mirrored *mirrors_find(const struct mirrors *m, const char *host);

/* url as it is fetched: with a mirror's address where its host has one. */
bool mirrors_url(
    const struct mirrors *m, const char *url, struct buf *out, struct err *e) MUST_CHECK;
