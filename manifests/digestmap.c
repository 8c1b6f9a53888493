#include "manifests/digestmap.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing; digests are evenly spread already, so their first bytes are the hash. */
struct slot {
	struct digest digest;
	size_t value;
	bool used;
};

struct digest_map {
	struct slot *slots;
	size_t room; /* a power of two */
	size_t count;
};

enum { FIRST_ROOM = 64 };

struct digest_map *digest_map_new(void)
{
	struct digest_map *m = own_new(sizeof(*m));

	m->room = FIRST_ROOM;
	m->slots = own_array(m->room, sizeof(*m->slots));
	return m;
}

void digest_map_free(struct digest_map *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m);
}

void digest_map_drop(struct digest_map **m)
{
	digest_map_free(*m);
	*m = NULL;
}

/* The slot that holds d, or the free one where it belongs; there is always a free one. */
static struct slot *place(const struct digest_map *m, const struct digest *d)
{
	size_t at;

	(void)memcpy(&at, d->bytes, sizeof(at));
	for (at &= m->room - 1; m->slots[at].used; at = (at + 1) & (m->room - 1))
		if (digest_equal(&m->slots[at].digest, d))
			break;
	return &m->slots[at];
}

static void grow(struct digest_map *m)
{
	struct slot *old = m->slots;
	const size_t room = m->room;

	m->room = room * 2;
	m->slots = own_array(m->room, sizeof(*m->slots));
	for (size_t i = 0; i < room; i++)
		if (old[i].used)
			*place(m, &old[i].digest) = old[i];
	free(old);
}

bool digest_map_add(struct digest_map *m, const struct digest *d, size_t value)
{
	struct slot *slot = place(m, d);

	if (slot->used)
		return false;
	*slot = (struct slot){.digest = *d, .value = value, .used = true};
	m->count++;
	if (m->count * 2 > m->room)
		grow(m);
	return true;
}

bool digest_map_find(const struct digest_map *m, const struct digest *d, size_t *value)
{
	const struct slot *slot = place(m, d);

	if (slot->used)
		*value = slot->value;
	return slot->used;
}
