/*
 * Digests and descriptors: the identity and size that every byte must have before it is
 * believed (PROTOCOL RULE-2).  SHA-256 only; the one file that meets OpenSSL's hashes.
 */
#pragma once

#include "base/buf.h"

enum {
	DIGEST_HEX = 64,
	DIGEST_TEXT = 72, /* "sha256:" + 64 hex + NUL */
};

struct digest {
	unsigned char bytes[32];
};

/* What an image or an inventory says of one blob.  media_type is borrowed (or NULL). */
struct descriptor {
	struct digest digest;
	uint64_t size;
	const char *media_type;
};

/* "sha256:" and 64 lower-case hex digits, nothing else; sha512 has a sentence of its own. */
bool digest_parse(struct slice text, struct digest *d, struct err *e) MUST_CHECK;

/* The 64 hex digits alone. */
bool digest_parse_hex(struct slice text, struct digest *d, struct err *e) MUST_CHECK;

/* "sha256:…" into out, which is returned. */
const char *digest_text(const struct digest *d, char out[DIGEST_TEXT]);

/* The hex digits alone, NUL-terminated. */
const char *digest_hex(const struct digest *d, char out[DIGEST_TEXT]);

bool digest_equal(const struct digest *a, const struct digest *b);
int digest_compare(const struct digest *a, const struct digest *b);

/* Whether this machine's OpenSSL gives SHA-256 at all; everything else here relies on it.
 * ERR_SYSTEM. */
bool digest_ready(struct err *e) MUST_CHECK;

/* The digest of bytes in memory. */
void digest_of(struct slice bytes, struct digest *d);

/* A running hash. */
struct hash;
struct hash *hash_new(void);
void hash_add(struct hash *h, const void *bytes, size_t len);
void hash_end(struct hash *h, struct digest *d); /* after this only hash_restart or free */
void hash_restart(struct hash *h);
void hash_free(struct hash *h);
void hash_drop(struct hash **h);
