/*
 * Release files: one that is accepted becomes a release document that is read as the same.
 */
#include "base/own.h"
#include "manifests/release.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { DOCUMENT_MAX = 8 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct parameter given[] = {{"version", "1.2.3"}};
	OWNED(release_drop) struct release *first = NULL;
	OWNED(release_drop) struct release *second = NULL;
	OWNED(buf_drop) struct buf once = BUF(DOCUMENT_MAX);
	OWNED(buf_drop) struct buf twice = BUF(DOCUMENT_MAX);
	struct err e = {0};

	(void)(release_parse(slice_at(bytes, len), "release file", given, 1, &first, &e)
	       || release_parse(slice_at(bytes, len), "release file", NULL, 0, &first, &e)
	       || release_read(slice_at(bytes, len), &first, &e));
	if (!first)
		return 0;
	release_write(first, &once);
	if (!buf_ok(&once, &e) || !release_read(buf_slice(&once), &second, &e))
		abort();
	release_write(second, &twice);
	if (!slice_equal(buf_slice(&once), buf_slice(&twice)))
		abort();
	return 0;
}
