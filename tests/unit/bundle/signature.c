#include "tests/unit/bundle/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 4 };

static const char text[] = "{\"_type\":\"https://sealift/bundle/v1\",\"x\":1}\n";
static const char other_text[] = "{\"_type\":\"https://sealift/bundle/v1\",\"x\":2}\n";

struct pairs {
	char folder[64];
	struct key *keys[PAIRS]; /* two of each type */
	struct buf signatures[PAIRS];
};

static void pairs_init(struct pairs *p)
{
	struct err e = {0};

	*p = (struct pairs){.folder = "/tmp/sealift-unit-XXXXXX"};
	cr_assert(mkdtemp(p->folder));
	for (size_t i = 0; i < PAIRS; i++) {
		char public_path[128];
		char name[] = {(char)('a' + i), '\0'};

		p->keys[i] = sample_key(i % 2 ? KEY_ED25519 : KEY_P256, p->folder, name,
		    public_path, sizeof(public_path));
		buf_init(&p->signatures[i], 8192);
		cr_assert(signature_make(p->keys[i], slice_of(text), &p->signatures[i], &e),
		    "%s", e.text);
	}
}

static void pairs_drop(struct pairs *p)
{
	char command[128];

	for (size_t i = 0; i < PAIRS; i++) {
		key_free(p->keys[i]);
		buf_drop(&p->signatures[i]);
	}
	(void)snprintf(command, sizeof(command), "rm -r -- '%s'", p->folder);
	cr_assert(system(command) == 0);
}

static bool holds(const struct key *k, const char *bytes, struct slice signature)
{
	struct err e = {0};
	const bool ok = signature_check(k, slice_of(bytes), signature, &e);

	cr_expect(ok || e.kind == ERR_UNTRUSTED, "kind %d", (int)e.kind);
	return ok;
}

Test(signature, R4_only_the_key_that_signed_and_only_its_bytes)
{
	struct pairs p;

	pairs_init(&p);
	for (size_t k = 0; k < PAIRS; k++)
		for (size_t s = 0; s < PAIRS; s++) {
			const struct slice signature = buf_slice(&p.signatures[s]);

			cr_expect_eq(
			    holds(p.keys[k], text, signature), k == s, "%zu %zu", k, s);
			cr_expect_not(holds(p.keys[k], other_text, signature), "%zu %zu", k, s);
		}
	pairs_drop(&p);
}

Test(signature, every_bit_and_every_length)
{
	struct pairs p;

	pairs_init(&p);
	for (size_t k = 0; k < 2; k++) {
		char *bytes = p.signatures[k].ptr;

		for (size_t bit = 0; bit < p.signatures[k].len * 8; bit++) {
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
			cr_expect_not(holds(p.keys[k], text, buf_slice(&p.signatures[k])));
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		}
		for (size_t len = 0; len < p.signatures[k].len; len++)
			cr_expect_not(holds(p.keys[k], text, slice_at(bytes, len)));
		cr_expect(holds(p.keys[k], text, buf_slice(&p.signatures[k])));
	}
	pairs_drop(&p);
}

Test(signature, kid_begins_the_fingerprint)
{
	struct pairs p;
	struct digest spki;
	char kid[KID_TEXT];
	char hex[DIGEST_TEXT];

	pairs_init(&p);
	key_fingerprint(p.keys[0], &spki);
	cr_expect(strncmp(digest_hex(&spki, hex), key_kid(p.keys[0], kid), KID_TEXT - 1) == 0);
	cr_expect_eq(strlen(kid), KID_TEXT - 1);
	pairs_drop(&p);
}
