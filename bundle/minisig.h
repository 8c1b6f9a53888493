/*
 * bundle/sig/<kid>.minisig: a signature as minisign verifies it, prehashed with BLAKE2b, for
 * Ed25519 keys; and the public key in minisign's form.  Signed are the inventory's hash and,
 * with the signature, the trusted comment; every other byte has one form only.  BUNDLE.md 1.4.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/signature.h"

/* ERR_SYSTEM when this OpenSSL has no BLAKE2b, as a FIPS one has not. */
bool minisig_make(const struct key *k, const struct inventory *inv, struct slice bytes,
    struct buf *out, struct err *e) MUST_CHECK;

/* ERR_UNTRUSTED unless text is a signature by k over bytes; ERR_SYSTEM when it cannot be used
 * here, which is no success. */
bool minisig_check(
    const struct key *k, struct slice bytes, struct slice text, struct err *e) MUST_CHECK;

/* The file that minisign -p takes. */
bool minisig_public(const struct key *k, struct buf *out, struct err *e) MUST_CHECK;
