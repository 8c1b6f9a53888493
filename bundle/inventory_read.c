#include "bundle/inventory.h"

#include "base/own.h"
#include "bundle/layout.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t number_max = ((uint64_t)1 << 53) - 1;
static const char first_bytes[] = "{\"_type\":\"" INVENTORY_TYPE "\",";

/* Every failure is damage: the bytes are signed, so whoever signed them wrote them
 * so. */
static bool damaged(struct err *e)
{
	e->kind = ERR_DAMAGED;
	return err_in(e, "inventory");
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
	return json_need_u64(from, key, "inventory", number_max, out, e);
}

static int two(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* "2026-11-22T13:00:00Z", and nothing else that means the same. */
static bool read_time(struct slice text, uint64_t *seconds)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	char again[INVENTORY_TIME];
	struct tm parts = {0};

	if (text.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == '0' ? text.ptr[i] < '0' || text.ptr[i] > '9'
				    : text.ptr[i] != shape[i])
			return false;
	parts.tm_year = two(text.ptr) * 100 + two(text.ptr + 2) - 1900;
	parts.tm_mon = two(text.ptr + 5) - 1;
	parts.tm_mday = two(text.ptr + 8);
	parts.tm_hour = two(text.ptr + 11);
	parts.tm_min = two(text.ptr + 14);
	parts.tm_sec = two(text.ptr + 17);
	const time_t when = timegm(&parts);
	if (when < 0)
		return false;
	*seconds = (uint64_t)when;
	return slice_is(text, inventory_time(*seconds, again));
}

static bool read_bundle(const struct json *from, struct inventory *inv, struct err *e)
{
	struct slice created;

	if (!json_is_object(from))
		return err_set(
		    e, ERR_DAMAGED, "expected an object in \"bundle\", found something else");
	if (!read_text(from, "name", &inv->name, e)
	    || !read_text(from, "channel", &inv->channel, e)
	    || !read_text(from, "version", &inv->version, e)
	    || !read_number(from, "sequence", &inv->sequence, e)
	    || !read_text(from, "tool", &inv->tool, e)
	    || !json_need_text(from, "created", "inventory", &created, e))
		return false;
	if (!json_is_null(json_get(from, "expires"))
	    && !read_text(from, "expires", &inv->expires, e))
		return false;
	return read_time(created, &inv->created)
	       || err_set(e, ERR_DAMAGED, "expected a time in \"created\", found \"%.*s\"",
		   SLICE_ARG(created));
}

/* What this version does not know must not be used as if it knew. */
static bool read_requires(const struct json *list, struct inventory *inv, struct err *e)
{
	if (!json_is_array(list))
		return err_set(
		    e, ERR_DAMAGED, "expected an array in \"requires\", found something else");
	if (!json_count(list))
		return true;
	const struct slice name = json_text(json_at(list, 0));
	inv->newer = true;
	return err_set(e, ERR_FORMAT,
	    "the bundle requires \"%.*s\", which this version does not know; use the version "
	    "of sealift that wrote it",
	    (int)(name.len > 80 ? 80 : name.len), name.ptr ? name.ptr : "");
}

static bool read_chart(const struct json *from, struct inventory *inv, struct err *e)
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
		image->platforms[image->platform_count++] = own_bytes(text.ptr, text.len);
	}
	image->blobs = own_array(json_count(blobs), sizeof(*image->blobs));
	for (; image->blob_count < json_count(blobs); image->blob_count++)
		if (!digest_parse(json_text(json_at(blobs, image->blob_count)),
			&image->blobs[image->blob_count], e))
			return false;
	return true;
}

static bool read_image(const struct json *from, struct inventory *inv, struct err *e)
{
	inv->images = own_grow(inv->images, inv->image_count + 1, sizeof(*inv->images));
	struct bundle_image *image = &inv->images[inv->image_count++];

	*image = (struct bundle_image){0};
	return read_text(from, "ref", &image->ref, e)
	       && read_digest(from, "digest", &image->digest, e)
	       && read_digest(from, "sourceDigest", &image->source_digest, e)
	       && read_text(from, "mediaType", &image->media_type, e)
	       && read_number(from, "size", &image->size, e)
	       && read_image_lists(from, image, e);
}

static const char *fixed_name(struct slice path)
{
	for (size_t i = 0; i < FIXED_MEMBERS; i++)
		if (slice_is(path, member_fixed_name(i)))
			return member_fixed_name(i);
	return NULL;
}

static bool read_member(const struct json *from, struct inventory *inv, struct err *e)
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

/* One array.  Its elements are parsed one by one, so that no tree of 16,384 members ever stands
 * in memory. */
static bool read_list(struct slice array, const char *key,
    bool (*read)(const struct json *, struct inventory *, struct err *), struct inventory *inv,
    struct err *e)
{
	struct slice value;
	bool bad = !array.len || array.ptr[0] != '[';
	size_t count = 0;

	while (!bad && json_skim_element(&array, &value, &bad)) {
		OWNED(json_drop) struct json *element = NULL;
		if (count++ == MEMBERS_MAX)
			return err_set(e, ERR_DAMAGED,
			    "expected at most %d in \"%s\", found more", MEMBERS_MAX, key);
		if (!json_parse(value, key, &element, e) || !read(element, inv, e))
			return false;
	}
	return !bad
	       || err_set(
		   e, ERR_DAMAGED, "expected an array in \"%s\", found something else", key);
}

/* The top-level members, skimmed: a key that comes twice is refused as json_parse would. */
enum {
	TOP_TYPE,
	TOP_REQUIRES,
	TOP_AREA,
	TOP_RELEASE,
	TOP_BUNDLE,
	TOP_CHARTS,
	TOP_IMAGES,
	TOP_FILES,
	TOP_BASE,
	TOP_ABSENT,
	TOP_MEMBERS,
	TOP_TOTAL,
	TOP_COUNT,
};
static const char *const top_keys[TOP_COUNT] = {"_type", "requires", "sigArea", "release",
    "bundle", "charts", "images", "files", "base", "absent", "members", "total"};

enum { TOP_UNKNOWN_MAX = 64 };

static size_t find_key(struct slice key)
{
	size_t i = 0;

	while (i < TOP_COUNT && !slice_is(key, top_keys[i]))
		i++;
	return i;
}

/* Whether key is new; it is remembered. */
static bool is_new(struct slice key, struct slice *unknown, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (slice_equal(unknown[i], key))
			return false;
	unknown[(*count)++] = key;
	return true;
}

static bool skim_top(struct slice bytes, struct slice values[TOP_COUNT], struct err *e)
{
	struct slice unknown[TOP_UNKNOWN_MAX];
	size_t count = 0;
	struct slice key;
	struct slice value;
	bool bad = false;

	while (json_skim_member(&bytes, &key, &value, &bad)) {
		const size_t i = find_key(key);
		if (i == TOP_COUNT && count == TOP_UNKNOWN_MAX)
			return err_set(e, ERR_DAMAGED,
			    "expected at most %d keys that this version does not know, found "
			    "more",
			    TOP_UNKNOWN_MAX);
		if (i < TOP_COUNT ? values[i].ptr != NULL : !is_new(key, unknown, &count))
			return err_set(e, ERR_DAMAGED, "expected \"%.*s\" once, found it twice",
			    (int)(key.len > 80 ? 80 : key.len), key.ptr);
		if (i < TOP_COUNT)
			values[i] = value;
	}
	if (bad)
		return err_set(
		    e, ERR_DAMAGED, "expected one JSON object, found something else");
	for (size_t i = 0; i < TOP_COUNT; i++)
		if (!values[i].ptr)
			return err_set(
			    e, ERR_DAMAGED, "expected \"%s\", found nothing", top_keys[i]);
	return true;
}

static bool read_small_parts(
    const struct slice values[TOP_COUNT], struct inventory *inv, struct err *e)
{
	OWNED(json_drop) struct json *requires = NULL;
	OWNED(json_drop) struct json *bundle = NULL;
	uint64_t area;
	struct slice release = values[TOP_RELEASE];

	if (!json_parse(values[TOP_REQUIRES], "requires", &requires, e)
	    || !read_requires(requires, inv, e)
	    || !json_parse(values[TOP_BUNDLE], "bundle", &bundle, e)
	    || !read_bundle(bundle, inv, e))
		return false;
	if (!slice_u64(values[TOP_AREA], number_max, &area) || area != SIGNATURE_AREA)
		return err_set(e, ERR_DAMAGED,
		    "expected a signature area of %d bytes, found another", SIGNATURE_AREA);
	if (!slice_u64(values[TOP_TOTAL], number_max, &inv->total))
		return err_set(
		    e, ERR_DAMAGED, "expected a number in \"total\", found something else");
	if (release.len < 2 || release.ptr[0] != '"')
		return err_set(
		    e, ERR_DAMAGED, "expected a digest in \"release\", found something else");
	return digest_parse(slice_at(release.ptr + 1, release.len - 2), &inv->release, e);
}

/* Parts of the format that no bundle of this version uses.  Whoever passed over them would push
 * less than was meant. */
static bool check_unused(
    const struct slice values[TOP_COUNT], struct inventory *inv, struct err *e)
{
	static const struct {
		int key;
		const char *empty;
	} unused[] = {{TOP_FILES, "[]"}, {TOP_BASE, "null"}, {TOP_ABSENT, "[]"}};

	for (size_t i = 0; i < sizeof(unused) / sizeof(*unused); i++)
		if (!slice_is(values[unused[i].key], unused[i].empty)) {
			inv->newer = true;
			return err_set(e, ERR_FORMAT,
			    "expected \"%s\":%s, found something that this version does not "
			    "know; use the version of sealift that wrote the bundle",
			    top_keys[unused[i].key], unused[i].empty);
		}
	return true;
}

static bool read_lists(
    const struct slice values[TOP_COUNT], struct inventory *inv, struct err *e)
{
	return read_list(values[TOP_CHARTS], "charts", read_chart, inv, e)
	       && read_list(values[TOP_IMAGES], "images", read_image, inv, e)
	       && read_list(values[TOP_MEMBERS], "members", read_member, inv, e);
}

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

static bool check_images(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->image_count; i++) {
		const struct bundle_image *image = &inv->images[i];

		if (i && strcmp(inv->images[i - 1].ref, image->ref) >= 0)
			return err_set(e, ERR_DAMAGED,
			    "expected the images sorted, each once; found %s after %s",
			    image->ref, inv->images[i - 1].ref);
		if (!check_member(inv, &image->digest, image->size, image->ref, e))
			return false;
		for (size_t b = 0; b < image->blob_count; b++)
			if (!check_member(inv, &image->blobs[b], UINT64_MAX, image->ref, e))
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

static bool read_all(struct slice bytes, struct inventory *inv, struct err *e)
{
	struct slice values[TOP_COUNT] = {0};

	if (!slice_starts(bytes, first_bytes) || bytes.ptr[bytes.len - 1] != '\n')
		return err_set(
		    e, ERR_DAMAGED, "expected %s…, found something else", first_bytes);
	return skim_top(bytes, values, e) && read_small_parts(values, inv, e)
	       && check_unused(values, inv, e) && read_lists(values, inv, e)
	       && check_members(inv, e) && check_images(inv, e) && check_charts(inv, e)
	       && check_member(inv, &inv->release, UINT64_MAX, "the release", e)
	       && check_total(inv, bytes.len, e);
}

bool inventory_read(struct slice bytes, struct inventory **out, struct err *e)
{
	OWNED(inventory_drop) struct inventory *inv = inventory_new();
	bool unknown;

	if (read_all(bytes, inv, e)) {
		*out = STEAL(inv);
		return true;
	}
	unknown = inv->newer;
	return unknown ? err_in(e, "inventory") : damaged(e);
}
