/*
 * What came back from a host: status, the headers that mean something here, and what of the
 * body did not go elsewhere (PROTOCOL HST-03: only the last answer's headers count).
 */
#pragma once

#include "base/buf.h"

/* What came back; http_answer_drop when done.  Texts are untrusted. */
struct http_answer {
	long status;
	char *url;	      /* where it came from, after redirects */
	char *location;	      /* verbatim, NULL when none */
	char *content_type;   /* lower case, without parameters, NULL when none */
	char *content_digest; /* Docker-Content-Digest, NULL when none */
	char *content_range;
	char *range; /* of an upload session (UPL-11) */
	char *retry_after;
	char *date;
	char *subject;	       /* OCI-Subject, NULL when none */
	struct buf links;      /* every Link value, one a line */
	char *rate_limit;      /* RateLimit-Limit: "100;w=21600" */
	char *rate_left;       /* RateLimit-Remaining */
	struct buf warnings;   /* every Warning value, one a line */
	struct buf challenges; /* every WWW-Authenticate value, one a line */
	uint64_t chunk_least;  /* OCI-Chunk-Min-Length; 0: none */
	bool http2_broken;     /* it was to be HTTP/2, and broke off (UPL-22) */
	bool expect_silent;    /* "Expect: 100-continue" was not answered in time (UPL-19) */
	bool has_length;
	uint64_t length;
	bool sunk;	 /* the sink got what is the body's part of this answer */
	bool may_pass;	 /* of a failed send: the network failed, trying again may help */
	struct buf body; /* of an error, or of a success without a sink */
};
void http_answer_drop(struct http_answer *a);

/* Seconds since 1970 of an HTTP date; false when it is none. */
bool http_date(const char *text, int64_t *seconds);
