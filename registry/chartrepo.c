#include "registry/chartrepo.h"

#include "base/own.h"
#include "manifests/chart.h"
#include "registry/chartindex.h"
#include "registry/pull.h"
#include "registry/refusal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHART_CONFIG_MAX = 1024 * 1024 };

#define MEDIA_CHART_LEGACY "application/tar+gzip"

void chart_found_drop(struct chart_found *c)
{
	buf_drop(&c->tgz);
	buf_drop(&c->config);
	image_free(c->image);
	free(c->source);
	*c = (struct chart_found){0};
}

/* --- Out of a registry (HOC-01, HOC-03) --- */

/* "host/path/name:tag" of a chart; the name is part of the path already when repo is NULL. */
static bool oci_reference(const char *repo, const char *name, const char *version,
    struct reference *out, struct err *e)
{
	const char *whole = repo ? repo : name;
	OWNED(buf_drop) struct buf text = BUF(REFERENCE_TEXT_MAX);

	buf_adds(&text, whole + strlen("oci://"));
	while (repo && text.len && text.ptr[text.len - 1] == '/')
		text.ptr[--text.len] = '\0';
	if (repo) {
		buf_adds(&text, "/");
		buf_adds(&text, name);
	}
	const char *last = strrchr(buf_text(&text), '/');
	const bool tagged = last && strpbrk(last, ":@");
	if (!tagged && !version)
		return err_set(e, ERR_USAGE,
		    "chart %.200s: a registry has no index of versions; say which with "
		    "--version",
		    whole);
	if (!tagged) {
		char tag[129];
		buf_adds(&text, ":");
		buf_adds(&text, chart_tag(version, tag));
	}
	return (buf_ok(&text, e) && reference_parse(buf_slice(&text), out, e))
	       || err_in(e, "chart %.200s", whole);
}

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
	return type
	       && (strcmp(type, MEDIA_CHART_CONTENT) == 0
		   || strcmp(type, MEDIA_CHART_LEGACY) == 0);
}

/* The layer that is the chart, wherever it stands among the parts. */
static const struct descriptor *chart_layer(const struct image *image)
{
	const char *config = image->kind == IMAGE_MANIFEST && image->count
				 ? image->parts[0].descriptor.media_type
				 : NULL;

	if (!config || strcmp(config, MEDIA_CHART_CONFIG) != 0)
		return NULL;
	for (size_t i = 1; i < image->count; i++) {
		if (is_content(image->parts[i].descriptor.media_type))
			return &image->parts[i].descriptor;
	}
	return NULL;
}

static bool pull_oci(struct registries *registries, struct http *http,
    const struct reference *ref, struct chart_found *out, struct err *e)
{
	char ask[REFERENCE_TAG_MAX + 1];
	char text[REFERENCE_TEXT_MAX];
	struct repository at;

	(void)reference_text(ref, text);
	if (!registries_repository(registries, http, ref->host, ref->path, &at, e)
	    || !pull_manifest(&at, reference_ask(ref, ask), NULL, &out->image, e))
		return false;
	const struct descriptor *layer = chart_layer(out->image);
	if (!layer)
		return err_set(
		    e, ERR_FORMAT, "oci://%.300s: expected a Helm chart, found an image", text);
	if (!pull_into(&at, &out->image->parts[0].descriptor, CHART_CONFIG_MAX, &out->config, e)
	    || !pull_into(&at, layer, CHART_TGZ_MAX, &out->tgz, e))
		return err_in(e, "oci://%.300s", text);
	OWNED(buf_drop) struct buf source = BUF(URL_MAX);
	buf_adds(&source, "oci://");
	buf_adds(&source, text);
	out->source = own_text(buf_text(&source));
	return true;
}

/* --- Out of a classic repository --- */

/* Fetches url, or its mirror's.  at is the repository's origin: no other gets its login
 * (HLM-03).
 */
static bool fetch(struct registries *registries, const struct repository *at, const char *url,
    size_t max, struct buf *out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf real = BUF(0);
	OWNED(buf_drop) struct buf doing = BUF(URL_MAX);

	if (!registries_mirrored(registries, url, &real, e))
		return false;
	buf_adds(&doing, "GET ");
	http_url_show(buf_text(&real), &doing);
	struct http_request r = {.method = HTTP_GET, .url = buf_text(&real), .body_max = max};
	if (!registry_send(at, ACCESS_PULL, &r, buf_text(&doing), &a, e))
		return e->kind == ERR_LIMIT ? err_in(e, "%.200s", buf_text(&doing)) : false;
	if (a.status != 200 || refusal_is_page(&a))
		return refusal(&a, buf_text(&doing), e);
	if (a.has_length && a.length != a.body.len)
		return err_set(e, ERR_NETWORK, "%.200s: expected %" PRIu64 " bytes, found %zu",
		    buf_text(&doing), a.length, a.body.len);
	*out = STEAL(a.body);
	return true;
}

static bool origin_of(struct registries *registries, struct http *http, const char *url,
    struct repository *out, struct err *e)
{
	OWNED(buf_drop) struct buf real = BUF(0);

	return registries_mirrored(registries, url, &real, e)
	       && registries_origin(registries, http, buf_text(&real), out, e);
}

/* The repository's folder with name in it: exactly one slash between, the query kept (HLM-01).
 */
static bool below(const char *repo, const char *name, struct buf *out, struct err *e)
{
	const size_t path = strcspn(repo, "?#");
	size_t len = path;

	while (len && repo[len - 1] == '/')
		len--;
	*out = BUF(URL_MAX);
	buf_add(out, repo, len);
	buf_adds(out, "/");
	buf_adds(out, name);
	buf_adds(out, repo[path] == '?' ? repo + path : "");
	return buf_ok(out, e);
}

/* The address that an index means: a relative one is below the repository and has its query
 * (HLM-01, HLM-02). */
static bool chart_url(const char *repo, const char *url, struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);
	OWNED(buf_drop) struct buf joined = BUF(0);
	const char *query = strchr(repo, '?');
	const bool absolute = strstr(url, "://") || strncmp(url, "//", 2) == 0;

	if (!below(repo, "", &folder, e) || !http_url_join(buf_text(&folder), url, &joined, e))
		return err_in(e, "chart repository %.200s", repo);
	*out = BUF(URL_MAX);
	if (absolute || !query) {
		buf_adds(out, buf_text(&joined));
	} else {
		buf_add(out, joined.ptr, strcspn(joined.ptr, "?"));
		buf_adds(out, query);
	}
	return buf_ok(out, e);
}

/* The digest of an index may have a prefix and capitals (HLM-10). */
static bool check_digest(
    const struct chart_entry *entry, const char *url, struct slice tgz, struct err *e)
{
	OWNED(drop_text) char *hex = entry->digest ? own_text(entry->digest) : NULL;
	char text[2][DIGEST_TEXT];
	struct digest want;
	struct digest found;

	if (!hex || !*hex)
		return true;
	for (char *c = hex; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *digits = strncmp(hex, "sha256:", 7) == 0 ? hex + 7 : hex;
	if (!digest_parse_hex(slice_of(digits), &want, e))
		return err_in(e, "the index's digest of %.200s", url);
	digest_of(tgz, &found);
	if (digest_equal(&want, &found))
		return true;
	return err_set(e, ERR_DAMAGED, "%.160s: expected %s as the index says, found %s", url,
	    digest_text(&want, text[0]), digest_text(&found, text[1]));
}

/* Gzip begins so; what does not is no chart, whatever its status was (HLM-13). */
static bool check_gzip(const char *url, struct slice tgz, struct err *e)
{
	if (slice_starts(tgz, "\x1f\x8b"))
		return true;
	return err_set(e, ERR_FORMAT,
	    "%.200s: expected a chart (.tgz), found %zu bytes of something else", url, tgz.len);
}

static bool fetch_chart(struct registries *registries, const struct repository *at,
    const char *url, const struct chart_entry *entry, struct chart_found *out, struct err *e)
{
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	http_url_show(url, &shown);
	if (!fetch(registries, at, url, CHART_TGZ_MAX, &out->tgz, e)
	    || !check_gzip(buf_text(&shown), buf_slice(&out->tgz), e)
	    || !check_digest(entry, buf_text(&shown), buf_slice(&out->tgz), e))
		return false;
	out->source = own_text(buf_text(&shown));
	return true;
}

static bool pull_classic(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e)
{
	OWNED(chart_entry_drop) struct chart_entry entry = {0};
	OWNED(buf_drop) struct buf where = BUF(0);
	OWNED(buf_drop) struct buf index = BUF(0);
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);
	OWNED(buf_drop) struct buf url = BUF(0);
	struct repository at;

	if (!below(want->repo, "index.yaml", &where, e)
	    || !origin_of(registries, http, want->repo, &at, e)
	    || !fetch(registries, &at, buf_text(&where), CHART_INDEX_MAX, &index, e))
		return false;
	http_url_show(buf_text(&where), &shown);
	if (!chartindex_find(
		buf_slice(&index), buf_text(&shown), want->name, want->version, &entry, e))
		return false;
	buf_drop(&index);
	return chart_url(want->repo, entry.url, &url, e)
	       && fetch_chart(registries, &at, buf_text(&url), &entry, out, e);
}

static bool pull_direct(struct registries *registries, struct http *http, const char *url,
    struct chart_found *out, struct err *e)
{
	const struct chart_entry entry = {0};
	struct repository at;

	return origin_of(registries, http, url, &at, e)
	       && fetch_chart(registries, &at, url, &entry, out, e);
}

bool chartrepo_pull(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e)
{
	OWNED(chart_found_drop) struct chart_found found = {0};
	struct reference ref = {0};
	bool ok = false;

	if (strncmp(want->repo ? want->repo : want->name, "oci://", 6) == 0)
		ok = oci_reference(want->repo, want->name, want->version, &ref, e)
		     && pull_oci(registries, http, &ref, &found, e);
	else if (want->repo)
		ok = pull_classic(registries, http, want, &found, e);
	else
		ok = pull_direct(registries, http, want->name, &found, e);
	if (ok)
		*out = STEAL(found);
	return ok;
}
