/*
 * The two folders of keys among the settings: trusted.d, whose keys may sign bundles, and
 * approvers.d, whose keys may approve them.
 */
#pragma once

#include "bundle/keyring.h"
#include "cmd/config.h"
#include "cmd/options.h"

struct rings_options {
	bool approver;
};
extern const struct option rings_options[];

/* The name of the folder that the options mean. */
const char *rings_folder(const struct rings_options *o);

#define RINGS_SIGNERS "trusted.d"
#define RINGS_APPROVERS "approvers.d"

/* The keys of that folder as they count; an absent or empty folder has none.  A file in it that
 * is refused refuses all. */
bool rings_open(const char *name, struct keyring *ring, struct err *e) MUST_CHECK;

/* Every key file of that folder, the refused ones too; an absent folder has none. */
bool rings_survey(const char *name, struct keyring *ring, struct err *e) MUST_CHECK;

/* The hex digits that a person wrote, less blanks and colons, in lower case. */
void rings_hex(const char *text, struct buf *out);
