/* trust list: whose bundles are believed, and who may approve. */
#include "base/own.h"
#include "cmd/output.h"
#include "cmd/rings.h"
#include "cmd/verb.h"
#include "manifests/json.h"

enum {
	JSON_MAX = 1024 * 1024,
	SCOPE_ROOM = 4096,
};

struct options {
	struct common common;
};

static const struct option_group groups[] = {
    {common_options, 0, "General"},
    {0},
};

static const char *state_text(const struct ring_key *k, struct buf *out)
{
	if (!k->key)
		return "REFUSED";
	scope_text(&k->scope, out);
	return out->len ? buf_text(out) : "every bundle";
}

static void put_key(struct json_writer *w, const char *role, const struct ring_key *k)
{
	OWNED(buf_drop) struct buf scope = BUF(SCOPE_ROOM);
	char hex[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "role", role);
	json_pair(w, "path", k->path);
	if (k->key) {
		json_pair(w, "kid", k->kid);
		json_pair(w, "fingerprint", digest_hex(&k->spki, hex));
		scope_text(&k->scope, &scope);
		json_pair(w, "scope", buf_text(&scope));
	} else {
		json_pair(w, "error", k->error.text);
	}
	json_end(w, '}');
}

static void add_rows(struct table *t, const char *role, const struct keyring *ring)
{
	for (size_t i = 0; i < ring->count; i++) {
		const struct ring_key *k = &ring->keys[i];
		OWNED(buf_drop) struct buf scope = BUF(SCOPE_ROOM);
		char hex[DIGEST_TEXT];

		table_add(t, "%s", role);
		table_add(t, "%s", k->key ? digest_hex(&k->spki, hex) : "-");
		table_add(t, "%s", state_text(k, &scope));
		table_add(t, "%s", k->path);
	}
}

static void print_table(
    const struct policy *p, const struct keyring *signers, const struct keyring *approvers)
{
	static const char *const titles[] = {"MAY", "FINGERPRINT", "FOR", "FILE"};
	OWNED(table_drop) struct table t = {.columns = 4};

	for (size_t i = 0; i < 4; i++)
		table_add(&t, "%s", titles[i]);
	add_rows(&t, "sign", signers);
	add_rows(&t, "approve", approvers);
	table_print(&t, stdout);
	say(stdout, "a bundle needs %u signature%s and %u approval%s\n", p->threshold,
	    plural(p->threshold), p->approvals, plural(p->approvals));
}

static void print_json(
    const struct policy *p, const struct keyring *signers, const struct keyring *approvers)
{
	OWNED(buf_drop) struct buf text = BUF(JSON_MAX);
	struct json_writer w = {.out = &text};

	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	json_key(&w, "threshold");
	json_put_u64(&w, p->threshold);
	json_key(&w, "approvals");
	json_put_u64(&w, p->approvals);
	json_key(&w, "keys");
	json_begin(&w, '[');
	for (size_t i = 0; i < signers->count; i++)
		put_key(&w, "sign", &signers->keys[i]);
	for (size_t i = 0; i < approvers->count; i++)
		put_key(&w, "approve", &approvers->keys[i]);
	json_end(&w, ']');
	json_end(&w, '}');
	(void)printf("%s\n", buf_text(&text));
}

/* What makes every use of a folder fail makes the list fail as well. */
static bool check_use(const char *name, struct err *e)
{
	OWNED(keyring_drop) struct keyring ring = {0};

	return rings_open(name, &ring, e);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(keyring_drop) struct keyring signers = {0};
	OWNED(keyring_drop) struct keyring approvers = {0};
	struct policy policy;

	if (!config_policy(&policy, e) || !rings_survey(RINGS_SIGNERS, &signers, e)
	    || !rings_survey(RINGS_APPROVERS, &approvers, e))
		return false;
	if (o->common.json)
		print_json(&policy, &signers, &approvers);
	else
		print_table(&policy, &signers, &approvers);
	return check_use(RINGS_SIGNERS, e) && check_use(RINGS_APPROVERS, e);
}

const struct verb verb_trust_list = {
    .name = "trust list",
    .arguments = "",
    .summary = "show whose bundles are believed, and who may approve",
    .about = "Shows every key of trusted.d and approvers.d with its fingerprint and what it "
	     "is limited to, and how many signatures and approvals trust.conf wants. A file "
	     "that is refused is named, and the status says so.",
    .example = "  sealift trust list --json",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
