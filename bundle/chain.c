#include "bundle/chain.h"

#include "base/own.h"
#include "bundle/bio.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { CERTIFICATES_MAX = 8 };

struct chain {
	X509 *signer;
	STACK_OF(X509) * others;
};

static void drop_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

void chain_free(struct chain *c)
{
	if (!c)
		return;
	X509_free(c->signer);
	sk_X509_pop_free(c->others, X509_free);
	free(c);
}

void chain_drop(struct chain **c)
{
	chain_free(*c);
	*c = NULL;
}

static X509 *read_one(BIO *bio)
{
	return PEM_read_bio_X509(bio, NULL, bio_ask_nobody, NULL);
}

/* The certificates behind the first. */
static bool read_others(BIO *bio, struct chain *c, struct err *e)
{
	X509 *next;

	while ((next = read_one(bio)))
		if (sk_X509_num(c->others) == CERTIFICATES_MAX
		    || !sk_X509_push(c->others, next)) {
			X509_free(next);
			return err_set(e, ERR_LIMIT,
			    "expected at most %d certificates, found more", CERTIFICATES_MAX);
		}
	return bio_ended()
	       || err_set(e, ERR_FORMAT,
		   "expected certificates in PEM and nothing else, found a broken one");
}

bool chain_read(struct slice pem, const struct key *k, struct chain **out, struct err *e)
{
	OWNED(bio_drop) BIO *bio = bio_of(pem);
	OWNED(chain_drop) struct chain *c = own_new(sizeof(*c));

	c->others = sk_X509_new_null();
	c->signer = bio ? read_one(bio) : NULL;
	if (!c->signer || !c->others)
		return openssl_failed(
		    e, ERR_FORMAT, "expected a certificate in PEM, found something else");
	if (X509_check_private_key(c->signer, key_pkey(k)) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_FORMAT,
		    "expected the certificate of the signing key first, found another's");
	}
	if (!read_others(bio, c, e))
		return false;
	*out = STEAL(c);
	return true;
}

static bool add_others(const struct chain *c, CMS_ContentInfo *cms)
{
	for (int i = 0; i < sk_X509_num(c->others); i++)
		if (CMS_add1_cert(cms, sk_X509_value(c->others, i)) != 1)
			return false;
	return true;
}

static bool take_der(CMS_ContentInfo *cms, struct buf *out)
{
	unsigned char *der = NULL;
	const int len = i2d_CMS_ContentInfo(cms, &der);

	if (len > 0)
		buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0;
}

bool chain_sign(const struct chain *c, const struct key *k, struct slice bytes, struct buf *out,
    struct err *e)
{
	const unsigned flags =
	    CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP; /* nothing but the data */
	const EVP_MD *hash = key_type(k) == KEY_P384 ? EVP_sha384() : EVP_sha256();
	OWNED(drop_cms) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	OWNED(bio_drop) BIO *data = bio_of(bytes);

	if (!cms || !data || !CMS_add1_signer(cms, c->signer, key_pkey(k), hash, flags)
	    || !add_others(c, cms) || CMS_final(cms, data, NULL, flags) != 1
	    || !take_der(cms, out))
		return openssl_failed(e, ERR_SYSTEM, "signing with a certificate");
	return buf_ok(out, e);
}
