/*
 * Signatures over the raw inventory, in the form that openssl verifies: one line of base64. The
 * algorithm comes from the key, never from the bundle.  BUNDLE.md 1.4.
 */
#pragma once

#include "bundle/key.h"

enum {
	RAW_ROOM = 512, /* bytes of a raw signature, far above every kind */
};

/* The raw signature by a private key. */
struct raw_signature {
	unsigned char bytes[RAW_ROOM];
	size_t len;
};
bool signature_raw(const struct key *k, struct slice bytes, struct raw_signature *out,
    struct err *e) MUST_CHECK;

/* Whether raw is a valid signature by k. */
bool signature_holds(const struct key *k, struct slice bytes, const struct raw_signature *raw);

/* Whether this OpenSSL checks signatures by k at all: one that must be FIPS has not every kind
 * of key, and a signature by another is not bad.  ERR_UNTRUSTED with the reason. */
bool signature_usable(const struct key *k, struct err *e) MUST_CHECK;

/* The hash that a signature by an ECDSA key k is over; its length is returned. */
enum { SIGNATURE_HASH_MAX = 64 };
size_t signature_hash(
    const struct key *k, struct slice bytes, unsigned char out[SIGNATURE_HASH_MAX]);

/* Base64 on one line without an end, the one encoding that is taken. */
void signature_encode(const void *bytes, size_t len, struct buf *out);

/* Decodes what is exactly the encoding of the result; at most room bytes. */
bool signature_decode(struct slice text, void *bytes, size_t room, size_t *len) MUST_CHECK;

/* The content of bundle/sig/<kid>.sig: strict base64 and LF. */
bool signature_make(
    const struct key *k, struct slice bytes, struct buf *out, struct err *e) MUST_CHECK;

/* True only when text is exactly the one encoding of a valid signature by k over bytes.
 * ERR_UNTRUSTED otherwise. */
bool signature_check(
    const struct key *k, struct slice bytes, struct slice text, struct err *e) MUST_CHECK;
