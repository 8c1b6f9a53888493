/*
 * One request to one address on a worker's connection: what libcurl is told, what it gives
 * back, and nothing of redirects.
 */
#pragma once

#include "registry/http.h"

#include <curl/curl.h>

/* A worker's connections. */
struct http {
	CURL *curl;
	struct http_config config;
	struct identity *identities; /* of tls.c, a host each */
	struct err broken;	     /* what it could not be made for */
	char reason[CURL_ERROR_SIZE];
};

/* Sends the request to one address and fills the answer.  Authorization goes along when url has
 * the request's own origin (DL-02).  False as http_send. */
bool transfer_run(struct http *h, const struct http_request *r, const char *url,
    struct http_answer *a, struct err *e) MUST_CHECK;

/* "GET", ... */
const char *transfer_method(enum http_method method);

/* --- answer.c, what it needs of libcurl --- */

/* Fills in the headers of the last answer on curl, which came from url. */
void answer_keep_headers(CURL *curl, const char *url, struct http_answer *a);

/* The first value of a header of the last answer, or NULL; owned by the caller. */
char *answer_header(CURL *curl, const char *name);
