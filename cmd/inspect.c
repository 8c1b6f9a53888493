/* inspect: what is inside, and who says so. */
#include "base/own.h"
#include "cmd/output.h"
#include "cmd/summary.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct trust_options trust;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {audit_options, AT(trust), "Time"},
    {common_options, AT(common), "General"},
    {0},
};

static bool inspect_trusted(const struct options *o, const char *bundle, struct err *e)
{
	OWNED(reader_drop) struct reader *reader = NULL;

	if (!trusted_look(&o->trust, &o->common, bundle, &reader, e))
		return false;
	const struct summary_facts facts = {.id = reader_id(reader),
	    .judgement = reader_judgement(reader),
	    .checked = CHECKED_HEAD};
	if (o->common.json)
		summary_json(reader_inventory(reader), &facts, stdout);
	else
		summary_print(reader_inventory(reader), stdout);
	return true;
}

static bool inspect_unverified(const struct options *o, const char *bundle, struct err *e)
{
	OWNED(glimpse_drop) struct glimpse glimpse = {0};
	OWNED(medium_drop) struct medium *medium = NULL;
	const struct summary_facts facts = {.id = &glimpse.id};
	char id[DIGEST_TEXT];

	if (!media_in_open(&o->trust.media, bundle, MEDIUM_READ, &medium, e)
	    || !reader_glimpse(medium, &glimpse, e))
		return err_in(e, "%s", bundle);
	if (o->common.json) {
		summary_json(glimpse.inventory, &facts, stdout);
		return true;
	}
	say(stdout, "nothing was verified: no --trust was given, so this is only what the file "
		    "says of itself\n");
	say(stdout, "%s: %s", bundle, digest_text(&glimpse.id, id));
	for (size_t i = 0; i < glimpse.kid_count; i++)
		say(stdout, "%s%s", i ? ", " : ", signed (unverified) by ", glimpse.kids[i]);
	say(stdout, "\n");
	summary_print(glimpse.inventory, stdout);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *bundle = o->common.arguments.items[0];

	return trusted_by_anyone(&o->trust) ? inspect_trusted(o, bundle, e)
					    : inspect_unverified(o, bundle, e);
}

const struct verb verb_inspect = {
    .name = "inspect",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "show what is inside a bundle",
    .about = "Shows images, digests, platforms, sizes, what is shared, and who signed. "
	     "With --trust the signature is checked first; without it the first line "
	     "says that nothing was verified. Layers are not read; verify does that.",
    .example = "  sealift inspect immuta-2024.1.5.tar --trust vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
