/*
 * Versions and ranges of charts, as Helm reads them (Masterminds/semver 3): PROTOCOL HLM-08,
 * HLM-09, HOC-03.
 */
#pragma once

#include "base/buf.h"

struct semver {
	uint64_t part[3];
	struct slice pre; /* "rc.1"; borrowed from the text */
};

/* "1.2.3", "v1.2", "1-rc.1+build": parts that are missing are 0. */
bool semver_parse(struct slice text, struct semver *v);

/* All three parts and no "v", as of a tag that counts. */
bool semver_parse_strict(struct slice text, struct semver *v);

/* Below, at or above 0 as a stands to b; what is behind "+" does not count. */
int semver_compare(const struct semver *a, const struct semver *b);

enum { RANGE_TERMS_MAX = 64 };

enum range_op {
	RANGE_EQUAL,
	RANGE_NOT_EQUAL,
	RANGE_ABOVE,
	RANGE_BELOW,
	RANGE_AT_LEAST,
	RANGE_AT_MOST,
	RANGE_TILDE,
	RANGE_CARET,
};

/* One term, "~1.2.x": what is missing or x is any. */
struct range_term {
	enum range_op op;
	struct semver version;
	bool any_major, any_minor, any_patch;
	bool first; /* of an alternative: "||" or nothing stands before it */
};

/* Alternatives of terms that must all hold; the texts are borrowed. */
struct range {
	struct range_term terms[RANGE_TERMS_MAX];
	size_t count;
};

/* ">=1.2 <2", "1.2 - 2.3", "^0.x || ~2".  ERR_USAGE. */
bool range_parse(struct slice text, struct range *r, struct err *e) MUST_CHECK;

/* Whether a version is in it; a prerelease only when an alternative names one, too. */
bool range_has(const struct range *r, const struct semver *v);
