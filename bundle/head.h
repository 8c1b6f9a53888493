/*
 * The head of a bundle: the inventory's bytes and the signature area, which every reader sees
 * before it believes anything.  BUNDLE.md 1.2, 1.4.
 */
#pragma once

#include "base/buf.h"
#include "bundle/format.h"
#include "bundle/signature.h"

enum {
	HEAD_SIGNATURES_MAX = 32,
	HEAD_NAME = 90, /* "KID.SUFFIX" and NUL */
};

/* One member of the signature area. */
struct head_signature {
	char kid[KID_TEXT];
	char name[HEAD_NAME]; /* its file name, "KID.SUFFIX" */
	const char *suffix;   /* "sig", or NULL: one that this version does not know */
	struct slice data;    /* in the head's area */
};

struct head {
	struct buf inventory;
	unsigned char *area; /* SIGNATURE_AREA bytes, owned */
	struct head_signature signatures[HEAD_SIGNATURES_MAX];
	size_t count;
};

/* Reads header, inventory and area from fd's beginning.  ERR_UNTRUSTED when header or inventory
 * do not hold, ERR_DAMAGED for the structure of the area. */
bool head_read(int fd, struct head *out, struct err *e) MUST_CHECK;
void head_drop(struct head *h);

/* Like head_read for a file that should begin with this inventory: it is compared piece by
 * piece, and out has the area only.  ERR_DAMAGED. */
bool head_compare(int fd, struct slice inventory, struct head *out, struct err *e) MUST_CHECK;

/* Writes header, inventory, one signature and the padding of the area at fd's beginning. */
bool head_write(int fd, struct slice inventory, const char *kid, struct slice signature,
    struct err *e) MUST_CHECK;
