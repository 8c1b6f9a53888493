#include "bundle/certificate.h"

#include "base/own.h"
#include "bundle/bio.h"
#include "bundle/cms.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	AUTHORITIES_MAX = 256,
	SECURITY_LEVEL = 2, /* RSA of 2048 bits, SHA-256 and better */
	NAME_ROOM = 1024,
};

struct authority {
	X509_STORE *store;
	char *subject; /* NULL: any */
	bool has_spki;
	struct digest spki;
};

static void drop_context(X509_STORE_CTX **context)
{
	X509_STORE_CTX_free(*context);
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	X509_STORE_free(a->store);
	free(a->subject);
	free(a);
}

static void drop_authority(struct authority **a)
{
	authority_free(*a);
}

/* ---- the authority */

/* A broken certificate or list is not passed over: the newest list may stand there, and an
 * older one would count in its place. */
static bool add_authorities(X509_STORE *store, struct slice pem, struct err *e)
{
	OWNED(bio_drop) BIO *bio = bio_of(pem);
	X509 *one;
	size_t count = 0;
	bool ok = bio != NULL;

	while (ok && (one = PEM_read_bio_X509(bio, NULL, bio_ask_nobody, NULL))) {
		ok = ++count <= AUTHORITIES_MAX && X509_check_ca(one) > 0
		     && X509_STORE_add_cert(store, one) == 1;
		X509_free(one);
	}
	ok = bio_ended() && ok && count;
	return ok
	       || err_set(e, ERR_FORMAT,
		   "expected 1 to %d CA certificates in PEM, found none, others or a broken "
		   "one",
		   AUTHORITIES_MAX);
}

static bool add_lists(X509_STORE *store, struct slice pem, struct err *e)
{
	OWNED(bio_drop) BIO *bio = bio_of(pem);
	X509_CRL *one;
	size_t count = 0;
	bool ok = bio != NULL;

	while (ok && (one = PEM_read_bio_X509_CRL(bio, NULL, bio_ask_nobody, NULL))) {
		ok = X509_STORE_add_crl(store, one) == 1;
		X509_CRL_free(one);
		count++;
	}
	ok = bio_ended() && ok && count;
	return ok
	       || err_set(e, ERR_FORMAT,
		   "expected revocation lists in PEM, found none or a broken one");
}

bool authority_open(const struct authority_terms *terms, struct authority **out, struct err *e)
{
	OWNED(drop_authority) struct authority *a = own_new(sizeof(*a));

	a->store = X509_STORE_new();
	if (!a->store)
		return err_set(e, ERR_SYSTEM, "cannot make a store of certificates");
	if (!add_authorities(a->store, terms->ca, e)
	    || (terms->crl.len && !add_lists(a->store, terms->crl, e)))
		return false;
	if (terms->crl.len)
		(void)X509_STORE_set_flags(
		    a->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	a->subject = terms->subject ? own_text(terms->subject) : NULL;
	a->has_spki = terms->spki != NULL;
	if (terms->spki)
		a->spki = *terms->spki;
	*out = STEAL(a);
	return true;
}

/* ---- whether the authority vouches */

static bool may_sign_code(X509 *leaf, struct buf *why)
{
	const uint32_t flags = X509_get_extension_flags(leaf);

	if (!(flags & EXFLAG_KUSAGE) || !(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
		buf_adds(why, "its certificate is not for digital signatures");
	else if (!(flags & EXFLAG_XKUSAGE)
		 || !(X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN))
		buf_adds(why, "its certificate is not for signing code");
	else
		return true;
	return false;
}

static void subject_of(X509 *certificate, struct buf *out)
{
	OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (!bio
	    || X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253)
		   < 0)
		return;
	const long len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		buf_add(out, text, (size_t)len);
}

static bool hash_key(X509 *certificate, struct digest *spki)
{
	unsigned char *der = NULL;
	const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (len <= 0)
		return false;
	digest_of(slice_at(der, (size_t)len), spki);
	OPENSSL_free(der);
	return true;
}

static bool is_meant(
    const struct authority *a, X509 *leaf, const struct digest *spki, struct buf *why)
{
	OWNED(buf_drop) struct buf subject = BUF(NAME_ROOM);

	subject_of(leaf, &subject);
	if (a->subject && !slice_is(buf_slice(&subject), a->subject))
		buf_addf(why, "its subject is %s", buf_text(&subject));
	else if (a->has_spki && !digest_equal(&a->spki, spki))
		buf_adds(why, "its key is another than the one that was named");
	else
		return true;
	return false;
}

/* Whether every certificate that the signature carries stands in the chain. */
static bool is_needed_whole(const struct cms *s, X509_STORE_CTX *context)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

	for (int i = 0; i < sk_X509_num(s->certificates); i++) {
		bool found = false;
		for (int k = 0; !found && k < sk_X509_num(chain); k++)
			found =
			    X509_cmp(sk_X509_value(s->certificates, i), sk_X509_value(chain, k))
			    == 0;
		if (!found)
			return false;
	}
	return true;
}

/* The chain from the signer's certificate up, at the time now.  *sound is false when there is a
 * chain, but the signature carries more. */
static bool has_chain(
    const struct authority *a, const struct cms *s, uint64_t now, bool *sound, struct buf *why)
{
	OWNED(drop_context) X509_STORE_CTX *context = X509_STORE_CTX_new();

	*sound = true;
	if (!context || X509_STORE_CTX_init(context, a->store, s->leaf, s->certificates) != 1) {
		buf_adds(why, "its certificate cannot be looked at");
		return false;
	}
	X509_VERIFY_PARAM *terms = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_time(terms, (time_t)now);
	X509_VERIFY_PARAM_set_auth_level(terms, SECURITY_LEVEL);
	(void)X509_VERIFY_PARAM_set_purpose(terms, X509_PURPOSE_ANY); /* see may_sign_code */
	if (X509_verify_cert(context) != 1) {
		buf_adds(why, X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
		return false;
	}
	*sound = is_needed_whole(s, context);
	return true;
}

bool authority_check(const struct authority *a, const struct authority_case *c,
    struct authority_answer *out, struct err *e)
{
	OWNED(cms_drop) struct cms s = {0};
	OWNED(buf_drop) struct buf why = BUF(AUTHORITY_WHY - 1);
	bool sound = true;

	*out = (struct authority_answer){.vouches = false};
	if (!cms_decode(c->der, &s, e))
		return false;
	if (!hash_key(s.leaf, &out->spki))
		return cms_malformed(e, "a key in the signer's certificate");
	if (!has_chain(a, &s, c->now, &sound, &why) || !may_sign_code(s.leaf, &why)
	    || !is_meant(a, s.leaf, &out->spki, &why)) {
		ERR_clear_error();
		(void)snprintf(out->why, sizeof(out->why), "%s", buf_text(&why));
		return true;
	}
	if (!sound)
		return cms_malformed(e, "the certificates of the signer's chain and no others");
	if (!cms_holds(&s, c->bytes))
		return cms_malformed(e, "a signature that fits the inventory");
	out->vouches = true;
	return true;
}

bool certificate_signer(
    struct slice der, struct slice bytes, struct digest *spki, struct err *e)
{
	OWNED(cms_drop) struct cms s = {0};

	if (!cms_decode(der, &s, e))
		return false;
	if (!hash_key(s.leaf, spki) || !cms_holds(&s, bytes))
		return cms_malformed(e, "a signature that fits the inventory");
	return true;
}
