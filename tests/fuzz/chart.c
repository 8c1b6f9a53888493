/*
 * A .tgz, as a hostile repository may send it: whatever it is, reading it ends, and what is a
 * chart can become an OCI artifact or says why not.
 */
#include "manifests/chart.h"

#include "base/own.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(chart_drop) struct chart *c = NULL;
	OWNED(buf_drop) struct buf config = BUF(1024 * 1024);
	OWNED(buf_drop) struct buf manifest = BUF(1024 * 1024);
	const struct descriptor tgz = {.size = len};
	struct err e = {0};

	if (chart_read(slice_at(bytes, len), &c, &e) != (e.kind == ERR_NONE))
		abort();
	if (!c)
		return 0;
	if (!c->name || !c->name[0] || !c->version || !c->version[0])
		abort();
	if (chart_oci(c, &tgz, &config, &manifest, &e) && (!config.len || !manifest.len))
		abort();
	return 0;
}
