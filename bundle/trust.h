/*
 * Whom we believe: the public keys that the operator named.  BUNDLE.md 3.
 */
#pragma once

#include "bundle/signature.h"

struct trust;

/* Public keys of a PEM file, or of every *.pub and *.pem in a folder.  ERR_MISSING when there
 * is none; path NULL is ERR_UNTRUSTED: refuse by default. */
bool trust_open(const char *path, struct trust **out, struct err *e) MUST_CHECK;
void trust_free(struct trust *t);
void trust_drop(struct trust **t);

/* The key with that kid, or NULL. */
const struct key *trust_find(const struct trust *t, const char kid[KID_TEXT]);
