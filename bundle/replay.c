#include "bundle/replay.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/replay_file.h"
#include "manifests/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	PATH_ROOM = 4096,
	LOG_LINE_MAX = 16 * 1024,
};

/* The state folder, locked against every other process: closing *lock gives it back. */
static bool enter(const char *folder, int *lock, struct err *e)
{
	OWNED(drop_fd) int fd = -1;

	if (!file_make_folders(folder, 0700, e))
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open %s", folder);
	if (!guarded_check(fd, GUARD_USER, e))
		return err_in(e, "%s", folder);
	*lock = openat(fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*lock < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return err_errno(e, "cannot write in %s", folder);
	while (flock(*lock, LOCK_EX) != 0)
		if (errno != EINTR)
			return err_errno(e, "cannot lock %s/lock", folder);
	return true;
}

static bool path_of(const char *folder, const char *name, struct buf *out, struct err *e)
{
	buf_init(out, PATH_ROOM);
	buf_addf(out, "%s/%s", folder, name);
	return buf_ok(out, e);
}

static bool read_state(const char *folder, const struct replay_use *use, struct buf *path,
    struct replay_file *out, struct err *e)
{
	char name[REPLAY_NAME_MAX];

	return path_of(folder, replay_file_name(use->inventory->name, name), path, e)
	       && replay_file_read(buf_text(path), use->inventory->name, out, e);
}

/* A line of the log: when, who and what, then what add puts. */
static void begin_line(struct json_writer *w, uint64_t now, const char *event)
{
	char when[DATE_TEXT];

	json_begin(w, '{');
	json_pair(w, "time", date_text(now, when));
	json_key(w, "user");
	json_put_u64(w, getuid());
	json_pair(w, "event", event);
}

/* Ends the line and adds it to the log, which is on the disk before anything follows. */
static bool end_line(struct json_writer *w, const char *folder, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(0);
	OWNED(drop_fd) int fd = -1;

	json_end(w, '}');
	buf_adds(w->out, "\n");
	if (!buf_ok(w->out, e) || !path_of(folder, "log", &path, e))
		return false;
	fd =
	    open(buf_text(&path), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "cannot open %s", buf_text(&path));
	if (write(fd, w->out->ptr, w->out->len) != (ssize_t)w->out->len || fsync(fd) != 0)
		return err_errno(e, "cannot write to %s", buf_text(&path));
	return true;
}

static bool log_rollback(const char *folder, const struct replay_use *use,
    const struct replay_record *had, struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(LOG_LINE_MAX);
	struct json_writer w = {.out = &line};
	char text[DIGEST_TEXT];

	begin_line(&w, use->now, "allow-rollback");
	json_pair(&w, "name", use->inventory->name);
	json_pair(&w, "channel", had->channel);
	json_pair(&w, "destination", had->destination);
	json_pair(&w, "key", digest_hex(&had->key, text));
	json_key(&w, "from");
	json_put_u64(&w, had->sequence);
	json_key(&w, "to");
	json_put_u64(&w, use->inventory->sequence);
	json_pair(&w, "id", digest_text(use->id, text));
	return end_line(&w, folder, e);
}

static bool older(const struct replay_use *use, const struct replay_record *had, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED,
	    "expected a bundle %s no older than the last one at %s, with sequence %llu or "
	    "more, found %llu: an old one is being used again; --allow-rollback lets it pass",
	    use->inventory->name, use->destination, (unsigned long long)had->sequence,
	    (unsigned long long)use->inventory->sequence);
}

static bool another(
    const struct replay_use *use, const struct replay_record *had, struct err *e)
{
	char id[DIGEST_TEXT];

	return err_set(e, ERR_UNTRUSTED,
	    "expected another sequence than %llu, which the bundle %s had that is at %s, "
	    "found two bundles with one; ask its maker, then sealift state reset %s",
	    (unsigned long long)had->sequence, digest_text(&had->id, id), use->destination,
	    use->inventory->name);
}

static bool check_record(const char *folder, const struct replay_use *use,
    const struct replay_record *had, enum replay_rule rule, struct err *e)
{
	if (use->inventory->sequence > had->sequence)
		return true;
	if (use->inventory->sequence == had->sequence)
		return digest_equal(&had->id, use->id) || another(use, had, e);
	return rule == REPLAY_ALLOW_LOWER ? log_rollback(folder, use, had, e)
					  : older(use, had, e);
}

static struct replay_record *find(
    const struct replay_file *f, const struct replay_use *use, size_t signer)
{
	return replay_file_find(f, &use->judgement->signers[signer].spki,
	    use->inventory->channel, use->destination);
}

bool replay_prepare(const char *folder, struct err *e)
{
	OWNED(drop_fd) int lock = -1;

	return enter(folder, &lock, e)
	       || err_in(e,
		   "what was used cannot be kept, so that an older bundle would pass for a "
		   "newer one; SEALIFT_STATE names another folder");
}

/* Whether there is a state folder to look into, which must be guarded. */
static bool look(const char *folder, bool *there, struct err *e)
{
	OWNED(drop_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*there = fd >= 0;
	if (fd < 0)
		return errno == ENOENT || err_errno(e, "cannot open %s", folder);
	return guarded_check(fd, GUARD_USER, e) || err_in(e, "%s", folder);
}

bool replay_check(
    const char *folder, const struct replay_use *use, enum replay_rule rule, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(0);
	OWNED(replay_file_drop) struct replay_file f = {0};
	bool there;

	if (!look(folder, &there, e))
		return false;
	if (there && !read_state(folder, use, &path, &f, e))
		return false;
	for (size_t i = 0; i < use->judgement->signer_count; i++) {
		const struct replay_record *had = find(&f, use, i);
		if (had && !check_record(folder, use, had, rule, e))
			return false;
	}
	return true;
}

static bool keep(
    struct replay_file *f, const struct replay_use *use, size_t signer, struct err *e)
{
	struct replay_record *had = find(f, use, signer);

	if (had) {
		if (had->sequence < use->inventory->sequence) {
			had->sequence = use->inventory->sequence;
			had->id = *use->id;
		}
		return true;
	}
	if (f->count == REPLAY_RECORDS_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d destinations of one bundle, found more",
		    REPLAY_RECORDS_MAX);
	const struct replay_record record = {.key = use->judgement->signers[signer].spki,
	    .channel = own_text(use->inventory->channel),
	    .destination = own_text(use->destination),
	    .sequence = use->inventory->sequence,
	    .id = *use->id};
	return replay_file_add(f, &record, e);
}

bool replay_record(const char *folder, const struct replay_use *use, struct err *e)
{
	OWNED(drop_fd) int lock = -1;
	OWNED(buf_drop) struct buf path = BUF(0);
	OWNED(replay_file_drop) struct replay_file f = {0};

	if (!enter(folder, &lock, e) || !read_state(folder, use, &path, &f, e))
		return false;
	for (size_t i = 0; i < use->judgement->signer_count; i++)
		if (!keep(&f, use, i, e))
			return false;
	return replay_file_write(buf_text(&path), use->inventory->name, &f, e);
}

static bool log_reset(const char *folder, const char *name, uint64_t now, struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(LOG_LINE_MAX);
	struct json_writer w = {.out = &line};

	begin_line(&w, now, "reset");
	json_key(&w, "name");
	if (name)
		json_put_text(&w, slice_of(name));
	else
		json_put_raw(&w, slice_of("null"));
	return end_line(&w, folder, e);
}

static bool forget(const char *folder, const char *file, size_t *count, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(0);

	if (!path_of(folder, file, &path, e))
		return false;
	if (unlink(buf_text(&path)) == 0)
		(*count)++;
	else if (errno != ENOENT)
		return err_errno(e, "cannot remove %s", buf_text(&path));
	return true;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool forget_all(const char *folder, size_t *count, struct err *e)
{
	OWNED(close_folder) DIR *all = opendir(folder);
	const struct dirent *entry;

	if (!all)
		return err_errno(e, "cannot open %s", folder);
	while ((entry = readdir(all))) {
		const size_t len = strlen(entry->d_name);
		if (entry->d_name[0] != '.' && len > 5
		    && strcmp(entry->d_name + len - 5, ".json") == 0
		    && !forget(folder, entry->d_name, count, e))
			return false;
	}
	return true;
}

bool replay_reset(
    const char *folder, const char *name, uint64_t now, size_t *count, struct err *e)
{
	OWNED(drop_fd) int lock = -1;
	char file[REPLAY_NAME_MAX];

	*count = 0;
	if (!enter(folder, &lock, e) || !log_reset(folder, name, now, e))
		return false;
	return name ? forget(folder, replay_file_name(name, file), count, e)
		    : forget_all(folder, count, e);
}
