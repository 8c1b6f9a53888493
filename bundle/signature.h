/*
 * Keys and signatures over the raw inventory: ECDSA P-256 with SHA-256, or Ed25519.  The
 * algorithm comes from the key, never from the bundle.  BUNDLE.md 1.4, 3.
 */
#pragma once

#include "base/buf.h"
#include "manifests/digest.h"

enum key_type {
	KEY_P256,
	KEY_ED25519,
};

enum {
	KID_TEXT = 17, /* 16 hex digits and NUL */
};

/* A private or a public key. */
struct key;
void key_free(struct key *k);
void key_drop(struct key **k);

/* Where a passphrase comes from; wiped after use. */
struct passphrase {
	/* Fills text (NUL-terminated, room bytes) for the key of that name; false ends the
	 * attempt. */
	bool (*ask)(
	    struct passphrase *self, const char *name, char *text, size_t room, struct err *e);
};

/* A new pair.  private_pem: PKCS#8, encrypted with passphrase unless that is NULL. */
bool key_generate(enum key_type type, const char *passphrase, struct buf *private_pem,
    struct buf *public_pem, struct err *e) MUST_CHECK;

/* The private key at path (PEM).  ask is used only when it is encrypted. */
bool key_open_private(
    const char *path, struct passphrase *ask, struct key **out, struct err *e) MUST_CHECK;

/* A public key out of PEM; what names it in errors.  Other types are refused by name. */
bool key_read_public(
    struct slice pem, const char *what, struct key **out, struct err *e) MUST_CHECK;

/* SHA-256 of the SubjectPublicKeyInfo: whole, and its first 16 hex digits. */
void key_fingerprint(const struct key *k, struct digest *spki);
const char *key_kid(const struct key *k, char out[KID_TEXT]);
enum key_type key_type(const struct key *k);

/* The content of bundle/sig/<kid>.sig over bytes: strict base64 and LF. */
bool signature_make(
    const struct key *k, struct slice bytes, struct buf *out, struct err *e) MUST_CHECK;

/* True only when text is exactly the one encoding of a valid signature by k over bytes.
 * ERR_UNTRUSTED otherwise. */
bool signature_check(
    const struct key *k, struct slice bytes, struct slice text, struct err *e) MUST_CHECK;
