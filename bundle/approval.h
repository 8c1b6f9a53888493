/*
 * A person's approval of one bundle, which travels apart from it: an in-toto statement about
 * the bundle's id, in a DSSE envelope that an approver's key signed.  BUNDLE.md 3.
 */
#pragma once

#include "base/date.h"
#include "bundle/envelope.h"

enum { APPROVAL_NOTE_MAX = 1024 }; /* bytes */

struct approval {
	struct digest id;  /* of the bundle */
	char *name;	   /* of the bundle, for people; all texts are owned */
	char *note;	   /* why: a change's number, a ticket */
	char *destination; /* "host/prefix"; NULL: any */
	uint64_t created;  /* seconds since 1970 */
	uint64_t expires;  /* 0: never */
};
void approval_drop(struct approval *a);

/* The envelope, one line of JSON. */
bool approval_write(const struct approval *a, const struct signer *approver, struct buf *out,
    struct err *e) MUST_CHECK;

/* The statement of an envelope that an approver on the ring signed; what names it in errors.
 * Nothing of the statement is read before.  ERR_UNTRUSTED when it is not understood whole. */
bool approval_read(struct slice envelope, const char *what, const struct keyring *ring,
    struct approval *out, struct envelope_signers *signers, struct err *e) MUST_CHECK;

/* Where and when a bundle is to be used. */
struct approval_use {
	const struct digest *id;
	const char *name;
	const char *destination;
	uint64_t now;
};

/* Whether it approves that use; ERR_UNTRUSTED says what does not fit. */
bool approval_fits(
    const struct approval *a, const struct approval_use *use, struct err *e) MUST_CHECK;
