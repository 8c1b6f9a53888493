/*
 * Where a host sends us instead of answering, and whether we go there (PROTOCOL DL-01, DL-04,
 * UPL-21).
 */
#pragma once

#include "registry/http.h"

/* Whether the answer is a redirect that a request of this method follows. */
bool redirect_asked(const struct http_request *r, const struct http_answer *a);

/* What the settings of the host that was asked allow beyond the usual. */
struct redirect_leave {
	bool plain; /* from https to http: it is configured insecure */
	bool near;  /* to this machine or link (allow-private-redirect) */
};

/* The next address, or why it is not gone to (DL-04, DL-05). */
bool redirect_url(const char *from, const struct http_answer *a,
    const struct redirect_leave *leave, struct buf *next, struct err *e) MUST_CHECK;
