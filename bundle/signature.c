#include "bundle/signature.h"

#include "base/own.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static void drop_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* The hash is the key's matter: Ed25519 has its own. */
static const char *hash_name(const struct key *k)
{
	switch (key_type(k)) {
	case KEY_P256:
		return "SHA256";
	case KEY_P384:
		return "SHA384";
	case KEY_ED25519:
		break;
	}
	return NULL;
}

bool signature_raw(
    const struct key *k, struct slice bytes, struct raw_signature *out, struct err *e)
{
	OWNED(drop_context) EVP_MD_CTX *context = EVP_MD_CTX_new();

	out->len = sizeof(out->bytes);
	return (context
		   && EVP_DigestSignInit_ex(
			  context, NULL, hash_name(k), NULL, NULL, key_pkey(k), NULL)
			  == 1
		   && EVP_DigestSign(context, out->bytes, &out->len,
			  (const unsigned char *)bytes.ptr, bytes.len)
			  == 1)
	       || openssl_failed(e, ERR_SYSTEM, "signing");
}

bool signature_holds(const struct key *k, struct slice bytes, const struct raw_signature *raw)
{
	OWNED(drop_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool ok = context
			&& EVP_DigestVerifyInit_ex(
			       context, NULL, hash_name(k), NULL, NULL, key_pkey(k), NULL)
			       == 1
			&& EVP_DigestVerify(context, raw->bytes, raw->len,
			       (const unsigned char *)bytes.ptr, bytes.len)
			       == 1;

	ERR_clear_error();
	return ok;
}

bool signature_usable(const struct key *k, struct err *e)
{
	OWNED(drop_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool ok = context
			&& EVP_DigestVerifyInit_ex(
			       context, NULL, hash_name(k), NULL, NULL, key_pkey(k), NULL)
			       == 1;
	char kid[KID_TEXT];

	ERR_clear_error();
	return ok
	       || err_set(e, ERR_UNTRUSTED,
		   "expected an OpenSSL that checks signatures by the trusted key %s (%s), "
		   "found none here: a FIPS-only one may lack that kind of key",
		   key_kid(k, kid), EVP_PKEY_get0_type_name(key_pkey(k)));
}

size_t signature_hash(
    const struct key *k, struct slice bytes, unsigned char out[SIGNATURE_HASH_MAX])
{
	size_t len = 0;

	if (!hash_name(k)
	    || EVP_Q_digest(NULL, hash_name(k), NULL, bytes.ptr, bytes.len, out, &len) != 1)
		ERR_clear_error();
	return len;
}

void signature_encode(const void *bytes, size_t len, struct buf *out)
{
	unsigned char text[RAW_ROOM * 2];
	const int count = EVP_EncodeBlock(text, bytes, (int)len);

	buf_add(out, text, (size_t)count);
}

bool signature_decode(struct slice text, void *bytes, size_t room, size_t *len)
{
	OWNED(buf_drop) struct buf again = BUF(RAW_ROOM * 2);
	unsigned char raw[RAW_ROOM];
	size_t padding = 0;

	if (text.len < 4 || text.len > RAW_ROOM || text.len % 4 != 0)
		return false;
	const int count = EVP_DecodeBlock(raw, (const unsigned char *)text.ptr, (int)text.len);
	while (padding < 2 && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	if (count < 3 || (size_t)count - padding > room)
		return false;
	*len = (size_t)count - padding;
	(void)memcpy(bytes, raw, *len);
	signature_encode(raw, *len, &again);
	return slice_equal(buf_slice(&again), text);
}

bool signature_make(const struct key *k, struct slice bytes, struct buf *out, struct err *e)
{
	struct raw_signature raw;

	if (!signature_raw(k, bytes, &raw, e))
		return false;
	signature_encode(raw.bytes, raw.len, out);
	buf_adds(out, "\n");
	return buf_ok(out, e);
}

bool signature_check(const struct key *k, struct slice bytes, struct slice text, struct err *e)
{
	struct raw_signature raw = {0};
	char kid[KID_TEXT];

	if (!text.len || text.ptr[text.len - 1] != '\n'
	    || !signature_decode(
		slice_at(text.ptr, text.len - 1), raw.bytes, sizeof(raw.bytes), &raw.len))
		return err_set(e, ERR_UNTRUSTED,
		    "expected the signature by %s in base64, found something else",
		    key_kid(k, kid));
	if (!signature_usable(k, e))
		return false;
	return signature_holds(k, bytes, &raw)
	       || err_set(e, ERR_UNTRUSTED,
		   "the signature by the trusted key %s does not fit the inventory: it was "
		   "changed, or signed for another bundle",
		   key_kid(k, kid));
}
