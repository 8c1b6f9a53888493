/*
 * What libcurl is told before one hop: limits and buffers, the method with its body's length,
 * and the headers.  For transfer.c, which runs it and takes what comes back.
 */
#pragma once

#include "registry/transfer.h"

/* One request under way. */
struct transfer {
	struct http *http;
	const struct http_request *request;
	struct http_answer *answer;
	struct curl_slist *headers;
	struct err failed;  /* of a source or sink */
	bool decided;	    /* begin_body has looked at the status */
	bool to_sink;	    /* what it decided */
	bool enough;	    /* the rest of the body is not wanted */
	bool continued;	    /* "100 Continue" came */
	bool two;	    /* HTTP/2 is spoken where it is offered */
	bool plain;	    /* nothing is expected of the other side */
	bool unexpected;    /* 417 came: it does not do what was expected */
	uint64_t discarded; /* bytes of an error's body beyond its ceiling */
};

/* Times, rates and what is spoken; sends: a body goes out, after which the registry may be
 * silent for longer. */
void transfer_set_limits(struct http *h, bool sends);

void transfer_set_method(struct transfer *t);

/* The request's headers and, for its own origin alone, its login (DL-02). */
bool transfer_set_headers(struct transfer *t, const char *url, struct err *e) MUST_CHECK;

/* The list holds credentials: wiped before it is given back. */
void transfer_drop_headers(struct curl_slist **headers);
