/*
 * What a host said instead of yes, as one sentence: status, the registry's own code and message
 * with nothing in them that a terminal would obey, what it usually means and what to do
 * (RTY-06).
 */
#pragma once

#include "registry/http.h"

enum {
	REFUSAL_BODY_MAX = 8192, /* bytes of an error's body that are looked at */
};

/* Whether the answer is a page for a browser: a login form, a proxy's notice (RTY-08). */
bool refusal_is_page(const struct http_answer *a);

/* "403 DENIED (requested access to the resource is denied)". */
void refusal_text(const struct http_answer *a, struct buf *out);

/* Whether the body holds this code, as registries write it: {"errors":[{"code":…}]}. */
bool refusal_has(const struct http_answer *a, const char *code);

/* Whether the same request may do better later: by its status, or by a code that says so in any
 * error (RTY-04). */
bool refusal_passes(const struct http_answer *a);

/* Fills *e by status: ERR_DENIED, ERR_MISSING, ERR_LIMIT or ERR_NETWORK.  doing is "GET host:
 * what of which repository".  Always false. */
bool refusal(const struct http_answer *a, const char *doing, struct err *e);
