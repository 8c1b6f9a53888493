/* parts apply: heals a damaged copy in place. */
#include "base/own.h"
#include "bundle/heal.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct media_in_options media;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {media_in_options, AT(media), "Media"},
    {common_options, AT(common), "General"},
    {0},
};

static void report(const struct options *o, const struct patch *patch)
{
	const char *path = o->common.arguments.items[0];
	char id[DIGEST_TEXT];
	const struct fact facts[] = {{"id", digest_text(&patch->id, id), 0},
	    {"bundle", path, 0}, {"chunks", NULL, patch->count}};

	result_id(&o->common, stdout, path, &patch->id);
	if (o->common.json)
		result_json(facts, 3);
	else if (!o->common.quiet)
		say(stdout, "healed %s: %zu chunk%s\n", path, patch->count,
		    plural(patch->count));
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(patch_drop) struct patch *patch = NULL;
	OWNED(medium_drop) struct medium *copy = NULL;

	if (!patch_open(o->common.arguments.items[1], &patch, e))
		return false;
	if (!media_in_open(&o->media, path, MEDIUM_MEND, &copy, e)
	    || (medium_is_forward(copy)
		&& !err_set(e, ERR_USAGE, "expected a file or parts, found a pipe"))
	    || !heal(patch, copy, e))
		return err_in(e, "%s", path);
	report(o, patch);
	return true;
}

const struct verb verb_parts_apply = {
    .name = "parts apply",
    .arguments = "BUNDLE PATCH",
    .least = 2,
    .most = 2,
    .summary = "heal a damaged copy with a patch",
    .about = "Checks that the patch would make whole what it touches, writes its chunks in "
	     "place, and verifies them again from the medium. Nothing is changed by a patch "
	     "that does not heal. A run that was killed is completed by the same command. "
	     "Whether the bundle is to be trusted is for sealift verify to say.",
    .example = "  sealift parts apply /media/usb1/immuta-2024.1.5.tar.001 patch",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
