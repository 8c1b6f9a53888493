#include "manifests/image.h"

#include "base/own.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MEDIA_TYPE_MAX = 255 };

bool image_type_is_index(const char *type)
{
	return type
	       && (strcmp(type, MEDIA_OCI_INDEX) == 0 || strcmp(type, MEDIA_DOCKER_LIST) == 0);
}

bool image_type_is_manifest(const char *type)
{
	return type
	       && (strcmp(type, MEDIA_OCI_MANIFEST) == 0
		   || strcmp(type, MEDIA_DOCKER_MANIFEST) == 0);
}

static bool is_known(const char *type)
{
	return image_type_is_index(type) || image_type_is_manifest(type);
}

/* A media type that registries and we can repeat in a header: printable, no blanks, bounded. */
static bool is_media_type(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '\\')
			return false;
	return s.len >= 1 && s.len <= MEDIA_TYPE_MAX;
}

/* An image keeps each media type once; the parts point to it. */
static const char *keep_type(struct image *image, size_t *kept, struct slice type)
{
	for (size_t i = 0; i < *kept; i++)
		if (slice_is(type, image->media_types[i]))
			return image->media_types[i];
	image->media_types = own_grow(image->media_types, *kept + 2, sizeof(char *));
	image->media_types[*kept] = own_bytes(type.ptr, type.len);
	image->media_types[++*kept] = NULL;
	return image->media_types[*kept - 1];
}

/* What is being read: the document, and the image that grows from it. */
struct reading {
	const struct json *doc;
	struct image *image;
	size_t kept; /* media types */
};

static bool read_descriptor(struct reading *r, const struct json *from, const char *what,
    struct image_part *part, struct err *e)
{
	struct slice type;
	struct slice digest;

	if (!json_is_object(from))
		return err_set(
		    e, ERR_FORMAT, "%s: expected a descriptor, found something else", what);
	if (!json_need_text(from, "mediaType", what, &type, e)
	    || !json_need_text(from, "digest", what, &digest, e)
	    || !json_need_u64(
		from, "size", what, ((uint64_t)1 << 53) - 1, &part->descriptor.size, e))
		return false;
	if (!is_media_type(type))
		return err_set(e, ERR_FORMAT, "%s: expected a media type, found \"%.*s\"", what,
		    (int)(type.len > 80 ? 80 : type.len), type.ptr);
	if (!digest_parse(digest, &part->descriptor.digest, e))
		return err_in(e, "%s", what);
	part->descriptor.media_type = keep_type(r->image, &r->kept, type);
	part->foreign = json_count(json_get(from, "urls")) > 0;
	return true;
}

static void read_platform(const struct json *from, struct image_part *part)
{
	const struct json *platform = json_get(from, "platform");
	const struct json *notes = json_get(from, "annotations");

	if (json_is_object(platform)) {
		part->has_platform = true;
		platform_set(&part->platform, json_text(json_get(platform, "os")),
		    json_text(json_get(platform, "architecture")),
		    json_text(json_get(platform, "variant")));
		platform_set_version(
		    &part->platform, json_text(json_get(platform, "os.version")));
	}
	part->attestation = json_get(notes, "vnd.docker.reference.type")
			    || json_get(notes, "vnd.docker.reference.digest")
			    || (part->has_platform && strcmp(part->platform.os, "unknown") == 0
				&& strcmp(part->platform.arch, "unknown") == 0);
}

static bool add_part(
    struct reading *r, const struct json *from, const char *what, struct err *e)
{
	struct image_part part = {0};

	if (!read_descriptor(r, from, what, &part, e))
		return false;
	if (r->image->kind == IMAGE_INDEX)
		read_platform(from, &part);
	r->image->parts[r->image->count++] = part;
	return true;
}

static bool read_parts(struct reading *r, struct err *e)
{
	const bool index = r->image->kind == IMAGE_INDEX;
	const char *key = index ? "manifests" : "layers";
	const char *what = index ? "index" : "manifest";
	const struct json *config = index ? NULL : json_get(r->doc, "config");
	const struct json *list = json_get(r->doc, key);

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(e, ERR_FORMAT,
		    "%s: expected an array in \"%s\", found something else", what, key);
	if (json_count(list) >= IMAGE_CHILDREN_MAX)
		return err_set(e, ERR_LIMIT,
		    "%s: expected fewer than %d descriptors, found %zu", what,
		    IMAGE_CHILDREN_MAX, json_count(list));
	r->image->parts = own_array(json_count(list) + 1, sizeof(*r->image->parts));
	if (!index && !add_part(r, config, "config of the manifest", e))
		return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (!add_part(r, json_at(list, i), what, e))
			return false;
	return true;
}

/* Some readers take "Layers" for "layers", and so see another document than we do. */
static bool check_keys(const struct json *doc, struct err *e)
{
	static const char *const keys[] = {
	    "config", "fsLayers", "layers", "manifests", "mediaType", "schemaVersion"};
	const struct json *value;
	const char *key;
	void *iter = NULL;

	while (json_next(doc, &iter, &key, &value))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strcasecmp(key, keys[i]) == 0 && strcmp(key, keys[i]) != 0)
				return err_set(e, ERR_FORMAT,
				    "expected \"%s\" in a manifest, found it spelled \"%s\"",
				    keys[i], key);
	return true;
}

/* One document must not be two things to two readers (MAN-04). */
static bool check_unambiguous(const struct json *doc, struct err *e)
{
	const bool index = json_get(doc, "manifests") != NULL;
	const bool manifest = json_get(doc, "layers") || json_get(doc, "config");
	uint64_t version = 0;

	if (!check_keys(doc, e))
		return false;
	if (json_get(doc, "fsLayers")
	    || (json_u64(json_get(doc, "schemaVersion"), &version) && version == 1))
		return err_set(e, ERR_FORMAT,
		    "expected an OCI or Docker schema 2 manifest, found a schema 1 image; have "
		    "it rebuilt, or pull it through a registry that converts it");
	if (index && manifest)
		return err_set(e, ERR_FORMAT,
		    "expected an index or a manifest, found a document that claims to be both");
	if (!index && !manifest)
		return err_set(e, ERR_FORMAT,
		    "expected a manifest or an index, found a JSON document that is neither");
	return true;
}

/* What a header says without its parameters, when it says anything useful. */
static const char *useful(const char *content_type)
{
	return is_known(content_type) ? content_type : NULL;
}

/* MAN-03: the document's own field, cross-checked with the wire; without a field the wire;
 * without both the structure. */
static bool decide_type(
    struct image *image, const struct json *doc, const char *content_type, struct err *e)
{
	const struct slice field = json_text(json_get(doc, "mediaType"));
	const bool index = json_get(doc, "manifests") != NULL;
	const char *wire = useful(content_type);

	image->kind = index ? IMAGE_INDEX : IMAGE_MANIFEST;
	if (field.ptr && !is_media_type(field))
		return err_set(e, ERR_FORMAT,
		    "expected a media type in \"mediaType\", found something else");
	if (field.ptr && wire && !slice_is(field, wire))
		return err_set(e, ERR_FORMAT,
		    "expected the document to be %s as its sender says, found mediaType %.*s",
		    wire, SLICE_ARG(field));
	if (field.ptr)
		image->media_type = own_bytes(field.ptr, field.len);
	else
		image->media_type = own_text(wire    ? wire
					     : index ? MEDIA_OCI_INDEX
						     : MEDIA_OCI_MANIFEST);
	if (index ? !image_type_is_index(image->media_type)
		  : !image_type_is_manifest(image->media_type))
		return err_set(e, ERR_FORMAT,
		    "expected a manifest or an index, found a document of type %s",
		    image->media_type);
	return true;
}

/* What a document says that it refers to; anything that is no descriptor says nothing. */
static void read_subject(struct reading *r)
{
	const struct slice digest = json_text(json_get(json_get(r->doc, "subject"), "digest"));
	struct err ignored = {0};

	r->image->has_subject = digest_parse(digest, &r->image->subject, &ignored);
}

static void read_artifact_type(struct reading *r)
{
	const struct slice type = json_text(json_get(r->doc, "artifactType"));
	struct image *image = r->image;

	image->artifact_type = "";
	if (type.len && is_media_type(type))
		image->artifact_type = keep_type(image, &r->kept, type);
	else if (image->kind == IMAGE_MANIFEST && image->count)
		image->artifact_type = image->parts[0].descriptor.media_type;
}

static bool read_document(struct image *image, const char *content_type, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct reading r = {.image = image};

	if (!json_parse(buf_slice(&image->raw), "manifest", &doc, e))
		return false;
	if (!json_is_object(doc))
		return err_set(
		    e, ERR_FORMAT, "expected a manifest, found JSON that is no object");
	r.doc = doc;
	if (!check_unambiguous(doc, e) || !decide_type(image, doc, content_type, e)
	    || !read_parts(&r, e))
		return false;
	read_subject(&r);
	read_artifact_type(&r);
	return true;
}

bool image_parse_take(
    struct buf *raw, const char *content_type, struct image **out, struct err *e)
{
	OWNED(image_drop) struct image *image = own_new(sizeof(*image));

	image->raw = STEAL(*raw);
	if (image->raw.len > IMAGE_DOCUMENT_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected a manifest of at most %d bytes, found %zu", IMAGE_DOCUMENT_MAX,
		    image->raw.len);
	if (!read_document(image, content_type, e))
		return false;
	digest_of(buf_slice(&image->raw), &image->self.digest);
	image->self.size = image->raw.len;
	image->self.media_type = image->media_type;
	*out = STEAL(image);
	return true;
}

bool image_names_type(struct slice raw)
{
	struct slice key;
	struct slice value;
	bool bad = false;

	while (json_skim_member(&raw, &key, &value, &bad))
		if (slice_is(key, "mediaType"))
			return true;
	return false;
}

struct slice image_annotations(const struct image *image)
{
	struct slice rest = buf_slice(&image->raw);
	struct slice key;
	struct slice value;
	bool bad = false;

	while (json_skim_member(&rest, &key, &value, &bad))
		if (slice_is(key, "annotations") && slice_starts(value, "{"))
			return value;
	return slice_at("", 0);
}

static void add_urls(const struct json *part, const struct digest *wanted, struct buf *out)
{
	const struct json *urls = json_get(part, "urls");
	struct digest digest;
	struct err ignored = {0};

	if (!digest_parse(json_text(json_get(part, "digest")), &digest, &ignored)
	    || !digest_equal(&digest, wanted))
		return;
	for (size_t i = 0; i < json_count(urls); i++) {
		const struct slice url = json_text(json_at(urls, i));
		buf_addf(
		    out, " %.*s", (int)(url.len > 200 ? 200 : url.len), url.len ? url.ptr : "");
	}
}

void image_part_urls(const struct image *image, const struct digest *part, struct buf *out)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct err ignored = {0};

	if (!json_parse(buf_slice(&image->raw), "manifest", &doc, &ignored))
		return;
	const struct json *list =
	    json_get(doc, image->kind == IMAGE_INDEX ? "manifests" : "layers");
	for (size_t i = 0; i < json_count(list); i++)
		add_urls(json_at(list, i), part, out);
}

void image_free(struct image *image)
{
	if (!image)
		return;
	for (char **type = image->media_types; type && *type; type++)
		free(*type);
	free(image->media_types);
	free(image->media_type);
	free(image->parts);
	buf_drop(&image->raw);
	free(image);
}

void image_drop(struct image **image)
{
	image_free(*image);
	*image = NULL;
}

static bool no_match(const struct image *index, const struct platform *want, struct err *e)
{
	struct buf list = BUF(256);
	char text[PLATFORM_TEXT];

	for (size_t i = 0; i < index->count; i++)
		if (index->parts[i].has_platform && !index->parts[i].attestation)
			buf_addf(&list, "%s%s", list.len ? ", " : "",
			    platform_text(&index->parts[i].platform, text));
	(void)err_set(e, ERR_MISSING, "expected the platform %s, found %s",
	    platform_text(want, text), list.len ? buf_text(&list) : "none");
	buf_drop(&list);
	return false;
}

/* Images of two versions of Windows: which of them runs, only who asks can say. */
static bool differs(const struct image_part *a, const struct image_part *b)
{
	return strcmp(a->platform.os, "windows") == 0
	       && strcmp(a->platform.version, b->platform.version) != 0;
}

bool image_select(
    const struct image *index, const struct platform *want, size_t *child, struct err *e)
{
	bool ambiguous = false;
	int best = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct image_part *part = &index->parts[i];
		const int match = part->has_platform && !part->attestation
				      ? platform_match(want, &part->platform)
				      : 0;

		if (match == best && best && differs(&index->parts[*child], part))
			ambiguous = true;
		if (match <= best)
			continue;
		ambiguous = false;
		best = match;
		*child = i;
	}
	return (best > 0 && !ambiguous) || no_match(index, want, e);
}

bool image_config_platform(struct slice config, struct platform *p)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct err ignored = {0};

	if (!json_parse(config, "config", &doc, &ignored))
		return false;
	platform_set(p, json_text(json_get(doc, "os")),
	    json_text(json_get(doc, "architecture")), json_text(json_get(doc, "variant")));
	platform_set_version(p, json_text(json_get(doc, "os.version")));
	return p->os[0] && p->arch[0];
}
