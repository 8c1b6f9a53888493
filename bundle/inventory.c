#include "bundle/inventory.h"

#include "base/own.h"
#include "manifests/digestmap.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const fixed_names[FIXED_MEMBERS] = {
    [MEMBER_README] = "README-VERIFY.txt",
    [MEMBER_SUMS] = "SHA256SUMS",
    [MEMBER_OCI_LAYOUT] = "oci-layout",
    [MEMBER_OCI_INDEX] = "index.json",
    [MEMBER_DOCKER] = "manifest.json",
};

const char *member_fixed_name(size_t i)
{
	return fixed_names[i];
}

struct inventory *inventory_new(void)
{
	return own_new(sizeof(struct inventory));
}

static void free_referrers(struct bundle_image *image)
{
	for (size_t i = 0; i < image->referrer_count; i++) {
		free(image->referrers[i].media_type);
		free(image->referrers[i].artifact_type);
		free(image->referrers[i].via);
	}
	free(image->referrers);
}

static void free_images(struct inventory *inv)
{
	for (size_t i = 0; i < inv->image_count; i++) {
		struct bundle_image *image = &inv->images[i];
		for (size_t p = 0; p < image->platform_count; p++)
			free(image->platforms[p]);
		free(image->platforms);
		free(image->blobs);
		free_referrers(image);
		free(image->ref);
		free(image->media_type);
	}
	free(inv->images);
}

static void free_charts(struct inventory *inv)
{
	for (size_t i = 0; i < inv->chart_count; i++) {
		free(inv->charts[i].name);
		free(inv->charts[i].version);
		free(inv->charts[i].source);
		free((void *)(uintptr_t)inv->charts[i].manifest.media_type);
	}
	free(inv->charts);
}

static void free_labels(struct inventory *inv)
{
	for (size_t i = 0; i < inv->label_count; i++) {
		free(inv->labels[i].key);
		free(inv->labels[i].value);
	}
	free(inv->labels);
}

static void free_files(struct inventory *inv)
{
	for (size_t i = 0; i < inv->file_count; i++) {
		free(inv->files[i].name);
		free(inv->files[i].media_type);
	}
	free(inv->files);
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	free_images(inv);
	free_charts(inv);
	free_labels(inv);
	free_files(inv);
	free(inv->name);
	free(inv->channel);
	free(inv->version);
	free(inv->tool);
	free(inv->members);
	digest_map_free(inv->index);
	free(inv);
}

void inventory_drop(struct inventory **inv)
{
	inventory_free(*inv);
	*inv = NULL;
}

bool inventory_index(struct inventory *inv)
{
	digest_map_free(inv->index);
	inv->index = digest_map_new();
	inv->indexed = inv->member_count;
	for (size_t i = 0; i < inv->member_count; i++)
		if (!inv->members[i].name
		    && !digest_map_add(inv->index, &inv->members[i].digest, i))
			return false;
	return true;
}

size_t inventory_find(const struct inventory *inv, const struct digest *d)
{
	size_t at;

	if (inv->index && inv->indexed == inv->member_count)
		return digest_map_find(inv->index, d, &at) ? at : inv->member_count;
	for (at = 0; at < inv->member_count; at++)
		if (!inv->members[at].name && digest_equal(&inv->members[at].digest, d))
			return at;
	return inv->member_count;
}

const char *member_path(const struct member *m, char out[MEMBER_PATH])
{
	char hex[DIGEST_TEXT];

	if (m->name)
		(void)snprintf(out, 101, "%s", m->name);
	else
		(void)snprintf(out, 101, "blobs/sha256/%s", digest_hex(&m->digest, hex));
	return out;
}
