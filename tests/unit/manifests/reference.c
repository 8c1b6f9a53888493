#include "manifests/reference.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA "sha256:" HEX
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X64 "x" X63
#define X255 X64 X64 X64 X63
#define X128 X64 X64

static void expect_parts(const char *text, const char *host, const char *path, const char *tag)
{
	struct reference r;
	struct err e = {0};

	if (!reference_parse(slice_of(text), &r, &e)) {
		cr_expect_fail("%s: %s", text, e.text);
		return;
	}
	cr_expect_str_eq(r.host, host, "%s: host %s", text, r.host);
	cr_expect_str_eq(r.path, path, "%s: path %s", text, r.path);
	cr_expect_str_eq(r.tag, tag, "%s: tag %s", text, r.tag);
	cr_expect_eq(r.has_digest, strchr(text, '@') != NULL, "%s", text);
}

Test(reference, REF_01_REF_02_REF_03_REF_04_REF_05_REF_06_REF_08_REF_13_what_each_text_names)
{
	static const struct {
		const char *text;
		const char *host;
		const char *path;
		const char *tag;
	} rows[] = {
	    /* REF-03, REF-04, REF-06 */
	    {"nginx", "docker.io", "library/nginx", "latest"},
	    {"nginx:1", "docker.io", "library/nginx", "1"},
	    {"bitnami/nginx:1", "docker.io", "bitnami/nginx", "1"},
	    {"docker.io/nginx", "docker.io", "library/nginx", "latest"},
	    {"docker.io/bitnami/nginx", "docker.io", "bitnami/nginx", "latest"},
	    {"index.docker.io/nginx", "docker.io", "library/nginx", "latest"},
	    {"index.docker.io/a/b", "docker.io", "a/b", "latest"},
	    {"registry-1.docker.io/library/nginx", "registry-1.docker.io", "library/nginx",
		"latest"},
	    {"registry-1.docker.io/nginx", "registry-1.docker.io", "nginx", "latest"},
	    {"quay.io/foo", "quay.io", "foo", "latest"},
	    /* REF-02 */
	    {"foo/bar", "docker.io", "foo/bar", "latest"},
	    {"localhost/x", "localhost", "x", "latest"},
	    {"localhost", "docker.io", "library/localhost", "latest"},
	    {"localhost:5000/x", "localhost:5000", "x", "latest"},
	    {"Foo/bar", "Foo", "bar", "latest"},
	    {"foo:5000", "docker.io", "library/foo", "5000"},
	    {"foo:5000/bar", "foo:5000", "bar", "latest"},
	    {"foo:5000/bar:5000", "foo:5000", "bar", "5000"},
	    {"a.b", "docker.io", "library/a.b", "latest"},
	    {"192.168.0.1/x", "192.168.0.1", "x", "latest"},
	    {"xn--n3h.com/x", "xn--n3h.com", "x", "latest"},
	    {"h:443/x", "h:443", "x", "latest"},
	    {"[::1]:5000/x", "[::1]:5000", "x", "latest"},
	    {"[fc00::1]/x:1", "[fc00::1]", "x", "1"},
	    /* REF-01 */
	    {"a.b/c/d/e:1", "a.b", "c/d/e", "1"},
	    {"q.io/a.b/c_d/e__f/g-h/i---j/0", "q.io", "a.b/c_d/e__f/g-h/i---j/0", "latest"},
	    {"a--b", "docker.io", "library/a--b", "latest"},
	    {"x:_x", "docker.io", "library/x", "_x"},
	    {"x:V1.0_a-B", "docker.io", "library/x", "V1.0_a-B"},
	    {"x:" X128, "docker.io", "library/x", X128},
	    /* REF-05, REF-06: a digest needs no tag, and keeps one */
	    {"x@" SHA, "docker.io", "library/x", ""},
	    {"a.b/c/d/e:1@" SHA, "a.b", "c/d/e", "1"},
	    {"h:5000/x@" SHA, "h:5000", "x", ""},
	    /* REF-07: 64 hex digits are no name, but with a host or as a part they are */
	    {"quay.io/" HEX, "quay.io", HEX, "latest"},
	    {"a/" HEX, "docker.io", "a/" HEX, "latest"},
	    /* REF-13 */
	    {"docker://quay.io/foo:1", "quay.io", "foo", "1"},
	    {"oci://charts.corp/immuta", "charts.corp", "immuta", "latest"},
	    /* 255 characters of a path are accepted */
	    {"h.io/" X255, "h.io", X255, "latest"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_parts(rows[i].text, rows[i].host, rows[i].path, rows[i].tag);
}

Test(reference, REF_01_REF_07_what_is_no_reference)
{
	static const struct {
		const char *text;
		const char *why; /* a part of the sentence */
	} rows[] = {
	    {"", "empty"},
	    {"docker://", "empty"},
	    {"http://quay.io/foo", "leave the scheme out"},
	    {"https://quay.io/foo", "leave the scheme out"},
	    {HEX, "id, not its name"},
	    {HEX ":1", "id, not its name"},
	    {"x:", "a tag is"},
	    {"x:.x", "a tag is"},
	    {"x:-x", "a tag is"},
	    {"x:a+b", "a tag is"},
	    {"x:a b", "a tag is"},
	    {"x:" X128 "x", "a tag is"},
	    {"x:1:2", "a path is"},
	    {"-x", "a path is"},
	    {"a_/b", "a path is"},
	    {"library/-x", "a path is"},
	    {"x-", "a path is"},
	    {"x_", "a path is"},
	    {".x", "a path is"},
	    {"UPPER", "a path is"},
	    {"q.io/UPPER/x", "a path is"},
	    {"a..b", "a path is"},
	    {"a___b", "a path is"},
	    {"a._b", "a path is"},
	    {"a-_b", "a path is"},
	    {"x//y", "a path is"},
	    {"x/", "a path is"},
	    {"/x", "a path is"},
	    {"/", "a path is"},
	    {"q.io/", "a path is"},
	    {"q.io//x", "a path is"},
	    {"a b", "a path is"},
	    {" x", "a path is"},
	    {"x ", "a path is"},
	    {"x\n", "a path is"},
	    {"\"x\"", "a path is"},
	    {"a/../b", "a path is"},
	    {"m\xc3\xa4h", "a path is"},
	    {"x?y", "a path is"},
	    {"x%41", "a path is"},
	    {"../x", "the host is not one"},
	    {"q..io/x", "the host is not one"},
	    {"-q.io/x", "the host is not one"},
	    {"q.io-/x", "the host is not one"},
	    {"q_q.io/x", "the host is not one"},
	    {"user@q.io/x", "expected a digest"},
	    {"q.io:/x", "the host is not one"},
	    {"q.io:0/x", "the host is not one"},
	    {"q.io:65536/x", "the host is not one"},
	    {"q.io:5000a/x", "the host is not one"},
	    {"q.io:-1/x", "the host is not one"},
	    {"q.io:1:2/x", "the host is not one"},
	    {"fc00::1/x", "the host is not one"},
	    {"[fc00::1/x", "the host is not one"},
	    {"[]:5000/x", "the host is not one"},
	    {"[fe80::1%25eth0]:5000/x", "the host is not one"},
	    {"[fc00::1]5000/x", "the host is not one"},
	    {"[fc00::1]:/x", "the host is not one"},
	    {"x@", "expected a digest"},
	    {"x@sha256:", "64 hex digits"},
	    {"x@sha256:ab", "64 hex digits"},
	    {"x@sha256:" HEX "0", "64 hex digits"},
	    {"x@sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"lower-case"},
	    {"x@sha512:" HEX HEX, "sha512"},
	    {"x@md5:" HEX, "expected a digest"},
	    {"x@" SHA "@" SHA, "64 hex digits"},
	    {"x@" SHA ":1", "64 hex digits"},
	    {"@" SHA, "a path is"},
	    {":1", "a path is"},
	    {"h.io/" X255 "x", "longer than 255"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reference r = {.host = "untouched"};
		struct err e = {0};

		cr_expect_not(reference_parse(slice_of(rows[i].text), &r, &e), "row %zu: %s", i,
		    rows[i].text);
		cr_expect_eq(e.kind, ERR_USAGE, "row %zu: %s", i, rows[i].text);
		cr_expect_not_null(
		    strstr(e.text, rows[i].why), "row %zu: %s: %s", i, rows[i].text, e.text);
		cr_expect_str_eq(r.host, "untouched", "row %zu", i);
	}
}

Test(reference, REF_07_a_nul_is_no_end)
{
	struct reference r;
	struct err e = {0};

	cr_expect_not(reference_parse(slice_at("quay.io/a\0b", 11), &r, &e));
	cr_expect_not(reference_parse(slice_at("quay.io/a:1\0", 12), &r, &e));
	cr_expect_not(reference_parse((struct slice){0}, &r, &e));
}

Test(reference, REF_05_the_digest_is_asked_for_and_the_tag_is_kept)
{
	static const struct {
		const char *text;
		const char *whole;
		const char *ask;
	} rows[] = {
	    {"nginx", "docker.io/library/nginx:latest", "latest"},
	    {"q.io/x:1", "q.io/x:1", "1"},
	    {"q.io/x@" SHA, "q.io/x@" SHA, SHA},
	    {"q.io/x:1@" SHA, "q.io/x:1@" SHA, SHA},
	};
	char ask[REFERENCE_TAG_MAX + 1];
	char whole[REFERENCE_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reference r;
		struct err e = {0};

		cr_assert(reference_parse(slice_of(rows[i].text), &r, &e), "%s", e.text);
		cr_expect_str_eq(reference_text(&r, whole), rows[i].whole, "row %zu", i);
		cr_expect_str_eq(reference_ask(&r, ask), rows[i].ask, "row %zu", i);
	}
}

Test(reference, REF_03_only_docker_io_answers_elsewhere)
{
	cr_expect_str_eq(reference_api_host("docker.io"), "registry-1.docker.io");
	cr_expect_str_eq(reference_api_host("registry-1.docker.io"), "registry-1.docker.io");
	cr_expect_str_eq(reference_api_host("quay.io"), "quay.io");
	cr_expect_str_eq(reference_api_host("docker.io.evil.com"), "docker.io.evil.com");
}

Test(target, a_host_and_perhaps_a_prefix)
{
	static const struct {
		const char *text;
		const char *host;
		const char *prefix;
	} rows[] = {
	    {"registry.corp", "registry.corp", ""},
	    {"registry.corp:5000/", "registry.corp:5000", ""},
	    {"registry.corp:5000/apps", "registry.corp:5000", "apps"},
	    {"registry.corp/apps/team-1//", "registry.corp", "apps/team-1"},
	    {"registry", "registry", ""},
	    {"127.0.0.1:5001/a", "127.0.0.1:5001", "a"},
	    {"[::1]:5000/a", "[::1]:5000", "a"},
	    {"Registry.Corp/a", "Registry.Corp", "a"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target t;
		struct err e = {0};

		cr_assert(target_parse(rows[i].text, &t, &e), "%s", e.text);
		cr_expect_str_eq(t.host, rows[i].host, "row %zu", i);
		cr_expect_str_eq(t.prefix, rows[i].prefix, "row %zu", i);
	}
}

Test(target, refuses_with_a_hint)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
	    {"https://registry.corp/apps", "scheme"},
	    {"http://registry.corp", "--plain-http"},
	    {"", "the host is not one"},
	    {"/", "the host is not one"},
	    {"/apps", "the host is not one"},
	    {"user@registry.corp", "the host is not one"},
	    {"registry.corp:5000:1", "the host is not one"},
	    {"registry.corp:0", "the host is not one"},
	    {"registry.corp/apps:1", "a tag does not belong here"},
	    {"registry.corp/Apps", "lower-case"},
	    {"registry.corp//apps", "lower-case"},
	    {"registry.corp/apps/../x", "lower-case"},
	    {"registry.corp/apps@" SHA, "a tag does not belong here"},
	    {"registry.corp/a b", "lower-case"},
	    {"registry.corp/" X255 "x", "lower-case"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target t;
		struct err e = {0};

		cr_expect_not(target_parse(rows[i].text, &t, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_USAGE, "row %zu", i);
		cr_expect_not_null(strstr(e.text, rows[i].why), "row %zu: %s", i, e.text);
	}
}

Test(reference, rehome_keeps_all_but_the_host)
{
	static const struct {
		const char *from;
		const char *to;
		const char *there;
	} rows[] = {
	    {"nginx", "r.corp", "r.corp/library/nginx:latest"},
	    {"registry.immuta.com/immuta/immuta-db:1", "r.corp:5000/apps",
		"r.corp:5000/apps/immuta/immuta-db:1"},
	    {"q.io/x:1@" SHA, "r.corp/a/b", "r.corp/a/b/x:1@" SHA},
	    {"q.io/x@" SHA, "r.corp", "r.corp/x@" SHA},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reference from;
		struct reference there;
		struct target to;
		struct err e = {0};
		char text[REFERENCE_TEXT_MAX];

		cr_assert(reference_parse(slice_of(rows[i].from), &from, &e), "%s", e.text);
		cr_assert(target_parse(rows[i].to, &to, &e), "%s", e.text);
		cr_assert(reference_rehome(&from, &to, &there, &e), "%s", e.text);
		cr_expect_str_eq(reference_text(&there, text), rows[i].there, "row %zu", i);
	}
}

Test(reference, REF_11_255_characters_are_a_name_and_256_are_none)
{
	static const struct target to[] = {
	    {.host = "r.corp:5000", .prefix = ""}, {.host = "r.corp:5000", .prefix = "apps"}};

	for (size_t i = 0; i < 4; i++) {
		const size_t limit = 255 + i % 2;
		const size_t before =
		    i < 2 ? strlen("r.corp:5000/") : strlen("r.corp:5000/apps/");
		struct reference from = {.host = "q.io", .tag = "1"};
		struct reference there;
		struct err e = {0};

		memset(from.path, 'x', limit - before);
		const bool ok = reference_rehome(&from, &to[i / 2], &there, &e);
		cr_expect_eq(ok, limit == 255, "row %zu", i);
		if (ok)
			cr_expect_eq(strlen(there.host) + 1 + strlen(there.path), limit);
		else
			cr_expect_eq(e.kind, ERR_LIMIT);
	}
}
