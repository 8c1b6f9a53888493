/* Every bit and every length of a CMS signature: no byte of it is free. */
#include "bundle/certificate.h"

#include "base/file.h"
#include "base/own.h"
#include "tests/unit/bundle/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A root, a leaf below it and the leaf's signature over "text", made by openssl. */
static const char script[] =
    "set -e; cd '%s'; exec 2>/dev/null;"
    "printf text > data;"
    "printf '[root]\\nbasicConstraints=critical,CA:true\\nkeyUsage=keyCertSign\\n"
    "[leaf]\\nkeyUsage=digitalSignature\\nextendedKeyUsage=codeSigning\\n' > ext;"
    "for n in ca leaf; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    " -out $n.key; openssl req -new -key $n.key -subj /CN=$n -config /dev/null -out $n.csr; "
    "done;"
    "openssl x509 -req -in ca.csr -key ca.key -days 30 -extfile ext -extensions root -out "
    "ca.pem;"
    "openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 30 -extfile "
    "ext"
    " -extensions leaf -out leaf.pem;"
    "openssl cms -sign -binary -in data -signer leaf.pem -inkey leaf.key -md sha256 -outform "
    "DER"
    " -out p7s";

struct fixture {
	char folder[64];
	struct authority *authority;
	struct buf p7s;
};

static void read_from(const char *folder, const char *name, struct buf *out)
{
	char path[128];
	struct err e = {0};

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	cr_assert(file_read(path, 1 << 16, out, &e), "%s", e.text);
}

static void make(struct fixture *f)
{
	char command[2048];
	struct buf ca = BUF(0);
	struct err e = {0};

	*f = (struct fixture){.folder = "/tmp/sealift-unit-XXXXXX"};
	cr_assert(mkdtemp(f->folder));
	(void)snprintf(command, sizeof(command), script, f->folder);
	cr_assert(system(command) == 0);
	read_from(f->folder, "ca.pem", &ca);
	read_from(f->folder, "p7s", &f->p7s);
	const struct authority_terms terms = {.ca = buf_slice(&ca)};
	cr_assert(authority_open(&terms, &f->authority, &e), "%s", e.text);
	buf_drop(&ca);
}

static void drop(struct fixture *f)
{
	char command[128];

	authority_free(f->authority);
	buf_drop(&f->p7s);
	(void)snprintf(command, sizeof(command), "rm -r -- '%s'", f->folder);
	cr_assert(system(command) == 0);
}

static bool is_believed(const struct fixture *f, struct slice der)
{
	const struct authority_case judged = {der, slice_of("text"), (uint64_t)time(NULL)};
	struct authority_answer answer;
	struct err e = {0};

	return authority_check(f->authority, &judged, &answer, &e) && answer.vouches;
}

Test(certificate, no_bit_of_a_signature_is_free)
{
	struct fixture f;
	size_t refused = 0;

	make(&f);
	cr_assert(is_believed(&f, buf_slice(&f.p7s)));
	for (size_t bit = 0; bit < f.p7s.len * 8; bit++) {
		f.p7s.ptr[bit / 8] ^= (char)(1 << bit % 8);
		const bool believed = is_believed(&f, buf_slice(&f.p7s));
		cr_expect_not(believed, "byte %zu, bit %zu", bit / 8, bit % 8);
		refused += !believed;
		f.p7s.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	sample_figure("R4 bit flips in a CMS signature", refused, f.p7s.len * 8);
	drop(&f);
}

Test(certificate, no_length_but_one_is_believed)
{
	struct fixture f;

	make(&f);
	buf_add(&f.p7s, "\0\0\0", 3);
	for (size_t len = 0; len <= f.p7s.len; len++)
		cr_expect_eq(is_believed(&f, slice_at(f.p7s.ptr, len)), len == f.p7s.len - 3,
		    "length %zu", len);
	drop(&f);
}
