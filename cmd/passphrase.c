#include "cmd/passphrase.h"

#include "base/own.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define AT(field) offsetof(struct passphrase_options, field)
const struct option passphrase_options[] = {
    {"passphrase-file", 0, OPTION_TEXT, AT(file), "FILE",
	"read the key's passphrase from the first line of FILE"},
    {"passphrase-fd", 0, OPTION_TEXT, AT(fd), "N", "read it from descriptor N"},
    {"no-passphrase", 0, OPTION_FLAG, AT(none), NULL,
	"the key has no passphrase, and that is meant"},
    {0},
};

/* The first line that fd gives, without its end; PASSPHRASE_MAX bytes at most. */
static bool read_line(int fd, char **secret, struct err *e)
{
	char line[PASSPHRASE_MAX + 1];
	size_t len = 0;
	ssize_t got = 0;

	while (len < sizeof(line) && (got = read(fd, line + len, 1)) != 0) {
		if (got < 0 && errno == EINTR && !stop_requested())
			continue;
		if (got < 0 || line[len] == '\n')
			break;
		len++;
	}
	const bool ok = got >= 0 && len && len <= PASSPHRASE_MAX && !memchr(line, '\0', len);
	if (ok)
		*secret = own_bytes(line, len && line[len - 1] == '\r' ? len - 1 : len);
	explicit_bzero(line, sizeof(line));
	if (got < 0)
		return stop_check(e) && err_errno(e, "reading a passphrase");
	return ok
	       || err_set(e, ERR_USAGE, "expected a line of 1 to %d bytes as passphrase",
		   PASSPHRASE_MAX);
}

/* One answer on a terminal, echo off while it is typed. */
static bool ask(int tty, const char *what, const char *name, char **secret, struct err *e)
{
	struct termios before;
	struct termios silent;

	(void)dprintf(tty, "%s for %s: ", what, name);
	if (tcgetattr(tty, &before) != 0)
		return err_errno(e, "the terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(tty, TCSAFLUSH, &silent);
	const bool ok = read_line(tty, secret, e);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	(void)dprintf(tty, "\n");
	return ok;
}

bool passphrase_prompt(
    const char *what, const char *name, bool twice, char **secret, struct err *e)
{
	OWNED(drop_fd) int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	OWNED(passphrase_drop) char *first = NULL;
	OWNED(passphrase_drop) char *second = NULL;

	if (tty < 0)
		return err_set(e, ERR_USAGE,
		    "expected a terminal to ask for the %s of %s; without one, give it by file",
		    what, name);
	if (!ask(tty, what, name, &first, e))
		return false;
	if (twice && !ask(tty, "the same again", name, &second, e))
		return false;
	if (twice && strcmp(first, second) != 0)
		return err_set(e, ERR_USAGE, "the two passphrases differ; try again");
	*secret = STEAL(first);
	return true;
}

static bool from_file(const char *path, char **secret, struct err *e)
{
	OWNED(drop_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return stop_check(e)
		       && err_errno(e, "cannot open the passphrase file %s", path);
	return read_line(fd, secret, e) || err_in(e, "%s", path);
}

static bool from_fd(const char *text, char **secret, struct err *e)
{
	uint64_t fd;

	if (!slice_u64(slice_of(text), 1 << 16, &fd))
		return err_set(e, ERR_USAGE,
		    "--passphrase-fd: expected a descriptor's number, found \"%s\"", text);
	return read_line((int)fd, secret, e) || err_in(e, "--passphrase-fd %s", text);
}

/* Without a terminal only a file or descriptor can answer. */
static bool get(const struct passphrase_options *o, const char *name, bool twice, char **secret,
    struct err *e)
{
	if (o->file)
		return from_file(o->file, secret, e);
	if (o->fd)
		return from_fd(o->fd, secret, e);
	return passphrase_prompt("passphrase", name, twice, secret, e);
}

bool passphrase_new(
    const struct passphrase_options *o, const char *name, char **secret, struct err *e)
{
	*secret = NULL;
	if (o->none && (o->file || o->fd))
		return err_set(e, ERR_USAGE,
		    "--no-passphrase: expected no passphrase from elsewhere, found one");
	return o->none || get(o, name, true, secret, e);
}

static bool answer(
    struct passphrase *self, const char *name, char *text, size_t room, struct err *e)
{
	const struct passphrase_source *s = (const struct passphrase_source *)self;
	OWNED(passphrase_drop) char *secret = NULL;

	if (s->options->none)
		return err_set(
		    e, ERR_USAGE, "%s is encrypted, and --no-passphrase was said", name);
	if (!get(s->options, name, false, &secret, e))
		return false;
	if (strlen(secret) >= room)
		return err_set(
		    e, ERR_LIMIT, "expected a passphrase of less than %zu bytes", room);
	(void)memcpy(text, secret, strlen(secret) + 1);
	return true;
}

void passphrase_source_init(struct passphrase_source *s, const struct passphrase_options *o)
{
	*s = (struct passphrase_source){.passphrase = {answer}, .options = o};
}

void passphrase_drop(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	drop_text(secret);
}
