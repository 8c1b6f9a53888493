#include "bundle/inventory_check.h"

#include "base/own.h"
#include "bundle/layout.h"
#include "bundle/names.h"
#include "manifests/reference.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool check_member(const struct inventory *inv, const struct digest *d, uint64_t size,
    const char *of, struct err *e)
{
	const size_t at = inventory_find(inv, d);
	char text[DIGEST_TEXT];

	if (at == inv->member_count)
		return err_set(e, ERR_DAMAGED,
		    "expected %s of %s among the members, found none", digest_text(d, text),
		    of);
	return size == UINT64_MAX || inv->members[at].size == size
	       || err_set(e, ERR_DAMAGED, "expected %llu bytes in %s of %s, found %llu",
		   (unsigned long long)size, digest_text(d, text), of,
		   (unsigned long long)inv->members[at].size);
}

/* A whole name, so that two programs do not make two images of it. */
static bool check_ref(const char *ref, struct err *e)
{
	struct reference named;
	char text[REFERENCE_TEXT_MAX];
	struct err ignored = {0};

	return (reference_parse(slice_of(ref), &named, &ignored)
		   && strcmp(reference_text(&named, text), ref) == 0)
	       || err_set(e, ERR_DAMAGED,
		   "expected the whole name of an image, HOST/PATH:TAG, found \"%.120s\"", ref);
}

static bool check_blobs(
    const struct inventory *inv, const struct bundle_image *image, struct err *e)
{
	for (size_t i = 0; i < image->blob_count; i++)
		if (!check_member(inv, &image->blobs[i], UINT64_MAX, image->ref, e))
			return false;
	for (size_t i = 0; i < image->referrer_count; i++)
		if (!check_member(inv, &image->referrers[i].digest, UINT64_MAX, image->ref, e))
			return false;
	return true;
}

static bool check_images(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->image_count; i++) {
		const struct bundle_image *image = &inv->images[i];

		if (i && strcmp(inv->images[i - 1].ref, image->ref) >= 0)
			return err_set(e, ERR_DAMAGED,
			    "expected the images sorted, each once; found %s after %s",
			    image->ref, inv->images[i - 1].ref);
		if (!check_ref(image->ref, e)
		    || !check_member(inv, &image->digest, image->size, image->ref, e)
		    || !check_blobs(inv, image, e))
			return false;
	}
	return true;
}

static bool check_charts(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->chart_count; i++) {
		const struct bundle_chart *chart = &inv->charts[i];

		if (i && strcmp(inv->charts[i - 1].source, chart->source) > 0)
			return err_set(e, ERR_DAMAGED,
			    "expected the charts sorted, found %s after %s", chart->source,
			    inv->charts[i - 1].source);
		if (!check_member(inv, &chart->blob, UINT64_MAX, chart->name, e)
		    || !check_member(
			inv, &chart->manifest.digest, chart->manifest.size, chart->name, e))
			return false;
	}
	return true;
}

static bool check_members(struct inventory *inv, struct err *e)
{
	if (inv->member_count < FIXED_MEMBERS)
		return err_set(e, ERR_DAMAGED, "expected at least %d members, found %zu",
		    FIXED_MEMBERS, inv->member_count);
	for (size_t i = 0; i < inv->member_count; i++) {
		const char *want = i < FIXED_MEMBERS ? member_fixed_name(i) : NULL;
		if (inv->members[i].name != want)
			return err_set(e, ERR_DAMAGED, "expected %s as member %zu, found %s",
			    want ? want : "a blob", i,
			    inv->members[i].name ? inv->members[i].name : "a blob");
	}
	return inventory_index(inv)
	       || err_set(e, ERR_DAMAGED, "expected each member once, found one twice");
}

static bool check_total(const struct inventory *inv, size_t inventory_size, struct err *e)
{
	OWNED(layout_drop) struct layout l = {0};

	if (!layout_make(inv, inventory_size, &l, e))
		return false;
	return l.total == inv->total
	       || err_set(e, ERR_DAMAGED, "expected a total of %llu bytes, found %llu",
		   (unsigned long long)l.total, (unsigned long long)inv->total);
}

/* A second name for one that differs in case only is the same file on FAT and on Windows. */
static int by_folded_name(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_folded_names(const struct inventory *inv, struct err *e)
{
	OWNED(drop_any) const char **names = own_array(inv->file_count, sizeof(char *));

	for (size_t i = 0; i < inv->file_count; i++)
		names[i] = inv->files[i].name;
	qsort(names, inv->file_count, sizeof(char *), by_folded_name);
	for (size_t i = 1; i < inv->file_count; i++)
		if (strcasecmp(names[i - 1], names[i]) == 0)
			return err_set(e, ERR_DAMAGED,
			    "expected names of files that differ in more than case, found %s "
			    "and %s",
			    names[i - 1], names[i]);
	return true;
}

static bool check_files(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->file_count; i++) {
		const struct bundle_file *file = &inv->files[i];

		if (!name_is_file(slice_of(file->name)))
			return err_set(e, ERR_DAMAGED,
			    "expected a plain name of a file, found \"%.100s\"", file->name);
		if (i && strcmp(inv->files[i - 1].name, file->name) >= 0)
			return err_set(e, ERR_DAMAGED,
			    "expected the files sorted, each once; found %s after %s",
			    file->name, inv->files[i - 1].name);
		if (!check_member(inv, &file->blob, file->size, file->name, e))
			return false;
	}
	return check_folded_names(inv, e);
}

bool inventory_check(struct inventory *inv, size_t size, struct err *e)
{
	return check_members(inv, e) && check_images(inv, e) && check_charts(inv, e)
	       && check_files(inv, e)
	       && check_member(inv, &inv->release, UINT64_MAX, "the release", e)
	       && check_total(inv, size, e);
}
