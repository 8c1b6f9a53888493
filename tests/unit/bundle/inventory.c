#include "base/own.h"
#include "bundle/foreign.h"
#include "bundle/layout.h"
#include "bundle/names.h"
#include "bundle/ustar.h"
#include "tests/unit/bundle/sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { BLOBS = 32 };

static void add_file(
    struct inventory *inv, const char *name, const char *type, const struct member *m)
{
	inv->files = own_grow(inv->files, inv->file_count + 1, sizeof(*inv->files));
	inv->files[inv->file_count++] =
	    (struct bundle_file){own_text(name), m->digest, m->size, own_text(type)};
}

/* Files, labels and an end, which the sample has none of. */
static void add_extras(struct inventory *inv)
{
	static const char *const labels[][2] = {{"change", "CHG-123"}, {"team/x", "\"a\" b"}};

	inv->expires = inv->created + 86400;
	inv->label_count = 2;
	inv->labels = own_array(2, sizeof(*inv->labels));
	for (size_t i = 0; i < 2; i++)
		inv->labels[i] =
		    (struct bundle_label){own_text(labels[i][0]), own_text(labels[i][1])};
	add_file(
	    inv, "Driver.run", "application/octet-stream", &inv->members[FIXED_MEMBERS + 4]);
	add_file(inv, "starter.yaml", "application/yaml", &inv->members[FIXED_MEMBERS + 1]);
	add_file(inv, "the-same.yaml", "application/yaml", &inv->members[FIXED_MEMBERS + 1]);
}

static void write_sample(struct buf *out)
{
	struct buf blobs[BLOBS] = {0};
	struct inventory *inv = sample_inventory(blobs, BLOBS);
	struct err e = {0};

	add_extras(inv);
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
    {"\"expires\":\"2026", "\"expires\":\"1026", ERR_DAMAGED, "expires"},
    {"\"expires\":\"2026-11-23T1", "\"expires\":\"2026-11-23T9", ERR_DAMAGED, "expires"},
    {"\"expires\":\"2026-11-23T13:00:00Z\"", "\"expires\":5", ERR_DAMAGED, "expires"},
    {"\"expires\":\"2026-11-23T13:00:00Z\"", "\"expires\":\"\"", ERR_DAMAGED, "expires"},
    {"\"expires\":\"2026-11-23T13:00:00Z\"", "\"expires\":\"1970-01-01T00:00:00Z\"",
	ERR_DAMAGED, "expires"},
    {"\"expires\":\"2026-11-23T13:00:00Z\",", "", ERR_DAMAGED, "expires"},
    {"\"channel\":\"stable\"", "\"channel\":\"\"", ERR_DAMAGED, "channel"},
    {"\"channel\":\"stable\"", "\"channel\":\"../up\"", ERR_DAMAGED, "channel"},
    {"\"channel\":\"stable\"", "\"channel\":null", ERR_DAMAGED, "channel"},
    {"\"labels\":{", "\"labels\":[{", ERR_DAMAGED, ""},
    {"\"labels\":{\"change\":\"CHG-123\",\"team/x\":\"\\\"a\\\" b\"}", "\"labels\":[]",
	ERR_DAMAGED, "labels"},
    {"\"CHG-123\"", "7", ERR_DAMAGED, "change"},
    {"\"CHG-123\"", "\"\\u001b[2J\"", ERR_DAMAGED, "change"},
    {"\"change\":", "\"change \":", ERR_DAMAGED, "change "},
    {"\"change\":", "\"x\":", ERR_DAMAGED, "sorted"},
    {"\"change\":", "\"team/x\":", ERR_DAMAGED, "duplicate"},
    {"\"name\":\"sample\"", "\"name\":7", ERR_DAMAGED, "name"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"SHA256SUM\"", ERR_DAMAGED, "path"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"../SHA256SUMS\"", ERR_DAMAGED, "path"},
    {"\"path\":\"SHA256SUMS\"", "\"path\":\"oci-layout\"", ERR_DAMAGED, "SHA256SUMS"},
    {"\"path\":\"blobs/sha256/", "\"path\":\"blobs/sha256/0", ERR_DAMAGED, "path"},
    {"\"members\":[", "\"members\":{", ERR_DAMAGED, ""},
    {"\"files\":[", "\"files\":[{},", ERR_DAMAGED, "name"},
    {"\"files\":[", "\"files\":[7,", ERR_DAMAGED, "files"},
    {"\"files\":[", "\"files\":{", ERR_DAMAGED, ""},
    {"\"files\":[", "\"filez\":[", ERR_DAMAGED, "files"},
    {"\"files\":[", "\"files\":[],\"files\":[", ERR_DAMAGED, "twice"},
    {"\"name\":\"Driver.run\"", "\"name\":7", ERR_DAMAGED, "name"},
    {"\"name\":\"Driver.run\"", "\"name\":\"../x\"", ERR_DAMAGED, "\"../x\""},
    {"\"name\":\"Driver.run\"", "\"name\":\"\"", ERR_DAMAGED, "name of a file"},
    {"\"name\":\"Driver.run\"", "\"name\":\".hidden\"", ERR_DAMAGED, "name of a file"},
    {"\"name\":\"Driver.run\"", "\"name\":\"-rf\"", ERR_DAMAGED, "name of a file"},
    {"\"name\":\"Driver.run\"", "\"name\":\"Nul.txt\"", ERR_DAMAGED, "name of a file"},
    {"\"name\":\"Driver.run\"", "\"name\":\"a\\u0000b\"", ERR_DAMAGED, ""},
    {"\"name\":\"Driver.run\"", "\"name\":\"zz\"", ERR_DAMAGED, "sorted"},
    {"\"name\":\"Driver.run\"", "\"name\":\"starter.yaml\"", ERR_DAMAGED, "each once"},
    {"\"name\":\"Driver.run\"", "\"name\":\"Starter.yaml\"", ERR_DAMAGED, "case"},
    {"\"size\":900,\"mediaType\":\"application/yaml\"",
	"\"size\":901,\"mediaType\":\"application/yaml\"", ERR_DAMAGED, "900"},
    {"\"size\":900,\"mediaType\":\"application/yaml\"", "\"size\":900", ERR_DAMAGED,
	"mediaType"},
    {"\"Driver.run\",\"blob\":\"sha256:",
	"\"Driver.run\",\"blob\":\"sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\",\"x\":\"",
	ERR_DAMAGED, "found none"},
    {"\"platforms\":[\"linux/amd64\"]", "\"platforms\":[7]", ERR_DAMAGED, "platforms"},
    {"\"referrers\":[]", "\"referrers\":{}", ERR_DAMAGED, "referrers"},
    {"\"referrers\":[]", "\"referrers\":[7]", ERR_DAMAGED, "digest"},
    {"\"referrers\":[]",
	"\"referrers\":[{\"digest\":\"sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\",\"mediaType\":"
	"\"m\","
	"\"artifactType\":\"a\",\"via\":\"mail\"}]",
	ERR_DAMAGED, "via"},
    {"\"referrers\":[]",
	"\"referrers\":[{\"digest\":\"sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\",\"mediaType\":"
	"\"m\","
	"\"artifactType\":\"a\",\"via\":\"tag:-x\"}]",
	ERR_DAMAGED, "via"},
    {"\"referrers\":[]",
	"\"referrers\":[{\"digest\":\"sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\",\"mediaType\":"
	"\"m\","
	"\"artifactType\":\"a\",\"via\":\"api\"}]",
	ERR_DAMAGED, "found none"},
    {"\"base\":null", "\"base\":\"sha256:0\"", ERR_FORMAT, "base"},
    {"\"base\":null,", "", ERR_DAMAGED, "base"},
    {"\"absent\":[]", "\"absent\":[\"sha256:0\"]", ERR_FORMAT, "absent"},
    {"\"absent\":[],", "", ERR_DAMAGED, "absent"},
    {"\"absent\":[]", "\"absent\":[],\"absent\":[]", ERR_DAMAGED, "twice"},
    {"\"files\":[", "\"x\":1,\"x\":1,\"files\":[", ERR_DAMAGED, "\"x\" once"},
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

struct name_row {
	const char *text;
	bool good;
};

Test(names, of_files)
{
	static const struct name_row names[] = {{"a", true}, {"_x", true}, {"0.1", true},
	    {"immuta-values.yaml", true}, {"CONSOLE.txt", true}, {"com", true}, {"com10", true},
	    {"null", true}, {"lpt.0", true}, {"", false}, {".", false}, {"..", false},
	    {".x", false}, {"-x", false}, {"x.", false}, {"a/b", false}, {"a\\b", false},
	    {"a b", false}, {"a:b", false}, {"\xc3\xa4", false}, {"a\nb", false},
	    {"CON", false}, {"con", false}, {"Prn.txt", false}, {"aux.tar.gz", false},
	    {"NUL", false}, {"COM1", false}, {"com9.log", false}, {"lpt0", false}};
	char text[FILE_NAME_MAX + 2] = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_expect_eq(
		    name_is_file(slice_of(names[i].text)), names[i].good, "%s", names[i].text);
	(void)memset(text, 'x', FILE_NAME_MAX);
	cr_expect(name_is_file(slice_of(text)));
	text[FILE_NAME_MAX] = 'x';
	cr_expect_not(name_is_file(slice_of(text)));
	cr_expect_not(name_is_file(slice_at("a\0b", 3)));
}

Test(names, of_charts_channels_and_labels)
{
	static const struct name_row charts[] = {{"immuta-4.13.5.tgz", true},
	    {"a-1.0.0+build.7.tgz", true}, {"../a-1.tgz", false}, {"a/b-1.tgz", false},
	    {"-a-1.tgz", false}, {"con.a-1.tgz", false}, {"a-1 2.tgz", false}};
	static const struct name_row channels[] = {{"stable", true}, {"2024.1_x-y", true},
	    {"", false}, {"-x", false}, {".x", false}, {"a/b", false}, {"a+b", false}};
	static const struct name_row labels[] = {{"change", true}, {"example.com/team", true},
	    {"", false}, {"/x", false}, {"a b", false}, {"a=b", false}};
	static const struct name_row values[] = {{"", true}, {"CHG-1 \"a\" = b ~", true},
	    {"a\tb", false}, {"\x7f", false}, {"\xc3\xa4", false}, {"\x1b[2J", false}};
	static const struct {
		const struct name_row *rows;
		size_t count;
		bool (*good)(struct slice);
	} tables[] = {{charts, sizeof(charts) / sizeof(*charts), name_is_chart_file},
	    {channels, sizeof(channels) / sizeof(*channels), name_is_channel},
	    {labels, sizeof(labels) / sizeof(*labels), name_is_label},
	    {values, sizeof(values) / sizeof(*values), name_is_label_value}};

	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (size_t i = 0; i < tables[t].count; i++)
			cr_expect_eq(tables[t].good(slice_of(tables[t].rows[i].text)),
			    tables[t].rows[i].good, "table %zu, row %zu", t, i);
}
