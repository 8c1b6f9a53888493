#include "registry/learned.h"

bool learned_next_way(struct learned *l, enum upload_way from)
{
	int expected = (int)from;

	return from + 1 < UPLOAD_WAYS
	       && atomic_compare_exchange_strong(&l->way, &expected, (int)from + 1);
}

uint64_t learned_chunk(const struct learned *l)
{
	const uint64_t chunk = atomic_load(&l->chunk);

	return chunk ? chunk : CHUNK_FIRST;
}

bool learned_smaller_chunk(struct learned *l, uint64_t refused)
{
	uint64_t chunk = learned_chunk(l);

	while (chunk >= refused)
		chunk /= 2;
	if (chunk < CHUNK_LEAST)
		return false;
	atomic_store(&l->chunk, chunk);
	return true;
}

void learned_larger_chunk(struct learned *l, uint64_t least)
{
	if (learned_chunk(l) < least)
		atomic_store(&l->chunk, least);
}

bool learned_mounts(const struct learned *l)
{
	return atomic_load(&l->mounts_refused) < MOUNT_REFUSALS;
}

bool learned_mount_refused(struct learned *l)
{
	return atomic_fetch_add(&l->mounts_refused, 1) + 1 == MOUNT_REFUSALS;
}
