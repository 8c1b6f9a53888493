/*
 * One request to a registry with the leave that it needs, and again where its failure may pass.
 */
#pragma once

#include "registry/registry.h"

/* One request with what leave it needs: a 401 is answered by a login or a token, as far as
 * there is one; any other status is the caller's.  A body is rewound before it is sent again.
 */
bool registry_try(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e) MUST_CHECK;

/* A question that the registry may not know: sent with what leave is known to be needed, and
 * nothing is learnt from a 401.  Repeated while the registry is busy. */
bool registry_ask(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e) MUST_CHECK;

/* registry_try, again and again where the failure may pass; doing names it in errors.  For
 * small requests whose repetition does no harm. */
bool registry_send(const struct repository *at, enum access access, struct http_request *r,
    const char *doing, struct http_answer *a, struct err *e) MUST_CHECK;

/* How many requests the host says are left of those that it counts (RTY-09); false where it
 * says nothing. */
bool registry_requests_left(struct registry *r, uint64_t *left);

/* GET /v2/ (CHL-01, CHL-02): ERR_NETWORK when nothing like a registry answers there. */
bool registry_ping(const struct repository *at, struct err *e) MUST_CHECK;
