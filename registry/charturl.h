/*
 * The addresses in a chart repository: how Helm makes them, and what else is tried where that
 * does not lead to a chart.  PROTOCOL HLM-01, 02, 11, 12, 15, 16.
 */
#pragma once

#include "base/err.h"
#include "base/buf.h"

enum { CHART_URL_MAX = 64 * 1024 };

/* The repository's folder with name in it: exactly one slash between, the query kept. */
bool charturl_below(
    const char *repo, const char *name, struct buf *out, struct err *e) MUST_CHECK;

/* The address with ".prov" at the end of its path. */
bool charturl_prov(const char *url, struct buf *out, struct err *e) MUST_CHECK;

/* Why an address of an index cannot be fetched, or NULL: another scheme than http and https. */
const char *charturl_problem(const char *url);

/* Addresses to try in turn, each once. */
struct charturl_list {
	char *items[4];
	size_t count;
};
void charturl_list_drop(struct charturl_list *l);

/* What url of an index means: below the repository with its query; then with its own query;
 * with "+" written "%2B", as S3 wants it; then below where the index really came from (moved,
 * NULL: it did not move). */
bool charturl_list(const char *repo, const char *moved, const char *url,
    struct charturl_list *out, struct err *e) MUST_CHECK;
