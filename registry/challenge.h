/*
 * WWW-Authenticate (RFC 7235; PROTOCOL CHL-04, CHL-05): what a host wants before it answers.
 */
#pragma once

#include "base/buf.h"

enum {
	CHALLENGES_MAX = 32,		/* in one answer */
	CHALLENGE_TEXT_MAX = 16 * 1024, /* bytes of all their header values */
};

enum challenge_scheme {
	CHALLENGE_NONE,
	CHALLENGE_BASIC,
	CHALLENGE_BEARER,
};

/* The texts are owned; NULL where the challenge has none. */
struct challenge {
	enum challenge_scheme scheme;
	char *realm;
	char *service;
	char *scope;
};

/* The best that header values (one a line) offer: Bearer with a realm, else Basic.  What cannot
 * be read is passed over.  ERR_DENIED with the schemes that are offered when neither is. */
bool challenge_read(struct slice lines, struct challenge *out, struct err *e) MUST_CHECK;
void challenge_drop(struct challenge *c);
