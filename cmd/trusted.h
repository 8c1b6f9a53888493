/*
 * Whom the operator trusts, as options and settings say, and the reader that can only be had
 * with it.
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/media_in.h"
#include "cmd/options.h"

struct trust_options {
	struct texts trust;
	struct number threshold;
	const char *ca; /* X.509 in place of keys */
	const char *crl;
	const char *subject;
	const char *spki;
	const char *at; /* only where audit_options are offered */
	struct media_in_options media;
};
extern const struct option trust_options[];

/* --at, for the verbs that only look. */
extern const struct option audit_options[];

/* Opens the bundle for use, if enough trusted keys signed it, it has not expired and the clock
 * can be right; says its id first unless quiet or JSON was asked for. */
bool trusted_open(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e) MUST_CHECK;

/* The same to look at it: expiry and clock are reported, and --at says as of when to judge. */
bool trusted_look(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e) MUST_CHECK;

/* Whether anyone is trusted: by option, or by the folder of settings. */
bool trusted_by_anyone(const struct trust_options *o);

/* The time of this machine's clock, seconds since 1970. */
uint64_t trusted_clock(void);
