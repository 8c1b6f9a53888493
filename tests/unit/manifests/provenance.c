#include "manifests/provenance.h"

#include <criterion/criterion.h>
#include <string.h>

#define BEGINS "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
#define CHART                                                                                  \
	"apiVersion: v2\nname: app\ndescription: |\n  - -----BEGIN\n  ...\nversion: 1.2.3\n"
#define ENDS "\n-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n"

/* The digest of "chart". */
#define SUM "sha256:6e5b1acb0e5a1a6a3ed4a3a6a3a1a3a6a3a1a3a6a3a1a3a6a3a1a3a6a3a1a3a6"

static bool check(const char *text, struct err *e)
{
	struct digest digest;

	digest_of(slice_of("chart"), &digest);
	return provenance_check(slice_of(text), "app-1.2.3.tgz", &digest, e);
}

/* The text with the digest of "chart" for each "@". */
static const char *filled(const char *text, char out[4096])
{
	struct digest digest;
	char sum[DIGEST_TEXT];
	size_t len = 0;

	digest_of(slice_of("chart"), &digest);
	(void)digest_text(&digest, sum);
	for (; *text; text++) {
		if (*text != '@') {
			out[len++] = *text;
			continue;
		}
		(void)memcpy(out + len, sum, strlen(sum));
		len += strlen(sum);
	}
	out[len] = '\0';
	return out;
}

Test(provenance, HLM_17_what_says_the_digest)
{
	static const char *const good[] = {
	    BEGINS CHART "\n...\nfiles:\n  app-1.2.3.tgz: @" ENDS,
	    BEGINS CHART "...\r\nfiles:\r\n  app-1.2.3.tgz: @\r\n" ENDS,
	    BEGINS CHART "\n...\nfiles: {other.tgz: x, app-1.2.3.tgz: \"@\"}" ENDS,
	};
	char text[4096];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err e = {0};
		cr_expect(check(filled(good[i], text), &e), "row %zu: %s", i, e.text);
	}
}

Test(provenance, HLM_17_what_does_not)
{
	static const char *const bad[] = {
	    "",
	    BEGINS ENDS,
	    BEGINS CHART ENDS,
	    BEGINS CHART "\n...\nfiles:\n  app-1.2.4.tgz: @" ENDS,
	    BEGINS CHART "\n...\nfiles:\n  app-1.2.3.tgz: " SUM ENDS,
	    BEGINS CHART "\n...\nfiles:\n  app-1.2.3.tgz: @0" ENDS,
	    BEGINS CHART "\n...\nfiles:\n  app-1.2.3.tgz: [@]" ENDS,
	    BEGINS CHART "\n...\nfiles: [" ENDS,
	    BEGINS CHART "\nfiles:\n  app-1.2.3.tgz: @" ENDS,
	    BEGINS CHART ENDS "\n...\nfiles:\n  app-1.2.3.tgz: @",
	};
	char text[4096];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};
		cr_expect_not(check(filled(bad[i], text), &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_DAMAGED, "row %zu: %s", i, e.text);
		cr_expect_not_null(strstr(e.text, "app-1.2.3.tgz"), "%s", e.text);
	}
}
