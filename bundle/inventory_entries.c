#include "bundle/inventory_entries.h"

#include "base/own.h"
#include "bundle/names.h"
#include "manifests/reference.h"

#include <string.h>

bool entry_unknown(struct inventory *inv, const char *key, const char *empty, struct err *e)
{
	inv->newer = true;
	return err_set(e, ERR_FORMAT,
	    "expected \"%s\":%s, found something that this version does not know; use the "
	    "version of sealift that wrote the bundle",
	    key, empty);
}

static bool read_text(const struct json *from, const char *key, char **out, struct err *e)
{
	struct slice text;

	if (!json_need_text(from, key, "inventory", &text, e))
		return false;
	*out = own_bytes(text.ptr, text.len);
	return true;
}

static bool read_digest(
    const struct json *from, const char *key, struct digest *out, struct err *e)
{
	struct slice text;

	return json_need_text(from, key, "inventory", &text, e) && digest_parse(text, out, e);
}

static bool read_number(const struct json *from, const char *key, uint64_t *out, struct err *e)
{
	return json_need_u64(from, key, "inventory", INVENTORY_NUMBER_MAX, out, e);
}

/* In ascending order of their keys, so that each is there once. */
static bool read_label(
    const char *key, const struct json *value, struct inventory *inv, struct err *e)
{
	const struct bundle_label *last =
	    inv->label_count ? &inv->labels[inv->label_count - 1] : NULL;
	const struct slice text = json_text(value);

	if (inv->label_count == LABELS_MAX)
		return err_set(
		    e, ERR_DAMAGED, "expected at most %d labels, found more", LABELS_MAX);
	if (!name_is_label(slice_of(key)) || !text.ptr || !name_is_label_value(text))
		return err_set(e, ERR_DAMAGED,
		    "expected a label with a printable text, found \"%.*s\" with something "
		    "else",
		    LABEL_KEY_MAX, key);
	if (last && strcmp(last->key, key) >= 0)
		return err_set(e, ERR_DAMAGED, "expected the labels sorted, found %s after %s",
		    key, last->key);
	inv->labels = own_grow(inv->labels, inv->label_count + 1, sizeof(*inv->labels));
	inv->labels[inv->label_count++] =
	    (struct bundle_label){own_text(key), own_bytes(text.ptr, text.len)};
	return true;
}

static bool read_labels(const struct json *from, struct inventory *inv, struct err *e)
{
	const struct json *value;
	const char *key;
	void *iter = NULL;

	if (!json_is_object(from))
		return err_set(
		    e, ERR_DAMAGED, "expected an object in \"labels\", found something else");
	while (json_next(from, &iter, &key, &value))
		if (!read_label(key, value, inv, e))
			return false;
	return true;
}

/* Null, or a time; 0 stands for null, so the time 0 is none. */
static bool read_expires(const struct json *from, struct inventory *inv, struct err *e)
{
	struct slice text;

	if (json_is_null(from))
		return true;
	text = json_text(from);
	return (text.ptr && date_exact(text, &inv->expires) && inv->expires)
	       || err_set(e, ERR_DAMAGED,
		   "expected null or a time in \"expires\", found \"%.*s\"",
		   (int)(text.len > 80 ? 80 : text.len), text.ptr ? text.ptr : "");
}

static bool read_channel(const struct json *from, struct inventory *inv, struct err *e)
{
	return read_text(from, "channel", &inv->channel, e)
	       && (name_is_channel(slice_of(inv->channel))
		   || err_set(e, ERR_DAMAGED,
		       "expected 1 to %d letters, digits, dots, dashes in \"channel\", found "
		       "\"%.80s\"",
		       CHANNEL_MAX, inv->channel));
}

bool entry_bundle(const struct json *from, struct inventory *inv, struct err *e)
{
	struct slice created;

	if (!json_is_object(from))
		return err_set(
		    e, ERR_DAMAGED, "expected an object in \"bundle\", found something else");
	if (!read_text(from, "name", &inv->name, e) || !read_channel(from, inv, e)
	    || !read_text(from, "version", &inv->version, e)
	    || !read_number(from, "sequence", &inv->sequence, e)
	    || !read_text(from, "tool", &inv->tool, e)
	    || !json_need_text(from, "created", "inventory", &created, e))
		return false;
	if (!read_expires(json_get(from, "expires"), inv, e)
	    || !read_labels(json_get(from, "labels"), inv, e))
		return false;
	return date_exact(created, &inv->created)
	       || err_set(e, ERR_DAMAGED, "expected a time in \"created\", found \"%.*s\"",
		   SLICE_ARG(created));
}

bool entry_chart(const struct json *from, struct inventory *inv, struct err *e)
{
	inv->charts = own_grow(inv->charts, inv->chart_count + 1, sizeof(*inv->charts));
	struct bundle_chart *chart = &inv->charts[inv->chart_count++];
	const struct json *manifest = json_get(from, "manifest");
	char *type = NULL;

	*chart = (struct bundle_chart){0};
	if (!read_text(from, "name", &chart->name, e)
	    || !read_text(from, "version", &chart->version, e)
	    || !read_digest(from, "blob", &chart->blob, e)
	    || !read_text(from, "source", &chart->source, e)
	    || !read_digest(manifest, "digest", &chart->manifest.digest, e)
	    || !read_number(manifest, "size", &chart->manifest.size, e)
	    || !read_text(manifest, "mediaType", &type, e))
		return false;
	chart->manifest.media_type = type;
	return true;
}

static bool read_image_lists(const struct json *from, struct bundle_image *image, struct err *e)
{
	const struct json *platforms;
	const struct json *blobs;

	if (!json_need_array(from, "platforms", "inventory", &platforms, e)
	    || !json_need_array(from, "blobs", "inventory", &blobs, e))
		return false;
	image->platforms = own_array(json_count(platforms), sizeof(char *));
	for (size_t i = 0; i < json_count(platforms); i++) {
		const struct slice text = json_text(json_at(platforms, i));
		if (!text.ptr)
			return err_set(e, ERR_DAMAGED,
			    "expected texts in \"platforms\", found something else");
		image->platforms[image->platform_count++] = own_bytes(text.ptr, text.len);
	}
	image->blobs = own_array(json_count(blobs), sizeof(*image->blobs));
	for (; image->blob_count < json_count(blobs); image->blob_count++)
		if (!digest_parse(json_text(json_at(blobs, image->blob_count)),
			&image->blobs[image->blob_count], e))
			return false;
	return true;
}

/* How it was found, which says where it goes at a target. */
static bool check_via(struct slice via, struct err *e)
{
	return slice_is(via, "api")
	       || (slice_starts(via, "tag:")
		   && reference_is_tag(slice_at(via.ptr + 4, via.len - 4)))
	       || err_set(e, ERR_DAMAGED,
		   "expected \"api\" or \"tag:\" and a tag in \"via\", found \"%.*s\"",
		   (int)(via.len > 80 ? 80 : via.len), via.ptr);
}

static bool read_referrer(const struct json *from, struct bundle_image *image, struct err *e)
{
	image->referrers =
	    own_grow(image->referrers, image->referrer_count + 1, sizeof(*image->referrers));
	struct bundle_referrer *referrer = &image->referrers[image->referrer_count++];

	*referrer = (struct bundle_referrer){0};
	return read_digest(from, "digest", &referrer->digest, e)
	       && read_text(from, "mediaType", &referrer->media_type, e)
	       && read_text(from, "artifactType", &referrer->artifact_type, e)
	       && read_text(from, "via", &referrer->via, e)
	       && check_via(slice_of(referrer->via), e);
}

static bool read_referrers(const struct json *from, struct bundle_image *image, struct err *e)
{
	const struct json *list;

	if (!json_need_array(from, "referrers", "inventory", &list, e))
		return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (!read_referrer(json_at(list, i), image, e))
			return false;
	return true;
}

bool entry_image(const struct json *from, struct inventory *inv, struct err *e)
{
	inv->images = own_grow(inv->images, inv->image_count + 1, sizeof(*inv->images));
	struct bundle_image *image = &inv->images[inv->image_count++];

	*image = (struct bundle_image){0};
	return read_text(from, "ref", &image->ref, e)
	       && read_digest(from, "digest", &image->digest, e)
	       && read_digest(from, "sourceDigest", &image->source_digest, e)
	       && read_text(from, "mediaType", &image->media_type, e)
	       && read_number(from, "size", &image->size, e) && read_image_lists(from, image, e)
	       && read_referrers(from, image, e);
}

bool entry_file(const struct json *from, struct inventory *inv, struct err *e)
{
	inv->files = own_grow(inv->files, inv->file_count + 1, sizeof(*inv->files));
	struct bundle_file *file = &inv->files[inv->file_count++];

	*file = (struct bundle_file){0};
	return read_text(from, "name", &file->name, e)
	       && read_digest(from, "blob", &file->blob, e)
	       && read_number(from, "size", &file->size, e)
	       && read_text(from, "mediaType", &file->media_type, e);
}

static const char *fixed_name(struct slice path)
{
	for (size_t i = 0; i < FIXED_MEMBERS; i++)
		if (slice_is(path, member_fixed_name(i)))
			return member_fixed_name(i);
	return NULL;
}

bool entry_member(const struct json *from, struct inventory *inv, struct err *e)
{
	static const char blobs[] = "blobs/sha256/";
	inv->members = own_grow(inv->members, inv->member_count + 1, sizeof(*inv->members));
	struct member *m = &inv->members[inv->member_count++];
	struct slice path;
	struct slice hex;

	*m = (struct member){0};
	if (!json_need_text(from, "path", "inventory", &path, e)
	    || !read_number(from, "size", &m->size, e)
	    || !json_need_text(from, "sha256", "inventory", &hex, e)
	    || !digest_parse_hex(hex, &m->digest, e))
		return false;
	if (slice_starts(path, blobs)
	    && slice_equal(
		slice_at(path.ptr + sizeof(blobs) - 1, path.len - sizeof(blobs) + 1), hex))
		return true;
	m->name = fixed_name(path);
	return m->name
	       || err_set(e, ERR_DAMAGED, "expected a member's path, found \"%.*s\"",
		   (int)(path.len > 100 ? 100 : path.len), path.ptr);
}
