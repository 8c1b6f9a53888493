#include "cmd/media_in.h"

#include "base/own.h"
#include "base/stop.h"
#include "bundle/parts_in.h"
#include "bundle/places.h"
#include "cmd/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

#define AT(field) offsetof(struct media_in_options, field)
const struct option media_in_options[] = {
    {"media", 0, OPTION_TEXTS, AT(media), "DIR",
	"look for the bundle's parts in this folder too, or in this device or file, whatever "
	"its name (may be repeated)"},
    {0},
};

/* Waits for a line on the terminal. */
static bool wait_for_enter(const char *wish, struct err *e)
{
	OWNED(drop_fd) int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	OWNED(buf_drop) struct buf shown = BUF(4096);
	ssize_t got = 1;
	char c = 0;

	escape(&shown, slice_of(wish));
	if (tty < 0 || dprintf(tty, "%s and press Enter: ", buf_text(&shown)) < 0)
		return err_set(e, ERR_MISSING, "expected a terminal to say: %s", wish);
	while (got == 1 && c != '\n') {
		got = read(tty, &c, 1);
		if (got < 0 && errno == EINTR && stop_check(e))
			got = 1;
	}
	return got == 1 || (stop_check(e) && err_set(e, ERR_MISSING, "nobody did: %s", wish));
}

static bool ask_person(const struct medium_wish *self, const char *name, struct err *e)
{
	OWNED(buf_drop) struct buf wish = BUF(4096);

	(void)self;
	buf_addf(&wish, "insert the medium with %s", name);
	return wait_for_enter(buf_text(&wish), e);
}

/* Somebody can be asked where both ends of the conversation are a terminal. */
static const struct medium_wish *find_wish(void)
{
	static const struct medium_wish person = {ask_person};

	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) ? &person : NULL;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool is_first_part(const char *name)
{
	struct slice stem;

	return parts_is_name(name, &stem) && strcmp(name + stem.len, ".001") == 0;
}

/* The one bundle, whole or in parts, of a folder. */
static bool find_in_folder(const char *path, struct buf *found, struct err *e)
{
	OWNED(close_folder) DIR *folder = opendir(path);
	const struct dirent *entry;

	if (!folder)
		return err_errno(e, "cannot open the folder");
	while ((entry = readdir(folder))) {
		const size_t len = strlen(entry->d_name);
		if (!is_first_part(entry->d_name)
		    && (len < 5 || strcmp(entry->d_name + len - 4, ".tar") != 0))
			continue;
		if (found->len)
			return err_set(e, ERR_USAGE,
			    "expected one bundle in the folder, found several; name one");
		buf_addf(found, "%s/%s", path, entry->d_name);
	}
	return found->len
		   ? buf_ok(found, e)
		   : err_set(e, ERR_MISSING,
		       "expected a bundle NAME.tar or its first part NAME.tar.001 in the "
		       "folder, found none");
}

/* The file that path stands for: itself, the bundle in it, or its first part. */
static bool find_file(const char *path, struct buf *found, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return find_in_folder(path, found, e);
	buf_adds(found, path);
	if (access(path, F_OK) == 0)
		return true;
	buf_adds(found, ".001");
	if (access(buf_text(found), F_OK) != 0) {
		buf_clear(found);
		buf_adds(found, path);
	}
	return true;
}

/* The path of a bundle without the number of a part, into stem, and where its last part begins.
 */
static const char *last_part(const struct buf *file, struct slice *stem)
{
	if (!parts_is_name(buf_text(file), stem))
		*stem = buf_slice(file);
	const char *slash = memrchr(stem->ptr, '/', stem->len);
	return slash ? slash + 1 : stem->ptr;
}

bool media_in_name(const char *path, struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf file = BUF(PATH_ROOM);
	struct slice stem;

	if (!find_file(path, &file, e))
		return false;
	const char *name = last_part(&file, &stem);
	buf_add(out, name, stem.len - (size_t)(name - stem.ptr));
	return buf_ok(out, e);
}

static bool is_stdin(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

bool media_in_open(const struct media_in_options *o, const char *path,
    enum medium_access access_wanted, struct medium **out, struct err *e)
{
	OWNED(buf_drop) struct buf file = BUF(PATH_ROOM);
	struct slice stem;

	if (is_stdin(path)) {
		if (isatty(STDIN_FILENO))
			return err_set(e, ERR_USAGE,
			    "expected a pipe or a file as standard input, found a terminal");
		*out = medium_of_pipe(STDIN_FILENO);
		return true;
	}
	if (!find_file(path, &file, e))
		return false;
	if (!parts_is_name(buf_text(&file), &stem))
		return medium_open_file(buf_text(&file), access_wanted, out, e);
	const struct parts_place where = {
	    buf_text(&file), o->media.items, o->media.count, find_wish()};
	return medium_open_parts(&where, access_wanted, out, e);
}

bool media_in_mend(const char *path, struct medium **out, struct err *e)
{
	struct slice stem;

	if (is_stdin(path) || parts_is_name(path, &stem))
		return err_set(e, ERR_USAGE,
		    "expected one file that can be signed in place, found a pipe or a part; "
		    "sign before splitting, or see sealift approve");
	return medium_open_file(path, MEDIUM_MEND, out, e);
}

bool media_in_alone(const char *bundle, const char *other, const char *another, struct err *e)
{
	return is_stdin(bundle) + is_stdin(other) + is_stdin(another) < 2
	       || err_set(e, ERR_USAGE,
		   "expected one thing on standard input, found two: the bundle, a password or "
		   "the values file");
}

bool media_in_change(size_t part, const char *folder, struct err *e)
{
	OWNED(buf_drop) struct buf wish = BUF(4096);

	if (!find_wish())
		return false;
	buf_addf(&wish, "insert a medium with room for part %zu at %s", part, folder);
	return wait_for_enter(buf_text(&wish), e);
}

bool media_in_list(
    const struct media_in_options *o, const char *path, struct parts *out, struct err *e)
{
	OWNED(buf_drop) struct buf file = BUF(PATH_ROOM);
	OWNED(places_drop) struct places places = {0};
	struct slice stem;

	if (!find_file(path, &file, e))
		return false;
	const char *name = last_part(&file, &stem);
	places.stem = own_bytes(name, stem.len - (size_t)(name - stem.ptr));
	places_add(&places, stem.ptr, (size_t)(name - stem.ptr));
	for (size_t i = 0; i < o->media.count; i++)
		places_add(&places, o->media.items[i], strlen(o->media.items[i]));
	if (!places_find_list(&places, e))
		return false;
	*out = STEAL(places.list);
	return true;
}
