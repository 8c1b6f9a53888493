/*
 * A DSSE envelope: an in-toto statement and signatures over it.  What is signed is
 * "DSSEv1 28 application/vnd.in-toto+json LENGTH STATEMENT", so that no signature over an
 * inventory is one over a statement, nor the other way round.
 */
#pragma once

#include "bundle/keyring.h"
#include "bundle/signer.h"

enum {
	ENVELOPE_MAX = 64 * 1024, /* bytes of a file */
	ENVELOPE_SIGNERS_MAX = 8,
};

/* Those of a ring who signed; distinct. */
struct envelope_signers {
	const struct ring_key *by[ENVELOPE_SIGNERS_MAX];
	size_t count;
};

/* One line of JSON with a signature by signer. */
bool envelope_write(struct slice statement, const struct signer *signer, struct buf *out,
    struct err *e) MUST_CHECK;

/* The statement's bytes, once a signature by a key of the ring over them holds.  ERR_UNTRUSTED
 * for a bad one by such a key even beside a good one, and when there is none by any. */
bool envelope_open(struct slice envelope, const struct keyring *ring, struct buf *statement,
    struct envelope_signers *signers, struct err *e) MUST_CHECK;
