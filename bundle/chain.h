/*
 * A signer's certificate and the chain to its authority, and the signature that carries them:
 * bundle/sig/<kid>.p7s, detached CMS SignedData in DER.  BUNDLE.md 1.4, 3.
 */
#pragma once

#include "bundle/key.h"

struct chain;

/* Reads certificates in PEM, the signer's first, whose key must be k's.  ERR_FORMAT. */
bool chain_read(
    struct slice pem, const struct key *k, struct chain **out, struct err *e) MUST_CHECK;
void chain_free(struct chain *c);
void chain_drop(struct chain **c);

/* The signature by the private key k over bytes. */
bool chain_sign(const struct chain *c, const struct key *k, struct slice bytes, struct buf *out,
    struct err *e) MUST_CHECK;
