#include "cmd/signing.h"

#include "base/file.h"
#include "base/own.h"

enum { PUBLIC_KEY_MAX = 64 * 1024, CERTIFICATES_MAX = 64 * 1024 };

#define AT(field) offsetof(struct signing_options, field)
const struct option signing_options[] = {
    {"sign-key", 0, OPTION_TEXT, AT(sign_key), "KEY",
	"sign with this private key: a file (see keygen), or a URI such as pkcs11:… where "
	"OpenSSL has a provider for it"},
    {"sign-cmd", 0, OPTION_TEXT, AT(sign_cmd), "CMD",
	"let this command sign: it is given the bytes on standard input and says the raw "
	"signature on standard output; with --sign-pub"},
    {"sign-pub", 0, OPTION_TEXT, AT(sign_pub), "FILE", "the public key of --sign-cmd"},
    {"sign-cert", 0, OPTION_TEXT, AT(sign_cert), "FILE",
	"sign with this certificate of the key too, for those who trust its CA: PEM, the chain "
	"behind it"},
    {0},
};

static bool certify(const struct signing_options *o, struct signer *signer, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);

	if (!o->sign_cert)
		return true;
	return (file_read(o->sign_cert, CERTIFICATES_MAX, &pem, e)
		   && signer_certify(signer, buf_slice(&pem), e))
	       || err_in(e, "--sign-cert");
}

static bool open_command(const struct signing_options *o, struct signer **out, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);
	OWNED(key_drop) struct key *key = NULL;

	if (!file_read(o->sign_pub, PUBLIC_KEY_MAX, &pem, e)
	    || !key_read_public(buf_slice(&pem), o->sign_pub, &key, e))
		return err_in(e, "--sign-pub");
	*out = signer_of_command_take(o->sign_cmd, &key);
	return true;
}

static bool open_any(const struct signing_options *o, struct signer **out, struct err *e)
{
	OWNED(key_drop) struct key *key = NULL;
	struct passphrase_source passphrase;

	if (!o->sign_key == !o->sign_cmd || !o->sign_cmd != !o->sign_pub)
		return err_set(e, ERR_USAGE,
		    "expected --sign-key KEY, or --sign-cmd CMD with --sign-pub FILE; sealift "
		    "keygen makes a key");
	if (o->sign_cmd)
		return open_command(o, out, e);
	passphrase_source_init(&passphrase, &o->passphrase);
	if (!key_open_private(o->sign_key, &passphrase.passphrase, &key, e))
		return false;
	*out = signer_of_key_take(&key);
	return true;
}

bool signing_open(const struct signing_options *o, struct signer **out, struct err *e)
{
	OWNED(signer_drop) struct signer *signer = NULL;

	if (!open_any(o, &signer, e) || !certify(o, signer, e))
		return false;
	*out = STEAL(signer);
	return true;
}
