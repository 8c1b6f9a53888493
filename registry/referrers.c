#include "registry/referrers.h"

#include "base/own.h"
#include "registry/ownlist.h"
#include "registry/pull.h"

#include <stdlib.h>
#include <string.h>

void referrers_drop(struct referrers *r)
{
	for (size_t i = 0; i < r->count; i++) {
		image_free(r->items[i].image);
		free(r->items[i].via);
	}
	free(r->items);
	*r = (struct referrers){0};
}

const char *referrers_tag(const struct digest *subject, char out[DIGEST_TEXT])
{
	(void)digest_text(subject, out);
	out[strcspn(out, ":")] = '-';
	return out;
}

/* What one search has and where it looks. */
struct search {
	const struct repository *at;
	const struct digest *subject;
	const struct tags *tags;
	struct referrers *out;
};

static bool has(const struct search *s, const struct digest *d)
{
	for (size_t i = 0; i < s->out->count; i++)
		if (digest_equal(&s->out->items[i].image->self.digest, d))
			return true;
	return false;
}

static bool keep_take(struct search *s, struct image **image, const char *via, struct err *e)
{
	struct referrers *out = s->out;

	if (out->count == REFERRERS_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d things that refer to one document, found more; "
		    "--no-referrers leaves them out",
		    REFERRERS_MAX);
	out->items = own_grow(out->items, out->count + 1, sizeof(*out->items));
	out->items[out->count++] = (struct referrer){STEAL(*image), own_text(via)};
	return true;
}

static bool refers(const struct image *image, const struct digest *subject)
{
	return image->has_subject && digest_equal(&image->subject, subject);
}

/* One entry of a list, fetched and believed only when it says itself what it refers to. */
static bool take_entry(
    struct search *s, const struct descriptor *entry, const char *via, struct err *e)
{
	OWNED(image_drop) struct image *image = NULL;
	struct watch *watch = registry_policy(s->at->registry)->watch;
	char text[DIGEST_TEXT];

	if (has(s, &entry->digest))
		return true;
	if (!pull_manifest(s->at, digest_text(&entry->digest, text), NULL, &image, e)) {
		if (e->kind != ERR_MISSING)
			return false;
		watch_warn(
		    watch, "%s: it is listed as referring to an image; left out", e->text);
		err_clear(e);
		return true;
	}
	if (refers(image, s->subject))
		return keep_take(s, &image, via, e);
	watch_warn(watch, "%s of %s is listed as referring to an image, and does not; left out",
	    text, s->at->path);
	return true;
}

static bool take_entries(
    struct search *s, const struct image *list, const char *via, struct err *e)
{
	for (size_t i = 0; i < list->count; i++)
		if (!take_entry(s, &list->parts[i].descriptor, via, e))
			return false;
	return true;
}

/* The document under a tag that may be there; *image stays NULL when it is not. */
static bool get_tag(
    const struct search *s, const char *tag, struct image **image, struct err *e)
{
	if (s->tags && !tags_have(s->tags, tag))
		return true;
	if (pull_manifest(s->at, tag, NULL, image, e))
		return true;
	if (e->kind != ERR_MISSING)
		return false;
	err_clear(e);
	return true;
}

/* GitLab gives the image itself for this tag (RFR-04). */
static bool is_list(const struct image *image, const struct digest *subject)
{
	return image && image->kind == IMAGE_INDEX
	       && !digest_equal(&image->self.digest, subject);
}

static bool find_by_fallback(struct search *s, struct err *e)
{
	OWNED(image_drop) struct image *list = NULL;
	char tag[DIGEST_TEXT];
	char via[DIGEST_TEXT + 4];

	(void)snprintf(via, sizeof(via), "tag:%s", referrers_tag(s->subject, tag));
	return get_tag(s, tag, &list, e)
	       && (!is_list(list, s->subject) || take_entries(s, list, via, e));
}

/* What cosign tags refers to it by the tag's name alone (RFR-07). */
static bool find_by_cosign(struct search *s, struct err *e)
{
	static const char *const suffixes[] = {"sig", "att", "sbom"};
	char tag[DIGEST_TEXT];
	char via[DIGEST_TEXT + 16];

	(void)referrers_tag(s->subject, tag);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		OWNED(image_drop) struct image *image = NULL;
		(void)snprintf(via, sizeof(via), "tag:%s.%s", tag, suffixes[i]);
		if (!get_tag(s, via + 4, &image, e)
		    || (image && !digest_equal(&image->self.digest, s->subject)
			&& !keep_take(s, &image, via, e)))
			return false;
	}
	return true;
}

/* The order in which a registry lists them must change no byte of a bundle. */
static int by_digest(const void *a, const void *b)
{
	const struct referrer *left = a;
	const struct referrer *right = b;
	char text[2][DIGEST_TEXT];
	const int order = strcmp(digest_text(&left->image->self.digest, text[0]),
	    digest_text(&right->image->self.digest, text[1]));

	return order ? order : strcmp(left->via, right->via);
}

/* Always true. */
static bool finish(struct referrers *found, struct referrers *out)
{
	if (found->count)
		qsort(found->items, found->count, sizeof(*found->items), by_digest);
	*out = STEAL(*found);
	return true;
}

bool referrers_find(const struct repository *at, const struct digest *subject,
    const struct tags *tags, struct referrers *out, struct err *e)
{
	OWNED(referrers_drop) struct referrers found = {0};
	OWNED(own_list_drop) struct own_list list = {0};
	struct search s = {at, subject, tags, &found};

	if (!own_list_get(at, subject, &list, e))
		return false;
	for (size_t i = 0; i < list.count; i++)
		if (!take_entries(&s, list.pages[i], "api", e))
			return false;
	if (registry_settings(at->registry)->referrers == SETTING_REFERRERS_API)
		return finish(&found, out);
	/* A registry with a list of its own holds the fallback tag from before it had one. */
	if ((!list.count || tags) && !find_by_fallback(&s, e))
		return false;
	if (!find_by_cosign(&s, e))
		return false;
	return finish(&found, out);
}
