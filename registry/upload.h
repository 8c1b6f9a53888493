/*
 * Blobs into a repository: whether it has one, an upload session, a mount from another
 * repository.  PROTOCOL 11.
 */
#pragma once

#include "registry/registry.h"

enum push_outcome {
	PUSH_EXISTS,
	PUSH_UPLOADED,
	PUSH_MOUNTED,
};

/* Whether the repository holds the blob (UPL-01); what HEAD does not answer clearly is no. */
bool push_has(const struct repository *at, const struct descriptor *blob, bool *has,
    struct err *e) MUST_CHECK;

/* Opens an upload and leaves it: the one way to learn whether a login may push and the
 * repository may be made (PSH-08).  It stays, empty, until the registry purges it (UPL-27). */
bool push_try(const struct repository *at, struct err *e) MUST_CHECK;

/* Makes sure that the repository holds the blob (UPL-*).  bytes gives exactly the blob,
 * verifying itself, is read only when it must be sent, and must be able to rewind. */
bool push_blob(const struct repository *at, const struct descriptor *blob, struct source *bytes,
    enum push_outcome *outcome, struct err *e) MUST_CHECK;

/* Asks the registry to take the blob over from another of its repositories (UPL-02); *mounted
 * is false when it does not, whatever it says. */
bool push_mount(const struct repository *at, const struct descriptor *blob, const char *from,
    bool *mounted, struct err *e) MUST_CHECK;
