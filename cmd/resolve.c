#include "cmd/resolve.h"

#include "base/own.h"
#include "base/pool.h"
#include "base/stop.h"
#include "cmd/advice.h"
#include "cmd/choice.h"
#include "cmd/errors.h"
#include "cmd/gather.h"
#include "cmd/listing.h"
#include "manifests/chart.h"
#include "manifests/provenance.h"
#include "registry/chartrepo.h"
#include "registry/pull.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CHART_DOCUMENT_MAX = 1024 * 1024,
};

/* What the workers share while they resolve. */
struct resolving {
	const struct request *request;
	const struct inventory *begun;
	struct network *network;
	struct resolved *out;
	struct gather *gather;
};

/* Documents of one repository, as tree_take asks for them. */
struct registry_shelf {
	struct shelf shelf;
	struct repository at;
};

static bool fetch_document(
    struct shelf *self, const struct descriptor *want, struct image **out, struct err *e)
{
	const struct registry_shelf *s = (const struct registry_shelf *)self;
	char ask[DIGEST_TEXT];

	return pull_manifest(&s->at, digest_text(&want->digest, ask), want, out, e);
}

/* What an interrupted run had found of an image, or NULL. */
static const struct bundle_image *begun_image(
    const struct resolving *r, const struct release_image *want)
{
	for (size_t i = 0; r->begun && i < r->begun->image_count; i++)
		if (strcmp(r->begun->images[i].ref, want->ref) == 0)
			return &r->begun->images[i];
	return NULL;
}

/* What is asked for: the digest that a lock pins, or that an interrupted run had found behind
 * the tag, else what the reference says. */
static const char *ask_for(const struct release_image *want, const struct bundle_image *begun,
    const struct reference *ref, char out[REFERENCE_TAG_MAX + 1])
{
	if (want->pin.set)
		return digest_text(&want->pin.digest, out);
	return begun ? digest_text(&begun->source_digest, out) : reference_ask(ref, out);
}

/* What a lock names may have gone meanwhile. */
static bool gone(const struct pin *pin, struct err *e)
{
	if (pin->set && e->kind == ERR_MISSING)
		return err_in(e, "what the lock pins has gone; plan again");
	return false;
}

/* A lock lets travel what it names, and no more. */
static bool resolve_referrers(const struct resolving *r, struct registry_shelf *shelf,
    const struct release_image *want, struct resolved_image *image, struct err *e)
{
	const int where = registry_settings(shelf->at.registry)->referrers;

	if (r->request->no_referrers || where == SETTING_REFERRERS_OFF)
		return true;
	if (r->request->release->locked)
		return gather_pinned(&shelf->at, &shelf->shelf, want, image, e)
		       || gone(&want->pin, e);
	return gather_referrers(
	    r->gather, &shelf->at, &shelf->shelf, begun_image(r, want), image, e);
}

static bool resolve_image(const struct resolving *r, size_t worker,
    struct resolved_image *image, const struct release_image *want, struct err *e)
{
	struct registry_shelf shelf = {.shelf = {fetch_document}};
	OWNED(image_drop) struct image *top = NULL;
	const struct bundle_image *begun = begun_image(r, want);
	char ask[REFERENCE_TAG_MAX + 1];

	if (!reference_parse(slice_of(want->ref), &image->ref, e)
	    || !registries_repository(r->network->registries, r->network->workers[worker],
		image->ref.host, image->ref.path, &shelf.at, e)
	    || !pull_manifest(&shelf.at, ask_for(want, begun, &image->ref, ask), NULL, &top, e))
		return gone(&want->pin, e);
	image->source = top->self.digest;
	return (!r->request->one_platform
		   || choice_of_platform(
		       &r->request->platform, &shelf.at, &shelf.shelf, &top, e))
	       && tree_take(&image->tree, &top, &shelf.shelf, e)
	       && choice_confirm(image, &shelf.at, r->request, e)
	       && choice_has_foreign(&image->tree, &shelf.at, e)
	       && resolve_referrers(r, &shelf, want, image, e);
}

/* One image's failure does not end the others: a person wants the whole list at once. */
static bool resolve_job(void *context, size_t worker, size_t job, struct err *e)
{
	const struct resolving *r = context;
	struct resolved_image *image = &r->out->images[job];
	const struct release_image *want = &r->request->release->images[job];

	if (!resolve_image(r, worker, image, want, &image->error))
		(void)err_in(&image->error, "%s", want->ref);
	return stop_check(e);
}

static bool collect_errors(const struct resolved *r, struct watch *watch, struct err *e)
{
	OWNED(drop_any) struct err *errors = own_array(r->image_count, sizeof(*errors));

	for (size_t i = 0; i < r->image_count; i++)
		errors[i] = r->images[i].error;
	return errors_join(errors, r->image_count, "images cannot be resolved", watch, e);
}

static bool resolve_images(struct resolving *r, struct err *e)
{
	const struct pool pool = {
	    .workers = r->network->jobs,
	    .jobs = r->request->release->image_count,
	    .work = resolve_job,
	    .context = r,
	};

	r->out->image_count = pool.jobs;
	r->out->images = own_array(pool.jobs, sizeof(*r->out->images));
	return pool_run(&pool, e) && collect_errors(r->out, r->network->watch, e);
}

static bool check_chart(
    const struct release_chart *want, const struct digest *found, struct err *e)
{
	char text[2][DIGEST_TEXT];

	return !want->pin.set || digest_equal(&want->pin.digest, found)
	       || err_set(e, ERR_DAMAGED,
		   "expected the chart that the lock pins, %s, found %s under the same "
		   "version; "
		   "ask the vendor, or plan again",
		   digest_text(&want->pin.digest, text[0]), digest_text(found, text[1]));
}

/* The version that an interrupted run had chosen for the same wish, or the wish. */
static const char *version_for(const struct resolving *r, const struct release_chart *want)
{
	for (size_t i = 0; r->begun && i < r->begun->chart_count; i++)
		if (want->repo && strcmp(r->begun->charts[i].name, want->name) == 0)
			return r->begun->charts[i].version;
	return want->version;
}

/* A chart from a classic repository gets its OCI documents now, so that they are signed. */
static bool make_documents(struct resolved_chart *c, struct err *e)
{
	struct descriptor prov = {.media_type = MEDIA_CHART_PROVENANCE};

	if (c->found.image)
		return true;
	if (c->found.more_count) {
		prov.size = c->found.more[0].len;
		digest_of(buf_slice(&c->found.more[0]), &prov.digest);
	}
	buf_init(&c->config, CHART_DOCUMENT_MAX);
	buf_init(&c->manifest, CHART_DOCUMENT_MAX);
	return chart_oci(c->found.chart, &c->tgz, c->found.more_count ? &prov : NULL,
	    &c->config, &c->manifest, e);
}

static bool resolve_chart(const struct resolving *r, const struct release_chart *want,
    struct resolved_chart *c, struct err *e)
{
	struct chart_wanted ask = r->request->charts;

	ask.repo = want->repo;
	ask.name = want->name;
	ask.version = version_for(r, want);
	if (!chartrepo_pull(r->network->registries, r->network->workers[0], &ask, &c->found, e))
		return err_in(e, "chart %s", want->name);
	c->tgz.size = c->found.tgz.len;
	c->tgz.media_type = MEDIA_CHART_CONTENT;
	digest_of(buf_slice(&c->found.tgz), &c->tgz.digest);
	return (check_chart(want, &c->tgz.digest, e) && make_documents(c, e)
		   && advice_on_chart(c->found.chart, r->request, r->network->watch, e))
	       || err_in(e, "chart %s", want->name);
}

static bool resolve_charts(const struct resolving *r, struct err *e)
{
	const struct release *release = r->request->release;

	r->out->chart_count = release->chart_count;
	r->out->charts = own_array(release->chart_count, sizeof(*r->out->charts));
	for (size_t i = 0; i < release->chart_count; i++)
		if (!resolve_chart(r, &release->charts[i], &r->out->charts[i], e))
			return false;
	return true;
}

bool resolve(const struct request *request, const struct inventory *begun, uint64_t created,
    struct network *network, struct plan **out, struct err *e)
{
	OWNED(plan_drop) struct plan *plan = own_new(sizeof(*plan));
	OWNED(gather_drop) struct gather *gather = gather_new();
	struct resolving r = {
	    request, begun, network, plan->resolved = own_new(sizeof(*plan->resolved)), gather};

	plan->inventory = inventory_new();
	if (!resolve_charts(&r, e) || !resolve_images(&r, e))
		return false;
	if (!plan_list(plan, request, begun ? begun->created : created, e))
		return false;
	*out = STEAL(plan);
	return true;
}

bool resolve_time(uint64_t *created, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	if (!epoch || !*epoch) {
		*created = (uint64_t)time(NULL);
		return true;
	}
	if (slice_u64(slice_of(epoch), 253402300799U, created))
		return true;
	return err_set(e, ERR_USAGE,
	    "SOURCE_DATE_EPOCH: expected seconds since 1970, found \"%s\"", epoch);
}

bool resolve_or_continue(const struct request *request, const struct writer *writer,
    struct network *network, struct plan **out, struct err *e)
{
	const struct inventory *begun = writer_begun(writer);
	uint64_t created;

	if (!resolve_time(&created, e))
		return false;
	if (!begun)
		return resolve(request, NULL, created, network, out, e);
	if (!resolve(request, begun, created, network, out, e))
		return err_in(e, "continuing an interrupted export (--fresh begins anew)");
	if (writer_continues(writer, buf_slice(&(*out)->bytes)))
		return true;
	plan_drop(out);
	watch_warn(network->watch,
	    "the interrupted export was asked for something else; this one begins anew");
	return resolve(request, NULL, created, network, out, e);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	inventory_free(p->inventory);
	buf_drop(&p->bytes);
	free(p->members);
	resolved_free(p->resolved);
	free(p);
}

void plan_drop(struct plan **p)
{
	plan_free(*p);
	*p = NULL;
}

bool plan_repository(const struct plan *p, size_t i, struct network *network, size_t worker,
    struct repository *out, struct err *e)
{
	const struct reference *ref = &p->resolved->images[p->members[i].image].ref;

	return registries_repository(
	    network->registries, network->workers[worker], ref->host, ref->path, out, e);
}
