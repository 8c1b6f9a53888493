#include "registry/chartindex.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

static const char index_text[] =
    "apiVersion: v1\n"
    "entries:\n"
    "  app:\n"
    "  - {version: 1.10, urls: [app-1.10.tgz], digest: ABC}\n"
    "  - {version: 1.9.3, urls: [\"https://other/app-1.9.3.tgz?x=%2B\"], unknown: {}}\n"
    "  - {version: 2.0.0-rc.1, urls: [app-2.0.0-rc.1.tgz]}\n"
    "  - {version: v1.10.2+build, urls: [a.tgz, b.tgz], digest: null}\n"
    "  - {version: 9.0.0}\n"
    "  - {version: 10.0.0, urls: []}\n"
    "  - {version: 20230101x, urls: [odd.tgz]}\n"
    "  empty: []\n"
    "  null-one: ~\n";

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
	    {"app", NULL, "a.tgz", NULL},
	    {"app", "1.1", NULL, NULL},
	    {"app", "9.0.0", NULL, NULL},
	    {"app", "10.0.0", NULL, NULL},
	    {"empty", NULL, NULL, NULL},
	    {"null-one", NULL, NULL, NULL},
	    {"nothing", "1.0.0", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(chart_entry_drop) struct chart_entry c = {0};
		struct err e = {0};
		const bool ok = chartindex_find(
		    slice_of(index_text), "index.yaml", rows[i].name, rows[i].version, &c, &e);
		cr_expect_eq(ok, rows[i].url != NULL, "row %zu: %s", i, e.text);
		cr_expect_eq(e.kind, ok ? ERR_NONE : ERR_MISSING, "row %zu: %s", i, e.text);
		if (!ok || !rows[i].url)
			continue;
		cr_expect_str_eq(c.url, rows[i].url, "row %zu", i);
		cr_expect_eq(c.digest != NULL, rows[i].digest != NULL, "row %zu", i);
	}
}

Test(chartindex, a_version_that_is_not_there_names_those_that_are)
{
	OWNED(chart_entry_drop) struct chart_entry c = {0};
	struct err e = {0};

	cr_assert_not(
	    chartindex_find(slice_of(index_text), "http://h/index.yaml", "app", "3", &c, &e));
	cr_expect_not_null(strstr(e.text, "1.10, 1.9.3, 2.0.0-rc.1"), "%s", e.text);
	cr_expect_not_null(strstr(e.text, "http://h/index.yaml"), "%s", e.text);
}

Test(chartindex, HLM_05_no_index)
{
	static const char *const bad[] = {"", "a: b\n", "entries: []\n", "<html></html>", "[1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWNED(chart_entry_drop) struct chart_entry c = {0};
		struct err e = {0};
		cr_expect_not(
		    chartindex_find(slice_of(bad[i]), "index.yaml", "app", "1", &c, &e));
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu: %s", i, e.text);
	}
}
