#include "manifests/digest.h"

#include "base/own.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hash {
	EVP_MD_CTX *context;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse_hex(struct slice text, struct digest *d, struct err *e)
{
	struct digest parsed;

	if (text.len != DIGEST_HEX)
		return err_set(e, ERR_FORMAT,
		    "expected a sha256 digest of %d hex digits, found %zu characters",
		    DIGEST_HEX, text.len);
	for (size_t i = 0; i < sizeof(parsed.bytes); i++) {
		const int high = hex_value(text.ptr[2 * i]);
		const int low = hex_value(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_set(e, ERR_FORMAT,
			    "expected lower-case hex digits in a digest, found \"%.*s\"",
			    SLICE_ARG(text));
		parsed.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*d = parsed;
	return true;
}

bool digest_parse(struct slice text, struct digest *d, struct err *e)
{
	if (slice_starts(text, "sha512:"))
		return err_set(e, ERR_FORMAT,
		    "expected a sha256 digest, found a sha512 one, which this version does not "
		    "carry");
	if (!slice_starts(text, "sha256:"))
		return err_set(e, ERR_FORMAT, "expected a digest \"sha256:…\", found \"%.*s\"",
		    (int)(text.len > 80 ? 80 : text.len), text.ptr);
	return digest_parse_hex(slice_at(text.ptr + 7, text.len - 7), d, e);
}

/* Writes DIGEST_HEX digits and a NUL. */
static void write_hex(const struct digest *d, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(d->bytes); i++) {
		out[2 * i] = digits[d->bytes[i] >> 4];
		out[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	out[DIGEST_HEX] = '\0';
}

const char *digest_hex(const struct digest *d, char out[DIGEST_TEXT])
{
	write_hex(d, out);
	return out;
}

const char *digest_text(const struct digest *d, char out[DIGEST_TEXT])
{
	(void)snprintf(out, DIGEST_TEXT, "sha256:");
	write_hex(d, out + 7);
	return out;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int digest_compare(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* A digest that cannot be computed must never pass for one that could: nothing goes on from
 * here. */
static void must(int result)
{
	if (result != 1)
		abort();
}

bool digest_ready(struct err *e)
{
	unsigned char hash[32];

	return EVP_Digest("", 0, hash, NULL, EVP_sha256(), NULL) == 1
	       || err_set(e, ERR_SYSTEM,
		   "expected SHA-256 of this machine's OpenSSL, found that its configuration "
		   "gives none; see openssl.cnf and the providers that it activates");
}

void digest_of(struct slice bytes, struct digest *d)
{
	must(EVP_Digest(
	    bytes.ptr ? bytes.ptr : "", bytes.len, d->bytes, NULL, EVP_sha256(), NULL));
}

struct hash *hash_new(void)
{
	struct hash *h = own_new(sizeof(*h));

	h->context = EVP_MD_CTX_new();
	must(h->context != NULL);
	hash_restart(h);
	return h;
}

void hash_add(struct hash *h, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(h->context, bytes, len));
}

void hash_end(struct hash *h, struct digest *d)
{
	must(EVP_DigestFinal_ex(h->context, d->bytes, NULL));
}

void hash_restart(struct hash *h)
{
	must(EVP_DigestInit_ex(h->context, EVP_sha256(), NULL));
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->context);
	free(h);
}

void hash_drop(struct hash **h)
{
	hash_free(*h);
	*h = NULL;
}
