/* attach: a signature that was made elsewhere, into its bundle. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/countersign.h"
#include "bundle/forms.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/verb.h"

#include <string.h>

struct options {
	struct common common;
	const char *key;
};

enum { PATH_ROOM = 4096, PUBLIC_KEY_MAX = 64 * 1024 };

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"pub", 0, OPTION_TEXT, AT(key), "FILE", "the public key of who signed (required)"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {common_options, 0, "General"},
    {0},
};

/* What stands behind the first dot of the file's name: "sig", "sigstore.json". */
static const char *suffix_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strchr(slash ? slash + 1 : path, '.');

	return dot ? dot + 1 : "";
}

static bool read_signatures(
    const struct options *o, const struct key *key, struct signatures *out, struct err *e)
{
	const struct texts *words = &o->common.arguments;
	char kid[KID_TEXT];

	for (size_t i = 1; i < words->count; i++) {
		const char *path = words->items[i];
		struct buf *text;

		if (!forms_know(suffix_of(path)))
			return err_set(e, ERR_USAGE,
			    "%s: expected a name that ends in .sig, .sigstore.json or .minisig",
			    path);
		if (!signatures_add(out, key_kid(key, kid), suffix_of(path), &text, e)
		    || !file_read(path, SIGNATURE_MAX, text, e))
			return false;
	}
	return true;
}

/* Only what holds is attached. */
static bool check(const struct countersigning *c, const struct key *key,
    struct signatures *made, struct err *e)
{
	OWNED(area_drop) struct area area = {.bytes = own_array(SIGNATURE_AREA, 1)};

	if (!area_make(made, area.bytes, e) || !area_parse(&area, e))
		return false;
	for (size_t i = 0; i < area.count; i++) {
		const struct evidence v = {
		    key, buf_slice(&c->head.inventory), &area, &area.signatures[i]};
		if (!forms_check(&v, e))
			return false;
	}
	return true;
}

static bool attach(const struct options *o, const struct key *key, struct err *e)
{
	const char *path = o->common.arguments.items[0];
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(buf_drop) struct buf journal = BUF(PATH_ROOM);
	OWNED(countersigning_drop) struct countersigning c = {0};
	OWNED(signatures_drop) struct signatures made = {0};

	buf_addf(&journal, "%s.signing", path);
	return buf_ok(&journal, e) && read_signatures(o, key, &made, e)
	       && media_in_mend(path, &medium, e)
	       && countersigning_open(medium, buf_text(&journal), &c, e)
	       && check(&c, key, &made, e) && countersigning_write(&c, &made, e)
	       && countersigning_refresh(&c, path, e);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(buf_drop) struct buf pem = BUF(0);
	OWNED(key_drop) struct key *key = NULL;
	char kid[KID_TEXT];

	if (!o->key)
		return err_set(
		    e, ERR_USAGE, "expected --pub FILE with the signer's public key");
	if (!file_read(o->key, PUBLIC_KEY_MAX, &pem, e)
	    || !key_read_public(buf_slice(&pem), o->key, &key, e))
		return err_in(e, "--pub");
	if (!attach(o, key, e))
		return err_in(e, "%s", path);
	if (!o->common.quiet)
		say(stdout, "%s: signed by %s\n", path, key_kid(key, kid));
	return true;
}

const struct verb verb_attach = {
    .name = "attach",
    .arguments = "BUNDLE SIGNATURE...",
    .least = 2,
    .most = 8,
    .summary = "put a signature that was made elsewhere into its bundle",
    .about = "Checks that the signatures, as sealift sign --inventory wrote them on the "
	     "machine that has the key, are over this very bundle, and puts them into its "
	     "signature area in place. A signature made by another program is a file of one "
	     "line of base64, named NAME.sig.",
    .example = "  sealift attach immuta-2024.1.5.tar 1f0c9e4d7a5b3c21.sig --pub vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
