#include "bundle/contents.h"

#include "base/own.h"
#include "base/stop.h"
#include "manifests/image.h"

#include <stdlib.h>

/* Each document is read once, however many others name it. */
struct walk {
	const struct reader *reader;
	bool *met;    /* of each member: it is a document, and was or will be read */
	size_t *todo; /* members that are still to be read */
	size_t count; /* of todo */
};

/* A manifest's parts are blobs, whatever they call themselves. */
static bool is_document(const struct image *image, size_t part)
{
	const char *type = image->parts[part].descriptor.media_type;

	return image->kind == IMAGE_INDEX
	       && (image_type_is_index(type) || image_type_is_manifest(type));
}

static void meet(struct walk *w, size_t member)
{
	if (w->met[member])
		return;
	w->met[member] = true;
	w->todo[w->count++] = member;
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
	if (is_document(image, i))
		meet(w, at);
	return true;
}

static bool check_document(struct walk *w, size_t member, struct err *e)
{
	OWNED(buf_drop) struct buf raw = BUF(0);
	OWNED(image_drop) struct image *image = NULL;

	if (!reader_small(w->reader, member, &raw, e))
		return false;
	if (!image_parse_take(&raw, NULL, &image, e)) {
		e->kind = ERR_DAMAGED;
		return false;
	}
	for (size_t i = 0; i < image->count; i++)
		if (!check_part(w, image, i, e))
			return false;
	return true;
}

/* The inventory's own rules made sure that these are members. */
static void meet_all(struct walk *w)
{
	const struct inventory *inv = reader_inventory(w->reader);

	for (size_t i = 0; i < inv->image_count; i++)
		meet(w, inventory_find(inv, &inv->images[i].digest));
	for (size_t i = 0; i < inv->chart_count; i++)
		meet(w, inventory_find(inv, &inv->charts[i].manifest.digest));
}

bool contents_check(const struct reader *r, struct err *e)
{
	const struct inventory *inv = reader_inventory(r);
	OWNED(drop_any) bool *met = own_array(inv->member_count, sizeof(*met));
	OWNED(drop_any) size_t *todo = own_array(inv->member_count, sizeof(*todo));
	struct walk w = {.reader = r, .met = met, .todo = todo};
	char path[101];

	meet_all(&w);
	while (w.count) {
		const size_t member = w.todo[--w.count];
		if (!stop_check(e))
			return false;
		if (!check_document(&w, member, e))
			return err_in(e, "%s", member_path(&inv->members[member], path));
	}
	return true;
}
