#include "manifests/semver.h"

#include <criterion/criterion.h>

struct row {
	const char *range;
	const char *version;
	bool in;
};

/* Most of these stand in the tests of Masterminds/semver 3. */
static const struct row rows[] = {
    {"=2.0.0", "1.2.3", false},
    {"=2.0.0", "2.0.0", true},
    {"=2.0", "1.2.3", false},
    {"=2.0", "2.0.0", true},
    {"=2.0", "2.0.1", true},
    {"4.1", "4.1.0", true},
    {"2", "2.3.4", true},
    {"2", "3.0.0", false},
    {"!=4.1.0", "4.1.0", false},
    {"!=4.1.0", "4.1.1", true},
    {"!=4.1", "4.1.0", false},
    {"!=4.1", "4.1.9", false},
    {"!=4.1", "5.1.0", true},
    {"!=4.x", "5.1.0", true},
    {"!=4.x", "4.1.0", false},
    {"!=4.1.x", "4.2.0", true},
    {"!=4.2.x", "4.2.3", false},
    {">1.1", "4.1.0", true},
    {">1.1", "1.1.0", false},
    {">1.1", "1.1.1", false},
    {">1.1", "1.2.0", true},
    {">0", "0.0.0", false},
    {">0", "1.0.0", true},
    {">0", "0.1.0", false},
    {">11", "11.1.0", false},
    {">11.1", "11.1.1", false},
    {">11.1", "11.2.0", true},
    {"<1.1", "0.1.0", true},
    {"<1.1", "1.1.0", false},
    {"<1.1", "1.1.1", false},
    {"<=1.1", "0.1.0", true},
    {"<=1.1", "1.1.0", true},
    {"<=1.1", "1.1.1", true},
    {"<=1.1", "1.2.0", false},
    {"<=11", "11.1.0", true},
    {"<=11", "12.0.0", false},
    {">=1.1", "4.1.0", true},
    {">=1.1", "1.1.0", true},
    {">=1.1", "0.0.9", false},
    {"=>1.1", "1.1.0", true},
    {"=<1.1", "1.2.0", false},
    {"<0", "0.0.0", false},
    {"*", "1.2.3", true},
    {"x", "1.2.3", true},
    {"X", "0.0.0", true},
    {"1.x", "1.9.9", true},
    {"1.*", "2.0.0", false},
    {"1.2.x", "1.2.9", true},
    {"1.2.X", "1.3.0", false},
    {"~1.2.3", "1.2.9", true},
    {"~1.2.3", "1.3.0", false},
    {"~1.2.3", "1.2.2", false},
    {"~1", "1.9.0", true},
    {"~1", "2.0.0", false},
    {"~1.2", "1.2.0", true},
    {"~1.2", "1.3.0", false},
    {"~>1.2.3", "1.2.4", true},
    {"~0.0.0", "9.9.9", true},
    {"~0.0.x", "0.1.0", false},
    {"~x", "7.0.0", true},
    {"~*", "2.1.1", true},
    {"^1.2.3", "1.9.9", true},
    {"^1.2.3", "2.0.0", false},
    {"^1.2.3", "1.2.2", false},
    {"^1.x", "1.1.1", true},
    {"^2.x", "1.1.1", false},
    {"^1", "1.9.9", true},
    {"^0.2.3", "0.2.9", true},
    {"^0.2.3", "0.3.0", false},
    {"^0.2", "0.2.1", true},
    {"^0.2", "0.3.0", false},
    {"^0.0.3", "0.0.3", true},
    {"^0.0.3", "0.0.4", false},
    {"^0.0", "0.0.9", true},
    {"^0.0", "0.1.0", false},
    {"^0.x", "0.9.0", true},
    {"^0", "0.9.0", true},
    {"^0", "1.0.0", false},
    {"^x", "3.2.1", true},
    {"1.2 - 1.4.5", "1.2.0", true},
    {"1.2 - 1.4.5", "1.4.5", true},
    {"1.2 - 1.4.5", "1.4.6", false},
    {"1.2 - 2.3", "2.3.9", true},
    {"1.2 - 2", "2.9.9", true},
    {"1.2  -  2", "3.0.0", false},
    {">=1.2 <2", "1.9.9", true},
    {">=1.2, <2", "2.0.0", false},
    {">=1.2,<2 , !=1.5.0", "1.5.0", false},
    {">= 1.2 , < 2", "1.5.0", true},
    {"1.1 || 2 || 3.x", "2.5.0", true},
    {"1.1 || 2 || 3.x", "4.0.0", false},
    {"<1||>=2 <3", "2.1.0", true},
    {"<1||>=2 <3", "1.1.0", false},
    {"v1.2.3", "1.2.3", true},
    {"1.2.3", "v1.2.3", true},
    {"1.2.3", "1.2.3+build", true},
    {"=1.2.3+a", "1.2.3+b", true},
    {"*", "1.2.3-rc.1", false},
    {">=1.0.0", "1.2.3-rc.1", false},
    {">=1.0.0-0", "1.2.3-rc.1", true},
    {">=1.0.0-0 <2.0.0", "1.2.3-rc.1", true},
    {"<2.0.0", "1.2.3-rc.1", false},
    {">=1.0.0-0 || <0.5.0", "0.4.0-rc.1", false},
    {"1.2.3-rc.1", "1.2.3-rc.1", true},
    {"1.2.3-rc.1", "1.2.3", false},
    {"^1.2.3-beta", "1.2.3-gamma", true},
    {"^1.2.3-beta", "1.2.3", true},
    {"~1.2.3-beta.2", "1.2.3-beta.4", true},
    {"~1.2.3-beta.2", "1.2.3-beta.1", false},
    {"!=1.2.3-beta", "1.2.3-gamma", true},
    {">1.0.0-alpha", "1.0.0-alpha.1", true},
};

Test(semver, HLM_09_HLM_08_ranges)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct range range;
		struct semver version;
		struct err e = {0};

		cr_assert(
		    range_parse(slice_of(rows[i].range), &range, &e), "row %zu: %s", i, e.text);
		cr_assert(semver_parse(slice_of(rows[i].version), &version), "row %zu", i);
		cr_expect_eq(range_has(&range, &version), rows[i].in, "row %zu: %s in %s", i,
		    rows[i].version, rows[i].range);
	}
}

Test(semver, HLM_09_what_is_no_range)
{
	static const char *const bad[] = {"", " ", "a", "1.2.3.4", "||", "1 ||", "|| 1", ">",
	    "1 -", "1,,2", ",1", "=!1", "==1", "1.2.3-", "1.2.3-a..b", "1.2.3-01", "latest",
	    "1.2 -2", ">=1.2 - 2", "1..2", "^^1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct range range;
		struct err e = {0};
		cr_expect_not(
		    range_parse(slice_of(bad[i]), &range, &e), "row %zu: %s", i, bad[i]);
		cr_expect_eq(e.kind, ERR_USAGE, "row %zu", i);
	}
}

Test(semver, HLM_08_order)
{
	static const char *const rising[] = {"0.0.0-0", "0.0.0", "0.1", "1.0.0-1", "1.0.0-2",
	    "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
	    "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1", "v1.0.1", "1.2", "1.10", "2",
	    "20230101.0.0"};

	for (size_t i = 0; i + 1 < sizeof(rising) / sizeof(rising[0]); i++) {
		struct semver a;
		struct semver b;
		cr_assert(semver_parse(slice_of(rising[i]), &a)
			  && semver_parse(slice_of(rising[i + 1]), &b));
		cr_expect_lt(semver_compare(&a, &b), 0, "%s, %s", rising[i], rising[i + 1]);
		cr_expect_gt(semver_compare(&b, &a), 0, "%s, %s", rising[i], rising[i + 1]);
		cr_expect_eq(semver_compare(&a, &a), 0, "%s", rising[i]);
	}
}

Test(semver, HOC_03_only_strict_versions_count)
{
	static const char *const good[] = {
	    "1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3+b-1", "10.20.30"};
	static const char *const bad[] = {"", "v1.2.3", "1.2", "1", "01.2.3", "1.02.3",
	    "1.2.03", "1.2.3_b", "latest", "1.2.3-", "1.2.3-01", "sha256-abc", "1.2.x"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(
		    semver_parse_strict(slice_of(good[i]), &(struct semver){0}), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(
		    semver_parse_strict(slice_of(bad[i]), &(struct semver){0}), "%s", bad[i]);
}
