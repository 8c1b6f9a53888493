/* parts need: the one line by which a damaged copy asks for what it lacks. */
#include "base/own.h"
#include "bundle/damage.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/progress.h"
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

/* Standard output has the line and nothing else. */
static bool report(const struct options *o, const struct damage *damage, struct err *e)
{
	const char *path = o->common.arguments.items[0];
	const size_t count = damage_count(damage);
	OWNED(buf_drop) struct buf line = BUF(NEED_LINE);
	char id[DIGEST_TEXT];

	if (count)
		need_write(damage, &line);
	const struct fact facts[] = {{"id", digest_text(&damage->id, id), 0},
	    {"chunks", NULL, count}, {"line", buf_text(&line), 0}};
	if (line.over)
		return err_set(e, ERR_LIMIT,
		    "%s: expected damage that a line of %d bytes can name, found %zu bad "
		    "chunks of "
		    "%zu; copy the bundle anew",
		    path, NEED_LINE, count, damage->chunks);
	result_id(&o->common, stderr, path, &damage->id);
	if (o->common.json)
		result_json(facts, 3);
	else if (count)
		say(stdout, "%s\n", buf_text(&line));
	else
		say(stderr, "%s: nothing is needed\n", path);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "read");
	OWNED(medium_drop) struct medium *m = NULL;
	OWNED(parts_drop) struct parts list = {0};
	OWNED(damage_drop) struct damage damage = {0};
	struct err no_list = {0};

	if (!media_in_open(&o->media, path, MEDIUM_READ, &m, e))
		return err_in(e, "%s", path);
	const bool listed = media_in_list(&o->media, path, &list, &no_list);
	if (!damage_find(m, listed ? &list : NULL, progress_watch(progress), &damage, e))
		return err_in(e, "%s", path);
	return report(o, &damage, e);
}

const struct verb verb_parts_need = {
    .name = "parts need",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "print the line that asks for what is damaged",
    .about = "Reads a bundle or its parts and prints one short line that names every bad "
	     "chunk of 8 MiB, with four letters at its end that show a slip of hand or ear. "
	     "Carry it, or read it out, to whoever has a good copy: sealift parts patch "
	     "makes the patch from it. Chunks are found by NAME.parts.json; without it "
	     "whole members are asked for. No line means that nothing is damaged.",
    .example = "  sealift parts need /media/usb1/immuta-2024.1.5.tar.001",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
