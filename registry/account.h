/*
 * The logins at one registry: which repository is asked with which, and what became of each
 * (PROTOCOL 4, BAS; CRD-05, CRD-15).  For auth.c, auth_refused.c and bearer.c, whose lock is
 * held around every call.
 */
#pragma once

#include "registry/auth.h"

#include <pthread.h>

/* What a token was given for (TOK-13), besides its host. */
struct token {
	struct token *next;
	const struct account *account;
	char *realm;
	char *service;
	char *scopes;
	char *text;
	uint64_t number;
	int64_t since; /* monotonic seconds */
	int64_t until;
	bool anonymous;
};

/* A login at this host, or that there is none. */
struct account {
	struct account *next;
	struct login login;
	bool asked;   /* login is what there is */
	bool found;   /* there is one */
	bool stale;   /* it was refused, and nobody had asked for it (TOK-22) */
	bool proved;  /* Basic was let in once */
	bool refused; /* and never will be (BAS-03) */
	char *looked; /* where a login was looked for */
};

/* One repository: whose login is used there, and what it was seen to want. */
struct seat {
	struct seat *next;
	char *repository;
	struct account *account;
	struct buf demanded; /* scopes of its challenges */
	struct buf asked;    /* scopes that tokens were fetched for */
	uint64_t dropped;    /* the last token that was refused and dropped */
	bool rescoped;	     /* a right lacked, and a new token was asked for (CHL-06) */
	uint64_t useless;    /* the last token that was new and did not do */
};

struct auth {
	struct auth_config config;
	char *host;
	char *base;
	pthread_mutex_t lock; /* for all below, and held while a token is fetched */
	struct challenge wanted;
	struct account *accounts;
	struct seat *seats;
	struct token *tokens;
	uint64_t count; /* of all tokens so far */
};

/* The seat of a repository, made when there is none. */
struct seat *account_seat(struct auth *a, const char *repository);

/* Finds the login for a repository, once. */
bool account_find(struct auth *a, struct seat *s, enum access access, struct err *e) MUST_CHECK;

/* Whether there is a login that has not turned out stale. */
bool account_has(const struct account *one);

/* Errors: there is no login (CRD-15), and it was refused with these words.  Always false. */
bool account_missing(const struct auth *a, const struct account *one, struct err *e);
bool account_refused(
    const struct auth *a, const struct account *one, const char *said, struct err *e);

/* A ticket by Basic; the first one is shown to be good before others use it (BAS-03). */
bool account_basic(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e) MUST_CHECK;
