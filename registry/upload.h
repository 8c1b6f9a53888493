/*
 * Blobs into a repository: what is there, mounts, and uploads that end with the digest or not
 * at all (PROTOCOL 11).
 */
#pragma once

#include "registry/registry.h"

enum upload_outcome {
	UPLOAD_EXISTS,
	UPLOAD_SENT,
	UPLOAD_MOUNTED,
};

/* Whether the repository holds the blob (UPL-01); what HEAD does not answer clearly is no. */
bool upload_has(const struct repository *at, const struct descriptor *blob, bool *has,
    struct err *e) MUST_CHECK;

/* Opens an upload and leaves it: the one way to learn whether a login may push and the
 * repository may be made (PSH-08).  It stays, empty, until the registry purges it (UPL-27). */
bool upload_try(const struct repository *at, struct err *e) MUST_CHECK;

/* Makes sure that the repository holds the blob.  from is another repository of the registry
 * that holds it, or NULL.  bytes gives exactly the blob, verifying itself, is read only when it
 * must be sent, and must be able to rewind. */
bool upload_blob(const struct repository *at, const struct descriptor *blob,
    struct source *bytes, const char *from, enum upload_outcome *outcome,
    struct err *e) MUST_CHECK;

/* Asks the registry to take the blob over from another of its repositories, which must hold it
 * (UPL-02).  *mounted is false when it does not, whatever it says, and when it refused so often
 * that it is not asked. */
bool upload_mount(const struct repository *at, const struct descriptor *blob, const char *from,
    bool *mounted, struct err *e) MUST_CHECK;
