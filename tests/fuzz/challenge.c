/*
 * Header values of a 401, as a hostile host may send them: whatever they are, reading them
 * ends, and what was read of them can be shown.
 */
#include "registry/challenge.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err e = {0};

	const bool ok = challenge_read(slice_at(bytes, len), &c, &e);
	if (ok != (c.scheme != CHALLENGE_NONE) || ok != (e.kind == ERR_NONE))
		abort();
	if (c.scheme == CHALLENGE_BEARER && !c.realm)
		abort();
	for (const char *at = e.text; *at; at++)
		if ((unsigned char)*at < 0x20)
			abort();
	return 0;
}
