/*
 * CMS SignedData in the one form that is allowed beside an inventory: detached, in DER, one
 * signer with signed attributes, and its certificate.  Every byte of it is either signed or
 * can only be what it is.  Whose certificate it is, certificate.h judges.  BUNDLE.md 1.4.
 */
#pragma once

#include "base/buf.h"

#include <openssl/cms.h>

struct cms {
	CMS_ContentInfo *content;
	STACK_OF(X509) * certificates; /* that it carries */
	X509 *leaf;		       /* the signer's; belongs to the above */
};

/* ERR_UNTRUSTED for any other form; no other type of CMS than SignedData is ever decoded. */
bool cms_decode(struct slice der, struct cms *out, struct err *e) MUST_CHECK;
void cms_drop(struct cms *c);

/* Says that what was expected is not there, and empties OpenSSL's queue of reasons.
 * ERR_UNTRUSTED; always false. */
bool cms_malformed(struct err *e, const char *what);

/* Whether the signature over bytes holds, whoever's it is. */
bool cms_holds(const struct cms *c, struct slice bytes) MUST_CHECK;
