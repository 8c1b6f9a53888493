#include "cmd/media_out.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(field) offsetof(struct media_out_options, field)
const struct option media_out_options[] = {
    {"output", 'o', OPTION_TEXTS, AT(output), "FILE",
	"write the bundle here (default NAME-VERSION.tar); - is standard output; with --split "
	"a folder, or several in turn"},
    {"split", 0, OPTION_TEXT, AT(split), "SIZE",
	"write parts NAME.tar.001 and so on of at most SIZE (20M, 4G …), or for a medium: "
	"fat32, dvd, dvd-dl, bd, bd-dl"},
    {"check-media", 0, OPTION_FLAG, AT(check), NULL,
	"at the end read everything back from the medium and verify it (always so with "
	"--split)"},
    {"force", 0, OPTION_FLAG, AT(force), NULL, "replace a bundle that has this name"},
    {0},
};

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *media_out_file(const struct media_out_options *o)
{
	return o->output.count == 1 && !is_folder(o->output.items[0]) ? o->output.items[0]
								      : NULL;
}

void media_out_name(const struct media_out_options *o, const char *path, struct buf *out)
{
	const bool folders = !media_out_file(o);

	buf_addf(out, "%s%s", path, o->split ? " in parts" : "");
	for (size_t i = 0; folders && i < o->output.count; i++)
		buf_addf(out, "%s%s", i ? ", " : " in ", o->output.items[i]);
}

bool media_out_is_pipe(const struct media_out_options *o)
{
	const char *file = media_out_file(o);

	return file && strcmp(file, "-") == 0;
}

FILE *media_out_messages(const struct media_out_options *o)
{
	return media_out_is_pipe(o) ? stderr : stdout;
}

bool media_out_checked(const struct media_out_options *o)
{
	return o->check || o->split;
}

/* What fits on each kind of medium, in bytes. */
static const struct {
	const char *name;
	uint64_t bytes;
} media[] = {
    {"fat32", 4294967295U},
    {"dvd", 4700372992U},
    {"dvd-dl", 8543666176U},
    {"bd", 25025314816U},
    {"bd-dl", 50050629632U},
};

/* A number of bytes, or of KiB, MiB, GiB with K, M, G. */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	const unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (!slice_u64(slice_at(text, len - (shift != 0)), UINT64_MAX >> 40, bytes))
		return false;
	*bytes <<= shift;
	return *bytes > 0;
}

bool media_out_size(
    const struct media_out_options *o, struct watch *watch, uint64_t *bytes, struct err *e)
{
	const char *text = o->split;
	static const uint64_t least = 65536; /* so that the head needs few parts */
	static const uint64_t four_gib = (uint64_t)4 << 30;

	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
		if (strcmp(text, media[i].name) == 0) {
			*bytes = media[i].bytes;
			return true;
		}
	if (!parse_bytes(text, bytes) || *bytes < least)
		return err_set(e, ERR_USAGE,
		    "--split: expected fat32, dvd, dvd-dl, bd, bd-dl, or a size of 64K at "
		    "least such as 20M, found \"%s\"",
		    text);
	if (*bytes == four_gib)
		watch_warn(watch,
		    "--split: 4 GiB is one byte more than FAT32 holds; --split fat32 fits it");
	return true;
}

static bool open_parts(const struct media_out_options *o, const char *path, bool resume,
    struct watch *watch, struct output **out, struct err *e)
{
	const enum file_existing existing = o->force ? FILE_REPLACE : FILE_REFUSE;
	struct parts_wanted want = {.path = path};

	if (!media_out_file(o)) {
		want.folders = o->output.items;
		want.folder_count = o->output.count;
	}
	return media_out_size(o, watch, &want.size, e)
	       && (output_to_parts(&want, existing, resume, out, e) || media_out_failed(e));
}

static bool open_pipe(const struct media_out_options *o, struct output **out, struct err *e)
{
	if (media_out_checked(o))
		return err_set(e, ERR_USAGE,
		    "expected a file or folders with --split and --check-media, found standard "
		    "output");
	if (isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE,
		    "expected a pipe or a file as standard output, found a terminal");
	*out = output_to_pipe(STDOUT_FILENO);
	return true;
}

bool media_out_failed(struct err *e)
{
	const struct err found = *e;

	return found.code == EEXIST
	       && err_set(e, ERR_SYSTEM, "%s, or --force to replace it", found.text);
}

bool media_out_open(const struct media_out_options *o, const char *path, bool resume,
    struct watch *watch, struct output **out, struct err *e)
{
	OWNED(buf_drop) struct buf full = BUF(4096);

	if (!o->split && o->output.count > 1)
		return err_set(e, ERR_USAGE,
		    "--output: expected one, found %zu; several folders go with --split",
		    o->output.count);
	if (media_out_is_pipe(o))
		return open_pipe(o, out, e);
	if (o->split)
		return open_parts(o, path, resume, watch, out, e);
	if (o->output.count && !media_out_file(o))
		buf_addf(&full, "%s/", o->output.items[0]);
	buf_adds(&full, path);
	const enum file_existing existing = o->force ? FILE_REPLACE : FILE_REFUSE;
	return buf_ok(&full, e)
	       && (output_to_file(buf_text(&full), existing, resume, out, e)
		   || media_out_failed(e));
}
