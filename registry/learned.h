/*
 * What a run learns of one host and keeps for its rest, shared by all workers: the quirks
 * (quirks.h), and the numbers that lead to them.
 */
#pragma once

#include "registry/quirks.h"
#include "registry/settings.h"

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
	UNKNOWN_MAX =
	    3, /* lists that are not known: behind one address several registries may be */
};

struct learned {
	const char *host;    /* for what is told; borrowed */
	struct watch *watch; /* who is told */
	quirk_facts facts;
	atomic_uint_fast64_t chunk; /* bytes of a PATCH; 0: CHUNK_FIRST */
	atomic_uint mounts_refused;
	atomic_int unknown; /* lists of referrers that were not known, in a row */
};

/* Learns it, which is told the first time. */
void learned_quirk(struct learned *l, enum quirk q);

/* What a person said of the host is known from the beginning. */
void learned_assume(struct learned *l, const struct host_settings *s);

enum upload_way learned_way(const struct learned *l);

/* Uploads go by the next way of the ladder from now on; from was refused, and is not the last.
 */
void learned_next_way(struct learned *l, enum upload_way from);

uint64_t learned_chunk(const struct learned *l);

/* Halves chunks until they are smaller than the one that was refused; false when that would be
 * less than the least. */
bool learned_smaller_chunk(struct learned *l, uint64_t refused);

/* Makes chunks of at least so many bytes, as the registry asks. */
void learned_larger_chunk(struct learned *l, uint64_t least);

/* Whether mounts are asked for; a refusal more, of which few are enough. */
bool learned_mounts(const struct learned *l);
void learned_mount_refused(struct learned *l);

/* Whether the registry may be able to list what refers to a document; what it said to that. */
bool learned_lists(const struct learned *l);
void learned_list_asked(struct learned *l, bool known);
