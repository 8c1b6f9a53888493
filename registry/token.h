/*
 * A token from a token service (PROTOCOL TOK-01..06): one question, asked by GET or by POST,
 * and its answer read.  What is kept of it, and for how long, is auth.c's affair.
 */
#pragma once

#include "registry/challenge.h"
#include "registry/login.h"
#include "registry/quirks.h"
#include "registry/retry.h"
#include "registry/token_method.h"

/* One question; all texts are borrowed. */
struct token_ask {
	const char *host; /* the registry, for errors and news */
	const char *home; /* its base URL */
	const struct challenge *wanted;
	const char *scopes;	   /* a set of registry/scopes.h; "" for none */
	const struct login *login; /* NULL: as anybody */
	enum token_method method;
	quirk_facts *facts; /* what was learnt of the registry */
	const struct retry_policy *policy;
};

struct token_grant {
	char *text;
	int64_t seconds; /* that it may be used: less than it lives (TOK-05); may be negative */
};
void token_grant_drop(struct token_grant *g);

/* The body of an answer: the first of the two names that is not empty (TOK-04), and how long it
 * may be used (TOK-05). */
enum token_body { TOKEN_THERE, TOKEN_NONE, TOKEN_NO_JSON };
enum token_body token_read(struct slice body, struct token_grant *out);

/* Asks.  ERR_DENIED, with the status in e->code, when the service refuses (400, 401, 403);
 * ERR_NETWORK when it gives no answer that is one. */
bool token_fetch(const struct token_ask *ask, struct http *h, struct token_grant *out,
    struct err *e) MUST_CHECK;

/* Whether a token got at since, good until, will do at that time for a request of so many
 * seconds (TOK-14); one that was just got cannot be bettered, and does. */
bool token_lives(int64_t since, int64_t until, int64_t at, uint64_t seconds);

/* "Basic ..." of a login. */
void token_put_basic(const struct login *l, struct buf *out);

/* Sends until an answer comes that no retry would better. */
bool token_send(const struct retry_policy *policy, struct http *h, const struct http_request *r,
    struct http_answer *answer, struct err *e) MUST_CHECK;
