/*
 * URLs, all through libcurl's own parser (PROTOCOL DL-03, UPL-05, UPL-06): the bytes of a
 * signed address stay as they are.
 */
#pragma once

#include "base/buf.h"

enum { URL_MAX = 64 * 1024 };

/* The address that relative means at base. */
bool http_url_join(
    const char *base, const char *relative, struct buf *out, struct err *e) MUST_CHECK;

/* url with "name=value" at the end of its query; the value is percent-encoded, what was there
 * is not touched. */
bool http_url_add_query(const char *url, const char *name, const char *value, struct buf *out,
    struct err *e) MUST_CHECK;

/* Whether scheme, host and port are the same, default ports filled in. */
bool http_url_same_origin(const char *a, const char *b);

/* The parts of an http or https URL; url_parts_drop when done. */
struct url_parts {
	char *scheme;
	char *host; /* a v6 literal in its brackets */
	char *port; /* NULL: the URL has none */
	char *path;
	char *query; /* NULL: none */
	bool userinfo;
};
bool http_url_parts(const char *url, struct url_parts *out, struct err *e) MUST_CHECK;
void url_parts_drop(struct url_parts *u);

/* Adds "host[:port]" and "scheme://host[:port]". */
void url_parts_origin(const struct url_parts *u, struct buf *host, struct buf *base);

/* A URL for people: without userinfo, query and fragment, which may hold secrets (TOK-20). */
void http_url_show(const char *url, struct buf *out);
