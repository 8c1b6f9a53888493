/*
 * The index.yaml of a classic chart repository: which versions a chart has, and where.  Read as
 * it comes, whatever its length, and kept only for the one chart (PROTOCOL HLM-05..08).
 */
#pragma once

#include "base/stream.h"
#include "manifests/semver.h"
#include "manifests/watch.h"

enum {
	CHART_INDEX_MAX = 256 * 1024 * 1024, /* bytes of an index.yaml (PROTOCOL 0.2) */
	CHART_INDEX_LARGE = 50 * 1024 * 1024,
	CHART_VERSIONS_MAX = 65536,	       /* of one chart */
	CHART_VERSIONS_TEXT = 8 * 1024 * 1024, /* bytes of their texts */
	CHART_URLS_MAX = 16,		       /* of one version */
};

/* One version of a chart; owned texts, digest NULL when the index has none. */
struct chart_entry {
	char *version;
	char *digest;
	char **urls;
	size_t url_count;
};

struct chart_entries {
	struct chart_entry *items;
	size_t count;
	size_t text; /* bytes of all texts */
	size_t odd;  /* entries passed over: no version, no address (HLM-05) */
	bool found;  /* the index has the chart, if only its name */
	bool twice;
};
void chart_entries_drop(struct chart_entries *c);

/* Reads an index to its end and keeps the chart called name; what names the index in errors.
 * ERR_FORMAT when it is none. */
bool chartindex_read(struct source *yaml, const char *what, const char *name,
    struct chart_entries *out, struct err *e) MUST_CHECK;

/* The entry whose version is spelled just so, else the highest in the range that version is;
 * NULL: the highest that is no prerelease (HLM-08).  ERR_MISSING says which there are. */
bool chartindex_choose(const struct chart_entries *c, const char *what, const char *name,
    const char *version, const struct chart_entry **out, struct err *e) MUST_CHECK;

/* Of count versions the one that version means, as above; false when it is none of them. */
bool version_choose(
    const char *const *versions, size_t count, const char *version, size_t *chosen);
