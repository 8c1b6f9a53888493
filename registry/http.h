/*
 * One request at a time on a connection that is kept: how it is asked for, and the loop over
 * redirects.  One hop is transfer.c, TLS tls.c, headers answer.c, addresses url.c.  Redirects
 * are followed here, hop by hop (DL-01..04), and credentials never leave their origin; status
 * codes are answers, not errors.  Nothing here knows what a registry is.
 */
#pragma once

#include "base/stream.h"
#include "registry/answer.h"
#include "registry/settings.h"
#include "registry/url.h"

/* How hosts are reached; all is borrowed for as long as any http lives. */
struct http_config {
	const struct settings *settings; /* of single hosts; NULL: none */
	const char *ca_file; /* added to the system's authorities (TLS-01); NULL: none */
	const char *cert_file;
	const char *key_file;
	bool insecure;		 /* TLS without verifying, to a request's home alone */
	uint64_t bytes_a_second; /* of one worker, either way; 0: as fast as it goes */
	long connect_seconds;	 /* 0: the default */
	long stall_seconds; /* no byte for so long ends a transfer (DL-14); 0: the default */
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
	HTTP_PATCH,
};

struct http_request {
	enum http_method method;
	const char *url;
	/* Base URL of the host that a person named, on whose behalf this is asked: what the
	 * command line says of TLS holds for that host alone (TLS-06); NULL: none. */
	const char *home;
	/* Address of the classic chart repository that this is asked for: what Helm's list says
	 * of its TLS holds at its origin (HLM-04); NULL: none. */
	const char *chart_repository;
	/* Whole value, "Bearer …"; only sent to url's own origin; NULL: none. */
	const char *authorization;
	const char *accept; /* NULL: none */
	const char *content_type;
	struct source *body;	   /* NULL: none, Content-Length 0 where the method has one */
	uint64_t body_size;	   /* always known, never chunked (UPL-09) */
	const char *content_range; /* of a PATCH: "0-4095" (UPL-10); NULL: none */
	bool no_http2;		   /* HTTP/1.1, whatever the settings say (UPL-22) */
	bool no_expect; /* sends a large body at once, and waits for no "100 Continue" */
	uint64_t
	    range_from; /* above 0: "Range: bytes=N-", and the sink holds N bytes already */
	/* Gets the body of a 200 (rewound first when range_from was asked) and of a 206 that
	 * begins at range_from; NULL: kept in answer.body. */
	struct sink *sink;
	size_t body_max; /* ceiling of answer.body */
};

/* Sends and waits.  True with any status; false (ERR_NETWORK, ERR_STOPPED, or what a source or
 * sink failed with) when no whole answer came.  *a is emptied first. */
bool http_send(struct http *h, const struct http_request *r, struct http_answer *a,
    struct err *e) MUST_CHECK;
