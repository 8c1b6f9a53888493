#include "registry/chartindex.h"

#include "base/own.h"
#include "manifests/yamlstream.h"

#include <criterion/criterion.h>
#include <string.h>

static const char index_text[] =
    "\xef\xbb\xbf"
    "apiVersion: v1\r\n"
    "entries:\n"
    "  app:\n"
    "  - {version: 0.0.1, urls: [replaced.tgz]}\n"
    "  other: &any\n"
    "  - {version: 7.0.0, urls: [other.tgz]}\n"
    "  app:\n"
    "  - {version: 1.10, urls: [app-1.10.tgz], digest: ABC}\n"
    "  - {version: 1.9.3, urls: [\"https://other/app-1.9.3.tgz?x=%2B\"], unknown: {a: [b]}}\n"
    "  - {version: 2.0.0-rc.1, urls: [app-2.0.0-rc.1.tgz]}\n"
    "  - {version: v1.10.2+build, urls: [a.tgz, b.tgz], digest: null}\n"
    "  - {version: 9.0.0}\n"
    "  - {version: 10.0.0, urls: []}\n"
    "  - {urls: [no-version.tgz]}\n"
    "  - {version: ~, urls: [null-version.tgz]}\n"
    "  - {version: [1], urls: {a: b}}\n"
    "  - ~\n"
    "  - *any\n"
    "  - {version: 1e3, urls: [~, first.tgz]}\n"
    "  - {version: 20230101x, urls: [odd.tgz]}\n"
    "  empty: []\n"
    "  null-one: ~\n"
    "  aliased: *any\n"
    "  ? [a, key]\n"
    "  : value\n"
    "generated: 2024-01-01T00:00:00Z\n";

static bool read_text(
    const char *text, const char *name, struct chart_entries *out, struct err *e)
{
	struct mem_source from;

	mem_source_init(&from, slice_of(text));
	return chartindex_read(&from.source, "http://h/index.yaml", name, out, e);
}

struct row {
	const char *name;
	const char *version;
	const char *url; /* NULL: missing */
	const char *digest;
};

Test(chartindex, HLM_05_HLM_06_HLM_08_rows)
{
	static const struct row rows[] = {
	    {"app", "1.10", "app-1.10.tgz", "ABC"},
	    {"app", "1.9.3", "https://other/app-1.9.3.tgz?x=%2B", NULL},
	    {"app", "2.0.0-rc.1", "app-2.0.0-rc.1.tgz", NULL},
	    {"app", "20230101x", "odd.tgz", NULL},
	    {"app", "1e3", "first.tgz", NULL},
	    {"app", NULL, "a.tgz", NULL},
	    {"app", "*", "a.tgz", NULL},
	    {"app", ">=1-0", "app-2.0.0-rc.1.tgz", NULL},
	    {"app", "~1.9", "https://other/app-1.9.3.tgz?x=%2B", NULL},
	    {"app", "1.10.2", "a.tgz", NULL},
	    {"app", "1.1", NULL, NULL},
	    {"app", "9.0.0", NULL, NULL},
	    {"app", "10.0.0", NULL, NULL},
	    {"app", "0.0.1", NULL, NULL},
	    {"app", "no range", NULL, NULL},
	    {"empty", NULL, NULL, NULL},
	    {"null-one", NULL, NULL, NULL},
	    {"aliased", NULL, NULL, NULL},
	    {"nothing", "1.0.0", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(chart_entries_drop) struct chart_entries entries = {0};
		const struct chart_entry *c = NULL;
		struct err e = {0};
		cr_assert(read_text(index_text, rows[i].name, &entries, &e), "%s", e.text);
		const bool ok = chartindex_choose(
		    &entries, "index.yaml", rows[i].name, rows[i].version, &c, &e);
		cr_expect_eq(ok, rows[i].url != NULL, "row %zu: %s", i, e.text);
		cr_expect_eq(e.kind, ok ? ERR_NONE : ERR_MISSING, "row %zu: %s", i, e.text);
		if (!ok || !rows[i].url)
			continue;
		cr_expect_str_eq(c->urls[0], rows[i].url, "row %zu", i);
		cr_expect_eq(c->digest != NULL, rows[i].digest != NULL, "row %zu", i);
	}
}

Test(chartindex, HLM_05_what_is_passed_over_is_counted)
{
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	struct err e = {0};

	cr_assert(read_text(index_text, "app", &entries, &e));
	cr_expect_eq(entries.count, 6);
	cr_expect_eq(entries.odd, 7);
	cr_expect(entries.twice && entries.found);
}

Test(chartindex, HLM_11_every_address_is_kept)
{
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	const struct chart_entry *c = NULL;
	struct err e = {0};

	cr_assert(read_text(index_text, "app", &entries, &e));
	cr_assert(chartindex_choose(&entries, "i", "app", "v1.10.2+build", &c, &e));
	cr_assert_eq(c->url_count, 2);
	cr_expect_str_eq(c->urls[1], "b.tgz");
}

Test(chartindex, HLM_05_as_JSON)
{
	static const char json[] =
	    "{\"apiVersion\":\"v1\",\"entries\":{\"app\":[{\"version\":\"1.2.3\",\"urls\":"
	    "[\"a\\u002etgz\"]}]}}";
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	struct err e = {0};

	cr_assert(read_text(json, "app", &entries, &e), "%s", e.text);
	cr_assert_eq(entries.count, 1);
	cr_expect_str_eq(entries.items[0].urls[0], "a.tgz");
}

Test(chartindex, a_version_that_is_not_there_names_those_that_are)
{
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	const struct chart_entry *c = NULL;
	struct err e = {0};

	cr_assert(read_text(index_text, "app", &entries, &e));
	cr_assert_not(chartindex_choose(&entries, "http://h/index.yaml", "app", "3", &c, &e));
	cr_expect_not_null(strstr(e.text, "1.10, 1.9.3, 2.0.0-rc.1"), "%s", e.text);
	cr_expect_not_null(strstr(e.text, "http://h/index.yaml"), "%s", e.text);
}

Test(chartindex, HLM_05_no_index)
{
	static const char *const bad[] = {"", "a: b\n", "apiVersion: v1\nentries: []\n",
	    "<html></html>", "[1", "entries: {}\n", "apiVersion: ~\nentries: {}\n",
	    "apiVersion: v1\n", "apiVersion: v1\nentries:\n\tapp: []\n",
	    "apiVersion: v1\nentries: {\xff: []}\n", "- apiVersion: v1\n", "*a",
	    "apiVersion: v1\nentries: {app: [{version: 1, urls: [x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWNED(chart_entries_drop) struct chart_entries entries = {0};
		struct err e = {0};
		cr_expect_not(read_text(bad[i], "app", &entries, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu: %s", i, e.text);
	}
}

Test(chartindex, HLM_07_limits)
{
	OWNED(buf_drop) struct buf text = BUF(16 * 1024 * 1024);
	struct err e = {0};

	for (int kind = 0; kind < 3; kind++) {
		OWNED(chart_entries_drop) struct chart_entries entries = {0};
		buf_clear(&text);
		buf_adds(&text, "apiVersion: v1\nentries:\n  app:\n");
		if (kind == 0)
			for (int i = 0; i <= CHART_VERSIONS_MAX; i++)
				buf_adds(&text, "  - {version: 1, urls: [a]}\n");
		if (kind == 1) {
			buf_adds(&text, "  - {version: 1, urls: [a], description: \"");
			for (int i = 0; i < 3 * YAML_PIECE_MAX / 10; i++)
				buf_adds(&text, "0123456789");
			buf_adds(&text, "\"}\n");
		}
		if (kind == 2) {
			buf_adds(&text, "  - deep: ");
			for (int i = 0; i < 100; i++)
				buf_adds(&text, "[");
		}
		err_clear(&e);
		cr_expect_not(read_text(buf_text(&text), "app", &entries, &e), "row %d", kind);
		cr_expect_eq(e.kind, ERR_LIMIT, "row %d: %s", kind, e.text);
	}
}
