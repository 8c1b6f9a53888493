/*
 * Whom we believe, and how much of it is wanted: what cmd/ fills from the command line and from
 * /etc/sealift, and what judge.h judges by.  A bundle never adds to it.  BUNDLE.md 3.
 */
#pragma once

#include "bundle/certificate.h"
#include "bundle/keyring.h"

struct trust {
	struct keyring ring;
	struct authority
	    *authority;	    /* owned; where it is set, it counts and the ring does not */
	unsigned threshold; /* distinct keys that must have signed, at least 1 */
	uint64_t now;	    /* the time to judge at, seconds since 1970 */
};

/* One that believes nobody, at time 0, and wants one key. */
struct trust *trust_new(void);
void trust_free(struct trust *t);
void trust_drop(struct trust **t);

/* Believes the key of a file that root or this user owns, or those of such a folder. */
bool trust_add(struct trust *t, const char *path, struct err *e) MUST_CHECK;
