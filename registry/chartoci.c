#include "registry/chartoci.h"

#include "base/own.h"
#include "manifests/semver.h"
#include "registry/chartindex.h"
#include "registry/pull.h"
#include "registry/tags.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHART_CONFIG_MAX = 1024 * 1024,
	CHART_LAYERS_MAX = 16,
	NAMED_MAX = 8, /* versions that an error lists */
};

#define MEDIA_CHART_LEGACY "application/tar+gzip"

/* "host/path/name:tag" of a chart; the name is part of the path already when repo is NULL.
 * *open: there is neither a tag nor a digest in it. */
static bool read_reference(
    const struct chart_wanted *want, struct reference *out, bool *open, struct err *e)
{
	const char *whole = want->repo ? want->repo : want->name;
	OWNED(buf_drop) struct buf text = BUF(REFERENCE_TEXT_MAX);

	buf_adds(&text, whole + strlen("oci://"));
	while (want->repo && text.len && text.ptr[text.len - 1] == '/')
		text.ptr[--text.len] = '\0';
	if (want->repo) {
		buf_adds(&text, "/");
		buf_adds(&text, want->name);
	}
	const char *last = strrchr(buf_text(&text), '/');
	*open = !last || !strpbrk(last, ":@");
	return (buf_ok(&text, e) && reference_parse(buf_slice(&text), out, e))
	       || err_in(e, "chart %.200s", whole);
}

/* --- Which version --- */

/* The versions that tags stand for: "_" is "+" (HOC-03). */
static size_t list_versions(const struct tags *tags, char **versions)
{
	size_t count = 0;

	for (size_t i = 0; i < tags->count; i++) {
		struct semver v;
		char *text = own_text(tags->items[i]);
		for (char *at = strchr(text, '_'); at; at = strchr(at, '_'))
			*at = '+';
		if (semver_parse_strict(slice_of(text), &v))
			versions[count++] = text;
		else
			free(text);
	}
	return count;
}

static bool no_version(const struct repository *at, const char *version, char *const *versions,
    size_t count, struct err *e)
{
	OWNED(buf_drop) struct buf there = BUF(1024);

	for (size_t i = 0; i < count && i < NAMED_MAX; i++)
		buf_addf(&there, "%s%.40s", i ? ", " : "", versions[count - 1 - i]);
	if (count > NAMED_MAX)
		buf_addf(&there, " and %zu more", count - NAMED_MAX);
	return err_set(e, ERR_MISSING,
	    "%.100s: the chart %.200s has no version %.80s; there are %.300s",
	    registry_host(at->registry), at->path, version ? version : "that is stable",
	    there.len ? buf_text(&there) : "none");
}

/* By the list of tags, as a registry has no index (HOC-06). */
static bool choose_tag(const struct repository *at, const char *version,
    char tag[REFERENCE_TAG_MAX + 1], struct err *e)
{
	OWNED(tags_drop) struct tags tags = {0};
	size_t chosen = 0;

	if (!tags_list(at, SIZE_MAX, &tags, e))
		return false;
	char **versions = own_array(tags.count, sizeof(char *));
	const size_t count = list_versions(&tags, versions);
	const bool ok = version_choose((const char *const *)versions, count, version, &chosen)
			|| no_version(at, version, versions, count, e);
	if (ok)
		(void)chart_tag(versions[chosen], tag);
	for (size_t i = 0; i < count; i++)
		free(versions[i]);
	free(versions);
	return ok;
}

/* An exact version is its tag; anything else is looked for. */
static bool decide_tag(
    const struct repository *at, const char *version, struct reference *ref, struct err *e)
{
	struct semver v;

	if (version && semver_parse_strict(slice_of(version), &v))
		(void)chart_tag(version, ref->tag);
	else if (!choose_tag(at, version, ref->tag, e))
		return false;
	ref->has_digest = false;
	return true;
}

/* --- What is fetched --- */

static bool pull_into(const struct repository *at, const struct descriptor *blob, size_t max,
    struct buf *out, struct err *e)
{
	struct buf_sink sink;

	if (blob->size > max)
		return err_set(e, ERR_LIMIT,
		    "expected at most %zu bytes of a chart, found %" PRIu64, max, blob->size);
	buf_init(out, max);
	buf_sink_init(&sink, out);
	return pull_blob(at, blob, &sink.sink, e);
}

static bool is_content(const char *type)
{
	return strcmp(type, MEDIA_CHART_CONTENT) == 0 || strcmp(type, MEDIA_CHART_LEGACY) == 0;
}

/* The layer that is the chart, wherever it stands among the parts; 0 when it is no chart
 * (HOC-01). */
static size_t chart_layer(const struct image *image)
{
	if (image->kind != IMAGE_MANIFEST || !image->count || image->count > CHART_LAYERS_MAX
	    || strcmp(image->parts[0].descriptor.media_type, MEDIA_CHART_CONFIG) != 0)
		return 0;
	for (size_t i = 1; i < image->count; i++)
		if (is_content(image->parts[i].descriptor.media_type))
			return i;
	return 0;
}

static bool pull_layers(
    const struct repository *at, size_t content, struct chart_found *out, struct err *e)
{
	const struct image *image = out->image;

	out->more = own_array(image->count, sizeof(*out->more));
	for (size_t i = 1; i < image->count; i++) {
		struct buf *into = i == content ? &out->tgz : &out->more[out->more_count++];
		if (!pull_into(at, &image->parts[i].descriptor, CHART_TGZ_MAX, into, e))
			return false;
	}
	return pull_into(at, &image->parts[0].descriptor, CHART_CONFIG_MAX, &out->config, e);
}

static bool pull_chart(const struct repository *at, const struct reference *ref,
    struct chart_found *out, struct err *e)
{
	char ask[REFERENCE_TAG_MAX + 1];
	char text[REFERENCE_TEXT_MAX];

	(void)reference_text(ref, text);
	if (!pull_manifest(at, reference_ask(ref, ask), NULL, &out->image, e))
		return false;
	const size_t content = chart_layer(out->image);
	if (!content)
		return err_set(
		    e, ERR_FORMAT, "oci://%.300s: expected a Helm chart, found an image", text);
	if (!pull_layers(at, content, out, e))
		return err_in(e, "oci://%.300s", text);
	OWNED(buf_drop) struct buf source = BUF(URL_MAX);
	buf_adds(&source, "oci://");
	buf_adds(&source, text);
	out->source = own_text(buf_text(&source));
	return true;
}

bool chartoci_pull(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e)
{
	struct reference ref = {0};
	struct repository at;
	bool open = false;

	return read_reference(want, &ref, &open, e)
	       && registries_repository(registries, http, ref.host, ref.path, &at, e)
	       && (!open || decide_tag(&at, want->version, &ref, e))
	       && pull_chart(&at, &ref, out, e);
}
