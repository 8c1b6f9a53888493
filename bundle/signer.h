/*
 * Whoever signs: a private key, or a command that has one, as a token does.  Gives all members
 * that belong in the signature area for one signer, each in its form.  BUNDLE.md 1.4, 3.
 */
#pragma once

#include "bundle/area.h"
#include "bundle/inventory.h"

struct signer;

/* A signer with a private key, which is taken. */
struct signer *signer_of_key_take(struct key **key);

/* A signer by a command of the shell, which gets the bytes on standard input and says the raw
 * signature on standard output; its public key is taken. */
struct signer *signer_of_command_take(const char *command, struct key **public_key);

/* Lets a signer with a private key of its own sign with a certificate too: PEM, its own first,
 * then the chain.  ERR_FORMAT; ERR_USAGE for a signer by command or an Ed25519 key. */
bool signer_certify(struct signer *s, struct slice pem, struct err *e) MUST_CHECK;
void signer_free(struct signer *s);
void signer_drop(struct signer **s);

const char *signer_kid(const struct signer *s, char out[KID_TEXT]);

/* The raw signature over bytes.  ERR_UNTRUSTED when a command's does not fit its public key. */
bool signer_raw(const struct signer *s, struct slice bytes, struct raw_signature *out,
    struct err *e) MUST_CHECK;

/* Adds the signatures over bytes, which are inv as it is written. */
bool signer_sign(const struct signer *s, const struct inventory *inv, struct slice bytes,
    struct signatures *out, struct err *e) MUST_CHECK;

/* Whether the area has a signature over bytes that this signer made; ERR_UNTRUSTED otherwise.
 */
bool signer_made(const struct signer *s, const struct area *area, struct slice bytes,
    struct err *e) MUST_CHECK;
