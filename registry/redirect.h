/*
 * Where a host sends us instead of answering, and whether we go there (PROTOCOL DL-01, DL-04,
 * UPL-21).
 */
#pragma once

#include "registry/http.h"

/* Whether the answer is a redirect that a request of this method follows. */
bool redirect_asked(const struct http_request *r, const struct http_answer *a);

/* The next address, or why it is not gone to (DL-04). */
bool redirect_url(
    const char *from, const struct http_answer *a, struct buf *next, struct err *e) MUST_CHECK;
