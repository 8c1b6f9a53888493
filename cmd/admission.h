/*
 * What must hold before a trusted bundle is used at a destination: nothing newer was used there
 * before.  And the record of it afterwards.  BUNDLE.md 3.
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/options.h"
#include "manifests/reference.h"

struct admission_options {
	bool allow_rollback;
};
extern const struct option admission_options[];

/* The one way to write a target where it is compared: "host/prefix" in lower case, into out,
 * which is returned. */
const char *admission_destination(const struct target *target, char out[REFERENCE_TEXT_MAX]);

/* A use of reader at target; both are borrowed until the record. */
struct admission {
	const struct reader *reader;
	char destination[REFERENCE_TEXT_MAX];
};

/* ERR_UNTRUSTED when the bundle must not be used there. */
bool admission_check(const struct admission_options *o, const struct reader *reader,
    const struct target *target, struct admission *out, struct err *e) MUST_CHECK;

/* An error when the use could not be recorded. */
bool admission_prepare(struct err *e) MUST_CHECK;

/* Records the use, after all of it is done.  A failure is a warning, since the work is not
 * undone by it: always true. */
bool admission_record(const struct admission *a);

/* The folder of states: SEALIFT_STATE, /var/lib/sealift/state for root, else
 * $XDG_STATE_HOME/sealift. */
bool admission_folder(struct buf *out, struct err *e) MUST_CHECK;
