#include "base/own.h"
#include "bundle/bio.h"
#include "bundle/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

enum { PBKDF2_ROUNDS = 200000 };

static void drop_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
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
	OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	const bool ok = bio && info
			&& (passphrase ? write_encrypted(bio, info, passphrase)
				       : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1);

	PKCS8_PRIV_KEY_INFO_free(info);
	return ok ? take_bytes(bio, out, e)
		  : openssl_failed(e, ERR_SYSTEM, "writing the private key");
}

static bool write_public(EVP_PKEY *pkey, struct buf *out, struct err *e)
{
	OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return openssl_failed(e, ERR_SYSTEM, "writing the public key");
	return take_bytes(bio, out, e);
}

bool key_generate(enum key_type type, const char *passphrase, struct buf *private_pem,
    struct buf *public_pem, struct err *e)
{
	OWNED(drop_pkey)
	EVP_PKEY *pkey = type == KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
					     : EVP_PKEY_Q_keygen(NULL, NULL, "EC",
						 type == KEY_P384 ? "P-384" : "P-256");

	if (!pkey)
		return openssl_failed(e, ERR_SYSTEM, "making a key");
	return write_private(pkey, passphrase, private_pem, e)
	       && write_public(pkey, public_pem, e);
}
