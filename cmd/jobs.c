/* What is to be brought: a job for each blob in each repository that may lack it. */
#include "cmd/parcel.h"

#include "base/own.h"
#include "manifests/digestmap.h"

#include <stdlib.h>

static void add_user(struct job *job, struct parcel *p, size_t parcel)
{
	if (job->parcel_count && job->parcels[job->parcel_count - 1] == parcel)
		return;
	job->parcels = own_grow(job->parcels, job->parcel_count + 1, sizeof(*job->parcels));
	job->parcels[job->parcel_count++] = parcel;
	p->waiting++;
}

/* The job of one blob for one parcel: its own, or that of another parcel in the same
 * repository, which map remembers. */
static bool add_job(struct delivery *d, size_t parcel, const struct descriptor *blob,
    struct digest_map *map, struct err *e)
{
	const struct inventory *inv = reader_inventory(d->reader);
	const size_t member = inventory_find(inv, &blob->digest);
	struct parcel *p = &d->parcels[parcel];
	size_t at = d->job_count;

	if (member == inv->member_count || inv->members[member].size != blob->size)
		return err_set(
		    e, ERR_DAMAGED, "expected every blob of %s in the bundle", p->to.path);
	if (digest_map_add(map, &blob->digest, at)) {
		d->jobs = own_grow(d->jobs, d->job_count + 1, sizeof(*d->jobs));
		d->jobs[d->job_count++] =
		    (struct job){.repository = p->repository, .member = member};
	} else {
		(void)digest_map_find(map, &blob->digest, &at);
	}
	add_user(&d->jobs[at], p, parcel);
	return true;
}

static bool add_tree(struct delivery *d, size_t parcel, const struct tree *tree,
    struct digest_map *map, struct err *e)
{
	for (size_t i = 0; i < tree->count; i++)
		for (size_t part = 0; part < tree->documents[i]->count; part++)
			if (!tree_is_document(tree->documents[i], part)
			    && !(d->leaves_foreign && tree->documents[i]->parts[part].foreign)
			    && !add_job(
				d, parcel, &tree->documents[i]->parts[part].descriptor, map, e))
				return false;
	return true;
}

static bool add_jobs(struct delivery *d, size_t parcel, struct digest_map *map, struct err *e)
{
	const struct parcel *p = &d->parcels[parcel];

	if (!p->top_there && !add_tree(d, parcel, &p->tree, map, e))
		return false;
	for (size_t i = 0; i < p->attached_count; i++)
		if (!p->attached[i].there && !add_tree(d, parcel, &p->attached[i].tree, map, e))
			return false;
	return true;
}

bool delivery_list(struct delivery *d, struct err *e)
{
	struct digest_map **maps = own_array(d->parcel_count, sizeof(struct digest_map *));
	bool ok = true;

	for (size_t i = 0; ok && i < d->parcel_count; i++) {
		struct digest_map **map = &maps[d->parcels[i].repository];
		if (!*map)
			*map = digest_map_new();
		ok = d->parcels[i].state != PARCEL_WAITING || add_jobs(d, i, *map, e);
	}
	for (size_t i = 0; i < d->parcel_count; i++)
		digest_map_free(maps[i]);
	free(maps);
	return ok;
}

void chains_drop(struct chains *c)
{
	free(c->first);
	free(c->next);
}

void chain_jobs(const struct delivery *d, struct chains *c)
{
	const size_t members = reader_inventory(d->reader)->member_count;

	c->first = own_array(members, sizeof(*c->first));
	c->next = own_array(d->job_count, sizeof(*c->next));
	for (size_t i = 0; i < members; i++)
		c->first[i] = d->job_count;
	for (size_t i = d->job_count; i-- > 0;) {
		c->next[i] = c->first[d->jobs[i].member];
		c->first[d->jobs[i].member] = i;
	}
}
