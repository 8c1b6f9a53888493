#include "bundle/signer.h"

#include "base/command.h"
#include "base/own.h"
#include "bundle/chain.h"
#include "bundle/minisig.h"
#include "bundle/sigstore.h"

#include <stdlib.h>
#include <string.h>

enum { COMMAND_SECONDS = 600 }; /* a person may have to find a token and type its PIN */

struct signer {
	struct key *key;     /* private, or the public half when there is a command */
	char *command;	     /* owned; NULL: the key signs */
	struct chain *chain; /* NULL: no certificate */
};

struct signer *signer_of_key_take(struct key **key)
{
	struct signer *s = own_new(sizeof(*s));

	s->key = STEAL(*key);
	return s;
}

struct signer *signer_of_command_take(const char *command, struct key **public_key)
{
	struct signer *s = signer_of_key_take(public_key);

	s->command = own_text(command);
	return s;
}

void signer_free(struct signer *s)
{
	if (!s)
		return;
	key_free(s->key);
	free(s->command);
	chain_free(s->chain);
	free(s);
}

void signer_drop(struct signer **s)
{
	signer_free(*s);
	*s = NULL;
}

const char *signer_kid(const struct signer *s, char out[KID_TEXT])
{
	return key_kid(s->key, out);
}

bool signer_certify(struct signer *s, struct slice pem, struct err *e)
{
	if (s->command || key_type(s->key) == KEY_ED25519)
		return err_set(e, ERR_USAGE,
		    "expected an ECDSA --sign-key beside a certificate, found %s",
		    s->command ? "--sign-cmd" : "an Ed25519 key");
	return chain_read(pem, s->key, &s->chain, e);
}

static bool ask_command(
    const struct signer *s, struct slice bytes, struct raw_signature *out, struct err *e)
{
	OWNED(buf_drop) struct buf answer = BUF(RAW_ROOM);
	char kid[KID_TEXT];

	if (!command_run(s->command, bytes, COMMAND_SECONDS, &answer, e))
		return err_in(e, "--sign-cmd");
	out->len = answer.len;
	if (answer.len)
		(void)memcpy(out->bytes, answer.ptr, answer.len);
	return signature_holds(s->key, bytes, out)
	       || err_set(e, ERR_UNTRUSTED,
		   "--sign-cmd: expected the raw signature by %s over what it was given, found "
		   "%zu bytes that are not",
		   key_kid(s->key, kid), answer.len);
}

bool signer_raw(
    const struct signer *s, struct slice bytes, struct raw_signature *out, struct err *e)
{
	return s->command ? ask_command(s, bytes, out, e)
			  : signature_raw(s->key, bytes, out, e);
}

static bool add_sigstore(const struct signer *s, struct slice bytes,
    const struct raw_signature *raw, struct signatures *out, struct err *e)
{
	struct buf *text;
	char kid[KID_TEXT];

	return !sigstore_has(s->key)
	       || (signatures_add(out, signer_kid(s, kid), "sigstore.json", &text, e)
		   && sigstore_make(s->key, bytes, raw, text, e));
}

/* A command signs inventories only, and minisign signs hashes. */
static bool add_minisig(const struct signer *s, const struct inventory *inv, struct slice bytes,
    struct signatures *out, struct err *e)
{
	struct buf *text;
	char kid[KID_TEXT];

	return key_type(s->key) != KEY_ED25519 || s->command
	       || (signatures_add(out, signer_kid(s, kid), "minisig", &text, e)
		   && minisig_make(s->key, inv, bytes, text, e));
}

static bool add_cms(
    const struct signer *s, struct slice bytes, struct signatures *out, struct err *e)
{
	struct buf *text;
	char kid[KID_TEXT];

	return !s->chain
	       || (signatures_add(out, signer_kid(s, kid), "p7s", &text, e)
		   && chain_sign(s->chain, s->key, bytes, text, e));
}

bool signer_sign(const struct signer *s, const struct inventory *inv, struct slice bytes,
    struct signatures *out, struct err *e)
{
	struct raw_signature raw;
	struct buf *text;
	char kid[KID_TEXT];

	if (!signer_raw(s, bytes, &raw, e)
	    || !signatures_add(out, signer_kid(s, kid), "sig", &text, e))
		return false;
	signature_encode(raw.bytes, raw.len, text);
	buf_adds(text, "\n");
	return buf_ok(text, e) && add_sigstore(s, bytes, &raw, out, e)
	       && add_minisig(s, inv, bytes, out, e) && add_cms(s, bytes, out, e);
}

bool signer_made(
    const struct signer *s, const struct area *area, struct slice bytes, struct err *e)
{
	char kid[KID_TEXT];
	const struct area_signature *own = area_find(area, signer_kid(s, kid), "sig");

	if (!own)
		return err_set(e, ERR_UNTRUSTED, "expected a signature by %s, found none", kid);
	return signature_check(s->key, bytes, own->data, e);
}
