/* Listing what was brought, so that whoever looks for it finds it. */
#include "registry/referrers.h"

#include "base/own.h"
#include "manifests/json.h"
#include "registry/ownlist.h"
#include "registry/pull.h"
#include "registry/push.h"

#include <string.h>

static bool list_has(const struct image *list, const struct digest *d)
{
	for (size_t i = 0; i < list->count; i++)
		if (digest_equal(&list->parts[i].descriptor.digest, d))
			return true;
	return false;
}

static bool lists_all(const struct own_list *list, const struct referrers_of *these)
{
	for (size_t i = 0; i < these->count; i++) {
		bool there = false;
		for (size_t page = 0; !there && page < list->count; page++)
			there = list_has(list->pages[page], &these->documents[i]->self.digest);
		if (!there)
			return false;
	}
	return true;
}

/* The fallback tag's list, or NULL: GitLab gives the image itself for this tag.  *taken when
 * something else has the tag. */
static bool get_fallback(const struct repository *at, const struct digest *subject,
    struct image **list, bool *taken, struct err *e)
{
	char tag[DIGEST_TEXT];

	*taken = false;
	if (!pull_manifest(at, referrers_tag(subject, tag), NULL, list, e)) {
		const bool none = e->kind == ERR_MISSING;
		if (none)
			err_clear(e);
		return none;
	}
	const bool itself = digest_equal(&(*list)->self.digest, subject);
	*taken = (*list)->kind != IMAGE_INDEX && !itself;
	if (*taken || itself)
		image_drop(list);
	return true;
}

bool referrers_listed(
    const struct repository *at, const struct referrers_of *these, bool *all, struct err *e)
{
	OWNED(own_list_drop) struct own_list list = {0};
	OWNED(image_drop) struct image *fallback = NULL;
	bool taken = false;

	if (!own_list_get(at, these->subject, &list, e))
		return false;
	*all = lists_all(&list, these);
	if (*all || list.count)
		return true;
	if (!get_fallback(at, these->subject, &fallback, &taken, e))
		return false;
	*all = fallback && lists_all(&(struct own_list){&fallback, 1}, these);
	return true;
}

static void put_entry(struct json_writer *w, const struct image *image)
{
	const struct slice notes = image_annotations(image);
	char text[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "mediaType", image->media_type);
	json_pair(w, "digest", digest_text(&image->self.digest, text));
	json_key(w, "size");
	json_put_u64(w, image->self.size);
	if (*image->artifact_type)
		json_pair(w, "artifactType", image->artifact_type);
	if (notes.len) {
		json_key(w, "annotations");
		json_put_raw(w, notes);
	}
	json_end(w, '}');
}

/* The array's text up to its closing bracket; empty when the list has no entries yet. */
static struct slice entries_of(const struct image *list)
{
	struct slice rest = buf_slice(&list->raw);
	struct slice key;
	struct slice value;
	bool bad = false;

	while (list->count && json_skim_member(&rest, &key, &value, &bad))
		if (slice_is(key, "manifests"))
			return slice_at(value.ptr, value.len - 1);
	return slice_at("", 0);
}

/* The list with what it lacks: what it has stays as it stands, byte for byte. */
static void write_list(
    const struct image *old, const struct referrers_of *these, struct buf *out)
{
	struct json_writer w = {.out = out};
	const struct slice before = old ? entries_of(old) : slice_at("", 0);

	if (old && before.len) {
		buf_add(out, old->raw.ptr, (size_t)(before.ptr + before.len - old->raw.ptr));
		w.comma = true;
	} else {
		buf_adds(out, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
			      "\",\"manifests\":[");
	}
	for (size_t i = 0; i < these->count; i++)
		if (!old || !list_has(old, &these->documents[i]->self.digest))
			put_entry(&w, these->documents[i]);
	if (old && before.len) {
		const char *after = before.ptr + before.len;
		buf_add(out, after, old->raw.len - (size_t)(after - old->raw.ptr));
	} else {
		buf_adds(out, "]}");
	}
}

/* Adds them to the fallback tag's list, once. */
static bool add_to_fallback(
    const struct repository *at, const struct referrers_of *these, struct err *e)
{
	OWNED(image_drop) struct image *old = NULL;
	OWNED(buf_drop) struct buf text = BUF(IMAGE_DOCUMENT_MAX);
	struct descriptor d = {.media_type = MEDIA_OCI_INDEX};
	char tag[DIGEST_TEXT];
	bool taken = false;

	if (!get_fallback(at, these->subject, &old, &taken, e))
		return false;
	if (taken)
		return err_set(e, ERR_SYSTEM,
		    "%.80s: expected a list under %.160s:%s, found an image",
		    registry_host(at->registry), at->path, referrers_tag(these->subject, tag));
	if (old && lists_all(&(struct own_list){&old, 1}, these))
		return true;
	write_list(old, these, &text);
	if (!buf_ok(&text, e))
		return false;
	d.size = text.len;
	digest_of(buf_slice(&text), &d.digest);
	return push_manifest(at, referrers_tag(these->subject, tag), &d, buf_slice(&text), e);
}

bool referrers_list(
    const struct repository *at, const struct referrers_of *these, struct err *e)
{
	enum { RACES_MAX = 3 };
	OWNED(own_list_drop) struct own_list list = {0};

	if (!own_list_get(at, these->subject, &list, e))
		return false;
	if (list.count)
		return true;
	for (int race = 1;; race++) {
		if (add_to_fallback(at, these, e))
			return true;
		/* The tag names another list than was just put there: somebody else adds, too.
		 */
		if (e->kind != ERR_DAMAGED || race == RACES_MAX)
			return false;
		err_clear(e);
	}
}
