/*
 * Chart archives: whatever comes is refused or becomes a chart whose OCI documents are always
 * the same.
 */
#include "base/own.h"
#include "manifests/chart.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { DOCUMENT_MAX = 8 * 1024 * 1024 };

static bool write_oci(const struct chart *chart, struct slice tgz, struct buf *both)
{
	OWNED(buf_drop) struct buf config = BUF(DOCUMENT_MAX);
	OWNED(buf_drop) struct buf manifest = BUF(DOCUMENT_MAX);
	struct descriptor self = {.size = tgz.len, .media_type = MEDIA_CHART_CONTENT};
	struct err e = {0};

	digest_of(tgz, &self.digest);
	if (!chart_oci(chart, &self, &self, &config, &manifest, &e))
		return false;
	buf_add(both, config.ptr, config.len);
	buf_add(both, manifest.ptr, manifest.len);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(chart_drop) struct chart *chart = NULL;
	OWNED(buf_drop) struct buf once = BUF(DOCUMENT_MAX);
	OWNED(buf_drop) struct buf twice = BUF(DOCUMENT_MAX);
	const struct slice tgz = slice_at(bytes, len);
	struct err e = {0};

	if (!chart_read(tgz, &chart, &e))
		return 0;
	if (!chart->name || !chart->version)
		abort();
	if (write_oci(chart, tgz, &once) != write_oci(chart, tgz, &twice)
	    || !slice_equal(buf_slice(&once), buf_slice(&twice)))
		abort();
	return 0;
}
