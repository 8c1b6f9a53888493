/*
 * The small members by which other people's tools read a bundle: README-VERIFY.txt, SHA256SUMS,
 * oci-layout, index.json, manifest.json.  Made from the inventory and the manifests; a reader
 * makes them anew and compares.  BUNDLE.md 1.2, 1.8, 2.
 */
#pragma once

#include "bundle/inventory.h"
#include "manifests/image.h"

/* The documents of a bundle, by digest: the manifest for a digest, or NULL. */
struct documents {
	const struct image *(*find)(const struct documents *self, const struct digest *d);
};

/* The bytes of fixed member i for an inventory whose members after the first FIXED_MEMBERS
 * are complete; SHA256SUMS lists every member but itself, the inventory and the area, so it is
 * made after the others have their digests. */
bool foreign_write(size_t i, const struct inventory *inv, const struct documents *documents,
    struct buf *out, struct err *e) MUST_CHECK;
