#include "registry/learned.h"

#include <limits.h>

void learned_quirk(struct learned *l, enum quirk q)
{
	quirk_learn(&l->facts, q, l->host, l->watch);
}

void learned_assume(struct learned *l, const struct host_settings *s)
{
	if (s->upload >= SETTING_UPLOAD_CHUNKS)
		quirk_assume(&l->facts, QUIRK_CHUNKS);
	if (s->upload == SETTING_UPLOAD_PATCH)
		quirk_assume(&l->facts, QUIRK_ONE_PATCH);
	if (s->mount == SETTING_MOUNT_OFF)
		quirk_assume(&l->facts, QUIRK_NO_MOUNT);
	if (s->referrers == SETTING_REFERRERS_TAG)
		quirk_assume(&l->facts, QUIRK_NO_REFERRERS);
	atomic_store(&l->chunk, s->chunk_size.value);
}

enum upload_way learned_way(const struct learned *l)
{
	if (quirk_known(&l->facts, QUIRK_ONE_PATCH))
		return UPLOAD_PATCH;
	return quirk_known(&l->facts, QUIRK_CHUNKS) ? UPLOAD_CHUNKS : UPLOAD_PUT;
}

void learned_next_way(struct learned *l, enum upload_way from)
{
	learned_quirk(l, from == UPLOAD_PUT ? QUIRK_CHUNKS : QUIRK_ONE_PATCH);
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
	learned_quirk(l, QUIRK_SMALL_CHUNKS);
	return true;
}

void learned_larger_chunk(struct learned *l, uint64_t least)
{
	if (learned_chunk(l) < least)
		atomic_store(&l->chunk, least);
}

bool learned_mounts(const struct learned *l)
{
	return !quirk_known(&l->facts, QUIRK_NO_MOUNT);
}

void learned_mount_refused(struct learned *l)
{
	if (atomic_fetch_add(&l->mounts_refused, 1) + 1 >= MOUNT_REFUSALS)
		learned_quirk(l, QUIRK_NO_MOUNT);
}

bool learned_lists(const struct learned *l)
{
	return !quirk_known(&l->facts, QUIRK_NO_REFERRERS);
}

/* One that was ever known is never given up. */
void learned_list_asked(struct learned *l, bool known)
{
	if (known)
		atomic_store(&l->unknown, INT_MIN);
	else if (atomic_load(&l->unknown) >= 0
		 && atomic_fetch_add(&l->unknown, 1) + 1 >= UNKNOWN_MAX)
		learned_quirk(l, QUIRK_NO_REFERRERS);
}
