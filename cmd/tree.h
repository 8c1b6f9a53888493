/*
 * An image as a tree of documents: an index with its manifests, or one manifest, and the blobs
 * they name.
 */
#pragma once

#include "manifests/image.h"

/* Where a document comes from: a registry, or a verified bundle. */
struct shelf {
	bool (*fetch)(struct shelf *self, const struct descriptor *want, struct image **out,
	    struct err *e);
};

struct tree {
	struct image **documents; /* owned; children before their parents, the top one last */
	size_t count;
};

enum {
	TREE_DEPTH_MAX = 8,
	TREE_DOCUMENTS_MAX = 4096,
};

/* Takes the top document and fetches all that stands below it, each document once (MAN-10). */
bool tree_take(
    struct tree *t, struct image **top, struct shelf *from, struct err *e) MUST_CHECK;
void tree_drop(struct tree *t);

/* The document that the reference names. */
const struct image *tree_top(const struct tree *t);

/* Whether part i of a document is itself a document, or a blob. */
bool tree_is_document(const struct image *image, size_t part);
