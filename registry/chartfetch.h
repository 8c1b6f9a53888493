/*
 * Files of a classic chart repository: its index, read while it comes, and what stands beside
 * it.  PROTOCOL 14 (HLM-*).
 */
#pragma once

#include "registry/chartindex.h"
#include "registry/registry.h"

/* The repository: its registries, and its own origin with its login. */
struct chart_origin {
	struct registries *registries;
	struct repository at;
	const char *repo; /* its address, borrowed; NULL: a file by its whole address */
	bool pass_credentials;
};

/* Where the repository at url is, and how it is asked. */
bool chartfetch_origin(struct registries *registries, struct http *http, const char *url,
    struct chart_origin *out, struct err *e) MUST_CHECK;

/* The versions of a chart out of the index at url; *moved is the address that it really came
 * from after redirects, or NULL. */
bool chartfetch_index(const struct chart_origin *o, const char *url, const char *name,
    struct chart_entries *out, char **moved, struct err *e) MUST_CHECK;

/* A file whole.  Another host than the repository's is asked with what login it has itself.
 * e->code is the HTTP status of a refusal. */
bool chartfetch_file(const struct chart_origin *o, const char *url, size_t max, struct buf *out,
    struct err *e) MUST_CHECK;
