/*
 * What a run learns of one host and keeps for its rest, shared by all workers: how uploads
 * work there, and whether it mounts.  Each is told once, with the setting that says it for
 * good.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The ladder of UPL-08, from what all registries should take to what few do. */
enum upload_way {
	UPLOAD_PUT,    /* all in the closing PUT (UPL-07) */
	UPLOAD_CHUNKS, /* PATCHes with their ranges, then an empty PUT (UPL-10) */
	UPLOAD_PATCH,  /* one PATCH of all, then an empty PUT */
	UPLOAD_WAYS,
};

enum {
	CHUNK_FIRST = 4 * 1024 * 1024, /* bytes: what the strictest large registry takes */
	CHUNK_LEAST = 64 * 1024,
	MOUNT_REFUSALS = 2, /* then no mount is asked for any more (UPL-02) */
};

struct learned {
	atomic_int way;
	atomic_uint_fast64_t chunk; /* bytes of a PATCH; 0: CHUNK_FIRST */
	atomic_uint mounts_refused;
	atomic_bool no_expect; /* it does not answer "Expect: 100-continue" (UPL-19) */
};

/* True for the one caller who took the host from way to the next. */
bool learned_next_way(struct learned *l, enum upload_way from);

uint64_t learned_chunk(const struct learned *l);

/* Halves chunks until they are smaller than the one that was refused; false when that would be
 * less than the least. */
bool learned_smaller_chunk(struct learned *l, uint64_t refused);

/* Makes chunks of at least so many bytes, as the registry asks. */
void learned_larger_chunk(struct learned *l, uint64_t least);

bool learned_mounts(const struct learned *l);

/* True for the refusal after which no mount is asked for any more. */
bool learned_mount_refused(struct learned *l);
