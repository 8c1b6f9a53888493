/* split: a bundle that is there, cut into parts for several media. */
#include "bundle/split.h"

#include "base/own.h"
#include "bundle/folders.h"
#include "cmd/media_in.h"
#include "cmd/media_out.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/result.h"
#include "cmd/verb.h"

#include <string.h>

struct options {
	struct common common;
	struct media_in_options media;
	struct media_out_options out;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {media_out_options, AT(out), "Where to write"},
    {media_in_options, AT(media), "Media"},
    {common_options, AT(common), "General"},
    {0},
};

/* The folders of --output, each of which must be there before the bundle is read. */
static bool open_folders(
    const struct options *o, const char *name, struct folders *out, struct err *e)
{
	out->name = own_text(name);
	for (size_t i = 0; i < o->out.output.count; i++)
		folders_add(out, o->out.output.items[i], strlen(o->out.output.items[i]));
	return folders_measure(out, e);
}

/* Into the next folder in turn that has room; where none has and somebody is there, the medium
 * is changed. */
static bool choose_folder(
    struct folders *folders, size_t i, uint64_t need, const char **folder, struct err *e)
{
	struct err ignored = {0};
	size_t chosen;

	do {
		if (!folders_measure(folders, &ignored))
			err_clear(&ignored); /* a medium that was taken out has no room */
		const bool ok = folders_choose(folders, i, need, &chosen);
		*folder = folders->items[chosen].path;
		if (ok)
			return true;
	} while (media_in_change(i + 1, *folder, e));
	return e->kind ? false : folders_full(i, need, e);
}

/* The folder that has part i already, whole; NULL when none has. */
static const char *find_part(
    const struct folders *folders, const struct splitting *s, const char *name, size_t i)
{
	for (size_t f = 0; f < folders->count; f++) {
		const struct part_home home = {folders->items[f].path, name, FILE_REFUSE};
		if (splitting_has(s, &home, i))
			return home.folder;
	}
	return NULL;
}

static bool write_part(const struct options *o, const struct splitting *s,
    struct folders *folders, size_t i, struct progress *progress, struct err *e)
{
	struct part_home home = {
	    .name = folders->name, .existing = o->out.force ? FILE_REPLACE : FILE_REFUSE};
	const char *there = find_part(folders, s, home.name, i);

	if (there) {
		progress_step(
		    progress, "part %zu of %zu is in %s already", i + 1, s->list.count, there);
		return true;
	}
	if (!choose_folder(folders, i, splitting_size(s, i), &home.folder, e))
		return false;
	if (!splitting_write(s, &home, i, progress_watch(progress), e))
		return media_out_failed(e);
	progress_step(
	    progress, "wrote part %zu of %zu into %s", i + 1, s->list.count, home.folder);
	return true;
}

static bool report(const struct options *o, const struct parts *list)
{
	char id[DIGEST_TEXT];
	const struct fact facts[] = {{"id", digest_text(&list->id, id), 0},
	    {"parts", NULL, list->count}, {"total", NULL, list->total}};

	if (o->common.json)
		result_json(facts, 3);
	else
		say(stdout, "%zu part%s, %llu bytes\n", list->count, plural(list->count),
		    (unsigned long long)list->total);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "read");
	OWNED(medium_drop) struct medium *from = NULL;
	OWNED(splitting_drop) struct splitting s = {0};
	OWNED(folders_drop) struct folders folders = {0};
	OWNED(buf_drop) struct buf name = BUF(4096);
	uint64_t size;

	if (!o->out.split || !o->out.output.count)
		return err_set(e, ERR_USAGE,
		    "expected --split SIZE and --output FOLDER; see sealift split --help");
	if (!media_in_name(path, &name, e))
		return err_in(e, "%s", path);
	if (!open_folders(o, buf_text(&name), &folders, e))
		return err_in(e, "--output");
	if (!media_out_size(&o->out, progress_watch(progress), &size, e)
	    || !media_in_open(&o->media, path, MEDIUM_READ, &from, e))
		return err_in(e, "%s", path);
	if (medium_is_forward(from))
		return err_set(e, ERR_USAGE, "%s: expected a file, found a pipe", path);
	if (!splitting_read(from, size, progress_watch(progress), &s, e))
		return err_in(e, "%s", path);
	result_id(&o->common, stdout, path, &s.list.id);
	if (!folders_end(&folders, s.list.count, e))
		return err_in(e, "--output");
	progress_begin(progress, "split", s.list.total);
	for (size_t i = 0; i < s.list.count; i++)
		if (!write_part(o, &s, &folders, i, progress, e))
			return false;
	progress_rate(progress);
	return report(o, &s.list);
}

const struct verb verb_split = {
    .name = "split",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "cut a bundle into parts for several media",
    .about = "Reads the whole bundle, checks it by its own inventory, and writes parts "
	     "NAME.tar.001 and so on of at most --split SIZE, in turn into each folder of "
	     "--output that has room; on a terminal it asks for the next medium where none "
	     "has. Each part is read back from its medium. Parts that are there already "
	     "stay, so that the same command continues. No key is needed: splitting "
	     "believes nothing, and verify reads the parts where they are.",
    .example =
	"  sealift split immuta-2024.1.5.tar --split fat32 -o /media/usb1 -o /media/usb2",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
