#include "manifests/release.h"

#include "base/file.h"
#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FILE_MAX = 512 * 1024 };

#define IMMUTA "manifests/immuta.yaml"

static const struct parameter given[] = {
    {"immutaVersion", "2024.1.5"},
    {"chartVersion", "4.13.5"},
};

static struct release *immuta(void)
{
	OWNED(buf_drop) struct buf text = {0};
	struct release *release = NULL;
	struct err e = {0};

	cr_assert(file_read(IMMUTA, FILE_MAX, &text, &e), "%s", e.text);
	cr_assert(
	    release_parse(buf_slice(&text), IMMUTA, given, 2, &release, &e), "%s", e.text);
	return release;
}

static void expect_list(const struct text_list *list, const char *const *want)
{
	size_t i = 0;

	for (; want[i] && i < list->count; i++)
		cr_expect_str_eq(list->items[i], want[i]);
	cr_expect_null(want[i], "%s is missing", want[i]);
	cr_expect_eq(i, list->count);
}

Test(release, immuta_is_six_references_and_a_chart)
{
	static const char *const refs[] = {
	    "registry.immuta.com/immuta/immuta-service:2024.1.5",
	    "registry.immuta.com/immuta/immuta-db:2024.1.5",
	    "registry.immuta.com/immuta/immuta-fingerprint:2024.1.5",
	    "registry.immuta.com/immuta/immuta-deploy-tools:2.4.3",
	    "registry.immuta.com/memcached:1.6-alpine",
	    "registry.immuta.com/ingress-nginx-controller:v1.1.0",
	};
	static const char *const versions[] = {"immutaVersion", "imageTag", NULL};
	OWNED(release_drop) struct release *r = immuta();

	cr_assert_eq(r->image_count, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(r->images[i].ref, refs[i]);
	cr_assert_eq(r->chart_count, 1);
	cr_expect_str_eq(r->charts[0].name, "immuta");
	cr_expect_str_eq(r->charts[0].repo, "https://archives.immuta.com/charts");
	cr_expect_str_eq(r->charts[0].version, "4.13.5");
	expect_list(&r->version_keys, versions);
}

Test(release, immuta_coordinates_in_order_of_precedence)
{
	static const char *const whole[] = {
	    "configHook.imageRepository", "deployTools.imageRepository", NULL};
	static const char *const registry[] = {"memcached.image.registry",
	    "cache.memcached.image.registry", "imageRegistry", "global.imageRegistry", NULL};
	static const char *const dead[] = {"nginxIngress.imageRepository", NULL};
	OWNED(release_drop) struct release *r = immuta();

	cr_assert_eq(r->images[1].values_count, 2);
	cr_expect_str_eq(r->images[1].values[0].name, "database");
	cr_expect_str_eq(r->images[1].values[1].name, "queryEngine");
	expect_list(&r->images[3].values[0].whole, whole);
	expect_list(&r->images[4].values[0].registry, registry);
	expect_list(&r->images[5].values[0].dead, dead);
	cr_expect(r->images[0].values[0].registry_empty_counts);
	cr_expect_not(r->images[0].values[0].tag_must_be_semver);
	cr_expect(r->images[3].values[0].tag_must_be_semver);
}

Test(release, document_round_trip)
{
	OWNED(release_drop) struct release *r = immuta();
	OWNED(release_drop) struct release *again = NULL;
	OWNED(buf_drop) struct buf first = BUF(FILE_MAX);
	OWNED(buf_drop) struct buf second = BUF(FILE_MAX);
	struct err e = {0};

	release_add_image(r, "docker.io/library/\"odd\"");
	release_add_chart(r, "https://example.com/a.tgz", NULL, NULL);
	release_write(r, &first);
	cr_assert(release_read(buf_slice(&first), &again, &e), "%s", e.text);
	release_write(again, &second);
	cr_expect_str_eq(buf_text(&first), buf_text(&second));
	cr_expect_eq(again->image_count, 7);
	cr_expect_eq(again->chart_count, 2);
	cr_expect_null(again->charts[1].repo);
	cr_expect_eq(again->images[1].values_count, 2);
	cr_expect(again->images[5].values[0].tag_must_be_semver);
}

Test(release, document_of_a_later_version)
{
	static const char text[] =
	    "{\"new\":1,\"release\":null,\"charts\":[],\"images\":[{\"ref\":"
	    "\"a\",\"values\":[],\"new\":{}}],\"versions\":[]}";
	OWNED(release_drop) struct release *r = NULL;
	struct err e = {0};

	cr_assert(release_read(slice_of(text), &r, &e), "%s", e.text);
	cr_expect_null(r->name);
	cr_expect_str_eq(r->images[0].ref, "a");
}

Test(release, damaged_documents)
{
	static const char *const rows[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"charts\":[],\"images\":{},\"versions\":[]}",
	    "{\"charts\":[],\"images\":[{}],\"versions\":[]}",
	    "{\"charts\":[],\"images\":[{\"ref\":\"a\"}],\"versions\":[]}",
	    "{\"charts\":[],\"images\":[{\"ref\":\"a\",\"values\":[{}]}],\"versions\":[]}",
	    "{\"charts\":[],\"images\":[],\"versions\":[1]}",
	    "{\"charts\":[],\"images\":[]}",
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(release_drop) struct release *r = NULL;
		struct err e = {0};

		cr_expect_not(release_read(slice_of(rows[i]), &r, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
	}
}

Test(release, all_scalars_are_text)
{
	static const char text[] = "release: 1.10\n"
				   "parameters: {v: {default: 010}, w: {default: \"\"}}\n"
				   "images:\n"
				   "  - ref: a:${v}${w}-$v\n"
				   "  - {ref: \"${v}${v}\"}\n";
	static const struct parameter v = {"v", "1e3"};
	OWNED(release_drop) struct release *defaults = NULL;
	OWNED(release_drop) struct release *r = NULL;
	struct err e = {0};

	cr_assert(release_parse(slice_of(text), "f", NULL, 0, &defaults, &e), "%s", e.text);
	cr_expect_str_eq(defaults->name, "1.10");
	cr_expect_str_eq(defaults->images[0].ref, "a:010-$v");
	cr_assert(release_parse(slice_of(text), "f", &v, 1, &r, &e), "%s", e.text);
	cr_expect_str_eq(r->images[0].ref, "a:1e3-$v");
	cr_expect_str_eq(r->images[1].ref, "1e31e3");
}

Test(release, mistakes_are_named_with_their_place)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"", "f: expected a release, found an empty file"},
	    {"- a\n", "f:1:1: expected a mapping, found a list"},
	    {"images: []\n", "f:1:1: expected the key release, found none"},
	    {"release: x\nimage: []\n", "f:2:1: expected one of the keys release, version, "
					"platform, locked, parameters, chart, images, files, "
					"versions, found \"image\""},
	    {"release: x\nrelease: y\n", "f:1:1: expected the key release once"},
	    {"release: [x]\n", "f:1:10: expected a text, found a list"},
	    {"release:\n", "f:1:9: expected a text, found nothing"},
	    {"release: x\nimages:\n  - rev: a\n",
		"f:3:5: expected one of the keys ref, digest, referrers, values"},
	    {"release: x\nimages:\n  - ref: a\n    values: {nome: b}\n",
		"f:4:14: expected one of"},
	    {"release: x\nimages:\n  - ref: a\n    values: {whole: [b]}\n",
		"f:4:13: expected the key name"},
	    {"release: x\nimages:\n  - ref: a\n    values: {name: b, whole: c}\n",
		"f:4:30: expected a list, found a text"},
	    {"release: x\nimages:\n  - ref: a\n    values: {name: b, empty_is_value: [tag]}\n",
		"f:4:39: expected registry, found tag"},
	    {"release: x\nimages:\n  - ref: a\n    values: {name: b, tag_must_be_semver: 1}\n",
		"f:4:43: expected true or false"},
	    {"release: x\nimages:\n  - ref: a:${b}\n", "f:3:10: expected a parameter"},
	    {"release: x\nimages:\n  - ref: a:${b\n", "f:3:10: expected } after ${"},
	    {"release: x\nchart: {name: a}\n", "f:2:8: expected the key version"},
	    {"release: x\nparameters: {a: {preset: 1}}\n", "f:2:18: expected one of the keys"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(release_drop) struct release *r = NULL;
		struct err e = {0};

		cr_assert_not(
		    release_parse(slice_of(rows[i].text), "f", NULL, 0, &r, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_eq(strncmp(e.text, rows[i].want, strlen(rows[i].want)), 0,
		    "row %zu: %s", i, e.text);
	}
}

Test(release, unquoted_parameter_in_braces_gets_a_hint)
{
	static const char *const rows[] = {"release: x\nchart: {name: a, version: ${v}}\n",
	    "release: x\nversions: [${v}]\n", "release: x\nversions: [a-${v}-b]\n"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(release_drop) struct release *r = NULL;
		struct err e = {0};

		cr_assert_not(release_parse(slice_of(rows[i]), "f", NULL, 0, &r, &e));
		cr_expect_not_null(
		    strstr(e.text, "needs double quotes"), "row %zu: %s", i, e.text);
	}
}

Test(release, parameters_missing_and_unknown)
{
	OWNED(buf_drop) struct buf text = {0};
	OWNED(release_drop) struct release *r = NULL;
	const struct parameter unknown = {"imutaVersion", "1"};
	struct err e = {0};

	cr_assert(file_read(IMMUTA, FILE_MAX, &text, &e));
	cr_assert_not(release_parse(buf_slice(&text), "f", given, 1, &r, &e));
	cr_expect_eq(e.kind, ERR_USAGE);
	cr_expect_not_null(
	    strstr(e.text, "chartVersion=VALUE (the Helm chart's version"), "%s", e.text);
	cr_assert_not(release_parse(buf_slice(&text), "f", &unknown, 1, &r, &e));
	cr_expect_eq(e.kind, ERR_USAGE);
	cr_expect_not_null(
	    strstr(e.text, "(immutaVersion, chartVersion, nginxTag), found imutaVersion"), "%s",
	    e.text);
}
