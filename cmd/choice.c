#include "cmd/choice.h"

#include "base/own.h"
#include "registry/pull.h"

#include <string.h>

enum { ADDRESSES_MAX = 400 }; /* bytes of a sentence */

static bool is_image_config(const struct descriptor *d)
{
	return d->media_type && d->size <= SMALL_MEMBER_MAX
	       && (strcmp(d->media_type, "application/vnd.oci.image.config.v1+json") == 0
		   || strcmp(d->media_type, "application/vnd.docker.container.image.v1+json")
			  == 0);
}

/* The config of a manifest of an image; config stays empty when it is none. */
static bool fetch_config(const struct image *manifest, const struct repository *at,
    struct buf *config, struct err *e)
{
	struct buf_sink sink;

	if (manifest->kind != IMAGE_MANIFEST || !manifest->count
	    || !is_image_config(&manifest->parts[0].descriptor))
		return true;
	buf_init(config, SMALL_MEMBER_MAX);
	buf_sink_init(&sink, config);
	return pull_blob(at, &manifest->parts[0].descriptor, &sink.sink, e);
}

/* What an entry is for, by the config of what it names. */
static bool learn_platform(
    struct image_part *part, const struct repository *at, struct shelf *shelf, struct err *e)
{
	OWNED(image_drop) struct image *child = NULL;
	OWNED(buf_drop) struct buf config = BUF(0);

	if (!shelf->fetch(shelf, &part->descriptor, &child, e)
	    || !fetch_config(child, at, &config, e))
		return false;
	part->has_platform =
	    config.len && image_config_platform(buf_slice(&config), &part->platform);
	return true;
}

static bool learn_platforms(
    struct image *index, const struct repository *at, struct shelf *shelf, struct err *e)
{
	for (size_t i = 0; i < index->count; i++) {
		struct image_part *part = &index->parts[i];
		if (!part->has_platform && !part->attestation && tree_is_document(index, i)
		    && !learn_platform(part, at, shelf, e))
			return false;
	}
	return true;
}

static bool choose(const struct platform *want, const struct repository *at,
    struct shelf *shelf, struct image *index, size_t *part, struct err *e)
{
	if (image_select(index, want, part, e))
		return true;
	if (e->kind != ERR_MISSING)
		return false;
	err_clear(e);
	return learn_platforms(index, at, shelf, e) && image_select(index, want, part, e);
}

bool choice_of_platform(const struct platform *want, const struct repository *at,
    struct shelf *shelf, struct image **top, struct err *e)
{
	for (int depth = 0; (*top)->kind == IMAGE_INDEX; depth++) {
		OWNED(image_drop) struct image *child = NULL;
		size_t part;

		if (depth == TREE_DEPTH_MAX)
			return err_set(e, ERR_LIMIT,
			    "expected at most %d levels of indexes, found more", depth);
		if (!choose(want, at, shelf, *top, &part, e)
		    || !shelf->fetch(shelf, &(*top)->parts[part].descriptor, &child, e))
			return false;
		image_drop(top);
		*top = STEAL(child);
	}
	return true;
}

bool choice_confirm(struct resolved_image *image, const struct repository *at,
    const struct request *request, struct err *e)
{
	struct platform have;
	char text[2][PLATFORM_TEXT];

	if (!fetch_config(tree_top(&image->tree), at, &image->config, e))
		return false;
	if (!request->one_platform || !image_config_platform(buf_slice(&image->config), &have))
		return true;
	/* A config need not say a version; the index that led to it did. */
	if (!have.version[0])
		platform_set_version(&have, slice_of(request->platform.version));
	return platform_match(&request->platform, &have)
	       || err_set(e, ERR_MISSING, "expected platform %s, found an image for %s only",
		   platform_text(&request->platform, text[0]), platform_text(&have, text[1]));
}

/* --- Foreign layers --- */

static bool check_foreign(const struct image *image, const struct image_part *part,
    const struct repository *at, struct err *e)
{
	OWNED(buf_drop) struct buf addresses = BUF(ADDRESSES_MAX);
	char digest[DIGEST_TEXT];
	bool lacks = false;

	if (!pull_lacks(at, &part->descriptor, &lacks, e))
		return false;
	if (!lacks)
		return true;
	image_part_urls(image, &part->descriptor.digest, &addresses);
	return err_set(e, ERR_MISSING,
	    "the registry lacks the layer %s, which may not be copied everywhere; its image "
	    "names%s, where nobody was sent: put the layer into the registry, if you may",
	    digest_text(&part->descriptor.digest, digest), buf_text(&addresses));
}

bool choice_has_foreign(const struct tree *tree, const struct repository *at, struct err *e)
{
	for (size_t d = 0; d < tree->count; d++) {
		const struct image *image = tree->documents[d];
		for (size_t p = 0; p < image->count; p++)
			if (image->parts[p].foreign && !tree_is_document(image, p)
			    && !check_foreign(image, &image->parts[p], at, e))
				return false;
	}
	return true;
}
