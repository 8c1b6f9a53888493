/*
 * The one layer that checks a stream against a descriptor.  It fails closed: bytes beyond the
 * size are refused at once, and a stream that was not asked to its end was not verified.
 */
#pragma once

#include "base/stream.h"
#include "manifests/digest.h"

/* Passes writes on to another sink while hashing them; at most the descriptor's size. */
struct verify_sink {
	struct sink sink;
	struct sink *to;
	struct descriptor want;
	struct hash *hash;
	uint64_t seen;
};
void verify_sink_init(struct verify_sink *v, const struct descriptor *want, struct sink *to);
void verify_sink_drop(struct verify_sink *v);

/* ERR_DAMAGED unless exactly the descriptor's bytes went through: expected and found are said.
 * The order of PROTOCOL DL-11: size first, then digest. */
bool verify_sink_end(struct verify_sink *v, struct err *e) MUST_CHECK;

/* Counts and hashes what stands in the sink behind it already. */
bool verify_sink_hold(struct verify_sink *v, struct source *held, struct err *e) MUST_CHECK;

/* A sink that only hashes; the hash is borrowed. */
struct hash_sink {
	struct sink sink;
	struct hash *hash;
};
void hash_sink_init(struct hash_sink *s, struct hash *hash);

/* Reads from another source while hashing, and withholds the last block until the digest
 * matches, so that an upload of wrong bytes can never be completed. */
struct verify_source {
	struct source source;
	struct source *from;
	struct descriptor want;
	struct hash *hash;
	uint64_t seen;
	bool verified; /* all was read and the digest holds */
	bool refused;  /* all was read and does not hold: only rewind goes on from here */
	char *held;    /* owned: the last block */
	size_t held_len;
	size_t held_at;
};
void verify_source_init(
    struct verify_source *v, const struct descriptor *want, struct source *from);
void verify_source_drop(struct verify_source *v);
