#include "manifests/digest.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
#define HEX_128 EMPTY EMPTY

/* The vectors of FIPS 180. */
Test(digest, is_the_sha256_of_the_bytes)
{
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
	    {"", EMPTY},
	    {"abc", ABC},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char text[DIGEST_TEXT];
	struct digest d;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		digest_of(slice_of(rows[i].text), &d);
		cr_expect_str_eq(digest_hex(&d, text), rows[i].hex, "row %zu", i);
	}
	digest_of((struct slice){0}, &d);
	cr_expect_str_eq(digest_text(&d, text), "sha256:" EMPTY);
}

Test(digest, a_running_hash_takes_any_pieces)
{
	static const size_t pieces[] = {1, 63, 64, 65, 4096, 1000000};
	OWNED(drop_text) char *bytes = own_array(1000000, 1);
	OWNED(hash_drop) struct hash *h = hash_new();
	char text[DIGEST_TEXT];
	struct digest d;

	memset(bytes, 'a', 1000000);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (size_t at = 0; at < 1000000; at += pieces[i])
			hash_add(
			    h, bytes + at, 1000000 - at < pieces[i] ? 1000000 - at : pieces[i]);
		hash_add(h, NULL, 0);
		hash_end(h, &d);
		cr_expect_str_eq(digest_hex(&d, text), MILLION_A, "pieces of %zu", pieces[i]);
		hash_restart(h);
	}
	hash_add(h, "ab", 2);
	hash_restart(h);
	hash_add(h, "abc", 3);
	hash_end(h, &d);
	cr_expect_str_eq(digest_hex(&d, text), ABC, "what was added before a restart counts");
}

Test(digest, REF_07_text_is_sha256_and_64_lower_case_digits)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: accepted; else a part of the sentence */
	} rows[] = {
	    {"sha256:" ABC, NULL},
	    {"sha256:" EMPTY, NULL},
	    {"", "expected a digest"},
	    {ABC, "expected a digest"},
	    {"sha256", "expected a digest"},
	    {"sha256:", "found 0 characters"},
	    {"sha256:ab", "found 2 characters"},
	    {"sha256:" ABC "0", "found 65 characters"},
	    {"sha256:" HEX_128, "found 128 characters"},
	    {"SHA256:" ABC, "expected a digest"},
	    {"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"lower-case"},
	    {"sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"lower-case"},
	    {"sha256:../../../../../../../../../../../../../../../../../../../../../x",
		"lower-case"},
	    {" sha256:" ABC, "expected a digest"},
	    {"sha256:" ABC "\n", "found 65 characters"},
	    {"sha256+b64:" ABC, "expected a digest"},
	    {"sha512:" HEX_128, "sha512"},
	    {"md5:d41d8cd98f00b204e9800998ecf8427e", "expected a digest"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[DIGEST_TEXT];
		struct digest d;
		struct err e = {0};
		const bool ok = digest_parse(slice_of(rows[i].text), &d, &e);

		cr_expect_eq(ok, !rows[i].why, "row %zu: %s", i, rows[i].text);
		if (ok)
			cr_expect_str_eq(digest_text(&d, text), rows[i].text, "row %zu", i);
		if (rows[i].why) {
			cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
			cr_expect_not_null(
			    strstr(e.text, rows[i].why), "row %zu: %s", i, e.text);
		}
	}
}

Test(digest, REF_07_no_character_but_sixteen_is_a_digit)
{
	char hex[] = ABC;

	for (int c = 0; c < 256; c++) {
		struct digest d;
		struct err e = {0};

		hex[37] = (char)c;
		cr_expect_eq(digest_parse_hex(slice_at(hex, DIGEST_HEX), &d, &e),
		    c && strchr("0123456789abcdef", c), "character %d", c);
	}
}

Test(digest, order_is_the_order_of_the_text)
{
	static const char *const rows[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000001", ABC, EMPTY,
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};

	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			struct digest a;
			struct digest b;
			struct err e = {0};

			cr_assert(digest_parse_hex(slice_of(rows[i]), &a, &e));
			cr_assert(digest_parse_hex(slice_of(rows[j]), &b, &e));
			cr_expect_eq(digest_equal(&a, &b), i == j, "%zu and %zu", i, j);
			cr_expect_eq(digest_compare(&a, &b) < 0, i < j, "%zu and %zu", i, j);
			cr_expect_eq(digest_compare(&a, &b) > 0, i > j, "%zu and %zu", i, j);
		}
}
