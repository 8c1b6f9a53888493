/*
 * The tokens of one registry: kept by what they are for, fetched when none does (PROTOCOL 3,
 * TOK-13).  For auth.c and auth_refused.c, whose lock is held around every call.
 */
#pragma once

#include "registry/account.h"

/* A ticket by a token that is kept, or fetched now. */
bool bearer_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e) MUST_CHECK;

/* Drops one token; whether it was there. */
bool bearer_forget(struct auth *a, const char *text);

/* Seconds since a token was fetched. */
int64_t bearer_age(const struct token *t);

void bearer_free(struct token *t);
