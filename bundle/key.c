#include "bundle/key.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/bio.h"
#include "bundle/format.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
	PEM_MAX = 64 * 1024,
	PASSPHRASE_ROOM = 1024,
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

/* The types by the names that OpenSSL and people give them. */
static const struct {
	const char *algorithm;
	const char *group; /* of a curve */
	enum key_type type;
} types[] = {
    {"EC", "prime256v1", KEY_P256},
    {"EC", "secp384r1", KEY_P384},
    {"ED25519", NULL, KEY_ED25519},
};

/* A curve that is spelled out by its parameters would be another encoding of the same key. */
static bool is_spelled_out(const EVP_PKEY *pkey)
{
	int spelled_out = 0;

	return EVP_PKEY_get_int_param(
		   pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out)
		   != 1
	       || spelled_out;
}

static bool find_type(const EVP_PKEY *pkey, enum key_type *type)
{
	char group[64] = "";

	(void)EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!EVP_PKEY_is_a(pkey, types[i].algorithm)
		    || (types[i].group && strcmp(types[i].group, group) != 0))
			continue;
		*type = types[i].type;
		return !types[i].group || !is_spelled_out(pkey);
	}
	return false;
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
		    "%s: expected an ECDSA P-256, P-384 or Ed25519 key, found another kind "
		    "(%s)",
		    what,
		    EVP_PKEY_get0_type_name(k->pkey) ? EVP_PKEY_get0_type_name(k->pkey)
						     : "unknown");
	if (!hash_spki(k->pkey, &k->spki))
		return openssl_failed(e, ERR_FORMAT, what);
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

/* What an opening came to: the key, or the sentence why there is none. */
static bool opened(EVP_PKEY **pkey, const struct question *q, struct key **out, struct err *e)
{
	ERR_clear_error();
	if (*pkey)
		return make_key(pkey, q->name, out, e);
	if (q->refused)
		return q->ask ? false
			      : err_set(e, ERR_USAGE, "%s: expected a key without a passphrase",
				  q->name);
	if (q->asked)
		return err_set(e, ERR_DENIED,
		    "%s: expected its passphrase, found one that does not open it", q->name);
	return err_set(
	    e, ERR_FORMAT, "%s: expected a private key in PEM, found something else", q->name);
}

static bool open_pem(const char *path, struct question *q, struct key **out, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);

	if (!file_read(path, PEM_MAX, &pem, e))
		return err_in(e, "the signing key");
	OWNED(bio_drop) BIO *bio = bio_of(buf_slice(&pem));
	OWNED(drop_pkey)
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, answer, q) : NULL;
	if (pem.ptr)
		OPENSSL_cleanse(pem.ptr, pem.cap);
	return opened(&pkey, q, out, e);
}

static void close_store(OSSL_STORE_CTX **store)
{
	if (*store)
		(void)OSSL_STORE_close(*store);
}

static void drop_method(UI_METHOD **method)
{
	UI_destroy_method(*method);
}

/* The first private key that the store gives. */
static EVP_PKEY *load_key(OSSL_STORE_CTX *store)
{
	EVP_PKEY *pkey = NULL;

	while (!pkey && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		if (!info)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return pkey;
}

static bool open_uri(const char *uri, struct question *q, struct key **out, struct err *e)
{
	OWNED(drop_method) UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(answer, 0);
	OWNED(close_store)
	OSSL_STORE_CTX *store =
	    OSSL_STORE_open_ex(uri, NULL, NULL, method, q, NULL, NULL, NULL);

	if (!store) {
		ERR_clear_error();
		return err_set(e, ERR_MISSING,
		    "%s: expected a key that this machine's OpenSSL can open, found none: for "
		    "pkcs11: it must have a provider configured, or use --sign-cmd",
		    uri);
	}
	OWNED(drop_pkey) EVP_PKEY *pkey = load_key(store);
	return opened(&pkey, q, out, e);
}

/* "pkcs11:…", "file:…", in letters of either case; a path has a slash or a dot before any
 * colon, or no colon. */
static bool is_uri(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-";
	const size_t scheme = strspn(name, letters);

	return scheme > 1 && name[scheme] == ':';
}

/* Everybody on the machine may read a command line; the sentence has no part of the URI. */
static bool check_no_pin(const char *uri, struct err *e)
{
	return !strcasestr(uri, "pin-value=")
	       || err_set(e, ERR_USAGE,
		   "expected a URI without the PIN, found pin-value in it, which others can "
		   "see; leave it out to be asked, or name a file with pin-source=");
}

bool key_open_private(const char *name, struct passphrase *ask, struct key **out, struct err *e)
{
	struct question q = {.ask = ask, .name = name, .e = e};

	if (is_uri(name) && !check_no_pin(name, e))
		return false;
	return is_uri(name) ? open_uri(name, &q, out, e) : open_pem(name, &q, out, e);
}

bool key_read_public(struct slice pem, const char *what, struct key **out, struct err *e)
{
	if (pem.len > PEM_MAX)
		return err_set(
		    e, ERR_LIMIT, "%s: expected a public key, found %zu bytes", what, pem.len);
	OWNED(bio_drop) BIO *bio = bio_of(pem);
	OWNED(drop_pkey)
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, bio_ask_nobody, NULL) : NULL;
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

EVP_PKEY *key_pkey(const struct key *k)
{
	return k->pkey;
}

bool openssl_failed(struct err *e, enum err_kind kind, const char *what)
{
	char reason[160] = "no reason given";
	const unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(e, kind, "%s: %s", what, reason);
}
