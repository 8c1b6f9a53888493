/* What refers to an image goes along with it: after the image, each after what it refers to
 * (PROTOCOL RFR-05, RFR-06, RFR-11). */
#include "cmd/parcel.h"

#include "base/own.h"
#include "registry/pull.h"
#include "registry/referrers.h"

#include <stdlib.h>
#include <string.h>

/* What cosign finds by its tag keeps the tag; a fallback list's tag is made anew. */
static const char *own_tag(const struct bundle_referrer *referrer, const struct image *top)
{
	const char *tag = strncmp(referrer->via, "tag:", 4) == 0 ? referrer->via + 4 : NULL;
	char list[DIGEST_TEXT];

	if (!tag || !top->has_subject)
		return tag;
	return strcmp(tag, referrers_tag(&top->subject, list)) == 0 ? NULL : tag;
}

bool attach_load(
    struct parcel *p, const struct bundle_image *image, struct shelf *shelf, struct err *e)
{
	p->attached = own_array(image->referrer_count, sizeof(*p->attached));
	for (; p->attached_count < image->referrer_count; p->attached_count++) {
		const struct bundle_referrer *referrer = &image->referrers[p->attached_count];
		const struct descriptor d = {
		    .digest = referrer->digest, .media_type = referrer->media_type};
		struct attached *a = &p->attached[p->attached_count];
		OWNED(image_drop) struct image *top = NULL;
		if (!shelf->fetch(shelf, &d, &top, e))
			return false;
		a->tag = own_tag(referrer, top);
		if (!tree_take(&a->tree, &top, shelf, e))
			return false;
	}
	return true;
}

void attach_drop(struct parcel *p)
{
	for (size_t i = 0; i < p->attached_count; i++)
		tree_drop(&p->attached[i].tree);
	free(p->attached);
	p->attached = NULL;
	p->attached_count = 0;
}

/* Whether it must be listed by what it refers to. */
static bool to_list(const struct attached *a)
{
	return !a->tag && tree_top(&a->tree)->has_subject;
}

/* Those of a subject from the first-th attached on; false when an earlier one has the same. */
static bool same_subject(const struct parcel *p, size_t first, const struct image **documents,
    struct referrers_of *these)
{
	const struct image *top = tree_top(&p->attached[first].tree);

	*these = (struct referrers_of){.subject = &top->subject, .documents = documents};
	for (size_t i = 0; i < p->attached_count; i++) {
		const struct image *other = tree_top(&p->attached[i].tree);
		if (!to_list(&p->attached[i]) || !digest_equal(&other->subject, &top->subject))
			continue;
		if (i < first)
			return false;
		documents[these->count++] = other;
	}
	return true;
}

static bool look_up_one(
    const struct phase *ph, const struct repository *at, struct attached *a, struct err *e)
{
	const struct digest *want = &tree_top(&a->tree)->self.digest;
	struct digest there;
	char ask[DIGEST_TEXT];
	bool found = false;

	if (!push_lookup(at, a->tag ? a->tag : digest_text(want, ask), &found, &there, e))
		return false;
	a->there = found && digest_equal(&there, want);
	a->has_old = a->tag && found && !a->there;
	a->old = there;
	return !a->has_old || ph->delivery->existing == EXISTING_OVERWRITE
	       || err_set(e, ERR_SYSTEM,
		   "its tag %s is taken by another, %s; push to another prefix, or "
		   "--on-existing-tag overwrite, or --no-referrers",
		   a->tag, digest_text(&there, ask));
}

static bool look_up_lists(
    const struct repository *at, const struct parcel *p, bool *all, struct err *e)
{
	OWNED(drop_any)
	const struct image **documents = own_array(p->attached_count, sizeof(struct image *));

	for (size_t i = 0; *all && i < p->attached_count; i++) {
		struct referrers_of these;
		if (to_list(&p->attached[i]) && same_subject(p, i, documents, &these)
		    && !referrers_listed(at, &these, all, e))
			return false;
	}
	return true;
}

bool attach_look_up(const struct phase *ph, const struct repository *at, struct parcel *p,
    bool *all, struct err *e)
{
	if (registry_settings(at->registry)->referrers == SETTING_REFERRERS_OFF)
		attach_drop(p);
	*all = true;
	for (size_t i = 0; i < p->attached_count; i++) {
		struct attached *a = &p->attached[i];
		if ((p->top_there || a->tag) && !look_up_one(ph, at, a, e))
			return false;
		*all = *all && a->there;
	}
	return !*all || look_up_lists(at, p, all, e);
}

static bool put_below(const struct repository *at, const struct tree *tree, struct err *e)
{
	char ask[DIGEST_TEXT];

	for (size_t i = 0; i + 1 < tree->count; i++) {
		const struct image *below = tree->documents[i];
		if (!push_manifest(at, digest_text(&below->self.digest, ask), &below->self,
			buf_slice(&below->raw), e))
			return false;
	}
	return true;
}

bool attach_put_below(const struct repository *at, const struct parcel *p, struct err *e)
{
	for (size_t i = 0; i < p->attached_count; i++)
		if (!p->attached[i].there && !put_below(at, &p->attached[i].tree, e))
			return err_in(e, "what refers to it");
	return true;
}

static bool put_one(const struct repository *at, struct attached *a, struct err *e)
{
	const struct image *top = tree_top(&a->tree);
	char ask[DIGEST_TEXT];

	if (a->there)
		return true;
	if (to_list(a))
		return push_referrer(at, top, &a->listed, e);
	if (a->has_old && !carry_keep_old(at, a->tag, &a->old, e))
		return false;
	return push_manifest(at, a->tag ? a->tag : digest_text(&top->self.digest, ask),
	    &top->self, buf_slice(&top->raw), e);
}

/* Whether the registry said of all of a subject's that it lists them. */
static bool are_listed(const struct parcel *p, const struct referrers_of *these)
{
	for (size_t i = 0; i < p->attached_count; i++)
		for (size_t k = 0; k < these->count; k++)
			if (tree_top(&p->attached[i].tree) == these->documents[k]
			    && !p->attached[i].listed)
				return false;
	return true;
}

static void count_unlisted(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	d->unlisted++;
	pthread_mutex_unlock(&d->lock);
}

/* A registry that refuses the list, for its tags do not change, still has what it lists. */
static bool list_one(const struct phase *ph, const struct repository *at,
    const struct referrers_of *these, struct err *e)
{
	if (registry_settings(at->registry)->referrers == SETTING_REFERRERS_API
	    || referrers_list(at, these, e))
		return true;
	if (e->kind == ERR_NETWORK || e->kind == ERR_STOPPED)
		return false;
	watch_warn(ph->watch, "signatures and the like are there but not listed: %s", e->text);
	count_unlisted(ph->delivery);
	err_clear(e);
	return true;
}

bool attach_put(
    const struct phase *ph, const struct repository *at, struct parcel *p, struct err *e)
{
	OWNED(drop_any)
	const struct image **documents = own_array(p->attached_count, sizeof(struct image *));

	for (size_t i = 0; i < p->attached_count; i++)
		if (!put_one(at, &p->attached[i], e))
			return err_in(e, "what refers to it");
	for (size_t i = 0; i < p->attached_count; i++) {
		struct referrers_of these;
		if (to_list(&p->attached[i]) && same_subject(p, i, documents, &these)
		    && !are_listed(p, &these) && !list_one(ph, at, &these, e))
			return err_in(e, "what refers to it");
	}
	return true;
}
