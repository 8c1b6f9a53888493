/*
 * Into a registry: manifests by digest, the tag last; the blobs before them are upload.h's.
 * PROTOCOL 9.
 */
#pragma once

#include "registry/registry.h"

/* What a tag or digest names at the destination, by HEAD (MAN-12): found false when nothing. */
bool push_lookup(const struct repository *at, const char *ask, bool *found,
    struct digest *digest, struct err *e) MUST_CHECK;

/* How a PUT is helped, and what is known after it. */
struct placing {
	/* Brings what the registry says it lacks, before the manifest is put again (PSH-09);
	 * NULL: nothing can be brought, only waited for. */
	bool (*mend)(struct placing *self, struct err *e);
	bool unconfirmed; /* stored, but a policy does not let it be read (PSH-21) */
};

/* PUTs the manifest's exact bytes under ask (a tag or its digest) with its exact media type
 * (PSH-03..05); for a tag, reads it back and compares. */
bool push_manifest(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct err *e) MUST_CHECK;

/* push_manifest, with help; p may be NULL. */
bool push_manifest_so(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct placing *p,
    struct err *e) MUST_CHECK;

/* PUTs by its digest what refers to a document; *listed when the registry says that it lists
 * it there itself (RFR-05). */
bool push_referrer(const struct repository *at, const struct image *image, bool *listed,
    struct err *e) MUST_CHECK;
