#include "bundle/signature.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/format.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
	PEM_MAX = 64 * 1024,
	PASSPHRASE_ROOM = 1024,
	PBKDF2_ROUNDS = 200000,
	SIGNATURE_ROOM = 512, /* bytes of a raw signature, far above both kinds */
};

struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	struct digest spki;
};

static void drop_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void drop_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void drop_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* A failure inside OpenSSL; its queue of reasons is emptied. */
static bool failed(struct err *e, enum err_kind kind, const char *what)
{
	char reason[160] = "no reason given";
	const unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(e, kind, "%s: %s", what, reason);
}

static bool find_type(EVP_PKEY *pkey, enum key_type *type)
{
	char group[64] = "";
	int spelled_out = 0; /* the curve by its parameters: another encoding of the same key */

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		*type = KEY_ED25519;
		return true;
	}
	*type = KEY_P256;
	return EVP_PKEY_is_a(pkey, "EC")
	       && EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1
	       && strcmp(group, "prime256v1") == 0
	       && EVP_PKEY_get_int_param(
		      pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out)
		      == 1
	       && !spelled_out;
}

static bool hash_spki(EVP_PKEY *pkey, struct digest *spki)
{
	unsigned char *der = NULL;
	const int len = i2d_PUBKEY(pkey, &der);

	if (len <= 0)
		return false;
	digest_of(slice_at(der, (size_t)len), spki);
	OPENSSL_free(der);
	return true;
}

/* Makes a key of *pkey, which is taken. */
static bool make_key(EVP_PKEY **pkey, const char *what, struct key **out, struct err *e)
{
	OWNED(key_drop) struct key *k = own_new(sizeof(*k));

	k->pkey = STEAL(*pkey);
	if (!find_type(k->pkey, &k->type))
		return err_set(e, ERR_FORMAT,
		    "%s: expected an ECDSA P-256 or Ed25519 key, found another kind (%s)", what,
		    EVP_PKEY_get0_type_name(k->pkey) ? EVP_PKEY_get0_type_name(k->pkey)
						     : "unknown");
	if (!hash_spki(k->pkey, &k->spki))
		return failed(e, ERR_FORMAT, what);
	*out = STEAL(k);
	return true;
}

void key_free(struct key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void key_drop(struct key **k)
{
	key_free(*k);
	*k = NULL;
}

/* Moves what a memory BIO holds into out and wipes it there. */
static bool take_bytes(BIO *bio, struct buf *out, struct err *e)
{
	char *bytes = NULL;
	const long len = BIO_get_mem_data(bio, &bytes);

	if (len > 0) {
		buf_add(out, bytes, (size_t)len);
		OPENSSL_cleanse(bytes, (size_t)len);
	}
	return buf_ok(out, e);
}

static bool write_encrypted(BIO *bio, PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
	X509_SIG *sealed = PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase,
	    (int)strlen(passphrase), NULL, 0, PBKDF2_ROUNDS, info);
	const bool ok = sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;

	X509_SIG_free(sealed);
	return ok;
}

static bool write_private(
    EVP_PKEY *pkey, const char *passphrase, struct buf *out, struct err *e)
{
	OWNED(drop_bio) BIO *bio = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	const bool ok = bio && info
			&& (passphrase ? write_encrypted(bio, info, passphrase)
				       : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1);

	PKCS8_PRIV_KEY_INFO_free(info);
	return ok ? take_bytes(bio, out, e) : failed(e, ERR_SYSTEM, "writing the private key");
}

static bool write_public(EVP_PKEY *pkey, struct buf *out, struct err *e)
{
	OWNED(drop_bio) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return failed(e, ERR_SYSTEM, "writing the public key");
	return take_bytes(bio, out, e);
}

bool key_generate(enum key_type type, const char *passphrase, struct buf *private_pem,
    struct buf *public_pem, struct err *e)
{
	OWNED(drop_pkey)
	EVP_PKEY *pkey = type == KEY_P256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
					  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!pkey)
		return failed(e, ERR_SYSTEM, "making a key");
	return write_private(pkey, passphrase, private_pem, e)
	       && write_public(pkey, public_pem, e);
}

/* One question for a passphrase, and what came of it. */
struct question {
	struct passphrase *ask;
	const char *name;
	struct err *e;
	bool asked;
	bool refused; /* ask said no, and filled e */
};

static int answer(char *text, int room, int writing, void *context)
{
	struct question *q = context;

	(void)writing;
	q->asked = true;
	if (q->refused) /* OpenSSL asks once for each form that the key could have */
		return -1;
	if (room <= 0 || !q->ask || !q->ask->ask(q->ask, q->name, text, (size_t)room, q->e)) {
		q->refused = true;
		return -1;
	}
	return (int)strlen(text);
}

bool key_open_private(const char *path, struct passphrase *ask, struct key **out, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);
	struct question q = {.ask = ask, .name = path, .e = e};

	if (!file_read(path, PEM_MAX, &pem, e))
		return err_in(e, "the signing key");
	OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(buf_text(&pem), (int)pem.len);
	OWNED(drop_pkey)
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, answer, &q) : NULL;
	if (pem.ptr)
		OPENSSL_cleanse(pem.ptr, pem.cap);
	ERR_clear_error();
	if (!pkey && q.refused)
		return ask ? false
			   : err_set(
			       e, ERR_USAGE, "%s: expected a key without a passphrase", path);
	if (!pkey && q.asked)
		return err_set(e, ERR_DENIED,
		    "%s: expected its passphrase, found one that does not open it", path);
	if (!pkey)
		return err_set(e, ERR_FORMAT,
		    "%s: expected a private key in PEM, found something else", path);
	return make_key(&pkey, path, out, e);
}

bool key_read_public(struct slice pem, const char *what, struct key **out, struct err *e)
{
	if (pem.len > PEM_MAX)
		return err_set(
		    e, ERR_LIMIT, "%s: expected a public key, found %zu bytes", what, pem.len);
	OWNED(drop_bio) BIO *bio = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len);
	OWNED(drop_pkey)
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	ERR_clear_error();
	if (!pkey)
		return err_set(e, ERR_FORMAT,
		    "%s: expected a public key in PEM, found something else", what);
	return make_key(&pkey, what, out, e);
}

void key_fingerprint(const struct key *k, struct digest *spki)
{
	*spki = k->spki;
}

const char *key_kid(const struct key *k, char out[KID_TEXT])
{
	char hex[DIGEST_TEXT];

	(void)digest_hex(&k->spki, hex);
	(void)memcpy(out, hex, KID_TEXT - 1);
	out[KID_TEXT - 1] = '\0';
	return out;
}

enum key_type key_type(const struct key *k)
{
	return k->type;
}

/* The hash is the key's matter: Ed25519 has its own. */
static const char *hash_name(const struct key *k)
{
	return k->type == KEY_P256 ? "SHA256" : NULL;
}

/* The one encoding of raw: base64 without breaks, and LF. */
static void encode(const unsigned char *raw, size_t len, struct buf *out)
{
	unsigned char text[SIGNATURE_ROOM * 2];
	const int count = EVP_EncodeBlock(text, raw, (int)len);

	buf_add(out, text, (size_t)count);
	buf_adds(out, "\n");
}

bool signature_make(const struct key *k, struct slice bytes, struct buf *out, struct err *e)
{
	OWNED(drop_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char raw[SIGNATURE_ROOM];
	size_t len = sizeof(raw);

	if (!context
	    || EVP_DigestSignInit_ex(context, NULL, hash_name(k), NULL, NULL, k->pkey, NULL)
		   != 1
	    || EVP_DigestSign(context, raw, &len, (const unsigned char *)bytes.ptr, bytes.len)
		   != 1)
		return failed(e, ERR_SYSTEM, "signing");
	encode(raw, len, out);
	return buf_ok(out, e);
}

/* Decodes text when it is exactly what encode makes of the result. */
static bool decode(struct slice text, unsigned char raw[SIGNATURE_ROOM], size_t *len)
{
	OWNED(buf_drop) struct buf again = BUF(SIGNATURE_ROOM * 2);
	size_t padding = 0;

	if (text.len < 5 || text.len > SIGNATURE_ROOM || text.len % 4 != 1
	    || text.ptr[text.len - 1] != '\n')
		return false;
	const int count =
	    EVP_DecodeBlock(raw, (const unsigned char *)text.ptr, (int)text.len - 1);
	while (padding < 2 && text.ptr[text.len - 2 - padding] == '=')
		padding++;
	if (count < 3)
		return false;
	*len = (size_t)count - padding;
	encode(raw, *len, &again);
	return slice_equal(buf_slice(&again), text);
}

bool signature_check(const struct key *k, struct slice bytes, struct slice text, struct err *e)
{
	OWNED(drop_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char raw[SIGNATURE_ROOM];
	char kid[KID_TEXT];
	size_t len = 0;

	if (!decode(text, raw, &len))
		return err_set(e, ERR_UNTRUSTED,
		    "expected the signature by %s in base64, found something else",
		    key_kid(k, kid));
	const bool ok =
	    context
	    && EVP_DigestVerifyInit_ex(context, NULL, hash_name(k), NULL, NULL, k->pkey, NULL)
		   == 1
	    && EVP_DigestVerify(context, raw, len, (const unsigned char *)bytes.ptr, bytes.len)
		   == 1;
	ERR_clear_error();
	return ok
	       || err_set(e, ERR_UNTRUSTED,
		   "the signature by the trusted key %s does not fit the inventory: it was "
		   "changed, or signed for"
		   " another bundle",
		   key_kid(k, kid));
}
