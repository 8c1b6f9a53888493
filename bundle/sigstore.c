#include "bundle/sigstore.h"

#include "base/own.h"
#include "manifests/json.h"

bool sigstore_has(const struct key *k)
{
	return key_type(k) == KEY_P256 || key_type(k) == KEY_P384;
}

static void put_base64(struct json_writer *w, const char *key, const void *bytes, size_t len)
{
	OWNED(buf_drop) struct buf text = BUF(RAW_ROOM * 2);

	signature_encode(bytes, len, &text);
	json_pair(w, key, buf_text(&text));
}

bool sigstore_make(const struct key *k, struct slice bytes, const struct raw_signature *raw,
    struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};
	unsigned char hash[SIGNATURE_HASH_MAX];
	struct digest spki;

	key_fingerprint(k, &spki);
	const size_t len = signature_hash(k, bytes, hash);
	json_begin(&w, '{');
	json_pair(&w, "mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json");
	json_key(&w, "verificationMaterial");
	json_begin(&w, '{');
	json_key(&w, "publicKey");
	json_begin(&w, '{');
	put_base64(&w, "hint", spki.bytes, sizeof(spki.bytes));
	json_end(&w, '}');
	json_end(&w, '}');
	json_key(&w, "messageSignature");
	json_begin(&w, '{');
	json_key(&w, "messageDigest");
	json_begin(&w, '{');
	json_pair(&w, "algorithm", key_type(k) == KEY_P384 ? "SHA2_384" : "SHA2_256");
	put_base64(&w, "digest", hash, len);
	json_end(&w, '}');
	put_base64(&w, "signature", raw->bytes, raw->len);
	json_end(&w, '}');
	json_end(&w, '}');
	buf_adds(out, "\n");
	return buf_ok(out, e);
}

bool sigstore_check(
    const struct key *k, struct slice bytes, struct slice sig, struct slice text, struct err *e)
{
	OWNED(buf_drop) struct buf want = BUF(8192);
	struct raw_signature raw = {0};
	char kid[KID_TEXT];

	if (sigstore_has(k) && sig.len
	    && signature_decode(
		slice_at(sig.ptr, sig.len - 1), raw.bytes, sizeof(raw.bytes), &raw.len)
	    && sigstore_make(k, bytes, &raw, &want, e) && slice_equal(buf_slice(&want), text))
		return true;
	err_clear(e);
	return err_set(e, ERR_UNTRUSTED,
	    "%s.sigstore.json: expected the signature of %s.sig in another form, found "
	    "something else",
	    key_kid(k, kid), kid);
}
