#include "bundle/contents.h"

#include "base/own.h"
#include "base/stop.h"
#include "manifests/image.h"

#include <stdlib.h>
#include <string.h>

/* Each document is read once, however many others name it. */
struct walk {
	const struct reader *reader;
	const char **types; /* of each member that was or will be read: what it is said to be */
	size_t *todo;	    /* members that are still to be read */
	size_t count;	    /* of todo */
};

/* The same text with no owner, or NULL for what is no document's type. */
static const char *document_type(const char *type)
{
	static const char *const types[] = {
	    MEDIA_OCI_INDEX, MEDIA_OCI_MANIFEST, MEDIA_DOCKER_LIST, MEDIA_DOCKER_MANIFEST};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return types[i];
	return NULL;
}

/* A manifest's parts are blobs, whatever they call themselves. */
static bool is_document(const struct image *image, size_t part)
{
	const char *type = image->parts[part].descriptor.media_type;

	return image->kind == IMAGE_INDEX
	       && (image_type_is_index(type) || image_type_is_manifest(type));
}

/* A document is of one type to all who name it: a registry is told it with the bytes. */
static bool meet(struct walk *w, size_t member, const char *type, struct err *e)
{
	const char *said = document_type(type);

	if (!said)
		return err_set(e, ERR_DAMAGED,
		    "expected the type of a manifest or an index, found \"%.100s\"", type);
	if (w->types[member])
		return w->types[member] == said
		       || err_set(e, ERR_DAMAGED,
			   "expected one type for a document, found %s and %s",
			   w->types[member], said);
	w->types[member] = said;
	w->todo[w->count++] = member;
	return true;
}

/* What a document names is there. */
static bool check_part(struct walk *w, const struct image *image, size_t i, struct err *e)
{
	const struct descriptor *part = &image->parts[i].descriptor;
	const struct inventory *inv = reader_inventory(w->reader);
	const size_t at = inventory_find(inv, &part->digest);
	char digest[DIGEST_TEXT];

	if (at == inv->member_count)
		return err_set(e, ERR_DAMAGED,
		    "expected %s, which it names, among the members, found none",
		    digest_text(&part->digest, digest));
	if (inv->members[at].size != part->size)
		return err_set(e, ERR_DAMAGED, "expected %llu bytes in %s, found %llu",
		    (unsigned long long)part->size, digest_text(&part->digest, digest),
		    (unsigned long long)inv->members[at].size);
	return !is_document(image, i) || meet(w, at, part->media_type, e);
}

static bool check_document(struct walk *w, size_t member, struct err *e)
{
	OWNED(buf_drop) struct buf raw = BUF(0);
	OWNED(image_drop) struct image *image = NULL;

	if (!reader_small(w->reader, member, &raw, e)
	    || !image_parse_take(&raw, w->types[member], &image, e)) {
		e->kind = e->kind == ERR_LIMIT || e->kind == ERR_FORMAT ? ERR_DAMAGED : e->kind;
		return false;
	}
	if (strcmp(image->media_type, w->types[member]) != 0)
		return err_set(e, ERR_DAMAGED, "expected a document of type %s, found %s",
		    w->types[member], image->media_type);
	for (size_t i = 0; i < image->count; i++)
		if (!check_part(w, image, i, e))
			return false;
	return true;
}

static bool meet_image(struct walk *w, const struct bundle_image *image, struct err *e)
{
	const struct inventory *inv = reader_inventory(w->reader);

	if (!meet(w, inventory_find(inv, &image->digest), image->media_type, e))
		return false;
	for (size_t i = 0; i < image->referrer_count; i++)
		if (!meet(w, inventory_find(inv, &image->referrers[i].digest),
			image->referrers[i].media_type, e))
			return false;
	return true;
}

/* The inventory's own rules made sure that these are members. */
static bool meet_all(struct walk *w, struct err *e)
{
	const struct inventory *inv = reader_inventory(w->reader);

	for (size_t i = 0; i < inv->image_count; i++)
		if (!meet_image(w, &inv->images[i], e))
			return err_in(e, "%s", inv->images[i].ref);
	for (size_t i = 0; i < inv->chart_count; i++)
		if (!meet(w, inventory_find(inv, &inv->charts[i].manifest.digest),
			inv->charts[i].manifest.media_type, e))
			return err_in(e, "%s", inv->charts[i].source);
	return true;
}

bool contents_check(const struct reader *r, struct err *e)
{
	const struct inventory *inv = reader_inventory(r);
	OWNED(drop_any) const char **types = own_array(inv->member_count, sizeof(*types));
	OWNED(drop_any) size_t *todo = own_array(inv->member_count, sizeof(*todo));
	struct walk w = {.reader = r, .types = types, .todo = todo};
	char path[MEMBER_PATH];

	if (!meet_all(&w, e))
		return false;
	while (w.count) {
		const size_t member = w.todo[--w.count];
		if (!stop_check(e))
			return false;
		if (!check_document(&w, member, e))
			return err_in(e, "%s", member_path(&inv->members[member], path));
	}
	return true;
}
