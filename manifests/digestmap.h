/*
 * A set of digests, each with a number: which blob is already in the bundle, and where.
 */
#pragma once

#include "manifests/digest.h"

struct digest_map;
struct digest_map *digest_map_new(void);
void digest_map_free(struct digest_map *m);
void digest_map_drop(struct digest_map **m);

/* Remembers value under d; false, and nothing changes, when d is there already. */
bool digest_map_add(struct digest_map *m, const struct digest *d, size_t value);

/* The value under d; false when there is none. */
bool digest_map_find(const struct digest_map *m, const struct digest *d, size_t *value);
