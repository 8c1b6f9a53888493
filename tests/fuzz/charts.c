/*
 * What a chart repository may send: an index, whose chosen entry is one that it has; a
 * provenance file; and versions, ranges and Link headers as they may stand in them.
 */
#include "base/own.h"
#include "manifests/provenance.h"
#include "registry/chartindex.h"
#include "registry/link.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void read_index(struct slice text)
{
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	const struct chart_entry *chosen = NULL;
	struct mem_source source;
	struct err e = {0};

	mem_source_init(&source, text);
	if (!chartindex_read(&source.source, "index.yaml", "app", &entries, &e))
		return;
	if (chartindex_choose(&entries, "index.yaml", "app", NULL, &chosen, &e)
	    && (!chosen->url_count || !chosen->version[0]))
		abort();
}

/* A version is in the range that it spells, and in that of all that are not below it. */
static void read_versions(struct slice text)
{
	struct semver v;
	struct range r;
	struct err e = {0};

	if (range_parse(text, &r, &e) != (e.kind == ERR_NONE))
		abort();
	if (semver_parse_strict(text, &v)
	    && (!range_parse(text, &r, &e) || !range_has(&r, &v)
		|| semver_compare(&v, &v) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct slice text = slice_at(bytes, len);
	struct digest digest;
	struct err e = {0};

	read_index(text);
	read_versions(text);
	const struct slice next = link_next(text);
	if (next.len && (next.ptr < text.ptr || next.ptr + next.len > text.ptr + text.len))
		abort();
	digest_of(slice_of("another"), &digest);
	if (provenance_is(text) && provenance_check(text, "x.tgz", &digest, &e)
	    && !memmem(text.ptr, text.len, "x.tgz", 5))
		abort();
	return 0;
}
