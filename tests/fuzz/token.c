/*
 * The answer of a token service, as a hostile one may give it: a token has text, and a life
 * that no clock overflows.
 */
#include "registry/token.h"

#include "base/own.h"

#include <stdlib.h>

enum { DAY = 24 * 60 * 60 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(token_grant_drop) struct token_grant grant = {0};
	const enum token_body body = token_read(slice_at(bytes, len), &grant);

	if ((body == TOKEN_THERE) != (grant.text && *grant.text))
		abort();
	if (grant.seconds < -DAY || grant.seconds > 366 * (int64_t)DAY)
		abort();
	return 0;
}
