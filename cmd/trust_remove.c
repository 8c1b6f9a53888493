/* trust remove: believes a key no longer. */
#include "base/own.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/rings.h"
#include "cmd/verb.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 256,
	KID_LEN = KID_TEXT - 1,
};

struct options {
	struct common common;
	struct rings_options role;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {rings_options, AT(role), "Whom"},
    {common_options, 0, "General"},
    {0},
};

static bool is_prefix(const struct ring_key *k, const char *prefix)
{
	char hex[DIGEST_TEXT];

	return k->key && strncmp(digest_hex(&k->spki, hex), prefix, strlen(prefix)) == 0;
}

/* The one key that prefix means, which may stand in several files. */
static bool find_one(
    const struct keyring *ring, const char *prefix, const struct ring_key **out, struct err *e)
{
	*out = NULL;
	for (size_t i = 0; i < ring->count; i++) {
		const struct ring_key *k = &ring->keys[i];
		if (!is_prefix(k, prefix))
			continue;
		if (*out && !digest_equal(&(*out)->spki, &k->spki))
			return err_set(e, ERR_USAGE,
			    "expected a fingerprint's beginning that one key has, found that "
			    "%s and %s have it",
			    (*out)->path, k->path);
		*out = k;
	}
	return *out
	       || err_set(e, ERR_MISSING,
		   "expected a key with the fingerprint %s, found none; see sealift trust list",
		   prefix);
}

/* Whether another key file stands there that has the same sidecar. */
static bool scope_is_shared(const struct keyring *ring, const struct ring_key *gone)
{
	for (size_t i = 0; i < ring->count; i++) {
		const struct ring_key *k = &ring->keys[i];
		const size_t len = strlen(gone->path) - 4;
		if (k != gone && strlen(k->path) == len + 4
		    && strncmp(k->path, gone->path, len) == 0
		    && !(k->key && digest_equal(&k->spki, &gone->spki)))
			return true;
	}
	return false;
}

/* The key first: a sidecar alone refuses the folder, a key alone would be without its limit. */
static bool remove_key(const struct options *o, const struct keyring *ring,
    const struct ring_key *k, struct err *e)
{
	if (unlink(k->path) != 0)
		return err_errno(e, "cannot remove %s", k->path);
	if (!o->common.json)
		say(stdout, "removed %s\n", k->path);
	if (!k->scope_path || scope_is_shared(ring, k))
		return true;
	return unlink(k->scope_path) == 0 || errno == ENOENT
	       || err_errno(e, "cannot remove %s", k->scope_path);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(buf_drop) struct buf prefix = BUF(ANSWER_MAX);
	OWNED(keyring_drop) struct keyring ring = {0};
	const struct ring_key *one;
	char hex[DIGEST_TEXT];

	rings_hex(o->common.arguments.items[0], &prefix);
	if (prefix.len < KID_LEN || prefix.len > DIGEST_HEX
	    || strspn(buf_text(&prefix), "0123456789abcdef") != prefix.len)
		return err_set(e, ERR_USAGE,
		    "expected %d to %d hex digits of a fingerprint, found \"%s\"", KID_LEN,
		    DIGEST_HEX, o->common.arguments.items[0]);
	if (!rings_survey(rings_folder(&o->role), &ring, e)
	    || !find_one(&ring, buf_text(&prefix), &one, e))
		return false;
	for (size_t i = 0; i < ring.count; i++)
		if (is_prefix(&ring.keys[i], buf_text(&prefix))
		    && !remove_key(o, &ring, &ring.keys[i], e))
			return false;
	const struct fact fact = {"fingerprint", digest_hex(&one->spki, hex), 0};
	if (o->common.json)
		result_json(&fact, 1);
	return true;
}

const struct verb verb_trust_remove = {
    .name = "trust remove",
    .arguments = "KID",
    .least = 1,
    .most = 1,
    .summary = "believe a key no longer",
    .about = "Removes the key whose fingerprint begins with KID, at least 16 hex digits, from "
	     "trusted.d, and its scope with it.",
    .example = "  sealift trust remove 0123456789abcdef",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
