#include "cmd/gather.h"

#include "base/own.h"
#include "registry/pull.h"
#include "registry/referrers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Pages of tags beyond this cost more than asking for the tags that could be there. */
enum { PAGES_MAX = 4 };

/* The tags of one repository, listed by the first who needs them. */
struct known {
	struct known *next;
	const struct registry *registry;
	char *path;
	pthread_mutex_t lock;
	bool asked;
	struct tags tags; /* does not change once asked */
};

struct gather {
	pthread_mutex_t lock;
	struct known *first; /* under lock; entries stay */
};

struct gather *gather_new(void)
{
	struct gather *g = own_new(sizeof(*g));

	(void)pthread_mutex_init(&g->lock, NULL);
	return g;
}

void gather_drop(struct gather **g)
{
	while (*g && (*g)->first) {
		struct known *k = (*g)->first;
		(*g)->first = k->next;
		tags_drop(&k->tags);
		(void)pthread_mutex_destroy(&k->lock);
		free(k->path);
		free(k);
	}
	if (*g)
		(void)pthread_mutex_destroy(&(*g)->lock);
	free(*g);
	*g = NULL;
}

static struct known *find_or_make(struct gather *g, const struct repository *at)
{
	pthread_mutex_lock(&g->lock);
	struct known *k = g->first;
	while (k && (k->registry != at->registry || strcmp(k->path, at->path) != 0))
		k = k->next;
	if (!k) {
		k = own_new(sizeof(*k));
		*k = (struct known){
		    .next = g->first, .registry = at->registry, .path = own_text(at->path)};
		(void)pthread_mutex_init(&k->lock, NULL);
		g->first = k;
	}
	pthread_mutex_unlock(&g->lock);
	return k;
}

/* The repository's tags, or NULL where it does not list them, or too many. */
static bool known_tags(
    struct gather *g, const struct repository *at, const struct tags **out, struct err *e)
{
	struct known *k = find_or_make(g, at);
	struct err why = {0};

	pthread_mutex_lock(&k->lock);
	if (!k->asked && tags_list(at, PAGES_MAX, &k->tags, &why))
		k->asked = true;
	if (why.kind != ERR_NONE && why.kind != ERR_STOPPED)
		k->asked = true;
	pthread_mutex_unlock(&k->lock);
	*out = k->tags.whole ? &k->tags : NULL;
	if (why.kind == ERR_STOPPED)
		*e = why;
	return why.kind != ERR_STOPPED;
}

/* One search through an image and what was found of it. */
struct round {
	const struct repository *at;
	struct shelf *shelf;
	const struct tags *tags;
	struct resolved_image *image;
};

/* Adds a referrer with all that stands below it. */
static bool add_take(struct round *r, struct image **top, const char *via, struct err *e)
{
	struct resolved_image *image = r->image;

	if (image->referrer_count == REFERRERS_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d things that refer to it, found more; --no-referrers "
		    "leaves them out",
		    REFERRERS_MAX);
	image->referrers =
	    own_grow(image->referrers, image->referrer_count + 1, sizeof(*image->referrers));
	struct resolved_referrer *one = &image->referrers[image->referrer_count++];
	*one = (struct resolved_referrer){.via = own_text(via)};
	return tree_take(&one->tree, top, r->shelf, e);
}

static bool add_found(struct round *r, const struct digest *subject, struct err *e)
{
	OWNED(referrers_drop) struct referrers found = {0};

	if (!referrers_find(r->at, subject, r->tags, &found, e))
		return false;
	for (size_t i = 0; i < found.count; i++)
		if (!add_take(r, &found.items[i].image, found.items[i].via, e))
			return false;
	return true;
}

/* What refers to the image's documents, then to what was found, as deep as there is use in it
 * (RFR-08). */
static bool search(struct round *r, struct err *e)
{
	struct resolved_image *image = r->image;
	size_t from = 0;

	for (size_t d = 0; d < image->tree.count; d++)
		if (!add_found(r, &image->tree.documents[d]->self.digest, e))
			return false;
	for (int depth = 1; depth < REFERRERS_DEPTH; depth++) {
		const size_t to = image->referrer_count;
		for (; from < to; from++) {
			const struct digest subject =
			    tree_top(&image->referrers[from].tree)->self.digest;
			if (!add_found(r, &subject, e))
				return false;
		}
	}
	return true;
}

static bool take_known(
    struct round *r, const struct digest *digest, const char *via, struct err *e)
{
	OWNED(image_drop) struct image *top = NULL;
	char ask[DIGEST_TEXT];

	return pull_manifest(r->at, digest_text(digest, ask), NULL, &top, e)
	       && add_take(r, &top, via, e);
}

/* What an interrupted run had found, though there may be more of it now. */
static bool take_begun(struct round *r, const struct bundle_image *begun, struct err *e)
{
	for (size_t i = 0; i < begun->referrer_count; i++)
		if (!take_known(r, &begun->referrers[i].digest, begun->referrers[i].via, e))
			return false;
	return true;
}

bool gather_pinned(const struct repository *at, struct shelf *shelf,
    const struct release_image *want, struct resolved_image *image, struct err *e)
{
	struct round r = {.at = at, .shelf = shelf, .image = image};

	for (size_t i = 0; i < want->referrer_count; i++)
		if (!take_known(&r, &want->referrers[i].pin.digest, want->referrers[i].via, e))
			return err_in(e, "what refers to it");
	return true;
}

bool gather_referrers(struct gather *g, const struct repository *at, struct shelf *shelf,
    const struct bundle_image *begun, struct resolved_image *image, struct err *e)
{
	struct round r = {.at = at, .shelf = shelf, .image = image};

	const bool tags = registry_settings(at->registry)->referrers != SETTING_REFERRERS_API;

	if (begun)
		return take_begun(&r, begun, e);
	return ((!tags || known_tags(g, at, &r.tags, e)) && search(&r, e))
	       || err_in(e, "what refers to it");
}
