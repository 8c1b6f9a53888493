#include "cmd/tree.h"

#include "base/own.h"

#include <stdlib.h>

bool tree_is_document(const struct image *image, size_t part)
{
	const char *type = image->parts[part].descriptor.media_type;

	return image->kind == IMAGE_INDEX
	       && (image_type_is_index(type) || image_type_is_manifest(type));
}

static bool has(const struct tree *t, const struct digest *d)
{
	for (size_t i = 0; i < t->count; i++)
		if (digest_equal(&t->documents[i]->self.digest, d))
			return true;
	return false;
}

static bool visit_take(
    struct tree *t, struct image **image, int depth, struct shelf *from, struct err *e);

/* Fetches the documents that stand right below image, and all below them. */
static bool visit_children(
    struct tree *t, const struct image *image, int depth, struct shelf *from, struct err *e)
{
	for (size_t part = 0; part < image->count; part++) {
		OWNED(image_drop) struct image *child = NULL;

		if (!tree_is_document(image, part)
		    || has(t, &image->parts[part].descriptor.digest))
			continue;
		if (!from->fetch(from, &image->parts[part].descriptor, &child, e)
		    || !visit_take(t, &child, depth + 1, from, e))
			return false;
	}
	return true;
}

/* A document is added after all that stand below it; a digest cannot stand below itself. */
static bool visit_take(
    struct tree *t, struct image **image, int depth, struct shelf *from, struct err *e)
{
	if (depth == TREE_DEPTH_MAX)
		return err_set(
		    e, ERR_LIMIT, "expected at most %d levels of indexes, found more", depth);
	if (!visit_children(t, *image, depth, from, e))
		return false;
	if (t->count == TREE_DOCUMENTS_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d manifests below one index, found more",
		    TREE_DOCUMENTS_MAX);
	t->documents = own_grow(t->documents, t->count + 1, sizeof(struct image *));
	t->documents[t->count++] = STEAL(*image);
	return true;
}

bool tree_take(struct tree *t, struct image **top, struct shelf *from, struct err *e)
{
	*t = (struct tree){0};
	if (visit_take(t, top, 0, from, e))
		return true;
	tree_drop(t);
	return false;
}

const struct image *tree_top(const struct tree *t)
{
	return t->documents[t->count - 1];
}

void tree_drop(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		image_free(t->documents[i]);
	free(t->documents);
	*t = (struct tree){0};
}
