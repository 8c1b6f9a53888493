#include "manifests/image.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEX_A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEX_B "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEX_C "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define SCHEMA_1 "application/vnd.docker.distribution.manifest.v1+prettyjws"

/* A descriptor; more is ", ..." members, or "". */
#define PART(type, hex, size, more)                                                            \
	"{\"mediaType\":\"" type "\",\"digest\":\"sha256:" hex "\",\"size\":" size more "}"
#define CONFIG "\"config\":" PART(OCI_CONFIG, HEX_A, "2", "")
#define LAYER PART(OCI_LAYER, HEX_B, "10", "")
#define LAYERS "\"layers\":[" LAYER "]"
#define FIELD(type) "\"mediaType\":\"" type "\","
#define MANIFEST(type_field) "{\"schemaVersion\":2," type_field CONFIG "," LAYERS "}"
#define PLATFORM(os, arch, more)                                                               \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"" more "}"
#define CHILD(hex, more) PART(MEDIA_OCI_MANIFEST, hex, "5", more)
#define INDEX(type_field, children)                                                            \
	"{\"schemaVersion\":2," type_field "\"manifests\":[" children "]}"
#define AMD64 CHILD(HEX_A, PLATFORM("linux", "amd64", ""))

static bool parse(const char *text, const char *type, struct image **out, struct err *e)
{
	OWNED(buf_drop) struct buf raw = BUF(IMAGE_DOCUMENT_MAX);

	buf_adds(&raw, text);
	const bool ok = image_parse_take(&raw, type, out, e);
	cr_expect_null(raw.ptr, "the bytes are taken, whatever they are");
	return ok;
}

static struct image *parsed(const char *text)
{
	struct image *image = NULL;
	struct err e = {0};

	cr_assert(parse(text, NULL, &image, &e), "%s: %s", text, e.text);
	return image;
}

Test(image, MAN_01_the_types_that_are_asked_for)
{
	static const struct {
		const char *type;
		bool index;
		bool manifest;
	} rows[] = {
	    {"application/vnd.oci.image.index.v1+json", true, false},
	    {"application/vnd.docker.distribution.manifest.list.v2+json", true, false},
	    {"application/vnd.oci.image.manifest.v1+json", false, true},
	    {"application/vnd.docker.distribution.manifest.v2+json", false, true},
	    {SCHEMA_1, false, false},
	    {OCI_CONFIG, false, false},
	    {"text/html", false, false},
	    {"", false, false},
	    {NULL, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(image_type_is_index(rows[i].type), rows[i].index, "row %zu", i);
		cr_expect_eq(
		    image_type_is_manifest(rows[i].type), rows[i].manifest, "row %zu", i);
	}
}

Test(image, MAN_03_who_decides_the_type)
{
	static const struct {
		const char *text;
		const char *wire;
		const char *type; /* NULL: refused */
	} rows[] = {
	    /* the document's own field */
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), NULL, MEDIA_OCI_MANIFEST},
	    {MANIFEST(FIELD(MEDIA_DOCKER_MANIFEST)), NULL, MEDIA_DOCKER_MANIFEST},
	    {INDEX(FIELD(MEDIA_OCI_INDEX), AMD64), NULL, MEDIA_OCI_INDEX},
	    {INDEX(FIELD(MEDIA_DOCKER_LIST), AMD64), NULL, MEDIA_DOCKER_LIST},
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), MEDIA_OCI_MANIFEST, MEDIA_OCI_MANIFEST},
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), "text/plain", MEDIA_OCI_MANIFEST},
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), "application/json", MEDIA_OCI_MANIFEST},
	    /* cross-checked with the wire */
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), MEDIA_DOCKER_MANIFEST, NULL},
	    {MANIFEST(FIELD(MEDIA_OCI_MANIFEST)), MEDIA_OCI_INDEX, NULL},
	    {INDEX(FIELD(MEDIA_OCI_INDEX), AMD64), MEDIA_DOCKER_LIST, NULL},
	    /* no field: the wire */
	    {MANIFEST(""), MEDIA_DOCKER_MANIFEST, MEDIA_DOCKER_MANIFEST},
	    {MANIFEST(""), MEDIA_OCI_MANIFEST, MEDIA_OCI_MANIFEST},
	    {INDEX("", AMD64), MEDIA_DOCKER_LIST, MEDIA_DOCKER_LIST},
	    /* neither: the structure */
	    {MANIFEST(""), NULL, MEDIA_OCI_MANIFEST},
	    {MANIFEST(""), "application/octet-stream", MEDIA_OCI_MANIFEST},
	    {INDEX("", AMD64), "text/plain", MEDIA_OCI_INDEX},
	    /* a type that the structure is not (CVE-2021-41190) */
	    {MANIFEST(FIELD(MEDIA_OCI_INDEX)), NULL, NULL},
	    {MANIFEST(""), MEDIA_OCI_INDEX, NULL},
	    {INDEX(FIELD(MEDIA_OCI_MANIFEST), AMD64), NULL, NULL},
	    {INDEX("", AMD64), MEDIA_OCI_MANIFEST, NULL},
	    {MANIFEST(FIELD("application/vnd.example+json")), NULL, NULL},
	    {MANIFEST(FIELD("a\\nX-Header: b")), NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};
		const bool ok = parse(rows[i].text, rows[i].wire, &image, &e);

		cr_expect_eq(ok, rows[i].type != NULL, "row %zu: %s", i, e.text);
		if (!ok)
			cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		else if (rows[i].type)
			cr_expect_str_eq(image->media_type, rows[i].type, "row %zu", i);
	}
}

Test(image, MAN_04_no_document_is_two_things)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
	    {"{" CONFIG "," LAYERS ",\"manifests\":[]}", "both"},
	    {"{\"manifests\":[" AMD64 "]," CONFIG "}", "both"},
	    {"{\"manifests\":[" AMD64 "]," LAYERS "}", "both"},
	    {"{\"manifests\":[" AMD64 "],\"layers\":null}", "both"},
	    {"{\"manifests\":null," CONFIG "," LAYERS "}", "both"},
	    {"{\"manifests\":[" AMD64 "],\"fsLayers\":[]}", "schema 1"},
	    {"{" CONFIG "," LAYERS ",\"fsLayers\":[]}", "schema 1"},
	    {"{" CONFIG "," LAYERS "," LAYERS "}", "duplicate"},
	    {"{" CONFIG "," CONFIG "," LAYERS "}", "duplicate"},
	    {"{\"manifests\":[],\"manifests\":[" AMD64 "]}", "duplicate"},
	    {"{" CONFIG "," LAYERS ",\"\\u006cayers\":[]}", "duplicate"},
	    /* to Go, "Layers" is "layers" */
	    {"{" CONFIG "," LAYERS ",\"Layers\":[]}", "spelled"},
	    {"{" CONFIG "," LAYERS ",\"MANIFESTS\":[]}", "spelled"},
	    {"{\"manifests\":[" AMD64 "],\"fslayers\":[]}", "spelled"},
	    {"{\"MediaType\":\"" MEDIA_OCI_INDEX "\"," CONFIG "," LAYERS "}", "spelled"},
	    {"{}", "neither"},
	    {"{\"schemaVersion\":2}", "neither"},
	    {"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}", "neither"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};

		cr_expect_not(parse(rows[i].text, NULL, &image, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_not_null(strstr(e.text, rows[i].why), "row %zu: %s", i, e.text);
	}
}

Test(image, MAN_02_schema_1_is_refused_with_what_to_do)
{
	static const char *const rows[] = {
	    "{\"schemaVersion\":1,\"name\":\"a\",\"tag\":\"b\",\"fsLayers\":[],\"history\":[]}",
	    "{\"schemaVersion\":1,\"signatures\":[]}"};
	static const char *const types[] = {SCHEMA_1, "text/plain", NULL};

	for (size_t i = 0; i < 6; i++) {
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};

		cr_expect_not(parse(rows[i / 3], types[i % 3], &image, &e));
		cr_expect_eq(e.kind, ERR_FORMAT);
		cr_expect_not_null(strstr(e.text, "schema 1 image"), "%s", e.text);
		cr_expect_not_null(strstr(e.text, "rebuilt"), "%s", e.text);
	}
}

static void expect_part(
    const struct image_part *part, const char *type, const char *hex, uint64_t size)
{
	char found[DIGEST_TEXT];

	cr_expect_str_eq(part->descriptor.media_type, type);
	cr_expect_str_eq(digest_hex(&part->descriptor.digest, found), hex);
	cr_expect_eq(part->descriptor.size, size);
}

Test(image, parts_are_the_config_and_then_the_layers)
{
	OWNED(image_drop)
	struct image *image = parsed("{\"schemaVersion\":2,\"layers\":[" LAYER
				     "," PART("a/b", HEX_C, "0", "") "," LAYER "]," CONFIG "}");

	cr_assert_eq(image->kind, IMAGE_MANIFEST);
	cr_assert_eq(image->count, 4, "a layer that comes twice is there twice");
	expect_part(&image->parts[0], OCI_CONFIG, HEX_A, 2);
	expect_part(&image->parts[1], OCI_LAYER, HEX_B, 10);
	expect_part(&image->parts[2], "a/b", HEX_C, 0);
	expect_part(&image->parts[3], OCI_LAYER, HEX_B, 10);
	for (size_t i = 0; i < 4; i++)
		cr_expect_not(image->parts[i].foreign || image->parts[i].has_platform);
}

/* The digest is sha256sum's of the same bytes. */
Test(image, MAN_05_MAN_08_bytes_are_kept_and_their_digest_is_computed)
{
	static const char text[] = "{ \"schemaVersion\" : 2,\r\n\t\"unknown\": {\"n\": "
				   "1.50e+03, \"u\": \"\\u003c\"},\n"
				   "  \"manifests\": [ ]  ,\"annotations\":null}\n\n";
	OWNED(image_drop) struct image *image = parsed(text);
	char found[DIGEST_TEXT];

	cr_expect(slice_is(buf_slice(&image->raw), text));
	cr_expect_eq(image->self.size, strlen(text));
	cr_expect_str_eq(digest_hex(&image->self.digest, found),
	    "02a02b513a036af01c3d98068a4744e1cf9b55104120b17b70b9968fe2198ff2");
	cr_expect_str_eq(image->self.media_type, MEDIA_OCI_INDEX);
}

Test(image, MAN_09_what_is_unusual_is_accepted)
{
	static const struct {
		const char *text;
		size_t parts;
	} rows[] = {
	    {INDEX("", ""), 0},
	    {"{\"manifests\":null}", 0},
	    {"{" CONFIG ",\"layers\":[]}", 1},
	    {"{" CONFIG ",\"layers\":null}", 1},
	    {"{" CONFIG "}", 1},
	    {"{" CONFIG "," LAYERS ",\"annotations\":null,\"subject\":null}", 2},
	    {"{" CONFIG "," LAYERS ",\"subject\":" LAYER ",\"artifactType\":\"x/y\"}", 2},
	    {"{\"config\":" PART("application/vnd.oci.empty.v1+json", HEX_A, "2",
		 ",\"data\":\"e30=\"") "," LAYERS "}",
		2},
	    {"{\"config\":" PART("x-unknown/y", HEX_A, "2",
		 ",\"annotations\":null") ","
					  "\"layers\":[" PART("x-unknown/z", HEX_B, "1",
					      ",\"artifactType\":\"q\"") "]}",
		2},
	    {INDEX("", PART(MEDIA_OCI_INDEX, HEX_A, "5", "") "," PART(
			   "x-unknown/z", HEX_B, "5", ",\"platform\":null")),
		2},
	    {"{" CONFIG ",\"layers\":[" PART("a/b", HEX_B, "9007199254740991", "") "]}", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};

		cr_assert(parse(rows[i].text, NULL, &image, &e), "row %zu: %s", i, e.text);
		cr_expect_eq(image->count, rows[i].parts, "row %zu", i);
	}
}

/* In the place of a layer. */
Test(image, a_descriptor_is_a_type_a_digest_and_a_size)
{
	static const struct {
		const char *layer;
		const char *why;
	} rows[] = {
	    {"null", "descriptor"},
	    {"[]", "descriptor"},
	    {"\"sha256:" HEX_A "\"", "descriptor"},
	    {"{}", "mediaType"},
	    {"{\"digest\":\"sha256:" HEX_A "\",\"size\":1}", "mediaType"},
	    {"{\"mediaType\":\"a/b\",\"size\":1}", "digest"},
	    {"{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX_A "\"}", "size"},
	    {PART("a/b", HEX_A, "-1", ""), "found -1"},
	    {PART("a/b", HEX_A, "1.0", ""), "size"},
	    {PART("a/b", HEX_A, "1e3", ""), "size"},
	    {PART("a/b", HEX_A, "\"1\"", ""), "size"},
	    {PART("a/b", HEX_A, "null", ""), "size"},
	    {PART("a/b", HEX_A, "9007199254740992", ""), "size"},
	    {PART("a/b", HEX_A, "9223372036854775808", ""), "expected"},
	    {PART("a/b", "../../etc/passwd", "1", ""), "hex digits"},
	    {PART("", HEX_A, "1", ""), "media type"},
	    {PART("a b", HEX_A, "1", ""), "media type"},
	    {PART("a/b\\r\\nX: y", HEX_A, "1", ""), "media type"},
	    {PART("a/\\u00e4", HEX_A, "1", ""), "media type"},
	    {"{\"mediaType\":\"a/b\",\"digest\":\"sha512:" HEX_A HEX_B "\",\"size\":1}",
		"sha512"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf text = BUF(4096);
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};

		buf_addf(&text, "{" CONFIG ",\"layers\":[%s]}", rows[i].layer);
		cr_expect_not(parse(buf_text(&text), NULL, &image, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_not_null(strstr(e.text, rows[i].why), "row %zu: %s", i, e.text);
	}
}

Test(image, what_is_no_manifest_is_refused)
{
	static const char *const rows[] = {"", "[]", "\"x\"", "<html></html>",
	    "{\"layers\":[]}", "{" CONFIG ",\"layers\":{}}", "{\"manifests\":\"x\"}",
	    "{\"manifests\":{}}", "{\"config\":null," LAYERS "}", MANIFEST("") "x"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(image_drop) struct image *image = NULL;
		struct err e = {0};

		cr_expect_not(parse(rows[i], NULL, &image, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
	}
}

static bool parse_many(size_t children, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(IMAGE_DOCUMENT_MAX);
	OWNED(image_drop) struct image *image = NULL;

	buf_adds(&text, "{\"manifests\":[");
	for (size_t i = 0; i < children; i++)
		buf_addf(&text, "%s" AMD64, i ? "," : "");
	buf_adds(&text, "]}");
	cr_assert_not(text.over);
	const bool ok = parse(buf_text(&text), NULL, &image, e);
	cr_expect(!ok || image->count == children);
	return ok;
}

Test(image, MAN_10_the_number_of_descriptors_is_limited)
{
	struct err e = {0};

	cr_expect(parse_many(IMAGE_CHILDREN_MAX - 1, &e), "%s", e.text);
	cr_expect_not(parse_many(IMAGE_CHILDREN_MAX, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
}

Test(image, MAN_14_the_size_is_limited)
{
	for (size_t over = 0; over < 2; over++) {
		OWNED(buf_drop) struct buf raw = BUF(IMAGE_DOCUMENT_MAX + 1);
		OWNED(image_drop) struct image *image = NULL;
		OWNED(drop_text) char *blanks = own_array(IMAGE_DOCUMENT_MAX + 1, 1);
		struct err e = {0};

		memset(blanks, ' ', IMAGE_DOCUMENT_MAX + 1);
		buf_adds(&raw, MANIFEST(""));
		buf_add(&raw, blanks, IMAGE_DOCUMENT_MAX + over - raw.len);
		cr_expect_eq(image_parse_take(&raw, NULL, &image, &e), !over, "%s", e.text);
		cr_expect_eq(e.kind, over ? ERR_LIMIT : ERR_NONE);
	}
}

Test(image, DL_16_layers_with_urls_are_marked_foreign)
{
	OWNED(image_drop)
	struct image *image = parsed("{" CONFIG ",\"layers\":[" PART(
	    "a/b", HEX_A, "1", ",\"urls\":[\"https://example.com/x\"]") "," PART("a/b", HEX_B,
	    "1", ",\"urls\":[]") "," PART("a/b", HEX_C, "1", ",\"urls\":null") "]}");

	cr_assert_eq(image->count, 4);
	cr_expect(image->parts[1].foreign);
	cr_expect_not(image->parts[0].foreign || image->parts[2].foreign);
	cr_expect_not(image->parts[3].foreign);
}

#define ATTESTATION                                                                            \
	CHILD(HEX_C,                                                                           \
	    ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\","        \
	    "\"vnd.docker.reference.digest\":\"sha256:" HEX_A                                  \
	    "\"}" PLATFORM("unknown", "unknown", ""))

Test(image, PLT_05_attestations_are_marked)
{
	OWNED(image_drop)
	struct image *image = parsed(INDEX("", AMD64
	    "," ATTESTATION
	    "," CHILD(HEX_B, PLATFORM("unknown", "unknown", "")) "," CHILD(HEX_B, "") "," CHILD(
		HEX_B, ",\"annotations\":{\"vnd.docker.reference.digest\":\"x\"}" PLATFORM(
			   "linux", "arm64", ""))));
	static const bool attestation[] = {false, true, true, false, true};
	static const bool has_platform[] = {true, true, true, false, true};

	cr_assert_eq(image->count, 5, "PLT-01: nothing of an index is left out");
	for (size_t i = 0; i < 5; i++) {
		cr_expect_eq(image->parts[i].attestation, attestation[i], "child %zu", i);
		cr_expect_eq(image->parts[i].has_platform, has_platform[i], "child %zu", i);
	}
}

Test(image, PLT_01_03_05_selecting_one_child)
{
	static const struct {
		const char *children;
		const char *want;
		size_t child;
	} rows[] = {
	    {AMD64 "," CHILD(HEX_B, PLATFORM("linux", "arm64", ",\"variant\":\"v8\"")),
		"linux/arm64", 1},
	    {AMD64 "," CHILD(HEX_B, PLATFORM("linux", "arm64", "")), "linux/aarch64/v8", 1},
	    /* the first among equals */
	    {AMD64 "," AMD64, "linux/amd64", 0},
	    {CHILD(HEX_A, PLATFORM("windows", "amd64", "")) "," AMD64 "," AMD64, "linux/amd64",
		1},
	    /* exact before compatible, higher before lower */
	    {CHILD(HEX_A, PLATFORM("linux", "arm", ",\"variant\":\"v5\"")) "," CHILD(
		 HEX_A, PLATFORM("linux", "arm", ",\"variant\":\"v6\"")),
		"linux/arm/v7", 1},
	    {CHILD(HEX_A, PLATFORM("linux", "arm", ",\"variant\":\"v6\"")) "," CHILD(
		 HEX_A, PLATFORM("linux", "arm", "")),
		"linux/arm/v7", 1},
	    {AMD64 "," CHILD(HEX_B, PLATFORM("linux", "amd64", ",\"variant\":\"v2\"")),
		"linux/amd64/v3", 1},
	    {CHILD(HEX_B, PLATFORM("linux", "amd64", ",\"variant\":\"v3\"")) "," AMD64,
		"linux/amd64", 1},
	    /* PLT-05: never an attestation, nor what says no platform */
	    {ATTESTATION "," CHILD(HEX_B, "") "," AMD64, "linux/amd64", 2},
	    {CHILD(HEX_B, ",\"annotations\":{\"vnd.docker.reference.type\":\"x\"}" PLATFORM(
			      "linux", "amd64", "")) "," AMD64,
		"linux/amd64", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf text = BUF(4096);
		struct platform want;
		struct err e = {0};
		size_t child = 99;

		buf_addf(&text, "{\"manifests\":[%s]}", rows[i].children);
		OWNED(image_drop) struct image *image = parsed(buf_text(&text));
		cr_assert(platform_parse(slice_of(rows[i].want), &want, &e));
		cr_expect(image_select(image, &want, &child, &e), "row %zu: %s", i, e.text);
		cr_expect_eq(child, rows[i].child, "row %zu: child %zu", i, child);
	}
}

Test(image, PLT_07_no_match_lists_what_is_there)
{
	static const struct {
		const char *children;
		const char *want;
		const char *text;
	} rows[] = {
	    {AMD64 "," ATTESTATION "," CHILD(HEX_B, PLATFORM("linux", "arm", "")),
		"linux/s390x",
		"expected the platform linux/s390x, found linux/amd64, linux/arm/v7"},
	    {"", "linux/amd64", "expected the platform linux/amd64, found none"},
	    {ATTESTATION, "linux/amd64", "expected the platform linux/amd64, found none"},
	    {CHILD(HEX_B, PLATFORM("linux", "arm", ",\"variant\":\"v7\"")), "linux/arm/v6",
		"expected the platform linux/arm/v6, found linux/arm/v7"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf text = BUF(4096);
		struct platform want;
		struct err e = {0};
		size_t child;

		buf_addf(&text, "{\"manifests\":[%s]}", rows[i].children);
		OWNED(image_drop) struct image *image = parsed(buf_text(&text));
		cr_assert(platform_parse(slice_of(rows[i].want), &want, &e));
		cr_expect_not(image_select(image, &want, &child, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_MISSING, "row %zu", i);
		cr_expect_str_eq(e.text, rows[i].text, "row %zu: %s", i, e.text);
	}
}

Test(image, PLT_06_a_config_says_its_platform)
{
	static const struct {
		const char *config;
		const char *platform; /* NULL: it says none */
	} rows[] = {
	    {"{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux/amd64"},
	    {"{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v6\"}", "linux/arm/v6"},
	    {"{\"os\":\"linux\",\"architecture\":\"aarch64\"}", "linux/arm64"},
	    {"{\"os\":\"linux\"}", NULL},
	    {"{\"architecture\":\"amd64\"}", NULL},
	    {"{\"os\":\"\",\"architecture\":\"\"}", NULL},
	    {"{\"name\":\"immuta\",\"version\":\"1.0.0\"}", NULL},
	    {"{\"os\":1,\"architecture\":[]}", NULL},
	    {"[]", NULL},
	    {"{", NULL},
	    {"", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct platform p = {0};
		char text[PLATFORM_TEXT];
		const bool says = image_config_platform(slice_of(rows[i].config), &p);

		cr_expect_eq(says, rows[i].platform != NULL, "row %zu", i);
		if (says && rows[i].platform)
			cr_expect_str_eq(
			    platform_text(&p, text), rows[i].platform, "row %zu", i);
	}
}
