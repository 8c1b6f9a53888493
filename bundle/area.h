/*
 * The signature area: SIGNATURE_AREA bytes of a bundle that its inventory does not cover, so
 * that a bundle can be signed again in place.  Its grammar is its own, and leaves no byte free.
 * BUNDLE.md 1.4.
 */
#pragma once

#include "base/buf.h"
#include "bundle/format.h"
#include "bundle/signature.h"

enum {
	AREA_SIGNATURES_MAX = 32,
	AREA_NAME = 90, /* "KID.SUFFIX" and NUL */
};

/* One member of the area. */
struct area_signature {
	char kid[KID_TEXT];
	char name[AREA_NAME]; /* its file name, "KID.SUFFIX" */
	struct slice data;    /* in the area's bytes */
};

/* What stands behind the dot of its name: its form. */
const char *area_suffix(const struct area_signature *s);

struct area {
	unsigned char *bytes; /* SIGNATURE_AREA, owned */
	struct area_signature signatures[AREA_SIGNATURES_MAX];
	size_t count;
};

/* Takes the members out of a->bytes.  ERR_DAMAGED with the byte of the area where it ends to be
 * one. */
bool area_parse(struct area *a, struct err *e) MUST_CHECK;
void area_drop(struct area *a);

/* The member of that kid and suffix, or NULL. */
const struct area_signature *area_find(
    const struct area *a, const char *kid, const char *suffix);

/* Signatures that are to stand in an area. */
struct signature_text {
	char name[AREA_NAME]; /* "KID.SUFFIX" */
	struct buf text;      /* owned */
};
struct signatures {
	struct signature_text items[AREA_SIGNATURES_MAX];
	size_t count;
};

/* A new last one, whose text the caller fills; ERR_LIMIT when there are too many. */
bool signatures_add(struct signatures *s, const char *kid, const char *suffix,
    struct buf **text, struct err *e) MUST_CHECK;
void signatures_drop(struct signatures *s);

/* Writes the area that holds these, sorted; ERR_LIMIT when they do not fit. */
bool area_make(
    struct signatures *s, unsigned char out[SIGNATURE_AREA], struct err *e) MUST_CHECK;
