/* parts patch: the chunks that a damaged copy asked for, out of a good one. */
#include "base/own.h"
#include "bundle/head.h"
#include "bundle/inventory.h"
#include "bundle/patch.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct media_in_options media;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "FILE", "write the patch here (required)"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {media_in_options, AT(media), "Media"},
    {common_options, AT(common), "General"},
    {0},
};

static bool read_need(struct medium *m, const char *line, struct damage *want, struct err *e)
{
	OWNED(head_drop) struct head head = {0};
	OWNED(inventory_drop) struct inventory *inv = NULL;
	struct digest id;

	if (!head_read(m, &head, e) || !inventory_read(buf_slice(&head.inventory), &inv, e))
		return false;
	digest_of(buf_slice(&head.inventory), &id);
	return need_read(line, &id, inv->total, want, e);
}

static void report(const struct options *o, const struct damage *want)
{
	const size_t count = damage_count(want);
	char id[DIGEST_TEXT];
	const struct fact facts[] = {{"id", digest_text(&want->id, id), 0},
	    {"patch", o->output, 0}, {"chunks", NULL, count}};

	result_id(&o->common, stdout, o->common.arguments.items[0], &want->id);
	if (o->common.json)
		result_json(facts, 3);
	else if (!o->common.quiet)
		say(stdout, "wrote %s: %zu chunk%s\n", o->output, count, plural(count));
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(medium_drop) struct medium *m = NULL;
	OWNED(damage_drop) struct damage want = {0};

	if (!o->output)
		return err_set(e, ERR_USAGE, "expected --output FILE for the patch");
	if (!media_in_open(&o->media, path, MEDIUM_READ, &m, e)
	    || !read_need(m, o->common.arguments.items[1], &want, e)
	    || !patch_write(m, &want, o->output, FILE_REFUSE, e))
		return err_in(e, "%s", path);
	report(o, &want);
	return true;
}

const struct verb verb_parts_patch = {
    .name = "parts patch",
    .arguments = "BUNDLE LINE",
    .least = 2,
    .most = 2,
    .summary = "make the patch that such a line asks for",
    .about = "Writes the chunks that LINE names, as sealift parts need printed it on the "
	     "other side, out of a good copy of the bundle into a small file. A line that "
	     "was misheard, or is another bundle's, is refused.",
    .example = "  sealift parts patch immuta-2024.1.5.tar 3f9a2c1b:17,204-210:k7qx -o patch",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
