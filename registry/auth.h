/*
 * Leave to ask one registry: what it wants (nothing, Basic, Bearer) is learnt from its first
 * 401, tokens are kept per repository and fetched by one worker at a time (PROTOCOL 2-4,
 * TOK-19).
 */
#pragma once

#include "registry/credentials.h"
#include "registry/retry.h"

enum access {
	ACCESS_PULL,
	ACCESS_PUSH, /* which includes pull (TOK-08) */
};

struct auth;

/* host as people write it, base its URL without a path; credentials and policy are borrowed. */
struct auth *auth_new(const char *host, const char *base, struct credentials *credentials,
    const struct retry_policy *policy);
void auth_free(struct auth *a);

/* What one request takes along; ticket_drop wipes it. */
struct ticket {
	struct buf value; /* of Authorization; empty: nothing was ever asked for */
	bool fresh;	  /* a token that was fetched for this very request */
	bool anonymous;	  /* a token that anybody gets */
};
void ticket_drop(struct ticket *t);

/* A ticket for a request about repository ("" for none); fetches a token when one is due.
 * ERR_DENIED when a login is needed and there is none, or it was refused before (BAS-03). */
bool auth_ticket(struct auth *a, struct http *h, const char *repository, enum access access,
    struct ticket *out, struct err *e) MUST_CHECK;

/* Learns from a 401 to a request that took used along: true when the same request with a new
 * ticket may do better. */
bool auth_refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e) MUST_CHECK;
