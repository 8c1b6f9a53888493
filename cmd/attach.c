/* attach: a signature that was made elsewhere, into its bundle. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/certificate.h"
#include "bundle/countersign.h"
#include "bundle/forms.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/verb.h"

#include <string.h>

struct options {
	struct common common;
	const char *key;
};

enum { PATH_ROOM = 4096, PUBLIC_KEY_MAX = 64 * 1024 };

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"pub", 0, OPTION_TEXT, AT(key), "FILE",
	"the public key of who signed; required, but for .p7s"},
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

static bool is_certified(const char *path)
{
	const size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".p7s") == 0;
}

/* A signature with a certificate names its key itself. */
static bool read_certified(
    const char *path, const struct countersigning *c, struct signatures *made, struct err *e)
{
	OWNED(buf_drop) struct buf der = BUF(0);
	struct digest spki;
	char hex[DIGEST_TEXT];
	struct buf *text;

	if (!is_certified(path))
		return err_set(e, ERR_USAGE,
		    "%s: expected --pub FILE with the signer's public key, or a name that "
		    "ends in .p7s",
		    path);
	if (!file_read(path, SIGNATURE_MAX, &der, e))
		return false;
	if (!certificate_signer(buf_slice(&der), buf_slice(&c->head.inventory), &spki, e))
		return err_in(e, "%s", path);
	(void)digest_hex(&spki, hex);
	hex[KID_TEXT - 1] = '\0';
	if (!signatures_add(made, hex, "p7s", &text, e))
		return false;
	buf_add(text, der.ptr, der.len);
	return buf_ok(text, e);
}

/* What the files hold, once it is found good for this bundle. */
static bool gather(const struct options *o, const struct key *key,
    const struct countersigning *c, struct signatures *made, struct err *e)
{
	const struct texts *words = &o->common.arguments;

	if (key)
		return read_signatures(o, key, made, e) && check(c, key, made, e);
	for (size_t i = 1; i < words->count; i++)
		if (!read_certified(words->items[i], c, made, e))
			return false;
	return true;
}

static bool attach(
    const struct options *o, const struct key *key, struct digest *id, struct err *e)
{
	const char *path = o->common.arguments.items[0];
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(buf_drop) struct buf journal = BUF(PATH_ROOM);
	OWNED(countersigning_drop) struct countersigning c = {0};
	OWNED(signatures_drop) struct signatures made = {0};

	buf_addf(&journal, "%s.signing", path);
	if (!buf_ok(&journal, e) || !media_in_mend(path, &medium, e)
	    || !countersigning_open(medium, buf_text(&journal), &c, e))
		return false;
	digest_of(buf_slice(&c.head.inventory), id);
	result_id(&o->common, stdout, path, id);
	return gather(o, key, &c, &made, e) && countersigning_write(&c, &made, e)
	       && countersigning_refresh(&c, path, e);
}

static bool read_public(const struct options *o, struct key **key, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);

	if (!o->key)
		return true;
	return (file_read(o->key, PUBLIC_KEY_MAX, &pem, e)
		   && key_read_public(buf_slice(&pem), o->key, key, e))
	       || err_in(e, "--pub");
}

static void report(const struct options *o, const struct digest *id, const struct key *key)
{
	const char *path = o->common.arguments.items[0];
	char text[DIGEST_TEXT];
	char kid[KID_TEXT];
	const struct fact facts[] = {{"id", digest_text(id, text), 0}, {"bundle", path, 0},
	    {"signer", key ? key_kid(key, kid) : "", 0}};

	if (o->common.json)
		result_json(facts, key ? 3 : 2); /* a certificate names its key itself */
	else if (!o->common.quiet)
		say(stdout, "%s: signed %s %s\n", path, key ? "by" : "with a",
		    key ? kid : "certificate");
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(key_drop) struct key *key = NULL;
	struct digest id;

	if (!read_public(o, &key, e))
		return false;
	if (!attach(o, key, &id, e))
		return err_in(e, "%s", o->common.arguments.items[0]);
	report(o, &id, key);
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
	     "line of base64, named NAME.sig; one with a certificate, as openssl cms -sign "
	     "-binary -outform DER makes it, is named NAME.p7s and needs no --pub.",
    .example = "  sealift attach immuta-2024.1.5.tar 1f0c9e4d7a5b3c21.sig --pub vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
