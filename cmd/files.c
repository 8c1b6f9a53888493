#include "cmd/files.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/names.h"
#include "manifests/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Opens a plain file without waiting for what is none. */
static bool open_plain(const char *path, int *fd, uint64_t *size, struct err *e)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0) {
		const bool missing = errno == ENOENT || errno == ENOTDIR;
		(void)err_errno(e, "cannot open the file %s", path);
		if (missing)
			e->kind = ERR_MISSING;
		return false;
	}
	if (fstat(*fd, &st) != 0)
		return err_errno(e, "cannot look at the file %s", path);
	*size = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode)
	       || err_set(e, ERR_USAGE,
		   "%s: expected a plain file to carry, found a folder, pipe or device", path);
}

static void add(struct files *f, struct slice folder, const char *path, const struct pin *pin)
{
	OWNED(buf_drop) struct buf whole = BUF(PATH_ROOM * 2);

	buf_add(&whole, folder.ptr, folder.len);
	buf_adds(&whole, path);
	f->items = own_grow(f->items, f->count + 1, sizeof(*f->items));
	f->items[f->count++] = (struct release_file){own_text(buf_text(&whole)), *pin};
}

static int by_name(const void *a, const void *b)
{
	const struct release_file *left = a;
	const struct release_file *right = b;

	return strcmp(last_part(left->path), last_part(right->path));
}

static int by_folded_name(const void *a, const void *b)
{
	const struct release_file *left = a;
	const struct release_file *right = b;

	return strcasecmp(last_part(left->path), last_part(right->path));
}

static bool check_one(const char *path, struct err *e)
{
	OWNED(drop_fd) int fd = -1;
	uint64_t size;

	if (!name_is_file(slice_of(last_part(path))))
		return err_set(e, ERR_USAGE,
		    "%s: expected a file whose name has only letters, digits, dots, dashes and "
		    "underscores (at most %d), does not begin with a dot or dash or end with a "
		    "dot, and is no Windows device; found \"%s\"",
		    path, FILE_NAME_MAX, last_part(path));
	return open_plain(path, &fd, &size, e);
}

/* FAT and Windows hold two names that differ in case only for one. */
static bool check_unique(const struct files *f, struct err *e)
{
	for (size_t i = 1; i < f->count; i++)
		if (by_folded_name(&f->items[i - 1], &f->items[i]) == 0)
			return err_set(e, ERR_USAGE,
			    "expected files whose names differ in more than case, found %s and "
			    "%s",
			    f->items[i - 1].path, f->items[i].path);
	return true;
}

static bool check_all(struct files *f, struct err *e)
{
	for (size_t i = 0; i < f->count; i++)
		if (!check_one(f->items[i].path, e))
			return false;
	if (!f->count)
		return true;
	qsort(f->items, f->count, sizeof(*f->items), by_folded_name);
	if (!check_unique(f, e))
		return false;
	qsort(f->items, f->count, sizeof(*f->items), by_name);
	return true;
}

bool files_take(const struct release *release, const char *release_path,
    const struct texts *named, struct files *out, struct err *e)
{
	const struct slice none = {0};
	const struct slice folder = release_path ? slice_at(release_path,
					(size_t)(last_part(release_path) - release_path))
						 : none;
	OWNED(files_drop) struct files f = {0};

	for (size_t i = 0; i < release->file_count; i++) {
		const struct release_file *file = &release->files[i];
		add(&f, *file->path == '/' ? none : folder, file->path, &file->pin);
	}
	for (size_t i = 0; i < named->count; i++)
		add(&f, none, named->items[i], &(struct pin){0});
	if (!check_all(&f, e))
		return false;
	*out = STEAL(f);
	return true;
}

void files_drop(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->items[i].path);
	free(f->items);
	*f = (struct files){0};
}

/* What the name promises; nothing depends on it but a person's or a program's choice of how to
 * show the file. */
static const char *media_type(const char *name)
{
	static const char *const types[][2] = {{".yaml", "application/yaml"},
	    {".yml", "application/yaml"}, {".json", "application/json"},
	    {".sh", "text/x-shellscript"}};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

static bool hash_file(const char *path, struct digest *digest, uint64_t *size, struct err *e)
{
	OWNED(hash_drop) struct hash *hash = hash_new();
	struct hash_sink sink;
	OWNED(drop_fd) int fd = -1;
	struct file_source source;

	if (!open_plain(path, &fd, size, e))
		return false;
	hash_sink_init(&sink, hash);
	file_source_init(&source, fd, 0, *size);
	if (!stream_copy(&source.source, &sink.sink, e))
		return err_in(e, "%s", path);
	hash_end(hash, digest);
	return true;
}

static bool check_pin(
    const struct release_file *want, const struct digest *found, struct err *e)
{
	char text[2][DIGEST_TEXT];

	return !want->pin.set || digest_equal(&want->pin.digest, found)
	       || err_set(e, ERR_DAMAGED,
		   "%s: expected the file that the lock pins, %s, found %s; put that file "
		   "back, "
		   "or plan again",
		   want->path, digest_text(&want->pin.digest, text[0]),
		   digest_text(found, text[1]));
}

bool files_describe(const struct files *f, struct inventory *inv, struct err *e)
{
	inv->files = own_array(f->count, sizeof(*inv->files));
	for (; inv->file_count < f->count; inv->file_count++) {
		struct bundle_file *file = &inv->files[inv->file_count];
		const struct release_file *from = &f->items[inv->file_count];

		if (!hash_file(from->path, &file->blob, &file->size, e)
		    || !check_pin(from, &file->blob, e))
			return false;
		file->name = own_text(last_part(from->path));
		file->media_type = own_text(media_type(file->name));
	}
	return true;
}

static bool copy_verified(
    int fd, const struct descriptor *want, struct sink *sink, struct err *e)
{
	OWNED(verify_sink_drop) struct verify_sink verify = {0};
	struct file_source source;

	file_source_init(&source, fd, 0, want->size);
	verify_sink_init(&verify, want, sink);
	return stream_copy(&source.source, &verify.sink, e) && verify_sink_end(&verify, e);
}

bool files_copy(
    const char *path, const struct descriptor *want, struct sink *sink, struct err *e)
{
	OWNED(drop_fd) int fd = -1;
	uint64_t size;

	if (!open_plain(path, &fd, &size, e))
		return false;
	if (size == want->size && copy_verified(fd, want, sink, e))
		return true;
	if (size == want->size && e->kind != ERR_DAMAGED)
		return err_in(e, "%s", path);
	return err_set(e, ERR_SYSTEM,
	    "%s: expected the bytes that were planned and signed, found that the file has "
	    "changed since; run the same command again when nothing writes it",
	    path);
}
