/*
 * The file of one bundle's name in the state folder: its records, read whole and written whole.
 */
#pragma once

#include "manifests/digest.h"

enum {
	REPLAY_FILE_MAX = 4 * 1024 * 1024,
	REPLAY_RECORDS_MAX = 4096,
	REPLAY_NAME_MAX = 80, /* with NUL */
};

/* What a key brought to a destination last. */
struct replay_record {
	struct digest key; /* SHA-256 of its SubjectPublicKeyInfo */
	char *channel;
	char *destination;
	uint64_t sequence;
	struct digest id; /* of the bundle */
};

struct replay_file {
	struct replay_record *records;
	size_t count;
};

/* The name of the file for bundles of that name, into out, which is returned: never a path. */
const char *replay_file_name(const char *bundle, char out[REPLAY_NAME_MAX]);

/* Reads what stands at path for bundles of that name; an absent file has no records.
 * ERR_UNTRUSTED, saying what to do, for one that is not understood. */
bool replay_file_read(
    const char *path, const char *bundle, struct replay_file *out, struct err *e) MUST_CHECK;

/* Replaces it at once. */
bool replay_file_write(const char *path, const char *bundle, const struct replay_file *f,
    struct err *e) MUST_CHECK;
void replay_file_drop(struct replay_file *f);

/* The record of that key, channel and destination, or NULL. */
struct replay_record *replay_file_find(const struct replay_file *f, const struct digest *key,
    const char *channel, const char *destination);

/* A new last record; ERR_LIMIT when there are too many. */
bool replay_file_add(
    struct replay_file *f, const struct replay_record *record, struct err *e) MUST_CHECK;
