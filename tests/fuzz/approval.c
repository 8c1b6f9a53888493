/*
 * The small files about trust that a person carries or keeps: the first byte says which.
 * Nothing may be taken out of an envelope that no key on the ring signed.
 */
#include "base/own.h"
#include "bundle/approval.h"
#include "bundle/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void read_envelope(struct slice text)
{
	const struct keyring nobody = {0};
	OWNED(approval_drop) struct approval a = {0};
	struct envelope_signers signers;
	struct err e = {0};

	if (approval_read(text, "approval", &nobody, &a, &signers, &e))
		abort();
}

static void read_scope(struct slice text)
{
	OWNED(scope_drop) struct scope s = {0};
	OWNED(buf_drop) struct buf line = BUF(1 << 20);
	struct err e = {0};

	if (!scope_read(text, "scope", &s, &e))
		return;
	(void)scope_covers(&s, "trino", 0, &line);
	scope_text(&s, &line);
	if (!line.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct slice text = len ? slice_at(bytes + 1, len - 1) : slice_of("");
	struct policy policy;
	struct err e = {0};

	if (!len)
		return 0;
	if (bytes[0] == 's')
		read_scope(text);
	else if (bytes[0] == 'p')
		(void)!policy_read(text, "policy", &policy, &e);
	else
		read_envelope(text);
	return 0;
}
