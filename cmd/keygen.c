/* keygen: a key pair for signing bundles. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/minisig.h"
#include "cmd/output.h"
#include "cmd/passphrase.h"
#include "cmd/result.h"
#include "cmd/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	struct common common;
	struct passphrase_options passphrase;
	const char *output;
	const char *type;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "NAME",
	"write NAME.key and NAME.pub (default sealift)"},
    {"type", 0, OPTION_TEXT, AT(type), "TYPE",
	"p256 (default; works in FIPS mode), p384 or ed25519, for which NAME.minipub is "
	"written too"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {passphrase_options, AT(passphrase), "Passphrase"},
    {common_options, AT(common), "General"},
    {0},
};

static bool parse_type(const char *text, enum key_type *type, struct err *e)
{
	if (!text || strcmp(text, "p256") == 0)
		*type = KEY_P256;
	else if (strcmp(text, "p384") == 0)
		*type = KEY_P384;
	else if (strcmp(text, "ed25519") == 0)
		*type = KEY_ED25519;
	else
		return err_set(
		    e, ERR_USAGE, "--type: expected p256, p384 or ed25519, found \"%s\"", text);
	return true;
}

/* Both names must be free before anything is asked or made. */
static bool names_are_free(const char *private_name, const char *public_name, struct err *e)
{
	const char *taken = access(private_name, F_OK) == 0 ? private_name : public_name;

	if (access(taken, F_OK) != 0)
		return true;
	return err_set(e, ERR_SYSTEM,
	    "%s exists already; keys are never overwritten, choose another name", taken);
}

static bool write_pair(const char *private_name, struct slice private_pem,
    const char *public_name, struct slice public_pem, struct err *e)
{
	if (!file_write_new(private_name, private_pem, FILE_REFUSE, 0600, e))
		return false;
	if (file_write_new(public_name, public_pem, FILE_REFUSE, 0666, e))
		return true;
	(void)unlink(private_name);
	return false;
}

/* minisign has a form of its own for public keys. */
static bool write_minisign(const char *name, const struct key *key, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(4096);
	OWNED(buf_drop) struct buf text = BUF(1024);

	if (key_type(key) != KEY_ED25519)
		return true;
	buf_addf(&path, "%s.minipub", name);
	return minisig_public(key, &text, e)
	       && file_write_new(buf_text(&path), buf_slice(&text), FILE_REPLACE, 0666, e);
}

static void report(const struct options *o, const char *private_name, const char *public_name,
    const struct key *key)
{
	struct digest spki;
	char hex[DIGEST_TEXT];
	char kid[KID_TEXT];

	key_fingerprint(key, &spki);
	(void)digest_hex(&spki, hex);
	const struct fact facts[] = {
	    {"key", public_name, 0}, {"kid", key_kid(key, kid), 0}, {"fingerprint", hex, 0}};
	if (o->common.json)
		result_json(facts, 3);
	else
		say(stdout,
		    "wrote %s (keep it here) and %s (give it to those who verify)\nfingerprint "
		    "%s\n",
		    private_name, public_name, hex);
}

static void wipe(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_drop(b);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(buf_drop) struct buf private_name = BUF(4096);
	OWNED(buf_drop) struct buf public_name = BUF(4096);
	OWNED(passphrase_drop) char *secret = NULL;
	OWNED(wipe) struct buf private_pem = BUF(16384);
	OWNED(buf_drop) struct buf public_pem = BUF(16384);
	OWNED(key_drop) struct key *key = NULL;
	enum key_type type = KEY_P256;

	buf_addf(&private_name, "%s.key", o->output ? o->output : "sealift");
	buf_addf(&public_name, "%s.pub", o->output ? o->output : "sealift");
	if (!parse_type(o->type, &type, e)
	    || !names_are_free(buf_text(&private_name), buf_text(&public_name), e)
	    || !passphrase_new(&o->passphrase, buf_text(&private_name), &secret, e)
	    || !key_generate(type, secret, &private_pem, &public_pem, e)
	    || !key_read_public(buf_slice(&public_pem), buf_text(&public_name), &key, e)
	    || !write_pair(buf_text(&private_name), buf_slice(&private_pem),
		buf_text(&public_name), buf_slice(&public_pem), e))
		return false;
	if (!write_minisign(o->output ? o->output : "sealift", key, e))
		return false;
	report(o, buf_text(&private_name), buf_text(&public_name), key);
	return true;
}

const struct verb verb_keygen = {
    .name = "keygen",
    .arguments = "",
    .summary = "make a key pair for signing bundles",
    .about = "Makes a key pair: NAME.key, encrypted and readable by you alone, signs "
	     "bundles; NAME.pub is what the other side passes to --trust. Neither file "
	     "is ever overwritten.",
    .example = "  sealift keygen -o vendor",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
