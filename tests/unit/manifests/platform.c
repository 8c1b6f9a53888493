#include "manifests/platform.h"

#include <criterion/criterion.h>
#include <string.h>

static struct platform parsed(const char *text)
{
	struct platform p = {0};
	struct err e = {0};

	cr_assert(platform_parse(slice_of(text), &p, &e), "%s", e.text);
	return p;
}

Test(platform, PLT_02_other_names_are_one_platform)
{
	static const struct {
		const char *said;
		const char *meant;
	} rows[] = {
	    {"linux/amd64", "linux/amd64"},
	    {"linux/x86_64", "linux/amd64"},
	    {"linux/x86-64", "linux/amd64"},
	    {"linux/amd64/v1", "linux/amd64"},
	    {"linux/amd64/v2", "linux/amd64/v2"},
	    {"linux/x86_64/v3", "linux/amd64/v3"},
	    {"linux/arm64", "linux/arm64"},
	    {"linux/arm64/v8", "linux/arm64"},
	    {"linux/aarch64", "linux/arm64"},
	    {"linux/aarch64/v8", "linux/arm64"},
	    {"linux/arm64/v9", "linux/arm64/v9"},
	    {"linux/arm", "linux/arm/v7"},
	    {"linux/arm/v5", "linux/arm/v5"},
	    {"linux/armhf", "linux/arm/v7"},
	    {"linux/armel", "linux/arm/v6"},
	    {"linux/i386", "linux/386"},
	    {"linux/386", "linux/386"},
	    {"linux/s390x", "linux/s390x"},
	    {"windows/amd64", "windows/amd64"},
	};
	char text[PLATFORM_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct platform p = parsed(rows[i].said);
		const struct platform q = parsed(rows[i].meant);

		cr_expect_str_eq(
		    platform_text(&p, text), rows[i].meant, "row %zu: %s", i, rows[i].said);
		cr_expect(platform_equal(&p, &q), "row %zu: %s", i, rows[i].said);
	}
}

Test(platform, PLT_02_what_is_no_platform_is_refused_with_an_example)
{
	static const char *const rows[] = {"", "/", "linux", "linux/", "/amd64", "linux//v7",
	    "linux/arm/", "linux/arm/v7/", "linux/arm/v7/x", "linux/amd64 ", "li nux/amd64",
	    "linux/\xc3\xa4", "linux/amd64,linux/arm64",
	    "linuxlinuxlinuxlinuxlinuxlinuxli/amd64", "linux/arm/v7v7v7v7v7v7v7v7"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct platform p;
		struct err e = {0};

		cr_expect_not(
		    platform_parse(slice_of(rows[i]), &p, &e), "row %zu: %s", i, rows[i]);
		cr_expect_eq(e.kind, ERR_USAGE, "row %zu", i);
		cr_expect_not_null(strstr(e.text, "linux/amd64"), "row %zu: %s", i, e.text);
	}
	struct platform p;
	struct err e = {0};
	cr_expect_not(platform_parse(slice_at("linux/a\0b", 9), &p, &e));
}

Test(platform, what_a_document_says_is_cut_and_never_overflows)
{
	static const char endless[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct platform p;
	char text[PLATFORM_TEXT];

	platform_set(&p, slice_of(endless), slice_of(endless), slice_of(endless));
	cr_expect_eq(strlen(p.os), sizeof(p.os) - 1);
	cr_expect_eq(strlen(p.arch), sizeof(p.arch) - 1);
	cr_expect_eq(strlen(p.variant), sizeof(p.variant) - 1);
	cr_expect_lt(strlen(platform_text(&p, text)), sizeof(text));
	platform_set(&p, (struct slice){0}, (struct slice){0}, (struct slice){0});
	cr_expect_str_eq(platform_text(&p, text), "unknown");
}

/* For each wish, what serves it, best first; everything else in the list does not. */
Test(platform, PLT_03_exact_first_then_lower_variants)
{
	static const struct {
		const char *want;
		const char *serves[4];
	} rows[] = {
	    {"linux/amd64", {"linux/amd64"}},
	    {"linux/amd64/v2", {"linux/amd64/v2", "linux/amd64"}},
	    {"linux/amd64/v3", {"linux/amd64/v3", "linux/amd64/v2", "linux/amd64"}},
	    {"linux/arm/v5", {"linux/arm/v5"}},
	    {"linux/arm/v6", {"linux/arm/v6", "linux/arm/v5"}},
	    {"linux/arm/v7", {"linux/arm/v7", "linux/arm/v6", "linux/arm/v5"}},
	    {"linux/arm64", {"linux/arm64"}},
	    {"linux/arm64/v9", {"linux/arm64/v9", "linux/arm64"}},
	    {"linux/386", {"linux/386"}},
	    {"windows/amd64", {"windows/amd64"}},
	    {"linux/riscv64", {NULL}},
	};
	static const char *const offered[] = {"linux/amd64", "linux/amd64/v2", "linux/amd64/v3",
	    "linux/amd64/v4", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64",
	    "linux/arm64/v9", "linux/386", "windows/amd64", "linux/arm/weird"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct platform want = parsed(rows[i].want);

		for (size_t j = 0; j < sizeof(offered) / sizeof(offered[0]); j++) {
			const struct platform have = parsed(offered[j]);
			bool serves = false;

			for (size_t k = 0; k < 4 && rows[i].serves[k]; k++)
				serves = serves || strcmp(rows[i].serves[k], offered[j]) == 0;
			cr_expect_eq(platform_match(&want, &have) > 0, serves, "%s by %s",
			    rows[i].want, offered[j]);
		}
		for (size_t k = 1; k < 4 && rows[i].serves[k]; k++) {
			const struct platform better = parsed(rows[i].serves[k - 1]);
			const struct platform worse = parsed(rows[i].serves[k]);

			cr_expect_gt(platform_match(&want, &better),
			    platform_match(&want, &worse), "%s: %s before %s", rows[i].want,
			    rows[i].serves[k - 1], rows[i].serves[k]);
		}
	}
}
