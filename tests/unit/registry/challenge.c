#include "registry/challenge.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
	const char *header;
	enum challenge_scheme scheme;
	const char *realm;
	const char *service;
	const char *scope;
};

static const struct row rows[] = {
    {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"", CHALLENGE_BEARER,
	"https://a/t", "s", "repository:x:pull"},
    {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"a:b:pull,push c:d:pull\"",
	CHALLENGE_BEARER, "https://a/t", "s", "a:b:pull,push c:d:pull"},
    {"Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL},
    {"BASIC realm=\"Sonatype Nexus Repository Manager\"", CHALLENGE_BASIC,
	"Sonatype Nexus Repository Manager", NULL, NULL},
    {"Basic", CHALLENGE_BASIC, NULL, NULL, NULL},
    {"Bearer realm=https://a/t,service=s", CHALLENGE_BEARER, "https://a/t", "s", NULL},
    {"Bearer realm=/token", CHALLENGE_BEARER, "/token", NULL, NULL},
    {"Basic realm=\"a, Bearer realm=\\\"b\\\"\", Bearer realm=\"c\"", CHALLENGE_BEARER, "c",
	NULL, NULL},
    {"Basic realm=\"x\"\nBearer realm=\"https://a/t\"", CHALLENGE_BEARER, "https://a/t", NULL,
	NULL},
    {"Bearer realm=\"https://a/t\"\nBasic realm=\"x\"", CHALLENGE_BEARER, "https://a/t", NULL,
	NULL},
    {"Negotiate, Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL},
    {"Negotiate abc==, Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL},
    {"Bearer realm=\"https://a/t?x=1&y=2\"", CHALLENGE_BEARER, "https://a/t?x=1&y=2", NULL,
	NULL},
    {"Bearer realm=https://a/t?x=1&y=2,service=s", CHALLENGE_BEARER, "https://a/t?x=1&y=2", "s",
	NULL},
    {"Bearer realm = \"a\" , service = \"b\"", CHALLENGE_BEARER, "a", "b", NULL},
    {"Bearer realm=\"a\",realm=\"b\"", CHALLENGE_BEARER, "a", NULL, NULL},
    {"Bearer realm=\"a\\\\\\\"b\"", CHALLENGE_BEARER, "a\\\"b", NULL, NULL},
    {"Bearer\trealm=\"a\",\tservice=\"b\"", CHALLENGE_BEARER, "a", "b", NULL},
    {"bearer REALM=\"a\"", CHALLENGE_BEARER, "a", NULL, NULL},
    {", ,Bearer realm=\"a\",,service=\"b\",", CHALLENGE_BEARER, "a", "b", NULL},
    {"Bearer error=\"invalid_token\"\nBasic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL},
    {"Bearer realm=\"a\",error=\"insufficient_scope\",new=\"thing\"", CHALLENGE_BEARER, "a",
	NULL, NULL},
    {"Basic realm=\"ok\"\nBearer realm=\"never ends", CHALLENGE_BASIC, "ok", NULL, NULL},
};

/* One of these is never a way in: each says which schemes were there. */
static const char *const useless[] = {
    "",
    "NTLM",
    "Negotiate",
    "Bearer error=\"invalid_token\"",
    "Bearer realm=\"never ends",
    "Bearer",
    "Digest realm=\"x\", nonce=\"y\"",
    "=,=\"\"",
    "\"\"\"",
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

Test(challenge, CHL_04_vectors)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(challenge_drop) struct challenge c = {0};
		struct err e = {0};
		cr_expect(
		    challenge_read(slice_of(rows[i].header), &c, &e), "row %zu: %s", i, e.text);
		cr_expect_eq(c.scheme, rows[i].scheme, "row %zu: scheme %d", i, (int)c.scheme);
		cr_expect(same(c.realm, rows[i].realm), "row %zu: realm %s", i, c.realm);
		cr_expect(
		    same(c.service, rows[i].service), "row %zu: service %s", i, c.service);
		cr_expect(same(c.scope, rows[i].scope), "row %zu: scope %s", i, c.scope);
	}
}

Test(challenge, CHL_05_nothing_that_can_be_used)
{
	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		OWNED(challenge_drop) struct challenge c = {0};
		struct err e = {0};
		cr_expect_not(challenge_read(slice_of(useless[i]), &c, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_DENIED, "row %zu: %s", i, e.text);
	}
}

Test(challenge, CHL_05_names_what_is_offered)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err e = {0};

	cr_assert_not(challenge_read(slice_of("Negotiate, NTLM"), &c, &e));
	cr_expect_not_null(strstr(e.text, "Negotiate, NTLM"), "%s", e.text);
}

Test(challenge, CHL_04_oversize_is_not_read)
{
	static char big[20 * 1024];
	OWNED(challenge_drop) struct challenge c = {0};
	struct err e = {0};

	(void)memset(big, 'a', sizeof(big));
	(void)memcpy(big, "Basic realm=\"", 13);
	big[sizeof(big) - 1] = '"';
	cr_expect_not(challenge_read(slice_at(big, sizeof(big)), &c, &e));
	cr_expect_eq(e.kind, ERR_DENIED);
}

Test(challenge, CHL_04_controls_do_not_reach_the_sentence)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err e = {0};

	cr_assert_not(challenge_read(slice_of("\x1b[31mEvil\x7f\xff"), &c, &e));
	for (const char *at = e.text; *at; at++)
		cr_expect((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
}

/* Every prefix of every vector is read without harm. */
Test(challenge, CHL_04_prefixes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].header);
		for (size_t cut = 0; cut <= len; cut++) {
			OWNED(drop_text) char *copy = own_bytes(rows[i].header, cut);
			OWNED(challenge_drop) struct challenge c = {0};
			struct err e = {0};
			const bool ok = challenge_read(slice_at(copy, cut), &c, &e);
			cr_expect_eq(ok, c.scheme != CHALLENGE_NONE, "row %zu cut %zu", i, cut);
		}
	}
}
