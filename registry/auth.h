/*
 * Leave to ask one registry: what it wants (nothing, Basic, Bearer) is learnt from its first
 * 401, tokens are kept by what they are for and fetched by one worker at a time (PROTOCOL 2-4,
 * TOK-13, TOK-19).  How a token is asked for is token.c.
 */
#pragma once

#include "registry/credentials.h"
#include "registry/realm.h"
#include "registry/token.h"

enum access {
	ACCESS_PULL,
	ACCESS_PUSH, /* which includes pull (TOK-08) */
};

struct auth;

/* What one registry's leave depends on; the texts are copied, the rest is borrowed. */
struct auth_config {
	const char *host; /* as people write it */
	const char *base; /* its URL without a path */
	enum host_origin origin;
	struct credentials *credentials;
	const struct retry_policy *policy;
	enum token_method token_method;
	enum realm_trust realm_trust;
	quirk_facts *facts; /* what was learnt of the host */
};
struct auth *auth_new(const struct auth_config *config);
void auth_free(struct auth *a);

/* What a request is about. */
struct errand {
	const char *repository; /* "" for none */
	const char *mount_from; /* a repository whose blobs it reads besides; NULL: none */
	enum access access;
	uint64_t seconds; /* that it may take: a token must live longer (TOK-14) */
};

struct seat;

/* What one request takes along; ticket_drop wipes it. */
struct ticket {
	struct buf value; /* of Authorization; empty: nothing was ever asked for */
	struct seat *seat;
	uint64_t number; /* of the token, counted up */
	bool mount;	 /* of a mount, whose scopes are for this request alone (TOK-12) */
	bool renewed;	 /* another was refused for this request before */
	bool fresh;	 /* a token that was fetched for this very request */
	bool anonymous;	 /* a token that anybody gets */
};
void ticket_drop(struct ticket *t);

/* A ticket for a request; fetches a token when one is due.  ERR_DENIED when a login is needed
 * and there is none, or it was refused before (BAS-03). */
bool auth_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e) MUST_CHECK;

/* Learns from a 401 to a request that took used along: true when the same request with a new
 * ticket may do better. */
bool auth_refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e) MUST_CHECK;

/* A request with a body broke off: where a proxy stands between, that may have been a 401 that
 * nobody saw (TOK-16).  Drops the token; true when it was an old one, so that a new one may do
 * better. */
bool auth_doubted(struct auth *a, const struct ticket *used);
