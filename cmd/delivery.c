#include "cmd/rights.h"

#include "base/own.h"
#include "base/pool.h"
#include "base/stop.h"
#include "cmd/destination.h"
#include "registry/push.h"
#include "registry/requests.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AT(field) offsetof(struct delivery_options, field)
const struct option delivery_options[] = {
    {"on-existing-tag", 0, OPTION_TEXT, AT(on_existing_tag), "WHAT",
	"when a tag names another image: error (default), or overwrite, which keeps the old "
	"one under TAG-was-DIGEST"},
    {"exclude", 0, OPTION_TEXTS, AT(excluded.refs), "REF",
	"leave this image out, by the name it has in the bundle (may be repeated)"},
    {"reason", 0, OPTION_TEXTS, AT(excluded.reasons), "TEXT",
	"why; one for each --exclude, in their order: it stands in the result"},
    {"on-missing-repo", 0, OPTION_TEXT, AT(on_missing_repo), "COMMAND",
	"run COMMAND HOST REPOSITORY once where an upload is refused as if the repository had "
	"to be made first, then try again"},
    {"no-referrers", 0, OPTION_FLAG, AT(no_referrers), NULL,
	"leave out what refers to the images: signatures, attestations, SBOMs"},
    {0},
};

/* Documents of a verified bundle, as tree_take asks for them. */
struct bundle_shelf {
	struct shelf shelf;
	const struct reader *reader;
};

static bool fetch_document(
    struct shelf *self, const struct descriptor *want, struct image **out, struct err *e)
{
	const struct bundle_shelf *s = (const struct bundle_shelf *)self;
	const size_t at = inventory_find(reader_inventory(s->reader), &want->digest);
	OWNED(buf_drop) struct buf raw = BUF(0);
	char digest[DIGEST_TEXT];

	if (at == reader_inventory(s->reader)->member_count)
		return err_set(e, ERR_DAMAGED,
		    "expected the manifest %s in the bundle, found no such member",
		    digest_text(&want->digest, digest));
	return reader_small(s->reader, at, &raw, e)
	       && image_parse_take(&raw, want->media_type, out, e);
}

/* image is NULL for a chart. */
static bool load(const struct reader *reader, const struct bundle_image *image,
    struct parcel *p, struct err *e)
{
	struct bundle_shelf shelf = {.shelf = {fetch_document}, .reader = reader};
	OWNED(image_drop) struct image *top = NULL;

	return fetch_document(&shelf.shelf, &p->top, &top, e)
	       && tree_take(&p->tree, &top, &shelf.shelf, e)
	       && (!image || attach_load(p, image, &shelf.shelf, e));
}

static bool check_collision(const struct delivery *d, size_t i, struct err *e)
{
	struct parcel *p = &d->parcels[i];
	char name[REFERENCE_TEXT_MAX];

	p->repository = i;
	for (size_t k = i; k-- > 0;) {
		const struct parcel *other = &d->parcels[k];
		if (other->state == PARCEL_EXCLUDED || strcmp(other->to.path, p->to.path) != 0)
			continue;
		p->repository = other->repository;
		if (p->to.tag[0] && strcmp(other->to.tag, p->to.tag) == 0
		    && !digest_equal(&other->top.digest, &p->top.digest))
			return err_set(e, ERR_FORMAT,
			    "expected one image for each name, found two that would become %s; "
			    "push them to"
			    " different prefixes",
			    reference_text(&p->to, name));
	}
	return true;
}

static bool plan_parcel(struct delivery *d, size_t i, const struct target *target,
    const struct delivery_options *o, struct err *e)
{
	const struct inventory *inv = reader_inventory(d->reader);
	struct parcel *p = &d->parcels[i];

	if (i < inv->image_count) {
		const struct bundle_image *image = &inv->images[i];
		p->top = (struct descriptor){image->digest, image->size, image->media_type};
		p->state = p->reason ? PARCEL_EXCLUDED : PARCEL_WAITING;
		return (destination_of_image(image, target, &p->to, e)
			   && (p->reason
			       || (check_collision(d, i, e)
				   && load(d->reader, o->no_referrers ? NULL : image, p, e))))
		       || err_in(e, "%s", image->ref);
	}
	const struct bundle_chart *chart = &inv->charts[i - inv->image_count];
	p->top = chart->manifest;
	return (destination_of_chart(chart, target, &p->to, e) && check_collision(d, i, e)
		   && load(d->reader, NULL, p, e))
	       || err_in(e, "chart %s", chart->name);
}

static bool read_existing(const char *text, enum existing_tag *existing, struct err *e)
{
	*existing =
	    text && strcmp(text, "overwrite") == 0 ? EXISTING_OVERWRITE : EXISTING_ERROR;
	return !text || *existing == EXISTING_OVERWRITE || strcmp(text, "error") == 0
	       || err_set(e, ERR_USAGE,
		   "--on-existing-tag: expected error or overwrite, found \"%s\"", text);
}

const char *const *delivery_excluded(const struct delivery *d)
{
	return d->excluded.reasons;
}

bool delivery_plan(const struct reader *reader, const struct target *target,
    const struct delivery_options *o, struct delivery **out, struct err *e)
{
	OWNED(delivery_drop) struct delivery *d = own_new(sizeof(*d));

	d->reader = reader;
	d->on_missing_repo = o->on_missing_repo;
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_mutex_init(&d->making, NULL);
	if (!read_existing(o->on_existing_tag, &d->existing, e)
	    || !excluded_read(&o->excluded, reader_inventory(reader), &d->excluded, e))
		return false;
	d->parcel_count =
	    reader_inventory(reader)->image_count + reader_inventory(reader)->chart_count;
	d->parcels = own_array(d->parcel_count, sizeof(*d->parcels));
	for (size_t i = 0; i < reader_inventory(reader)->image_count; i++)
		d->parcels[i].reason = d->excluded.reasons[i];
	for (size_t i = 0; i < d->parcel_count; i++)
		if (!plan_parcel(d, i, target, o, e))
			return false;
	*out = STEAL(d);
	return true;
}

bool parcel_repository(const struct phase *ph, size_t worker, const struct parcel *p,
    struct repository *at, struct err *e)
{
	return registries_repository(ph->network->registries, ph->network->workers[worker],
	    p->to.host, p->to.path, at, e);
}

/* What a person said of the registry, where no option says otherwise. */
static void adopt_settings(struct delivery *d, const struct host_settings *s)
{
	if (!d->on_missing_repo)
		d->on_missing_repo = s->on_missing_repo;
	d->leaves_foreign = s->foreign == SETTING_FOREIGN_LEAVE;
	d->manifest_most = s->max_manifest.value;
}

static bool manifests_fit(const struct delivery *d, const struct parcel *p, struct err *e)
{
	for (size_t i = 0; d->manifest_most && i < p->tree.count; i++)
		if (p->tree.documents[i]->raw.len > d->manifest_most)
			return err_set(e, ERR_LIMIT,
			    "expected manifests of at most %" PRIu64
			    " bytes, as max-manifest says of the registry, found one of %zu",
			    d->manifest_most, p->tree.documents[i]->raw.len);
	return true;
}

static bool look_up(const struct phase *ph, size_t worker, struct parcel *p, struct err *e)
{
	struct repository at;
	struct digest there;
	bool found;
	bool all;
	char ask[REFERENCE_TAG_MAX + 1];
	char digest[DIGEST_TEXT];

	if (!parcel_repository(ph, worker, p, &at, e) || !manifests_fit(ph->delivery, p, e)
	    || !push_lookup(&at, reference_ask(&p->to, ask), &found, &there, e))
		return false;
	p->top_there = found && digest_equal(&there, &p->top.digest);
	if (!attach_look_up(ph, &at, p, &all, e))
		return false;
	if (p->top_there && all)
		p->state = PARCEL_THERE;
	if (!found || p->top_there)
		return true;
	p->has_old = true;
	p->old = there;
	return ph->delivery->existing == EXISTING_OVERWRITE
	       || err_set(e, ERR_SYSTEM,
		   "the tag is taken by another image, %s; push to another prefix, or "
		   "--on-existing-tag overwrite",
		   digest_text(&there, digest));
}

static bool look_up_job(void *context, size_t worker, size_t job, struct err *e)
{
	const struct phase *ph = context;
	struct parcel *p = &ph->delivery->parcels[job];
	char name[REFERENCE_TEXT_MAX];

	if (p->state != PARCEL_EXCLUDED && !look_up(ph, worker, p, &p->error))
		(void)err_in(&p->error, "%s", reference_text(&p->to, name));
	return stop_check(e);
}

bool delivery_look(struct phase *ph, struct err *e)
{
	const struct pool pool = {.workers = ph->network->jobs,
	    .jobs = ph->delivery->parcel_count,
	    .work = look_up_job,
	    .context = ph};
	struct repository at;

	if (!parcel_repository(ph, 0, &ph->delivery->parcels[0], &at, e))
		return false;
	adopt_settings(ph->delivery, registry_settings(at.registry));
	return registry_ping(&at, e) && pool_run(&pool, e);
}

/* Some registries, Gitea's for one, take two names that differ in case for one (REF-12). */
static void warn_of_case(const struct delivery *d, struct watch *watch)
{
	char name[2][REFERENCE_TEXT_MAX];

	for (size_t i = 0; i < d->parcel_count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct parcel *a = &d->parcels[k];
			const struct parcel *b = &d->parcels[i];
			if (strcmp(a->to.path, b->to.path) == 0
			    && strcmp(a->to.tag, b->to.tag) != 0
			    && strcasecmp(a->to.tag, b->to.tag) == 0)
				watch_warn(watch,
				    "%s and %s differ in case alone, which some registries do "
				    "not see",
				    reference_text(&a->to, name[0]),
				    reference_text(&b->to, name[1]));
		}
}

static bool names_are_free(const struct delivery *d)
{
	for (size_t i = 0; i < d->parcel_count; i++)
		if (d->parcels[i].error.kind)
			return false;
	return true;
}

/* Rights are learnt from the first uploads; where there will be none, the list of what stands
 * against a push is whole all the same. */
bool delivery_preflight(
    struct delivery *d, struct network *network, struct watch *watch, struct err *e)
{
	struct phase ph = {d, network, watch};

	warn_of_case(d, watch);
	return delivery_look(&ph, e) && (names_are_free(d) || rights_ask(&ph, e))
	       && rights_join(d, watch, e);
}

void delivery_free(struct delivery *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->parcel_count; i++) {
		attach_drop(&d->parcels[i]);
		tree_drop(&d->parcels[i].tree);
	}
	for (size_t i = 0; i < d->job_count; i++)
		free(d->jobs[i].parcels);
	free(d->parcels);
	free(d->jobs);
	excluded_drop(&d->excluded);
	(void)pthread_mutex_destroy(&d->lock);
	(void)pthread_mutex_destroy(&d->making);
	free(d);
}

void delivery_drop(struct delivery **d)
{
	delivery_free(*d);
	*d = NULL;
}
