/*
 * bundle/sig/<kid>.sigstore.json: a signature in the form of a Sigstore bundle, version 0.3,
 * with a key and without a log.  It is a function of key, inventory and the raw signature, so
 * that not a byte of it is free.  BUNDLE.md 1.4.
 */
#pragma once

#include "bundle/signature.h"

/* Whether keys of that type have this form: the ECDSA ones. */
bool sigstore_has(const struct key *k);

bool sigstore_make(const struct key *k, struct slice bytes, const struct raw_signature *raw,
    struct buf *out, struct err *e) MUST_CHECK;

/* True only when text is what sigstore_make gives for the raw signature in sig, the content of
 * <kid>.sig, which is checked by itself.  ERR_UNTRUSTED. */
bool sigstore_check(const struct key *k, struct slice bytes, struct slice sig,
    struct slice text, struct err *e) MUST_CHECK;
