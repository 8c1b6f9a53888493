/*
 * Public keys out of files and folders that nobody else can write, each with its scope: those
 * that may sign bundles (trusted.d) and those that may approve them (approvers.d) are rings
 * of their own.  BUNDLE.md 3.
 */
#pragma once

#include "bundle/guarded.h"
#include "bundle/scope.h"
#include "bundle/signature.h"

/* One file with a key. */
struct ring_key {
	char *path;
	struct key *key; /* NULL in a survey, when the file was refused for error */
	struct err error;
	char kid[KID_TEXT];
	struct digest spki;
	struct scope scope;
	char *scope_path; /* NULL when there is no sidecar */
};

struct keyring {
	struct ring_key *keys;
	size_t count;
};

/* Adds the key of a file, or of every *.pub and *.pem in a folder.  Each must be guarded, hold
 * one public key and nothing else, and a sidecar must be understood; a sidecar without a key is
 * refused, since its limit would be lost.  A key that is there already is not added again; with
 * another scope it is refused.  ERR_MISSING for an empty folder. */
bool keyring_add(
    struct keyring *r, const char *path, enum guard guard, struct err *e) MUST_CHECK;

/* Adds every key file of a folder, the refused ones too, with their error. */
bool keyring_survey(
    struct keyring *r, const char *folder, enum guard guard, struct err *e) MUST_CHECK;

void keyring_drop(struct keyring *r);

/* The key with that kid, or NULL. */
const struct ring_key *keyring_find(const struct keyring *r, const char *kid);

/* Whether a file of that name in a folder is taken for a key. */
bool keyring_takes(const char *name);
