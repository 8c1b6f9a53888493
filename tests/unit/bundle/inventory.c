#include "base/own.h"
#include "bundle/foreign.h"
#include "bundle/layout.h"
#include "bundle/ustar.h"
#include "tests/unit/bundle/sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { BLOBS = 32 };

static void write_sample(struct buf *out)
{
	struct buf blobs[BLOBS] = {0};
	struct inventory *inv = sample_inventory(blobs, BLOBS);
	struct err e = {0};

	buf_init(out, INVENTORY_MAX);
	cr_assert(inventory_write(inv, out, &e), "%s", e.text);
	for (size_t i = 0; i < BLOBS; i++)
		buf_drop(&blobs[i]);
	inventory_free(inv);
}

Test(inventory, what_is_written_is_read_as_the_same)
{
	struct buf once;
	struct buf twice = BUF(INVENTORY_MAX);
	struct inventory *inv = NULL;
	struct err e = {0};

	write_sample(&once);
	cr_assert(inventory_read(buf_slice(&once), &inv, &e), "%s", e.text);
	cr_assert(inventory_write(inv, &twice, &e), "%s", e.text);
	cr_expect(slice_equal(buf_slice(&once), buf_slice(&twice)));
	inventory_free(inv);
	buf_drop(&once);
	buf_drop(&twice);
}

/* One text replaced by another, and words of the sentence that must refuse it. */
struct row {
	const char *from;
	const char *to;
	enum err_kind kind;
	const char *says;
};

static const struct row rows[] = {
    {"bundle/v1", "bundle/v2", ERR_DAMAGED, "_type"},
    {"\"requires\":[]", "\"requires\":[\"base\"]", ERR_FORMAT, "\"base\""},
    {"\"requires\":[]", "\"requires\":{}", ERR_DAMAGED, "requires"},
    {"\"sigArea\":32768", "\"sigArea\":32769", ERR_DAMAGED, "signature area"},
    {"\"sigArea\":32768", "\"sigArea\":32768,\"sigArea\":32768", ERR_DAMAGED, "twice"},
    {"\"sigArea\"", "\"sigarea\"", ERR_DAMAGED, "sigArea"},
    {"\"release\":\"sha256:", "\"release\":\"sha512:", ERR_DAMAGED, "sha512"},
    {"\"sequence\":1", "\"sequence\":-1", ERR_DAMAGED, "sequence"},
    {"\"sequence\":1795352400", "\"sequence\":9007199254740992", ERR_DAMAGED, "sequence"},
    {"\"sequence\":1", "\"sequence\":1.", ERR_DAMAGED, "sequence"},
    {"\"sequence\":1", "\"sequence\":1,\"sequence\":1", ERR_DAMAGED, "duplicate"},
    {"\"created\":\"2", "\"created\":\" ", ERR_DAMAGED, "created"},
    {"\"expires\":null", "\"expires\":5", ERR_DAMAGED, "expires"},
    {"\"expires\":null,", "", ERR_DAMAGED, "expires"},
    {"\"name\":\"sample\"", "\"name\":7", ERR_DAMAGED, "name"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"SHA256SUM\"", ERR_DAMAGED, "path"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"../SHA256SUMS\"", ERR_DAMAGED, "path"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"oci-layout\"", ERR_DAMAGED, "SHA256SUMS"},
    {"\"path\":\"blobs/sha256/", "\"path\":\"blobs/sha256/0", ERR_DAMAGED, "path"},
    {"\"members\":[", "\"members\":{", ERR_DAMAGED, ""},
    {"\"files\":[]", "\"files\":[{}]", ERR_FORMAT, "files"},
    {"\"files\":[]", "\"files\":{}", ERR_FORMAT, "files"},
    {"\"files\":[],", "", ERR_DAMAGED, "files"},
    {"\"base\":null", "\"base\":\"sha256:0\"", ERR_FORMAT, "base"},
    {"\"base\":null,", "", ERR_DAMAGED, "base"},
    {"\"absent\":[]", "\"absent\":[\"sha256:0\"]", ERR_FORMAT, "absent"},
    {"\"absent\":[],", "", ERR_DAMAGED, "absent"},
    {"\"absent\":[]", "\"absent\":[],\"absent\":[]", ERR_DAMAGED, "twice"},
    {"\"files\":[]", "\"x\":1,\"files\":[],\"x\":1", ERR_DAMAGED, "\"x\" once"},
    {"\"total\":", "\"total\":1", ERR_DAMAGED, "total"},
    {"\"total\":", "\"total\":-", ERR_DAMAGED, "total"},
    {"}\n", "}", ERR_DAMAGED, "_type"},
    {"}\n", "}}\n", ERR_DAMAGED, "JSON"},
};

static void replace(struct slice in, const struct row *row, struct buf *out)
{
	const char *at = memmem(in.ptr, in.len, row->from, strlen(row->from));

	cr_assert(at, "%s", row->from);
	const char *after = at + strlen(row->from);
	buf_add(out, in.ptr, (size_t)(at - in.ptr));
	buf_adds(out, row->to);
	buf_add(out, after, (size_t)(in.ptr + in.len - after));
}

Test(inventory, every_schema_rule)
{
	struct buf good;

	write_sample(&good);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf bad = BUF(INVENTORY_MAX);
		struct inventory *inv = NULL;
		struct err e = {0};

		replace(buf_slice(&good), &rows[i], &bad);
		cr_expect_not(inventory_read(buf_slice(&bad), &inv, &e), "row %zu", i);
		cr_expect_eq(e.kind, rows[i].kind, "row %zu: %s", i, e.text);
		cr_expect(strstr(e.text, rows[i].says), "row %zu: %s", i, e.text);
		inventory_free(inv);
		buf_drop(&bad);
	}
	buf_drop(&good);
}

Test(inventory, every_prefix_is_refused)
{
	struct buf good;

	write_sample(&good);
	for (size_t len = 0; len < good.len; len++) {
		struct inventory *inv = NULL;
		struct err e = {0};

		cr_expect_not(inventory_read(slice_at(good.ptr, len), &inv, &e), "%zu", len);
		inventory_free(inv);
	}
	buf_drop(&good);
}

/* An inventory of count members, each of another size and digest. */
static struct inventory *many(size_t count)
{
	struct inventory *inv = inventory_new();

	inv->name = own_text("many");
	inv->channel = own_text("stable");
	inv->version = own_text("1");
	inv->tool = own_text("sealift/test");
	inv->members = own_array(count, sizeof(*inv->members));
	inv->member_count = count;
	for (size_t i = 0; i < count; i++) {
		inv->members[i].name = i < FIXED_MEMBERS ? member_fixed_name(i) : NULL;
		inv->members[i].size = i;
		digest_of(slice_at(&i, sizeof(i)), &inv->members[i].digest);
	}
	inv->release = inv->members[FIXED_MEMBERS].digest;
	return inv;
}

static bool is_read(struct inventory *inv, struct err *e)
{
	struct buf bytes = BUF(INVENTORY_MAX);
	struct inventory *again = NULL;

	cr_assert(inventory_write(inv, &bytes, e), "%s", e->text);
	const bool ok = inventory_read(buf_slice(&bytes), &again, e);
	inventory_free(again);
	inventory_free(inv);
	buf_drop(&bytes);
	return ok;
}

Test(inventory, R14_members_up_to_the_limit)
{
	struct err e = {0};

	cr_expect(is_read(many(MEMBERS_MAX), &e), "%s", e.text);
	cr_expect_not(is_read(many(MEMBERS_MAX + 1), &e));
	cr_expect(strstr(e.text, "16384"), "%s", e.text);
}

Test(layout, R14_a_member_of_9_GiB)
{
	struct inventory *inv = many(FIXED_MEMBERS + 2);
	struct layout l = {0};
	struct err e = {0};

	inv->members[FIXED_MEMBERS].size = (9ULL << 30) + 1;
	cr_assert(layout_make(inv, 1000, &l, &e), "%s", e.text);
	cr_expect_eq(l.area, 512 + 1024);
	cr_expect_eq(l.headers[0], 512 + 1024 + SIGNATURE_AREA);
	cr_expect_eq(
	    l.headers[FIXED_MEMBERS + 1] - l.headers[FIXED_MEMBERS], 512 + (9ULL << 30) + 512);
	cr_expect_eq(l.total, l.trailer + TRAILER);
	layout_drop(&l);
	inventory_free(inv);
}

Test(layout, sums_that_overflow_are_refused)
{
	static const uint64_t sizes[] = {
	    UINT64_MAX, UINT64_MAX - 511, LAYOUT_TOTAL_MAX, 1ULL << 63};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct inventory *inv = many(FIXED_MEMBERS + 2);
		struct layout l = {0};
		struct err e = {0};

		inv->members[FIXED_MEMBERS].size = sizes[i];
		cr_expect_not(layout_make(inv, 1000, &l, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_LIMIT);
		inventory_free(inv);
	}
}
