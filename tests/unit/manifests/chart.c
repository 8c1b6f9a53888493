#include "manifests/chart.h"

#include "base/own.h"
#include "manifests/json.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
	TGZ_MAX = 9 * 1024 * 1024,
	MIB = 1024 * 1024,
};

#define METADATA "apiVersion: v2\nname: demo\nversion: 1.10\n"

/* One entry of a .tgz to make. */
struct file {
	const char *path;
	const char *text; /* NULL: size zeros */
	size_t size;
	mode_t type;	  /* 0: a regular file */
	const char *link; /* of a hard link */
};

static void add_file(struct archive *a, const struct file *f)
{
	static const char zeros[MIB];
	struct archive_entry *entry = archive_entry_new();
	size_t left = f->text ? strlen(f->text) : f->size;

	archive_entry_set_pathname(entry, f->path);
	archive_entry_set_filetype(entry, f->type ? f->type : AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)left);
	if (f->type == AE_IFLNK)
		archive_entry_set_symlink(entry, "Chart.yaml");
	if (f->link)
		archive_entry_set_hardlink(entry, f->link);
	cr_assert_eq(archive_write_header(a, entry), ARCHIVE_OK, "%s", archive_error_string(a));
	while (left) {
		const size_t len = f->text || left < sizeof zeros ? left : sizeof zeros;
		cr_assert_eq(
		    archive_write_data(a, f->text ? f->text : zeros, len), (la_ssize_t)len);
		left -= len;
	}
	archive_entry_free(entry);
}

/* A .tgz of the files up to one without a path, by libarchive's own writer. */
static void make_tgz(struct buf *out, const struct file *files)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	buf_init(out, TGZ_MAX);
	char *bytes = own_array(TGZ_MAX, 1);
	(void)archive_write_add_filter_gzip(a);
	(void)archive_write_set_format_pax_restricted(a);
	cr_assert_eq(archive_write_open_memory(a, bytes, TGZ_MAX, &used), ARCHIVE_OK);
	for (; files->path; files++)
		add_file(a, files);
	cr_assert_eq(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	buf_add(out, bytes, used);
	free(bytes);
}

static bool read_files(const struct file *files, struct chart **chart, struct err *e)
{
	OWNED(buf_drop) struct buf tgz = {0};

	make_tgz(&tgz, files);
	return chart_read(buf_slice(&tgz), chart, e);
}

Test(chart, HLM_06_name_and_versions_are_text)
{
	static const struct file files[] = {
	    {.path = "demo/", .type = AE_IFDIR},
	    {.path = "demo/Chart.yaml", .text = METADATA "appVersion: 1e3\n"},
	    {.path = "demo/values.yaml", .text = "a: 1\n"},
	    {.path = "demo/charts/sub/Chart.yaml", .text = "name: sub\n"},
	    {.path = "demo/charts/sub/values.yaml", .text = "b: 1\n"},
	    {.path = "demo/templates/"
		     "a-name-that-is-so-long-that-no-header-of-the-first-tar-could-"
		     "hold-it-in-its-hundred-bytes/and-that-goes-on.yaml",
		.text = "x"},
	    {0},
	};
	OWNED(chart_drop) struct chart *c = NULL;
	struct err e = {0};

	cr_assert(read_files(files, &c, &e), "%s", e.text);
	cr_expect_str_eq(c->name, "demo");
	cr_expect_str_eq(c->version, "1.10");
	cr_expect_str_eq(c->app_version, "1e3");
	cr_expect_str_eq(buf_text(&c->metadata), METADATA "appVersion: 1e3\n");
	cr_expect_str_eq(buf_text(&c->values), "a: 1\n");
}

Test(chart, without_values_and_app_version)
{
	static const struct file files[] = {
	    {.path = "._demo", .text = "finder"},
	    {.path = "demo/._Chart.yaml", .text = "finder"},
	    {.path = "demo/Chart.yaml", .text = METADATA "appVersion:\n"},
	    {0},
	};
	OWNED(chart_drop) struct chart *c = NULL;
	struct err e = {0};

	cr_assert(read_files(files, &c, &e), "%s", e.text);
	cr_expect_null(c->app_version);
	cr_expect_eq(c->values.len, 0);
}

Test(chart, HLM_20_refused_entries)
{
	static const struct {
		const char *name;
		struct file file;
	} rows[] = {
	    {"parent", {.path = "demo/../x", .text = ""}},
	    {"parent first", {.path = "../demo/x", .text = ""}},
	    {"dot", {.path = "./demo/x", .text = ""}},
	    {"absolute", {.path = "/demo/x", .text = ""}},
	    {"empty part", {.path = "demo//values.yaml", .text = ""}},
	    {"backslash", {.path = "demo\\Chart.yaml", .text = METADATA}},
	    {"outside", {.path = "values.yaml", .text = ""}},
	    {"other folder", {.path = "other/x", .text = ""}},
	    {"symlink", {.path = "demo/link", .text = "", .type = AE_IFLNK}},
	    {"symlink as values", {.path = "demo/values.yaml", .text = "", .type = AE_IFLNK}},
	    {"hard link", {.path = "demo/hard", .text = "", .link = "demo/Chart.yaml"}},
	    {"device", {.path = "demo/null", .text = "", .type = AE_IFCHR}},
	    {"pipe", {.path = "demo/pipe", .text = "", .type = AE_IFIFO}},
	    {"second Chart.yaml", {.path = "demo/Chart.yaml", .text = METADATA}},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct file files[] = {
		    {.path = "demo/Chart.yaml", .text = METADATA}, rows[i].file, {0}};
		OWNED(chart_drop) struct chart *c = NULL;
		struct err e = {0};

		cr_expect_not(read_files(files, &c, &e), "%s", rows[i].name);
		cr_expect_eq(e.kind, ERR_FORMAT, "%s: %s", rows[i].name, e.text);
	}
}

Test(chart, refused_metadata)
{
	static const char *const rows[] = {"", "name: demo\n", "version: 1\n", "- a\n",
	    "name: ../x\nversion: 1\n", "name: [a]\nversion: 1\n", "name: a/b\nversion: 1\n",
	    "name: a\nversion: \"1 2\"\n", "name: a\nversion: -1\n", "name: a\nversion: 1/2\n",
	    "name: a\n\tversion: 1\n", "name: \"a\\0b\"\nversion: 1\n"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct file files[] = {{.path = "demo/Chart.yaml", .text = rows[i]}, {0}};
		OWNED(chart_drop) struct chart *c = NULL;
		struct err e = {0};

		cr_expect_not(read_files(files, &c, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu: %s", i, e.text);
	}
}

Test(chart, HLM_13_what_came_instead)
{
	static const struct {
		const char *text;
		const char *found;
	} rows[] = {
	    {"", "found nothing"},
	    {"\r\n ", "found nothing"},
	    {"<!DOCTYPE html><title>Log in</title>", "found an HTML page"},
	    {"\n<html>", "found an HTML page"},
	    {"{\"errors\":[]}", "found JSON"},
	    {"PK\3\4", "found something else"},
	    {"\x1f\x8b", "found a damaged one"},
	    {"\x1f\x8b\x08\0\0\0\0\0\0\3 and then none", "found a damaged one"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(chart_drop) struct chart *c = NULL;
		struct err e = {0};

		cr_assert_not(chart_read(slice_of(rows[i].text), &c, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_not_null(strstr(e.text, rows[i].found), "row %zu: %s", i, e.text);
	}
}

Test(chart, every_truncation_and_no_metadata)
{
	static const struct file files[] = {{.path = "demo/Chart.yaml", .text = METADATA},
	    {.path = "demo/values.yaml", .text = "a: 1\n"}, {0}};
	static const struct file none[] = {
	    {.path = "demo/charts/a/Chart.yaml", .text = METADATA}, {0}};
	OWNED(buf_drop) struct buf tgz = {0};
	OWNED(chart_drop) struct chart *c = NULL;
	struct err e = {0};

	cr_expect_not(read_files(none, &c, &e));
	make_tgz(&tgz, files);
	cr_assert_gt(tgz.len, 100);
	/* The last bytes hold zeros and a checksum, which a reader of tar may leave unread. */
	for (size_t len = 0; len < tgz.len - 32; len++) {
		OWNED(chart_drop) struct chart *cut = NULL;

		err_clear(&e);
		cr_expect_not(
		    chart_read(slice_at(tgz.ptr, len), &cut, &e), "%zu of %zu", len, tgz.len);
	}
}

/* A chart with a file of size zeros besides Chart.yaml. */
static bool reads_zeros(const char *path, size_t size, struct err *e)
{
	const struct file files[] = {
	    {.path = "demo/Chart.yaml", .text = METADATA}, {.path = path, .size = size}, {0}};
	OWNED(chart_drop) struct chart *c = NULL;

	err_clear(e);
	return read_files(files, &c, e);
}

Test(chart, limits_of_sizes)
{
	struct err e = {0};

	cr_expect(reads_zeros("demo/big", MIB - 64, &e), "%s", e.text);
	cr_expect_not(reads_zeros("demo/big", 20 * MIB, &e), "a ratio of 1,000");
	cr_expect_eq(e.kind, ERR_LIMIT);
	cr_expect_not(reads_zeros("demo/values.yaml", 20 * MIB, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
	cr_expect_not(reads_zeros("demo/big", 101 * MIB, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
}

static bool reads_count(size_t count, struct err *e)
{
	OWNED(drop_any) struct file *files = own_array(count + 1, sizeof *files);
	OWNED(chart_drop) struct chart *c = NULL;

	for (size_t i = 1; i < count; i++)
		files[i] = (struct file){.path = "demo/x", .text = ""};
	files[0] = (struct file){.path = "demo/Chart.yaml", .text = METADATA};
	err_clear(e);
	return read_files(files, &c, e);
}

Test(chart, limit_of_entries)
{
	struct err e = {0};

	cr_expect(reads_count(10000, &e), "%s", e.text);
	cr_expect_not(reads_count(10001, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
}

/* The config and manifest of a chart with this Chart.yaml. */
static bool make_oci(
    const char *metadata, struct buf *config, struct buf *manifest, struct err *e)
{
	const struct file files[] = {{.path = "demo/Chart.yaml", .text = metadata}, {0}};
	const struct descriptor tgz = {.size = 5};
	OWNED(chart_drop) struct chart *c = NULL;

	*config = BUF(MIB);
	*manifest = BUF(MIB);
	cr_assert(read_files(files, &c, e), "%s", e->text);
	return chart_oci(c, &tgz, NULL, config, manifest, e);
}

Test(chart, HOC_05_deterministic_documents)
{
	static const char metadata[] =
	    "version: 1.2.0+b\nappVersion: 1.10\nname: demo\nname: demo\ndeprecated: true\n"
	    "keywords: [a, &x \"b\"]\nicon: ~\nunknown: 1\n"
	    "annotations: {k: 1.0, org.opencontainers.image.title: no}\n"
	    "dependencies:\n- {name: sub, version: *x, enabled: true}\napiVersion: v2\n";
	static const char want_config[] =
	    "{\"name\":\"demo\",\"version\":\"1.2.0+b\",\"keywords\":[\"a\",\"b\"],"
	    "\"apiVersion\":\"v2\","
	    "\"appVersion\":\"1.10\",\"deprecated\":true,\"annotations\":{\"k\":\"1.0\","
	    "\"org.opencontainers.image.title\":\"no\"},\"dependencies\":[{\"name\":\"sub\","
	    "\"version\":\"b\",\"enabled\":true}]}";
	OWNED(buf_drop) struct buf config = {0};
	OWNED(buf_drop) struct buf manifest = {0};
	OWNED(json_drop) struct json *doc = NULL;
	struct digest d;
	char text[DIGEST_TEXT];
	struct err e = {0};

	cr_assert(make_oci(metadata, &config, &manifest, &e), "%s", e.text);
	cr_expect_str_eq(buf_text(&config), want_config);
	cr_assert(json_parse(buf_slice(&manifest), "manifest", &doc, &e), "%s", e.text);
	const struct json *part = json_get(doc, "config");
	digest_of(buf_slice(&config), &d);
	cr_expect(slice_is(json_text(json_get(part, "digest")), digest_text(&d, text)));
	cr_expect(slice_is(json_text(json_get(part, "mediaType")), MEDIA_CHART_CONFIG));
	const struct json *layer = json_at(json_get(doc, "layers"), 0);
	cr_expect(slice_is(json_text(json_get(layer, "mediaType")), MEDIA_CHART_CONTENT));
	const struct json *notes = json_get(doc, "annotations");
	cr_expect(
	    slice_is(json_text(json_get(notes, "org.opencontainers.image.title")), "demo"));
	cr_expect(slice_is(json_text(json_get(notes, "k")), "1.0"));
}

/* Helm reads these two members as true or false, and the same names elsewhere as text. */
Test(chart, HOC_05_truth_values)
{
	static const struct {
		const char *label;
		const char *metadata;
		const char *want;
	} rows[] = {
	    {"yes", "deprecated: yes\n", "\"deprecated\":true"},
	    {"on", "deprecated: on\n", "\"deprecated\":true"},
	    {"True", "deprecated: True\n", "\"deprecated\":true"},
	    {"TRUE", "deprecated: TRUE\n", "\"deprecated\":true"},
	    {"no", "deprecated: no\n", "\"deprecated\":false"},
	    {"off", "deprecated: Off\n", "\"deprecated\":false"},
	    {"behind an alias", "icon: &t on\ndeprecated: *t\n",
		"\"icon\":\"on\",\"apiVersion\":\"v2\",\"deprecated\":true"},
	    {"dependencies",
		"dependencies: [{name: a, enabled: Yes}, {name: b, enabled: FALSE}]\n",
		"[{\"name\":\"a\",\"enabled\":true},{\"name\":\"b\",\"enabled\":false}]"},
	    {"annotations", "annotations: {enabled: yes, deprecated: later}\n",
		"\"annotations\":{\"enabled\":\"yes\",\"deprecated\":\"later\"}"},
	    {"deprecated in a dependency", "dependencies: [{name: a, deprecated: yes}]\n",
		"[{\"name\":\"a\",\"deprecated\":\"yes\"}]"},
	    {"enabled deeper", "dependencies: [{import-values: [{enabled: yes}]}]\n",
		"[{\"import-values\":[{\"enabled\":\"yes\"}]}]"},
	    {"an alias to another's enabled",
		"maintainers: [{enabled: &m yes}]\nkeywords: [*m]\n",
		"\"keywords\":[\"yes\"],\"maintainers\":[{\"enabled\":\"yes\"}]"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf metadata = BUF(4096);
		OWNED(buf_drop) struct buf config = {0};
		OWNED(buf_drop) struct buf manifest = {0};
		struct err e = {0};

		buf_addf(&metadata, "%s%s", METADATA, rows[i].metadata);
		cr_assert(make_oci(buf_text(&metadata), &config, &manifest, &e), "%s", e.text);
		cr_expect(strstr(buf_text(&config), rows[i].want), "%s: found %s",
		    rows[i].label, buf_text(&config));
	}
}

Test(chart, HOC_04_names_that_no_repository_has)
{
	OWNED(buf_drop) struct buf config = {0};
	OWNED(buf_drop) struct buf manifest = {0};
	struct err e = {0};

	cr_expect_not(make_oci("name: Demo\nversion: 1\n", &config, &manifest, &e));
	cr_expect_eq(e.kind, ERR_FORMAT);
}

Test(chart, aliases_that_multiply_end)
{
	OWNED(buf_drop) struct buf text = BUF(MIB);
	OWNED(buf_drop) struct buf config = {0};
	OWNED(buf_drop) struct buf manifest = {0};
	struct err e = {0};

	buf_adds(&text, METADATA "annotations:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 30; i++) {
		buf_addf(&text, "  a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_addf(&text, "*a%d,", i - 1);
		buf_adds(&text, "]\n");
	}
	cr_expect_not(make_oci(buf_text(&text), &config, &manifest, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
}

Test(chart, HOC_03_tags)
{
	char long_version[200];
	char out[129];

	memset(long_version, 'a', sizeof long_version - 1);
	long_version[sizeof long_version - 1] = '\0';
	cr_expect_str_eq(chart_tag("1.2.0+a+b", out), "1.2.0_a_b");
	cr_expect_str_eq(chart_tag("v1.10", out), "v1.10");
	cr_expect_eq(strlen(chart_tag(long_version, out)), 128);
}
