#include "bundle/envelope.h"

#include "base/base64.h"
#include "base/own.h"
#include "manifests/json.h"

#include <string.h>

#define PAYLOAD_TYPE "application/vnd.in-toto+json"

enum {
	SIGNATURE_ROOM = 4096,
	ENCODED_MAX = ENVELOPE_MAX + 256,
};

/* DSSE's pre-authentication encoding: the bytes that are signed. */
static bool encode(struct slice statement, struct buf *out, struct err *e)
{
	buf_init(out, ENCODED_MAX);
	buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(PAYLOAD_TYPE), PAYLOAD_TYPE, statement.len);
	buf_add(out, statement.ptr, statement.len);
	return buf_ok(out, e);
}

static void put_envelope(
    struct slice payload, const char *kid, struct slice signature, struct buf *out)
{
	struct json_writer w = {.out = out};

	json_begin(&w, '{');
	json_key(&w, "payload");
	json_put_text(&w, payload);
	json_pair(&w, "payloadType", PAYLOAD_TYPE);
	json_key(&w, "signatures");
	json_begin(&w, '[');
	json_begin(&w, '{');
	json_pair(&w, "keyid", kid);
	json_key(&w, "sig");
	json_put_text(&w, signature);
	json_end(&w, '}');
	json_end(&w, ']');
	json_end(&w, '}');
	buf_adds(out, "\n");
}

bool envelope_write(
    struct slice statement, const struct signer *signer, struct buf *out, struct err *e)
{
	struct raw_signature raw;
	OWNED(buf_drop) struct buf encoded = BUF(0);
	OWNED(buf_drop) struct buf payload = BUF(ENVELOPE_MAX);
	OWNED(buf_drop) struct buf signature = BUF(SIGNATURE_ROOM);
	char kid[KID_TEXT];

	if (!encode(statement, &encoded, e)
	    || !signer_raw(signer, buf_slice(&encoded), &raw, e))
		return false;
	signature_encode(raw.bytes, raw.len, &signature);
	base64_encode(statement, &payload);
	buf_init(out, ENVELOPE_MAX);
	put_envelope(buf_slice(&payload), signer_kid(signer, kid), buf_slice(&signature), out);
	return buf_ok(&payload, e) && buf_ok(out, e);
}

static bool check_one(const struct json *from, struct slice encoded, const struct keyring *ring,
    const struct ring_key **by, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(SIGNATURE_ROOM);
	struct slice keyid;
	struct slice sig;
	struct err ignored = {0};

	*by = NULL;
	if (!json_need_text(from, "keyid", "signature", &keyid, e)
	    || !json_need_text(from, "sig", "signature", &sig, e))
		return false;
	OWNED(drop_text) char *kid = own_bytes(keyid.ptr, keyid.len);
	*by = keyring_find(ring, kid);
	if (!*by)
		return true;
	buf_addf(&text, "%.*s\n", SLICE_ARG(sig));
	return signature_check((*by)->key, encoded, buf_slice(&text), &ignored)
	       || err_set(e, ERR_UNTRUSTED,
		   "the signature by the approver %s does not fit: the statement was changed, "
		   "or this was signed for another",
		   kid);
}

static void add_signer(struct envelope_signers *s, const struct ring_key *by)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->by[i] == by)
			return;
	s->by[s->count++] = by;
}

static bool check_signatures(const struct json *signatures, struct slice encoded,
    const struct keyring *ring, struct envelope_signers *out, struct err *e)
{
	const size_t count = json_count(signatures);

	if (count < 1 || count > ENVELOPE_SIGNERS_MAX)
		return err_set(e, ERR_UNTRUSTED, "expected 1 to %d signatures, found %zu",
		    ENVELOPE_SIGNERS_MAX, count);
	for (size_t i = 0; i < count; i++) {
		const struct ring_key *by;

		if (!check_one(json_at(signatures, i), encoded, ring, &by, e))
			return false;
		if (by)
			add_signer(out, by);
	}
	return out->count
	       || err_set(e, ERR_UNTRUSTED,
		   "expected a signature by a known approver, found one by \"%.*s\"; "
		   "--approver or approvers.d say who may approve",
		   SLICE_ARG(json_text(json_get(json_at(signatures, 0), "keyid"))));
}

bool envelope_open(struct slice envelope, const struct keyring *ring, struct buf *statement,
    struct envelope_signers *signers, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;
	OWNED(buf_drop) struct buf encoded = BUF(0);
	const struct json *signatures;
	struct slice type;
	struct slice payload;

	if (!json_parse(envelope, "envelope", &doc, e)
	    || !json_need_text(doc, "payloadType", "envelope", &type, e)
	    || !json_need_text(doc, "payload", "envelope", &payload, e)
	    || !json_need_array(doc, "signatures", "envelope", &signatures, e))
		return false;
	if (!slice_is(type, PAYLOAD_TYPE))
		return err_set(e, ERR_UNTRUSTED, "expected a payload of %s, found %.*s",
		    PAYLOAD_TYPE, SLICE_ARG(type));
	buf_init(statement, ENVELOPE_MAX);
	if (!base64_decode_exact(payload, statement))
		return err_set(
		    e, ERR_UNTRUSTED, "expected the payload in base64, found something else");
	return encode(buf_slice(statement), &encoded, e)
	       && check_signatures(signatures, buf_slice(&encoded), ring, signers, e);
}
