/*
 * What was used before: the highest sequence of a bundle per key, name, channel and
 * destination, so that an old one is not used for a new one.  BUNDLE.md 3.
 *
 * One file a bundle's name in the state folder, NAME.json, replaced whole; a name that is no
 * plain file name stands as its SHA-256.  What was allowed or forgotten by hand stands in
 * "log", a line of JSON each.  The folder must be guarded as the trusted keys are.
 */
#pragma once

#include "bundle/judge.h"

/* A use of a trusted bundle: all borrowed. */
struct replay_use {
	const struct inventory *inventory;
	const struct digest *id;
	const struct judgement *judgement;
	const char *destination;
	uint64_t now;
};

enum replay_rule {
	REPLAY_REFUSE,
	REPLAY_ALLOW_LOWER, /* a lower sequence is logged, and let pass */
};

/* Whether the bundle is no older than what each of its keys brought to that destination
 * before: ERR_UNTRUSTED for a lower sequence, and for the same one with another id.  The folder
 * is made when it is absent; one that cannot be written is an error now, since after the work
 * it would be too late. */
bool replay_check(const char *folder, const struct replay_use *use, enum replay_rule rule,
    struct err *e) MUST_CHECK;

/* Makes the folder ready for a record.  One that cannot be written is an error before the work,
 * since after it would be too late. */
bool replay_prepare(const char *folder, struct err *e) MUST_CHECK;

/* Records the use.  A higher sequence that stands there stays. */
bool replay_record(const char *folder, const struct replay_use *use, struct err *e) MUST_CHECK;

/* Forgets the bundle of that name, or all when it is NULL, and logs it; *count is of the
 * names that were forgotten. */
bool replay_reset(const char *folder, const char *name, uint64_t now, size_t *count,
    struct err *e) MUST_CHECK;
