#include "bundle/policy.h"

#include "bundle/setting.h"

struct policy policy_default(void)
{
	return (struct policy){.threshold = 1};
}

static bool set(const struct setting *line, uint64_t least, unsigned *number, struct err *e)
{
	uint64_t value;

	if (!slice_u64(line->value, POLICY_MAX, &value) || value < least)
		return err_set(e, ERR_UNTRUSTED,
		    "expected a number from %u to %d, found \"%.*s\"", (unsigned)least,
		    POLICY_MAX, SLICE_ARG(line->value));
	*number = (unsigned)value;
	return true;
}

static bool take_line(struct policy *p, const struct setting *line, struct err *e)
{
	if (slice_is(line->name, "threshold"))
		return set(line, 1, &p->threshold, e);
	if (slice_is(line->name, "approvals"))
		return set(line, 0, &p->approvals, e);
	return err_set(e, ERR_UNTRUSTED, "expected threshold or approvals, found \"%.*s\"",
	    SLICE_ARG(line->name));
}

bool policy_read(struct slice text, const char *what, struct policy *out, struct err *e)
{
	struct policy p = policy_default();
	struct settings lines = {.rest = text};
	struct setting line;
	bool bad;

	while (settings_next(&lines, &line, &bad))
		if (!take_line(&p, &line, e))
			return err_in(e, "%s, line %zu", what, line.line);
	if (bad)
		return err_set(e, ERR_UNTRUSTED,
		    "%s, line %zu: expected NAME = VALUE, found \"%.*s\"", what, line.line,
		    SLICE_ARG(line.name));
	*out = p;
	return true;
}
