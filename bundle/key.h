/*
 * Keys: ECDSA P-256 or P-384, or Ed25519.  Private ones are opened by path or by URI, so that a
 * key may stay in a token.  BUNDLE.md 3.
 */
#pragma once

#include "base/buf.h"
#include "manifests/digest.h"

enum key_type {
	KEY_P256, /* with SHA-256 */
	KEY_P384, /* with SHA-384 */
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

/* The private key at a path (PEM) or URI (file:, pkcs11: where a provider is configured).  ask
 * is used only when it wants a passphrase or PIN.  ERR_MISSING when nothing opens the URI. */
bool key_open_private(
    const char *name, struct passphrase *ask, struct key **out, struct err *e) MUST_CHECK;

/* A public key out of PEM; what names it in errors.  Other types are refused by name. */
bool key_read_public(
    struct slice pem, const char *what, struct key **out, struct err *e) MUST_CHECK;

/* SHA-256 of the SubjectPublicKeyInfo: whole, and its first 16 hex digits. */
void key_fingerprint(const struct key *k, struct digest *spki);
const char *key_kid(const struct key *k, char out[KID_TEXT]);
enum key_type key_type(const struct key *k);

/* OpenSSL's own, for signature.c and its kin; borrowed. */
struct evp_pkey_st *key_pkey(const struct key *k);

/* A failure inside OpenSSL, whose queue of reasons is emptied.  Always false. */
bool openssl_failed(struct err *e, enum err_kind kind, const char *what);
