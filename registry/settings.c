#include "registry/settings.h"

#include "base/own.h"
#include "manifests/yaml.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entry {
	char *host;
	struct host_settings settings;
	char *texts[5]; /* that settings borrows */
	size_t text_count;
};

struct settings {
	struct entry *entries;
	size_t count;
};

enum kind { KIND_TEXT, KIND_FLAG, KIND_WORD, KIND_NUMBER };

/* A row a setting; of a word's values the first is the default. */
struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *words[5];
	uint64_t least; /* of a number */
	uint64_t most;
};

#define AT(field) offsetof(struct host_settings, field)
static const struct row rows[] = {
    {"ca-file", KIND_TEXT, AT(ca_file), {NULL}, 0, 0},
    {"client-cert", KIND_TEXT, AT(client_cert), {NULL}, 0, 0},
    {"client-key", KIND_TEXT, AT(client_key), {NULL}, 0, 0},
    {"proxy", KIND_TEXT, AT(proxy), {NULL}, 0, 0},
    {"insecure", KIND_FLAG, AT(insecure), {NULL}, 0, 0},
    {"plain-http", KIND_FLAG, AT(plain_http), {NULL}, 0, 0},
    {"allow-http-realm", KIND_FLAG, AT(allow_http_realm), {NULL}, 0, 0},
    {"allow-private-redirect", KIND_FLAG, AT(allow_private_redirect), {NULL}, 0, 0},
    {"token-method", KIND_WORD, AT(token_method), {"auto", "get", "post", NULL}, 0, 0},
    {"expect", KIND_WORD, AT(expect), {"auto", "off", NULL}, 0, 0},
    {"upload", KIND_WORD, AT(upload), {"auto", "put", "patch-chunk", "patch-whole", NULL}, 0,
	0},
    {"mount", KIND_WORD, AT(mount), {"on", "off", NULL}, 0, 0},
    {"http", KIND_WORD, AT(http), {"auto", "1.1", "2", NULL}, 0, 0},
    {"referrers", KIND_WORD, AT(referrers), {"auto", "api", "tag", "off", NULL}, 0, 0},
    {"sparse", KIND_WORD, AT(sparse), {"fail", NULL}, 0, 0},
    {"nondistributable", KIND_WORD, AT(foreign), {"upload", "leave", NULL}, 0, 0},
    {"chunk-size", KIND_NUMBER, AT(chunk_size), {NULL}, 65536, 1073741824},
    {"parallel", KIND_NUMBER, AT(parallel), {NULL}, 1, 64},
    {"retry-max", KIND_NUMBER, AT(retry_max), {NULL}, 0, 100},
    {"retry-total", KIND_NUMBER, AT(retry_total), {NULL}, 1, 86400},
    {"max-manifest", KIND_NUMBER, AT(max_manifest), {NULL}, 1024, 8388608},
    {"on-missing-repo", KIND_TEXT, AT(on_missing_repo), {NULL}, 0, 0},
};

static const struct row *find_row(struct slice name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (slice_is(name, rows[i].name))
			return &rows[i];
	}
	return NULL;
}

static bool read_flag(struct slice text, bool *flag, struct err *e)
{
	*flag = slice_is(text, "true");
	return *flag || slice_is(text, "false")
	       || err_set(
		   e, ERR_USAGE, "expected true or false, found \"%.*s\"", SLICE_ARG(text));
}

static bool read_word(const struct row *row, struct slice text, int *value, struct err *e)
{
	for (int i = 0; row->words[i]; i++) {
		if (slice_is(text, row->words[i])) {
			*value = i;
			return true;
		}
	}
	return err_set(e, ERR_USAGE,
	    "expected %s or another word of sealift(1), found \"%.*s\"", row->words[0],
	    SLICE_ARG(text));
}

static bool read_number(
    const struct row *row, struct slice text, struct setting_number *n, struct err *e)
{
	n->said = slice_u64(text, row->most, &n->value) && n->value >= row->least;
	return n->said
	       || err_set(e, ERR_USAGE,
		   "expected a number from %" PRIu64 " to %" PRIu64 ", found \"%.*s\"",
		   row->least, row->most, SLICE_ARG(text));
}

static bool take(struct entry *one, const struct yaml_node *value, struct err *e)
{
	const struct row *row = find_row(value->key->text);
	const struct yaml_node *node = yaml_resolve(value);
	char *place = row ? (char *)&one->settings + row->offset : NULL;

	if (!row)
		return err_set(e, ERR_USAGE, "there is no setting \"%.*s\"; see sealift(1)",
		    SLICE_ARG(value->key->text));
	if (node->kind != YAML_SCALAR)
		return err_set(e, ERR_USAGE, "%s: expected one value", row->name);
	if (row->kind == KIND_FLAG)
		return read_flag(node->text, (bool *)(void *)place, e)
		       || err_in(e, "%s", row->name);
	if (row->kind == KIND_WORD)
		return read_word(row, node->text, (int *)(void *)place, e)
		       || err_in(e, "%s", row->name);
	if (row->kind == KIND_NUMBER)
		return read_number(row, node->text, (struct setting_number *)(void *)place, e)
		       || err_in(e, "%s", row->name);
	for (size_t i = 0; i < one->text_count; i++) {
		if (*(const char **)(void *)place == one->texts[i])
			return err_set(e, ERR_USAGE, "%s: expected it once", row->name);
	}
	char *text = own_bytes(node->text.ptr, node->text.len);
	one->texts[one->text_count++] = text;
	*(const char **)(void *)place = text;
	return true;
}

static bool check_entry(const struct entry *one, struct err *e)
{
	return !one->settings.client_cert == !one->settings.client_key
	       || err_set(
		   e, ERR_USAGE, "expected client-cert and client-key, found one of them");
}

static bool read_entry(
    struct settings *s, const struct yaml_node *value, const char *what, struct err *e)
{
	const struct yaml_node *node = yaml_resolve(value);
	struct entry *one;
	bool ok = true;

	s->entries = own_grow(s->entries, s->count + 1, sizeof(*s->entries));
	one = &s->entries[s->count++];
	*one = (struct entry){.host = own_bytes(value->key->text.ptr, value->key->text.len)};
	if (node->kind != YAML_MAPPING)
		return yaml_is_null(node)
		       || err_set(
			   e, ERR_USAGE, "%s, %.100s: expected settings", what, one->host);
	for (const struct yaml_node *v = node->first; ok && v; v = v->next)
		ok = take(one, v, e)
		     || err_in(e, "%s, line %zu, %.100s", what, v->line, one->host);
	return ok && (check_entry(one, e) || err_in(e, "%s, %.100s", what, one->host));
}

bool settings_read(struct slice yaml, const char *what, struct settings **out, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	OWNED(settings_drop) struct settings *s = own_new(sizeof(*s));

	if (!yaml_parse(yaml, what, &doc, e))
		return false;
	const struct yaml_node *root = yaml_root(doc);
	for (const struct yaml_node *v = root ? root->first : NULL; v; v = v->next) {
		if (!v->key || !slice_is(v->key->text, "registries"))
			return err_set(
			    e, ERR_USAGE, "%s, line %zu: expected registries", what, v->line);
		const struct yaml_node *list = yaml_resolve(v);
		for (const struct yaml_node *h = list->first; h; h = h->next) {
			if (!h->key)
				return err_set(e, ERR_USAGE,
				    "%s, line %zu: expected the name of a registry", what,
				    h->line);
			if (!read_entry(s, h, what, e))
				return false;
		}
	}
	*out = STEAL(s);
	return true;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		free(s->entries[i].host);
		for (size_t k = 0; k < s->entries[i].text_count; k++)
			free(s->entries[i].texts[k]);
	}
	free(s->entries);
	free(s);
}

void settings_drop(struct settings **s)
{
	settings_free(*s);
	*s = NULL;
}

const struct host_settings *settings_of(const struct settings *s, const char *host)
{
	static const struct host_settings none = {0};

	for (size_t i = 0; s && i < s->count; i++) {
		if (strcasecmp(s->entries[i].host, host) == 0)
			return &s->entries[i].settings;
	}
	return &none;
}
