#include "bundle/cms.h"

#include "base/own.h"
#include "bundle/bio.h"

#include <openssl/err.h>
#include <string.h>

enum { CERTIFICATES_MAX = 16 }; /* in one signature */

void cms_drop(struct cms *c)
{
	sk_X509_pop_free(c->certificates, X509_free);
	CMS_ContentInfo_free(c->content);
	*c = (struct cms){0};
}

bool cms_malformed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_UNTRUSTED, "expected %s, found something else", what);
}

/* Whether der begins as ContentInfo of SignedData: no other type is ever decoded. */
static bool is_signed_data(struct slice der)
{
	static const unsigned char oid[] = {
	    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
	const unsigned char *at = (const unsigned char *)der.ptr;
	long len = 0;
	int tag = 0;
	int class = 0;

	if (ASN1_get_object(&at, &len, &tag, &class, (long)der.len) != V_ASN1_CONSTRUCTED
	    || tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL)
		return false;
	const size_t head = (size_t)((const char *)at - der.ptr);
	return head + (size_t)len == der.len && (size_t)len > sizeof(oid)
	       && memcmp(at, oid, sizeof(oid)) == 0;
}

/* Takes the first element off *rest: what is in it. */
static bool take(struct slice *rest, struct slice *content)
{
	const unsigned char *at = (const unsigned char *)rest->ptr;
	long len = 0;
	int tag = 0;
	int class = 0;

	if (!rest->len || (ASN1_get_object(&at, &len, &tag, &class, (long)rest->len) & 0x80))
		return false;
	*content = slice_at(at, (size_t)len);
	*rest =
	    slice_at(content->ptr + len, rest->len - (size_t)(content->ptr + len - rest->ptr));
	return true;
}

static bool begins_with_one(struct slice sequence)
{
	static const unsigned char one[] = {0x02, 0x01, 0x01};

	return sequence.len > sizeof(one) && memcmp(sequence.ptr, one, sizeof(one)) == 0;
}

/* Both versions, of SignedData and of its signer, stand outside what is signed, and OpenSSL
 * does not look at them. */
static bool is_version_one(struct slice der)
{
	struct slice info;
	struct slice part;
	struct slice data;

	if (!take(&der, &info) || !take(&info, &part) || !take(&info, &part)
	    || !take(&part, &data) || !begins_with_one(data))
		return false;
	while (take(&data, &part)) /* the signers are the last element */
		;
	return take(&part, &data) && begins_with_one(data);
}

/* Whether the decoded form, encoded again, is what was read: a second encoding has no place. */
static bool is_canonical(CMS_ContentInfo *cms, struct slice der)
{
	unsigned char *again = NULL;
	const int len = i2d_CMS_ContentInfo(cms, &again);
	const bool same =
	    len > 0 && (size_t)len == der.len && memcmp(again, der.ptr, der.len) == 0;

	OPENSSL_free(again);
	return same;
}

/* The signature's algorithm must be that of the digest and of the key, told in the usual way.
 */
static bool has_usual_algorithms(CMS_SignerInfo *signer, X509 *leaf)
{
	X509_ALGOR *digest_algorithm = NULL;
	X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *digest = NULL;
	const ASN1_OBJECT *both = NULL;
	int of_digest = NID_undef;
	int of_key = NID_undef;

	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest_algorithm, &algorithm);
	X509_ALGOR_get0(&digest, NULL, NULL, digest_algorithm);
	X509_ALGOR_get0(&both, NULL, NULL, algorithm);
	const int hash = OBJ_obj2nid(digest);
	const EVP_PKEY *public_key = X509_get0_pubkey(leaf);
	const int key = public_key ? EVP_PKEY_get_base_id(public_key) : NID_undef;
	if (hash != NID_sha256 && hash != NID_sha384 && hash != NID_sha512)
		return false;
	if (key == EVP_PKEY_RSA && OBJ_obj2nid(both) == NID_rsaEncryption)
		return true;
	return OBJ_find_sigid_algs(OBJ_obj2nid(both), &of_digest, &of_key) == 1
	       && of_digest == hash && of_key == key;
}

/* Names are compared as bytes here: OpenSSL lets case and kind of text pass. */
static bool is_told_by_issuer(CMS_SignerInfo *signer, X509 *leaf)
{
	ASN1_OCTET_STRING *identifier = NULL;
	X509_NAME *issuer = NULL;
	ASN1_INTEGER *number = NULL;
	const unsigned char *told = NULL;
	const unsigned char *own = NULL;
	size_t told_len = 0;
	size_t own_len = 0;

	return CMS_SignerInfo_get0_signer_id(signer, &identifier, &issuer, &number) == 1
	       && issuer && X509_NAME_get0_der(issuer, &told, &told_len) == 1
	       && X509_NAME_get0_der(X509_get_issuer_name(leaf), &own, &own_len) == 1
	       && slice_equal(slice_at(told, told_len), slice_at(own, own_len));
}

static bool check_signer_form(CMS_SignerInfo *signer, X509 *leaf, struct err *e)
{
	if (CMS_signed_get_attr_count(signer) < 1)
		return cms_malformed(e, "a signature with signed attributes");
	if (CMS_unsigned_get_attr_count(signer) > 0)
		return cms_malformed(e, "a signature without unsigned attributes");
	if (!is_told_by_issuer(signer, leaf))
		return cms_malformed(e, "a signer told by the issuer's name and a number");
	return has_usual_algorithms(signer, leaf)
	       || cms_malformed(
		   e, "a signature with SHA-256, SHA-384 or SHA-512, by RSA or ECDSA");
}

/* The certificate among those carried that the signer's identifier names. */
static X509 *find_leaf(const struct cms *s, CMS_SignerInfo *signer)
{
	for (int i = 0; i < sk_X509_num(s->certificates); i++) {
		X509 *one = sk_X509_value(s->certificates, i);
		if (CMS_SignerInfo_cert_cmp(signer, one) == 0)
			return one;
	}
	return NULL;
}

bool cms_decode(struct slice der, struct cms *out, struct err *e)
{
	const unsigned char *at = (const unsigned char *)der.ptr;

	if (!is_signed_data(der))
		return cms_malformed(e, "CMS SignedData in DER and nothing else");
	out->content = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	if (!out->content || !is_canonical(out->content, der)
	    || CMS_is_detached(out->content) != 1)
		return cms_malformed(e, "a detached CMS signature in DER");
	if (!is_version_one(der)
	    || OBJ_obj2nid(CMS_get0_eContentType(out->content)) != NID_pkcs7_data)
		return cms_malformed(e, "version 1 of a signature over data");
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(out->content);
	if (sk_CMS_SignerInfo_num(signers) != 1)
		return cms_malformed(e, "one signer");
	CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
	STACK_OF(X509_CRL) *lists = CMS_get1_crls(out->content);
	const bool has_lists = sk_X509_CRL_num(lists) > 0;
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	out->certificates = CMS_get1_certs(out->content);
	if (has_lists || sk_X509_num(out->certificates) > CERTIFICATES_MAX)
		return cms_malformed(e, "the signer's chain, and no revocation lists");
	out->leaf = find_leaf(out, signer);
	if (!out->leaf)
		return cms_malformed(e, "the signer's certificate in the signature");
	return check_signer_form(signer, out->leaf, e);
}

bool cms_holds(const struct cms *c, struct slice bytes)
{
	OWNED(bio_drop)
	BIO *content = bio_of(bytes);
	const unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;

	return content && CMS_verify(c->content, NULL, NULL, content, NULL, flags) == 1;
}
