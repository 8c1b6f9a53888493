/*
 * One request at a time on a connection that is kept: the one file that meets libcurl.
 * Redirects are followed here, hop by hop (DL-01..04), and credentials never leave their
 * origin; status codes are answers, not errors.  Nothing here knows what a registry is.
 */
#pragma once

#include "base/stream.h"

/* How hosts are reached; the texts are borrowed for as long as any http lives. */
struct http_config {
	const char *ca_file; /* added to the system's authorities (TLS-01); NULL: none */
	const char *cert_file;
	const char *key_file;
	bool insecure;	      /* TLS without verifying */
	long connect_seconds; /* 0: the default */
	long stall_seconds;   /* no byte for so long ends a transfer (DL-14); 0: the default */
};

/* A worker's connections; not shared between threads. */
struct http;
struct http *http_new(const struct http_config *config);
void http_free(struct http *h);
void http_drop(struct http **h);

/* Once per program, before any thread and after all. */
bool http_start(struct err *e) MUST_CHECK;
void http_stop(void);

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
};

struct http_request {
	enum http_method method;
	const char *url;
	/* Whole value, "Bearer …"; only sent to url's own origin; NULL: none. */
	const char *authorization;
	const char *accept; /* NULL: none */
	const char *content_type;
	struct source *body; /* NULL: none, Content-Length 0 where the method has one */
	uint64_t body_size;  /* always known, never chunked (UPL-09) */
	uint64_t
	    range_from; /* above 0: "Range: bytes=N-", and the sink holds N bytes already */
	/* Gets the body of a 200 (rewound first when range_from was asked) and of a 206 that
	 * begins at range_from; NULL: kept in answer.body. */
	struct sink *sink;
	size_t body_max; /* ceiling of answer.body */
};

/* What came back; http_answer_drop when done.  Texts are untrusted. */
struct http_answer {
	long status;
	char *url;	      /* where it came from, after redirects */
	char *location;	      /* verbatim, NULL when none */
	char *content_type;   /* lower case, without parameters, NULL when none */
	char *content_digest; /* Docker-Content-Digest, NULL when none */
	char *content_range;
	char *retry_after;
	char *date;
	struct buf challenges; /* every WWW-Authenticate value, one a line */
	bool has_length;
	uint64_t length;
	bool sunk;	 /* the sink got what is the body's part of this answer */
	bool may_pass;	 /* of a failed send: the network failed, trying again may help */
	struct buf body; /* of an error, or of a success without a sink */
};
void http_answer_drop(struct http_answer *a);

/* Sends and waits.  True with any status; false (ERR_NETWORK, ERR_STOPPED, or what a source or
 * sink failed with) when no whole answer came.  *a is emptied first. */
bool http_send(struct http *h, const struct http_request *r, struct http_answer *a,
    struct err *e) MUST_CHECK;

/* URLs, all through libcurl's own parser (UPL-05, UPL-06, DL-03); bytes stay as they are. */
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

/* A URL for people: without userinfo, query and fragment, which may hold secrets (TOK-20). */
void http_url_show(const char *url, struct buf *out);

/* Seconds since 1970 of an HTTP date; false when it is none. */
bool http_date(const char *text, int64_t *seconds);
