/*
 * The index.yaml of a classic chart repository: which address and digest a chart's version has
 * (PROTOCOL 14).
 */
#pragma once

#include "base/buf.h"

enum {
	CHART_INDEX_MAX = 64 * 1024 * 1024, /* bytes of an index.yaml */
};

/* One version of a chart; owned texts, digest NULL when the index has none. */
struct chart_entry {
	char *version;
	char *url;
	char *digest;
};
void chart_entry_drop(struct chart_entry *c);

/* The entry of name at exactly version, or the highest stable one when version is NULL; what
 * names the index in errors.  ERR_MISSING says which versions there are. */
bool chartindex_find(struct slice yaml, const char *what, const char *name, const char *version,
    struct chart_entry *out, struct err *e) MUST_CHECK;
