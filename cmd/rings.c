#include "cmd/rings.h"

#include "base/own.h"

#include <string.h>

#define AT(field) offsetof(struct rings_options, field)
const struct option rings_options[] = {
    {"as-approver", 0, OPTION_FLAG, AT(approver), NULL,
	"those who may approve (approvers.d), not those who may sign (trusted.d)"},
    {0},
};

const char *rings_folder(const struct rings_options *o)
{
	return o->approver ? RINGS_APPROVERS : RINGS_SIGNERS;
}

/* What an absent folder would fail with is no failure: it has no keys. */
static bool unless_missing(const struct err *failure, struct err *e)
{
	if (failure->kind == ERR_MISSING)
		return true;
	*e = *failure;
	return false;
}

bool rings_open(const char *name, struct keyring *ring, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);
	struct err failure = {0};

	return config_path(name, &folder, e)
	       && (keyring_add(ring, buf_text(&folder), config_guard(), &failure)
		   || unless_missing(&failure, e));
}

bool rings_survey(const char *name, struct keyring *ring, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);
	struct err failure = {0};

	return config_path(name, &folder, e)
	       && (keyring_survey(ring, buf_text(&folder), config_guard(), &failure)
		   || unless_missing(&failure, e));
}

void rings_hex(const char *text, struct buf *out)
{
	static const char upper[] = "ABCDEF";
	static const char lower[] = "abcdef";

	for (; *text; text++) {
		const char *at = strchr(upper, *text);
		if (!strchr(": \t\r\n", *text))
			buf_add(out, at ? &lower[at - upper] : text, 1);
	}
}
