/* state reset: forgets which bundles were used. */
#include "base/own.h"
#include "bundle/replay.h"
#include "cmd/admission.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"

struct options {
	struct common common;
};

static const struct option_group groups[] = {
    {common_options, 0, "General"},
    {0},
};

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const struct texts *words = &o->common.arguments;
	const char *name = words->count ? words->items[0] : NULL;
	OWNED(buf_drop) struct buf folder = BUF(0);
	size_t count;

	if (!admission_folder(&folder, e)
	    || !replay_reset(buf_text(&folder), name, trusted_clock(), &count, e))
		return false;
	const struct fact facts[] = {
	    {"forgotten", NULL, count}, {"folder", buf_text(&folder), 0}};
	if (o->common.json)
		result_json(facts, 2);
	else if (!o->common.quiet)
		say(stdout, "forgot what was used of %zu bundle%s in %s; this is in its log\n",
		    count, plural(count), buf_text(&folder));
	return true;
}

const struct verb verb_state_reset = {
    .name = "state reset",
    .arguments = "[NAME]",
    .least = 0,
    .most = 1,
    .summary = "forget which bundles were used here",
    .about = "Forgets the highest sequence that was pushed of the bundles NAME, or of all, "
	     "so that the next push of any bundle passes. It is logged.",
    .example = "  sealift state reset immuta",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
