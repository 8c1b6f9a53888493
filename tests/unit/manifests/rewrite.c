#include "manifests/rewrite.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The shapes of a chart: a whole reference, a registry of its own or a shared one. */
static const char description[] = "release: shop\n"
				  "versions: [version]\n"
				  "images:\n"
				  "  - ref: reg.example.com/shop/web:1.2.3\n"
				  "    values:\n"
				  "      name: web\n"
				  "      whole: [web.whole]\n"
				  "      registry: [web.registry, registry]\n"
				  "      repository: [web.repository]\n"
				  "      tag: [web.tag, version, \"@appVersion\"]\n"
				  "      suffix: [flavour]\n"
				  "      digest: [web.digest]\n"
				  "      dead: [web.old]\n"
				  "      empty_is_value: [registry]\n"
				  "  - ref: docker.io/library/nginx:1.25\n"
				  "    values:\n"
				  "      - name: proxy\n"
				  "        whole: [proxy.image]\n"
				  "      - name: sidecars\n"
				  "        whole: [sidecars.0.image]\n";
static const char defaults[] = "registry: reg.example.com\n"
			       "web: {whole: '', registry: , repository: shop/web, tag: ''}\n"
			       "proxy: {image: 'nginx:1.25'}\n"
			       "sidecars: [{image: corp.example:5000/apps/library/nginx}]\n";

static const char overlay_head[] =
    "# Image coordinates that stand in the chart's defaults only; use this file after your "
    "own.\n";

#define WEB "corp.example:5000/apps/shop/web"
#define PROXY "corp.example:5000/apps/library/nginx"
#define PROXY_OVERLAY "proxy:\n  image: \"" PROXY ":1.25\"\n"
#define REGISTRY_OVERLAY "registry: \"corp.example:5000/apps\"\n"

/* asked: what is not the same for all of them. */
static bool rewrite_asked(
    const char *release_text, struct rewrite_request asked, struct rewrite **out, struct err *e)
{
	static const struct target target = {.host = "corp.example:5000", .prefix = "apps"};
	OWNED(release_drop) struct release *release = NULL;

	cr_assert(release_parse(slice_of(release_text), "release", NULL, 0, &release, e), "%s",
	    e->text);
	asked.release = release;
	asked.target = &target;
	asked.app_version = "1.2.3";
	asked.file_name = "values.yaml";
	return rewrite_values(&asked, out, e);
}

static bool rewrite_with(const char *release_text, const char *chart, struct slice file,
    struct rewrite **out, struct err *e)
{
	return rewrite_asked(release_text,
	    (struct rewrite_request){.defaults = slice_of(chart), .file = file}, out, e);
}

static bool rewrite_file(struct slice file, struct rewrite **out, struct err *e)
{
	return rewrite_with(description, defaults, file, out, e);
}

static const struct finding *finding_of(const struct rewrite *r, const char *code)
{
	for (size_t i = 0; i < r->findings.count; i++)
		if (strcmp(r->findings.items[i].code, code) == 0)
			return &r->findings.items[i];
	return NULL;
}

static void all_codes(const struct rewrite *r, struct buf *out)
{
	for (size_t i = 0; i < r->findings.count; i++)
		buf_addf(out, "%s%s", i ? " " : "", r->findings.items[i].code);
}

/* The output, rewritten again, is the output; with its overlay it needs no other. */
static void expect_stable(const char *label, const struct rewrite *once)
{
	OWNED(rewrite_drop) struct rewrite *twice = NULL;
	struct err e = {0};

	cr_assert(rewrite_file(buf_slice(&once->file), &twice, &e), "%s: %s", label, e.text);
	cr_expect_str_eq(buf_text(&twice->file), buf_text(&once->file), "%s", label);
	cr_expect_str_eq(buf_text(&twice->overlay), buf_text(&once->overlay), "%s", label);
	for (size_t i = 0; i < twice->change_count; i++)
		cr_expect_eq(twice->changes[i].kind, CHANGE_OVERLAY, "%s", label);
}

/* Rows whose proxy stays with the chart's default begin their overlay with it. */
struct row {
	const char *label;
	const char *file;
	const char *want;    /* NULL: as the file */
	const char *overlay; /* behind its head; NULL: none */
	const char *codes;   /* of all findings, in order; NULL: none */
};

static void expect_row(const struct row *row)
{
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	OWNED(buf_drop) struct buf codes = BUF(1024);
	OWNED(buf_drop) struct buf overlay = BUF(4096);
	struct err e = {0};

	cr_assert(rewrite_file(slice_of(row->file), &r, &e), "%s: %s", row->label, e.text);
	all_codes(r, &codes);
	if (row->overlay)
		buf_addf(&overlay, "%s%s", overlay_head, row->overlay);
	cr_expect_str_eq(buf_text(&codes), row->codes ? row->codes : "", "%s", row->label);
	cr_expect_str_eq(
	    buf_text(&r->file), row->want ? row->want : row->file, "%s", row->label);
	cr_expect_str_eq(buf_text(&r->overlay), buf_text(&overlay), "%s", row->label);
	cr_expect_not(findings_blocking(&r->findings), "%s", row->label);
	expect_stable(row->label, r);
}

#define PROXY_LINE "proxy: {image: " PROXY "}\n"

Test(rewrite, styles_of_a_scalar)
{
	static const struct row rows[] = {
	    {"plain", PROXY_LINE "registry: reg.example.com # here\n",
		PROXY_LINE "registry: corp.example:5000/apps # here\n", NULL, NULL},
	    {"single quotes", PROXY_LINE "registry: 'reg.example.com'\n",
		PROXY_LINE "registry: 'corp.example:5000/apps'\n", NULL, NULL},
	    {"double quotes", PROXY_LINE "registry: \"reg.example.com\"\n",
		PROXY_LINE "registry: \"corp.example:5000/apps\"\n", NULL, NULL},
	    {"escapes in double quotes", PROXY_LINE "registry: \"reg\\x2eexample.com\"\n",
		PROXY_LINE "registry: \"corp.example:5000/apps\"\n", NULL, NULL},
	    {"quoted key", PROXY_LINE "\"registry\": reg.example.com\n",
		PROXY_LINE "\"registry\": corp.example:5000/apps\n", NULL, NULL},
	    {"explicit key", PROXY_LINE "? registry\n: reg.example.com\n",
		PROXY_LINE "? registry\n: corp.example:5000/apps\n", NULL, NULL},
	    {"with a tag of YAML's", PROXY_LINE "registry: !!str reg.example.com\n",
		PROXY_LINE "registry: !!str corp.example:5000/apps\n", NULL, NULL},
	    {"literal block", PROXY_LINE "registry: |-\n  reg.example.com\n\nz: 1\n",
		PROXY_LINE "registry: \"corp.example:5000/apps\"\n\nz: 1\n", NULL, NULL},
	    {"folded block with a comment",
		PROXY_LINE "registry: >- # why\n    reg.example.com\n# after\n",
		PROXY_LINE "registry: \"corp.example:5000/apps\"\n# after\n", NULL, NULL},
	    {"no newline at the end", PROXY_LINE "registry: reg.example.com",
		PROXY_LINE "registry: corp.example:5000/apps", NULL, NULL},
	    {"CR LF and a BOM",
		"\xef\xbb\xbfproxy: {image: " PROXY "}\r\nregistry: reg.example.com\r\n",
		"\xef\xbb\xbfproxy: {image: " PROXY "}\r\nregistry: corp.example:5000/apps\r\n",
		NULL, NULL},
	    {"not ASCII before it",
		"a: \xc3\xbc\xe6\x9d\xb1\n" PROXY_LINE "registry: reg.example.com\n",
		"a: \xc3\xbc\xe6\x9d\xb1\n" PROXY_LINE "registry: corp.example:5000/apps\n",
		NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, flow_mappings)
{
	static const struct row rows[] = {
	    {"one line", "{proxy: {image: nginx}, registry: reg.example.com}\n",
		"{proxy: {image: " PROXY "}, registry: corp.example:5000/apps}\n", NULL, NULL},
	    {"two on a line", "{registry: reg.example.com,proxy: {image: 'nginx:1.25'}}",
		"{registry: corp.example:5000/apps,proxy: {image: '" PROXY ":1.25'}}", NULL,
		NULL},
	    {"JSON", "{\"proxy\":{\"image\":\"nginx\"},\"registry\":\"reg.example.com\"}",
		"{\"proxy\":{\"image\":\"" PROXY "\"},\"registry\":\"corp.example:5000/apps\"}",
		NULL, NULL},
	    {"several lines", "web: {\n  registry: reg.example.com, # a\n}\n" PROXY_LINE,
		"web: {\n  registry: corp.example:5000/apps, # a\n}\n" PROXY_LINE, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, null_and_empty_values)
{
	static const struct row rows[] = {
	    {"empty file", "", NULL, PROXY_OVERLAY REGISTRY_OVERLAY, NULL},
	    {"comments only", "# mine\n", NULL, PROXY_OVERLAY REGISTRY_OVERLAY, NULL},
	    {"a null of one's own", "web: {registry: , whole: ~}\n" PROXY_LINE, NULL,
		REGISTRY_OVERLAY, NULL},
	    {"an empty whole", "web: {whole: ''}\n" PROXY_LINE, NULL, REGISTRY_OVERLAY, NULL},
	    {"an empty registry beside the repository",
		"web: {registry: '', repository: reg.example.com/shop/web}\n" PROXY_LINE,
		"web: {registry: '', repository: " WEB "}\n" PROXY_LINE, NULL, NULL},
	    {"null takes the default away",
		"registry:\nweb: {repository: reg.example.com/shop/web}\n" PROXY_LINE,
		"registry:\nweb: {repository: " WEB "}\n" PROXY_LINE, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, names_in_their_shapes)
{
	static const struct row rows[] = {
	    {"registry with a path",
		"web: {registry: reg.example.com/shop, repository: web}\n" PROXY_LINE,
		"web: {registry: corp.example:5000/apps/shop, repository: web}\n" PROXY_LINE,
		NULL, NULL},
	    {"whole with a tag", "web: {whole: 'reg.example.com/shop/web:1.2.3'}\n" PROXY_LINE,
		"web: {whole: '" WEB ":1.2.3'}\n" PROXY_LINE, NULL, NULL},
	    {"repository with a tag",
		"web: {repository: 'shop/web:1.2.3', registry: reg.example.com}\n" PROXY_LINE,
		"web: {repository: 'shop/web:1.2.3', registry: "
		"corp.example:5000/apps}\n" PROXY_LINE,
		NULL, NULL},
	    {"bare name", "registry: corp.example:5000/apps\nproxy: {image: nginx}\n",
		"registry: corp.example:5000/apps\n" PROXY_LINE, NULL, NULL},
	    {"library/", "registry: corp.example:5000/apps\nproxy: {image: library/nginx}\n",
		"registry: corp.example:5000/apps\n" PROXY_LINE, NULL, NULL},
	    {"docker.io/",
		"registry: corp.example:5000/apps\nproxy: {image: docker.io/nginx}\n",
		"registry: corp.example:5000/apps\n" PROXY_LINE, NULL, NULL},
	    {"docker.io/library/",
		"registry: corp.example:5000/apps\nproxy: {image: docker.io/library/nginx}\n",
		"registry: corp.example:5000/apps\n" PROXY_LINE, NULL, NULL},
	    {"already there, split otherwise",
		"web: {registry: corp.example:5000, repository: apps/shop/web}\n" PROXY_LINE,
		NULL, NULL, NULL},
	    {"already there, whole", "web: {whole: " WEB "}\n" PROXY_LINE, NULL, NULL, NULL},
	    {"item of a list",
		"registry: corp.example:5000/apps\n" PROXY_LINE
		"sidecars:\n- image: nginx # first\n",
		"registry: corp.example:5000/apps\n" PROXY_LINE "sidecars:\n- image: " PROXY
		" # first\n",
		NULL, NULL},
	    {"what only looks alike",
		"registry: corp.example:5000/apps\n" PROXY_LINE
		"other: {registry: reg.example.com}\nnote: nginx\n",
		NULL, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, findings_that_let_go_on)
{
	static const struct row rows[] = {
	    {"dead key",
		"registry: corp.example:5000/apps\n" PROXY_LINE
		"web: {old: reg.example.com/x}\n",
		NULL, NULL, "DEAD-KEY"},
	    {"an empty dead key",
		"registry: corp.example:5000/apps\n" PROXY_LINE "web: {old: ''}\n", NULL, NULL,
		NULL},
	    {"the last of two counts",
		PROXY_LINE "registry: elsewhere.example.com\nregistry: reg.example.com\n",
		PROXY_LINE
		"registry: elsewhere.example.com\nregistry: corp.example:5000/apps\n",
		NULL, "DUPLICATE-KEY"},
	    {"the last of two mappings counts",
		"registry: corp.example:5000/apps\n" PROXY_LINE
		"web: {whole: elsewhere.example.com/x}\nweb: {replicas: 2}\n",
		NULL, NULL, "DUPLICATE-KEY"},
	    {"twice in another mapping",
		"registry: corp.example:5000/apps\n" PROXY_LINE "other: {web: 1, web: 2}\n",
		NULL, NULL, NULL},
	    {"a digest of one's own",
		"registry: corp.example:5000/apps\n" PROXY_LINE "web: {digest: 'sha256:00'}\n",
		NULL, NULL, "DIGEST-PINNED"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, a_duplicate_is_shown_at_the_last_key)
{
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	struct err e = {0};

	cr_assert(
	    rewrite_file(slice_of("registry: a\nb: c\nregistry: reg.example.com\n"), &r, &e));
	const struct finding *f = finding_of(r, "DUPLICATE-KEY");
	cr_assert(f);
	cr_expect_eq(f->line, 3);
	cr_expect(strstr(f->text, "line 1"), "%s", f->text);
	cr_expect_eq(r->findings.count, 1);
}

/* Values that need a person: nothing of the file is to be written. */
static const struct {
	const char *label;
	const char *file;
	const char *code;
	size_t line; /* 0: in no line of the file */
	const char *says;
} blocking[] = {
    {"not carried", "\nweb: {whole: reg.example.com/shop/other}\n", "NOT-IN-BUNDLE", 2,
	"shop/other"},
    {"an empty registry is not unset", "web: {registry: ''}\n", "NOT-IN-BUNDLE", 1,
	"docker.io"},
    {"a longer host", "registry: reg.example.com.evil.example\n", "NOT-IN-BUNDLE", 1, ""},
    {"a host in a path", "registry: evil.example/reg.example.com\n", "NOT-IN-BUNDLE", 1, ""},
    {"a port", "registry: reg.example.com:443\n", "NOT-IN-BUNDLE", 1, ":443"},
    {"a port that is none", "registry: reg.example.com:x\n", "NOT-A-NAME", 1, ""},
    {"a scheme", "registry: https://reg.example.com\n", "NOT-A-NAME", 1, "https://"},
    {"a user", "registry: https://me:hunter2@reg.example.com\n", "NOT-A-NAME", 1, "..."},
    {"an at sign", "registry: reg.example.com@evil.example\n", "NOT-A-NAME", 1, ""},
    {"a slash at the end", "registry: reg.example.com/\n", "NOT-A-NAME", 1, ""},
    {"a way up", "registry: reg.example.com/../x\n", "NOT-A-NAME", 1, ""},
    {"a line break", "registry: \"reg.example.com\\n\"\n", "NOT-A-NAME", 1, ""},
    {"a NUL", "web: {whole: \"reg.example.com/shop/web\\0:x\"}\n", "NOT-A-NAME", 1, ""},
    {"a literal block with its line break", "registry: |\n  reg.example.com\n", "NOT-A-NAME", 1,
	""},
    {"a blank", "registry: ' reg.example.com'\n", "NOT-A-NAME", 1, ""},
    {"a template", "web: {whole: '{{ .Values.registry }}/shop/web'}\n", "NOT-A-NAME", 1, "{{"},
    {"a tag that is none", "web: {whole: 'reg.example.com/shop/web:$x'}\n", "NOT-A-NAME", 1,
	"$x"},
    {"a mapping in place of a text", "web: {repository: {a: b}}\n", "UNRESOLVED", 0, "web"},
    {"all taken away", "web: null\n", "UNRESOLVED", 0, "web"},
    {"another tag", "web: {tag: 2.0.0}\n", "TAG-NOT-IN-BUNDLE", 1, "2.0.0"},
    {"another tag in the name", "web: {whole: 'reg.example.com/shop/web:2.0.0'}\n",
	"TAG-NOT-IN-BUNDLE", 1, "2.0.0"},
    {"another tag in the repository", "web: {repository: 'shop/web:2.0.0'}\n",
	"TAG-NOT-IN-BUNDLE", 1, "2.0.0"},
    {"something behind the tag", "flavour: slim\n", "TAG-NOT-IN-BUNDLE", 1, "1.2.3-slim"},
    {"a version key", "a: 1\nversion: 1.2.2\n", "TAG-BEHIND", 2, "1.2.2 -> 1.2.3"},
    {"shared scalar", "registry: &r reg.example.com\nother: *r\n", "ANCHOR", 1, "*r"},
    {"shared mapping", "web: &w {registry: reg.example.com}\nother: *w\n", "ANCHOR", 1, "*w"},
    {"one mapping for two", "proxy: &p {image: nginx}\nsidecars: [*p]\n", "ANCHOR", 1, "*p"},
    {"merged elsewhere", "x: &x {registry: reg.example.com}\nweb: *x\nother: {<<: *x}\n",
	"ANCHOR", 1, "*x"},
    {"merge key", "x: &x {whole: a}\nweb:\n  <<: *x\n", "MERGE-KEY", 0, "line 3"},
    {"merge key at the top", "x: &x {registry: a}\n<<: *x\n", "MERGE-KEY", 0, "line 2"},
};

Test(rewrite, what_needs_a_person)
{
	for (size_t i = 0; i < sizeof(blocking) / sizeof(blocking[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(buf_drop) struct buf codes = BUF(1024);
		struct err e = {0};

		cr_assert(rewrite_file(slice_of(blocking[i].file), &r, &e), "%s: %s",
		    blocking[i].label, e.text);
		all_codes(r, &codes);
		const struct finding *f = finding_of(r, blocking[i].code);
		cr_assert(f, "%s: found %s", blocking[i].label, buf_text(&codes));
		cr_expect(
		    findings_blocking(&r->findings) && f->blocking, "%s", blocking[i].label);
		cr_expect_eq(
		    f->line, blocking[i].line, "%s: line %zu", blocking[i].label, f->line);
		cr_expect(
		    strstr(f->text, blocking[i].says), "%s: %s", blocking[i].label, f->text);
		cr_expect_not(strstr(f->text, "hunter2"), "%s", blocking[i].label);
	}
}

/* The names of all that blocks, as --waive takes them; how many. */
static size_t names_of(const struct rewrite *r, char *names[], size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < r->findings.count; i++) {
		OWNED(buf_drop) struct buf name = BUF(1024);

		if (!r->findings.items[i].blocking)
			continue;
		cr_assert(count < room && r->findings.items[i].path);
		buf_addf(&name, "%s:%s", r->findings.items[i].code, r->findings.items[i].path);
		names[count++] = own_text(buf_text(&name));
	}
	return count;
}

/* Waived by their names they block no more, and nothing else changes; one name too few and
 * they do. */
Test(rewrite, what_is_waived_does_not_block)
{
	for (size_t i = 0; i < sizeof(blocking) / sizeof(blocking[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *before = NULL;
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(rewrite_drop) struct rewrite *less = NULL;
		char *names[8];
		struct err e = {0};

		cr_assert(rewrite_file(slice_of(blocking[i].file), &before, &e));
		const size_t count = names_of(before, names, 8);
		cr_assert_gt(count, 0, "%s", blocking[i].label);
		struct rewrite_request q = {.defaults = slice_of(defaults),
		    .file = slice_of(blocking[i].file),
		    .waivers = (const char *const *)names,
		    .waiver_count = count};
		cr_assert(
		    rewrite_asked(description, q, &r, &e), "%s: %s", blocking[i].label, e.text);
		cr_expect_eq(findings_blocking(&r->findings), 0, "%s", blocking[i].label);
		const struct finding *f = finding_of(r, blocking[i].code);
		cr_expect(f && f->waived, "%s", blocking[i].label);
		cr_expect_str_eq(
		    buf_text(&r->file), buf_text(&before->file), "%s", blocking[i].label);
		q.waiver_count--;
		cr_assert(rewrite_asked(description, q, &less, &e));
		cr_expect_gt(findings_blocking(&less->findings), 0, "%s", blocking[i].label);
		for (size_t n = 0; n < count; n++)
			free(names[n]);
	}
}

Test(rewrite, a_waiver_of_nothing_is_refused)
{
	static const char *const rows[] = {"TAG-BEHIND", "TAG-BEHIND:", "TAG-BEHIND:vers",
	    "TAG-BEHIND:version:", "tag-behind:version", ":version", "", "DEAD-KEY:web.old"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		const struct rewrite_request q = {.defaults = slice_of(defaults),
		    .file = slice_of("version: 1.2.2\nweb: {old: x}\n"),
		    .waivers = &rows[i],
		    .waiver_count = 1};
		struct err e = {0};

		cr_assert_not(rewrite_asked(description, q, &r, &e), "%s", rows[i]);
		cr_expect_eq(e.kind, ERR_USAGE);
		cr_expect(strstr(e.text, "TAG-BEHIND:version"), "%s: %s", rows[i], e.text);
	}
}

Test(rewrite, the_key_of_the_version_follows_the_bundle)
{
	static const struct {
		const char *label, *file, *want;
		const char *codes;
	} rows[] = {
	    {"plain", "version: 1.2.2 # ours\n", "version: 1.2.3 # ours\n", ""},
	    {"quoted", "version: '1.2.2'\n", "version: '1.2.3'\n", ""},
	    {"a number", "version: 1.2\n", "version: 1.2.3\n", ""},
	    {"as it is", "version: 1.2.3\n", "version: 1.2.3\n", ""},
	    {"not in the file", "a: 1\n", "a: 1\n", ""},
	    {"another key", "web: {tag: 1.2.2}\n", "web: {tag: 1.2.2}\n", "TAG-NOT-IN-BUNDLE"},
	    {"behind a tag that counts", "version: 1.2.2\nweb: {tag: 1.2.3}\n",
		"version: 1.2.2\nweb: {tag: 1.2.3}\n", ""},
	    {"and what is put behind it", "version: 1.2.2\nflavour: slim\n",
		"version: 1.2.3\nflavour: slim\n", "TAG-NOT-IN-BUNDLE"},
	    {"that stands elsewhere too", "version: &v 1.2.2\nmine: *v\n",
		"version: &v 1.2.2\nmine: *v\n", "ANCHOR"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(buf_drop) struct buf codes = BUF(1024);
		const struct rewrite_request q = {.defaults = slice_of(defaults),
		    .file = slice_of(rows[i].file),
		    .update_tags = true};
		struct err e = {0};

		cr_assert(
		    rewrite_asked(description, q, &r, &e), "%s: %s", rows[i].label, e.text);
		all_codes(r, &codes);
		cr_expect_str_eq(buf_text(&codes), rows[i].codes, "%s", rows[i].label);
		cr_expect_str_eq(buf_text(&r->file), rows[i].want, "%s", rows[i].label);
		for (size_t c = 0; c < r->change_count; c++)
			cr_expect_eq(r->changes[c].version,
			    strcmp(r->changes[c].path, "version") == 0, "%s", rows[i].label);
	}
}

Test(rewrite, a_version_that_two_tags_share_is_left)
{
	static const char two[] =
	    "release: two\nversions: [version]\nimages:\n"
	    "  - ref: reg.example.com/a:1.0.0\n"
	    "    values: {name: a, whole: [a.image], repository: [a.name], "
	    "tag: [version]}\n"
	    "  - ref: reg.example.com/b:2.0.0\n"
	    "    values: {name: b, repository: [b.name], tag: [version]}\n";
	static const char *const versions[] = {"0.9.0", "1.0.0", "2.0.0"};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(buf_drop) struct buf file = BUF(1024);
		struct err e = {0};

		buf_addf(&file,
		    "a: {name: reg.example.com/a}\nb: {name: reg.example.com/b}\n"
		    "version: %s\n",
		    versions[i]);
		const struct rewrite_request q = {
		    .file = buf_slice(&file), .update_tags = true};
		cr_assert(rewrite_asked(two, q, &r, &e), "%s", e.text);
		const struct finding *f = finding_of(r, "CONFLICT");
		cr_assert(f, "%s", versions[i]);
		cr_expect(f->blocking && f->line == 3, "%s", versions[i]);
		cr_expect(strstr(buf_text(&r->file), versions[i]), "%s", versions[i]);
	}
}

Test(rewrite, an_anchor_that_no_alias_uses_is_edited)
{
	static const struct row rows[] = {
	    {"anchor", PROXY_LINE "registry: &r reg.example.com\n",
		PROXY_LINE "registry: &r corp.example:5000/apps\n", NULL, NULL},
	    {"alias", PROXY_LINE "x: &r reg.example.com\nregistry: *r # mine\n",
		PROXY_LINE "x: &r reg.example.com\nregistry: corp.example:5000/apps # mine\n",
		NULL, NULL},
	    {"alias in a flow mapping",
		"x: &r reg.example.com\nweb: {registry: *r }\n" PROXY_LINE,
		"x: &r reg.example.com\nweb: {registry: corp.example:5000/apps }\n" PROXY_LINE,
		NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_row(&rows[i]);
}

Test(rewrite, numeric_tags)
{
	static const char text[] = "release: r\nimages:\n- ref: reg.example.com/a:1.10\n"
				   "  values: {name: a, whole: [image], tag: [tag]}\n";
	static const struct {
		const char *file;
		const char *codes;
	} rows[] = {
	    {"image: corp.example:5000/apps/a\ntag: 1.10\n", "NUMERIC-TAG"},
	    {"image: corp.example:5000/apps/a\ntag: '1.10'\n", ""},
	    {"image: corp.example:5000/apps/a\ntag: !!str 1.10\n", ""},
	    {"image: corp.example:5000/apps/a:1.10\n", ""},
	    {"image: corp.example:5000/apps/a\ntag: 1.1\n", "NUMERIC-TAG TAG-NOT-IN-BUNDLE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(buf_drop) struct buf codes = BUF(1024);
		struct err e = {0};

		cr_assert(rewrite_with(text, "", slice_of(rows[i].file), &r, &e), "%s", e.text);
		all_codes(r, &codes);
		cr_expect_str_eq(buf_text(&codes), rows[i].codes, "%s", rows[i].file);
		cr_expect_str_eq(buf_text(&r->file), rows[i].file);
	}
}

/* Two images of different depth cannot share a registry that takes the path between. */
Test(rewrite, a_conflict_on_a_shared_key)
{
	static const char text[] =
	    "release: r\nimages:\n"
	    "- ref: docker.io/library/nginx:1\n"
	    "  values: {name: a, registry: [registry], repository: [a]}\n"
	    "- ref: docker.io/team/app:1\n"
	    "  values: {name: b, registry: [registry], repository: [b]}\n";
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	struct err e = {0};

	cr_assert(rewrite_with(text, "a: nginx\nb: team/app\n",
		      slice_of("registry: docker.io\n"), &r, &e),
	    "%s", e.text);
	const struct finding *f = finding_of(r, "CONFLICT");
	cr_assert(f);
	cr_expect(f->blocking && findings_blocking(&r->findings));
	cr_expect_eq(f->line, 1);
	cr_expect(strstr(f->text, "corp.example:5000/apps/library and corp.example:5000/apps"),
	    "%s", f->text);
}

/* What only a list in the defaults says is out of an overlay's reach. */
Test(rewrite, an_item_of_a_list_in_the_defaults)
{
	static const char text[] = "release: r\nimages:\n- ref: reg.example.com/a:1\n"
				   "  values: {name: a, whole: [list.0.image]}\n";
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	struct err e = {0};

	cr_assert(rewrite_with(text, "list: [{image: 'reg.example.com/a:1'}]\n",
		      (struct slice){0}, &r, &e),
	    "%s", e.text);
	const struct finding *f = finding_of(r, "LIST-ITEM");
	cr_assert(f);
	cr_expect(f->blocking && strstr(f->text, "corp.example:5000/apps/a:1"), "%s", f->text);
	cr_expect_eq(r->overlay.len, 0);
}

Test(rewrite, keys_of_the_overlay)
{
	static const char text[] = "release: r\nimages:\n- ref: reg.example.com/a:1\n"
				   "  values:\n"
				   "  - {name: a, whole: ['\"a.b\".image']}\n"
				   "  - {name: b, whole: ['\"a.d\".image']}\n"
				   "  - {name: c, whole: [x-y.image]}\n"
				   "  - {name: d, whole: [x.image]}\n"
				   "  - {name: e, whole: [x.on]}\n";
	static const char chart[] =
	    "a.b: {image: reg.example.com/a}\n"
	    "a.d: {image: reg.example.com/a}\n"
	    "x-y: {image: reg.example.com/a}\n"
	    "x: {image: reg.example.com/a, \"on\": reg.example.com/a}\n";
	static const char want[] = "\"a.b\":\n  image: \"corp.example:5000/apps/a\"\n"
				   "\"a.d\":\n  image: \"corp.example:5000/apps/a\"\n"
				   "x-y:\n  image: \"corp.example:5000/apps/a\"\n"
				   "x:\n  image: \"corp.example:5000/apps/a\"\n"
				   "  \"on\": \"corp.example:5000/apps/a\"\n";
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	struct err e = {0};

	cr_assert(rewrite_with(text, chart, (struct slice){0}, &r, &e), "%s", e.text);
	cr_assert_not(findings_blocking(&r->findings));
	cr_expect_str_eq(buf_text(&r->overlay) + strlen(overlay_head), want);
}

Test(rewrite, a_pinned_digest_is_the_bundles_or_refused)
{
#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	static const char text[] =
	    "release: r\nimages:\n- ref: reg.example.com/a@" DIGEST_A "\n"
	    "  values: {name: a, whole: [image], digest: [digest]}\n";
	static const struct {
		const char *file;
		const char *want;
		const char *codes;
	} rows[] = {
	    {"image: reg.example.com/a@" DIGEST_A "\n",
		"image: corp.example:5000/apps/a@" DIGEST_A "\n", ""},
	    {"image: reg.example.com/a:1@" DIGEST_A "\n",
		"image: corp.example:5000/apps/a:1@" DIGEST_A "\n", ""},
	    {"image: corp.example:5000/apps/a@" DIGEST_B "\n", NULL, "DIGEST-NOT-IN-BUNDLE"},
	    {"image: corp.example:5000/apps/a\ndigest: " DIGEST_B "\n", NULL,
		"DIGEST-NOT-IN-BUNDLE"},
	    {"image: corp.example:5000/apps/a\ndigest: " DIGEST_A "\n", NULL, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(rewrite_drop) struct rewrite *r = NULL;
		OWNED(buf_drop) struct buf codes = BUF(1024);
		struct err e = {0};

		cr_assert(rewrite_with(text, "", slice_of(rows[i].file), &r, &e), "%s", e.text);
		all_codes(r, &codes);
		cr_expect_str_eq(buf_text(&codes), rows[i].codes, "%s", rows[i].file);
		cr_expect_str_eq(
		    buf_text(&r->file), rows[i].want ? rows[i].want : rows[i].file);
	}
}

Test(rewrite, each_change_says_where_and_what)
{
	OWNED(rewrite_drop) struct rewrite *r = NULL;
	struct err e = {0};

	cr_assert(
	    rewrite_file(slice_of("a: b\nregistry: reg.example.com\n"), &r, &e), "%s", e.text);
	cr_assert_eq(r->change_count, 2);
	cr_expect_eq(r->changes[0].kind, CHANGE_SPLICE);
	cr_expect_eq(r->changes[0].line, 2);
	cr_expect_str_eq(r->changes[0].path, "registry");
	cr_expect_str_eq(r->changes[0].old, "reg.example.com");
	cr_expect_str_eq(r->changes[0].new, "corp.example:5000/apps");
	cr_expect_eq(r->changes[1].kind, CHANGE_OVERLAY);
	cr_expect_eq(r->changes[1].line, 0);
	cr_expect_str_eq(r->changes[1].path, "proxy.image");
	cr_expect_str_eq(r->changes[1].old, "nginx:1.25");
	cr_expect_str_eq(r->changes[1].new, PROXY ":1.25");
}
