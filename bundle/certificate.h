/*
 * X.509: signatures that are believed since an authority vouches for the signer's certificate,
 * as CMS SignedData beside the inventory (bundle/sig/<kid>.p7s).  Nothing of CMS is looked at
 * unless an authority was named.  BUNDLE.md 1.4, 3.
 */
#pragma once

#include "base/buf.h"
#include "manifests/digest.h"

struct authority;

/* Who is believed: below one of the CA certificates in ca (PEM). */
struct authority_terms {
	struct slice ca;
	struct slice crl;    /* PEM; empty: revocation is not asked for, else for every CA */
	const char *subject; /* the signer's subject as RFC 2253 text; NULL: any */
	const struct digest *spki; /* of the signer's key; NULL: any */
};

/* Reads the certificates and lists.  ERR_FORMAT. */
bool authority_open(
    const struct authority_terms *terms, struct authority **out, struct err *e) MUST_CHECK;
void authority_free(struct authority *a);

/* A signature to be judged, as of the time now. */
struct authority_case {
	struct slice der;
	struct slice bytes;
	uint64_t now;
};

enum { AUTHORITY_WHY = 256 };
struct authority_answer {
	bool vouches;
	char why[AUTHORITY_WHY]; /* why it does not */
	struct digest spki;	 /* of the signer's key */
};

/* Whether der is one detached signature over bytes by the certificate that it carries (cms.h),
 * and whether that is a good one in the authority's eyes.  A stranger's is no error, and does
 * not count.  ERR_UNTRUSTED for a signature that does not hold, and for one that carries a
 * certificate which the chain does not need. */
bool authority_check(const struct authority *a, const struct authority_case *c,
    struct authority_answer *out, struct err *e) MUST_CHECK;

/* Whose key made the detached signature der over bytes, whoever vouches for it: *spki.
 * ERR_UNTRUSTED when it does not hold. */
bool certificate_signer(
    struct slice der, struct slice bytes, struct digest *spki, struct err *e) MUST_CHECK;
