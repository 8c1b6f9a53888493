/*
 * Manifests and indexes: whatever comes, an accepted document is what it says, and its bytes
 * are the ones that came (RULE-1).
 */
#include "base/own.h"
#include "manifests/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct image *image, struct slice came)
{
	struct digest digest;

	digest_of(came, &digest);
	if (!slice_equal(buf_slice(&image->raw), came)
	    || !digest_equal(&digest, &image->self.digest) || image->self.size != came.len)
		abort();
	if (image->count > IMAGE_CHILDREN_MAX || !image->media_type)
		abort();
	for (size_t i = 0; i < image->count; i++)
		if (image->parts[i].descriptor.size > INT64_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct platform want = {.os = "linux", .arch = "amd64"};
	OWNED(image_drop) struct image *image = NULL;
	OWNED(buf_drop) struct buf raw = BUF(IMAGE_DOCUMENT_MAX);
	struct err e = {0};
	struct platform said;
	size_t child;

	buf_add(&raw, bytes, len);
	if (image_parse_take(&raw, NULL, &image, &e)) {
		check(image, slice_at(bytes, len));
		if (image->kind == IMAGE_INDEX && image_select(image, &want, &child, &e)
		    && child >= image->count)
			abort();
	}
	(void)image_config_platform(slice_at(bytes, len), &said);
	return 0;
}
