#include "bundle/minisig.h"

#include "base/own.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

enum {
	KEY_ID = 8,
	SIGNATURE = 64, /* of Ed25519 */
	PUBLIC = 32,
	PREHASHED = 64, /* BLAKE2b-512 */
	COMMENT_MAX = 1024,
};

static const char untrusted[] = "untrusted comment: signature by a sealift key\n";
static const char trusted[] = "trusted comment: ";

static bool hash(struct slice bytes, unsigned char out[PREHASHED], struct err *e)
{
	size_t len = PREHASHED;

	return (EVP_Q_digest(NULL, "BLAKE2b512", NULL, bytes.ptr, bytes.len, out, &len) == 1
		   && len == PREHASHED)
	       || openssl_failed(e, ERR_SYSTEM,
		   "a .minisig is not usable here: expected BLAKE2b in OpenSSL, found none");
}

/* minisign names a key by 8 bytes; ours are those that name it in bundles. */
static void put_id(const struct key *k, unsigned char out[KEY_ID])
{
	struct digest spki;

	key_fingerprint(k, &spki);
	(void)memcpy(out, spki.bytes, KEY_ID);
}

/* What the second signature is over: the first, and the trusted comment. */
static void add_global(
    struct buf *out, const unsigned char signature[SIGNATURE], struct slice comment)
{
	buf_add(out, signature, SIGNATURE);
	buf_add(out, comment.ptr, comment.len);
}

/* Control characters would end the comment's line. */
static void add_comment(const struct inventory *inv, struct slice bytes, struct buf *out)
{
	struct digest id;
	char hex[DIGEST_TEXT];

	digest_of(bytes, &id);
	buf_adds(out, "bundle:");
	for (const char *c = inv->name; *c; c++)
		buf_add(out, *c > ' ' && *c < 127 ? c : "?", 1);
	buf_addf(
	    out, " seq:%llu inv:%s", (unsigned long long)inv->sequence, digest_hex(&id, hex));
}

bool minisig_make(const struct key *k, const struct inventory *inv, struct slice bytes,
    struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf comment = BUF(COMMENT_MAX);
	OWNED(buf_drop) struct buf global = BUF(COMMENT_MAX + SIGNATURE);
	unsigned char first[2 + KEY_ID + SIGNATURE] = {'E', 'D'};
	unsigned char prehashed[PREHASHED];
	struct raw_signature raw;
	struct raw_signature second;

	add_comment(inv, bytes, &comment);
	put_id(k, first + 2);
	if (!buf_ok(&comment, e) || !hash(bytes, prehashed, e)
	    || !signature_raw(k, slice_at(prehashed, sizeof(prehashed)), &raw, e))
		return false;
	(void)memcpy(first + 2 + KEY_ID, raw.bytes, SIGNATURE);
	add_global(&global, raw.bytes, buf_slice(&comment));
	if (!signature_raw(k, buf_slice(&global), &second, e))
		return false;
	buf_adds(out, untrusted);
	signature_encode(first, sizeof(first), out);
	buf_addf(out, "\n%s%s\n", trusted, buf_text(&comment));
	signature_encode(second.bytes, SIGNATURE, out);
	buf_adds(out, "\n");
	return buf_ok(out, e);
}

/* Takes a line that begins so; *rest is what follows its end. */
static bool take_line(struct slice *rest, const char *begin, struct slice *line)
{
	if (!slice_starts(*rest, begin) || !memchr(rest->ptr, '\n', rest->len)
	    || !slice_cut(rest, '\n', line))
		return false;
	line->ptr += strlen(begin);
	line->len -= strlen(begin);
	return true;
}

struct parsed {
	unsigned char first[2 + KEY_ID + SIGNATURE];
	struct slice comment;
	struct raw_signature second;
};

static bool parse(struct slice text, struct parsed *p)
{
	struct slice rest = text;
	struct slice line;
	size_t len;

	if (!slice_starts(rest, untrusted))
		return false;
	rest = slice_at(rest.ptr + sizeof(untrusted) - 1, rest.len - (sizeof(untrusted) - 1));
	return take_line(&rest, "", &line)
	       && signature_decode(line, p->first, sizeof(p->first), &len)
	       && len == sizeof(p->first) && take_line(&rest, trusted, &p->comment)
	       && p->comment.len <= COMMENT_MAX && take_line(&rest, "", &line)
	       && signature_decode(line, p->second.bytes, SIGNATURE, &p->second.len)
	       && p->second.len == SIGNATURE && rest.len == 0;
}

static bool holds(
    const struct key *k, const struct parsed *p, const unsigned char prehashed[PREHASHED])
{
	OWNED(buf_drop) struct buf global = BUF(COMMENT_MAX + SIGNATURE);
	struct raw_signature raw = {.len = SIGNATURE};
	unsigned char begin[2 + KEY_ID] = {'E', 'D'};

	put_id(k, begin + 2);
	(void)memcpy(raw.bytes, p->first + sizeof(begin), SIGNATURE);
	add_global(&global, raw.bytes, p->comment);
	return memcmp(begin, p->first, sizeof(begin)) == 0
	       && signature_holds(k, slice_at(prehashed, PREHASHED), &raw)
	       && signature_holds(k, buf_slice(&global), &p->second);
}

bool minisig_check(const struct key *k, struct slice bytes, struct slice text, struct err *e)
{
	unsigned char prehashed[PREHASHED];
	struct parsed p = {0};
	char kid[KID_TEXT];

	if (key_type(k) == KEY_ED25519 && parse(text, &p)) {
		if (!hash(bytes, prehashed, e))
			return false;
		if (holds(k, &p, prehashed))
			return true;
	}
	return err_set(e, ERR_UNTRUSTED,
	    "%s.minisig: expected minisign's signature by that key over the inventory, found "
	    "something else",
	    key_kid(k, kid));
}

bool minisig_public(const struct key *k, struct buf *out, struct err *e)
{
	unsigned char bytes[2 + KEY_ID + PUBLIC] = {'E', 'd'};
	size_t len = PUBLIC;
	char kid[KID_TEXT];

	put_id(k, bytes + 2);
	if (EVP_PKEY_get_raw_public_key(key_pkey(k), bytes + 2 + KEY_ID, &len) != 1
	    || len != PUBLIC)
		return openssl_failed(e, ERR_SYSTEM, "the public key");
	buf_addf(out, "untrusted comment: sealift public key %s\n", key_kid(k, kid));
	signature_encode(bytes, sizeof(bytes), out);
	buf_adds(out, "\n");
	return buf_ok(out, e);
}
