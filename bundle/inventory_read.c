#include "bundle/inventory.h"

#include "base/own.h"
#include "bundle/inventory_check.h"
#include "bundle/inventory_entries.h"
#include "manifests/json.h"

#include <string.h>

static const char first_bytes[] = "{\"_type\":\"" INVENTORY_TYPE "\",";

/* Every failure is damage: the bytes are signed, so whoever signed them wrote them so. */
static bool damaged(struct err *e)
{
	e->kind = ERR_DAMAGED;
	return err_in(e, "inventory");
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

enum {
	TOP_UNKNOWN_MAX = 64,
	SMALL_VALUE_MAX = 64 * 1024, /* bytes of a value that is no list of this version's */
};

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

/* A value that was only measured is JSON all the same, or two readers would part over it. */
static bool check_value(struct slice key, struct slice value, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(SMALL_VALUE_MAX);
	OWNED(json_drop) struct json *doc = NULL;

	buf_add(&text, "[", 1);
	buf_add(&text, value.ptr, value.len);
	buf_add(&text, "]", 1);
	return (buf_ok(&text, e) && json_parse(buf_slice(&text), "a value", &doc, e))
	       || err_in(e, "\"%.*s\"", (int)(key.len > 80 ? 80 : key.len), key.ptr);
}

static bool is_list(size_t key)
{
	return key == TOP_CHARTS || key == TOP_IMAGES || key == TOP_FILES || key == TOP_MEMBERS;
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
		if (!is_list(i) && !check_value(key, value, e))
			return false;
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
	    || !entry_bundle(bundle, inv, e))
		return false;
	if (!slice_u64(values[TOP_AREA], INVENTORY_NUMBER_MAX, &area) || area != SIGNATURE_AREA)
		return err_set(e, ERR_DAMAGED,
		    "expected a signature area of %d bytes, found another", SIGNATURE_AREA);
	if (!slice_u64(values[TOP_TOTAL], INVENTORY_NUMBER_MAX, &inv->total))
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
	} unused[] = {{TOP_BASE, "null"}, {TOP_ABSENT, "[]"}};

	for (size_t i = 0; i < sizeof(unused) / sizeof(*unused); i++)
		if (!slice_is(values[unused[i].key], unused[i].empty))
			return entry_unknown(inv, top_keys[unused[i].key], unused[i].empty, e);
	return true;
}

static bool read_lists(
    const struct slice values[TOP_COUNT], struct inventory *inv, struct err *e)
{
	return read_list(values[TOP_CHARTS], "charts", entry_chart, inv, e)
	       && read_list(values[TOP_IMAGES], "images", entry_image, inv, e)
	       && read_list(values[TOP_FILES], "files", entry_file, inv, e)
	       && read_list(values[TOP_MEMBERS], "members", entry_member, inv, e);
}

/* One line, so that it looks the same to every reader and on every terminal. */
static bool check_line(struct slice bytes, struct err *e)
{
	for (size_t i = 0; i + 1 < bytes.len; i++)
		if (bytes.ptr[i] < ' ' || bytes.ptr[i] > '~')
			return err_set(
			    e, ERR_DAMAGED, "expected one line of ASCII, found byte %zu", i);
	return true;
}

static bool read_all(struct slice bytes, struct inventory *inv, struct err *e)
{
	struct slice values[TOP_COUNT] = {0};

	if (!slice_starts(bytes, first_bytes) || bytes.ptr[bytes.len - 1] != '\n')
		return err_set(
		    e, ERR_DAMAGED, "expected %s…, found something else", first_bytes);
	return check_line(bytes, e) && skim_top(bytes, values, e)
	       && read_small_parts(values, inv, e) && check_unused(values, inv, e)
	       && read_lists(values, inv, e) && inventory_check(inv, bytes.len, e);
}

bool inventory_read(struct slice bytes, struct inventory **out, struct err *e)
{
	OWNED(inventory_drop) struct inventory *inv = inventory_new();

	if (read_all(bytes, inv, e)) {
		*out = STEAL(inv);
		return true;
	}
	return inv->newer ? err_in(e, "inventory") : damaged(e);
}
