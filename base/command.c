#include "base/command.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SLICE_MS = 200, /* how long a wish to stop may go unseen */
	NAP_MS = 5,	/* between two looks whether it has ended */
};

/* A running command. */
struct child {
	pid_t pid;
	int in;	 /* its standard input; -1 when all was given */
	int out; /* its standard output; -1 at its end */
};

static void child_drop(struct child *c)
{
	drop_fd(&c->in);
	drop_fd(&c->out);
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
	}
	c->pid = 0;
}

/* The child has the usual signals again; this program ignores some. */
static bool set_signals(posix_spawnattr_t *attributes)
{
	sigset_t usual;

	return sigemptyset(&usual) == 0 && sigaddset(&usual, SIGPIPE) == 0
	       && sigaddset(&usual, SIGXFSZ) == 0
	       && posix_spawnattr_setsigdefault(attributes, &usual) == 0
	       && posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF) == 0;
}

static bool spawn(char *const words[], int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	const bool ok =
	    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) == 0
	    && posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) == 0
	    && set_signals(&attributes)
	    && posix_spawnp(pid, words[0], &files, &attributes, words, environ) == 0;
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return ok;
}

static bool start(char *const words[], struct child *c, struct err *e)
{
	int to[2] = {-1, -1};
	int from[2] = {-1, -1};
	const bool ok = pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0
			&& fcntl(to[1], F_SETFL, O_NONBLOCK) == 0
			&& spawn(words, to[0], from[1], &c->pid);

	drop_fd(&to[0]);
	drop_fd(&from[1]);
	c->in = to[1];
	c->out = from[0];
	return ok || err_set(e, ERR_SYSTEM, "cannot start a command");
}

/* Gives what the pipe takes; a command that does not want it all is its own judge. */
static void give(struct child *c, struct slice *input)
{
	const ssize_t put = write(c->in, input->ptr, input->len);

	if (put > 0) {
		input->ptr += put;
		input->len -= (size_t)put;
	}
	if (!input->len || (put < 0 && errno != EAGAIN && errno != EINTR))
		drop_fd(&c->in);
}

static bool take(struct child *c, struct buf *out, struct err *e)
{
	char block[4096];
	const ssize_t got = read(c->out, block, sizeof(block));

	if (got > 0)
		buf_add(out, block, (size_t)got);
	if (got == 0)
		drop_fd(&c->out);
	return (got >= 0 || errno == EINTR || err_errno(e, "reading")) && buf_ok(out, e);
}

static bool too_late(struct err *e)
{
	return err_set(e, ERR_SYSTEM, "expected an answer, found none in time");
}

static bool converse(
    struct child *c, struct slice input, uint64_t end, struct buf *out, struct err *e)
{
	while (c->out >= 0) {
		struct pollfd ends[2] = {
		    {.fd = c->out, .events = POLLIN}, {.fd = c->in, .events = POLLOUT}};

		(void)poll(ends, 2, SLICE_MS);
		if (!stop_check(e))
			return false;
		if (clock_ms() > end)
			return too_late(e);
		if (ends[1].revents)
			give(c, &input);
		if (ends[0].revents && !take(c, out, e))
			return false;
	}
	return true;
}

/* A command may close its output and go on: its time and a wish to stop hold for that too. */
static bool wait_for(struct child *c, uint64_t end, int *status, struct err *e)
{
	pid_t ended;

	drop_fd(&c->in); /* it may be reading to the end */
	while (
	    (ended = waitpid(c->pid, status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
		if (!stop_check(e))
			return false;
		if (clock_ms() > end)
			return too_late(e);
		(void)poll(NULL, 0, NAP_MS);
	}
	c->pid = 0;
	return ended >= 0 || err_errno(e, "waiting for it");
}

static bool ended_well(int status, struct err *e)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return WIFEXITED(status)
		   ? err_set(e, ERR_SYSTEM, "expected it to end well, found exit status %d",
		       WEXITSTATUS(status))
		   : err_set(e, ERR_SYSTEM, "expected it to end well, found signal %d",
		       WTERMSIG(status));
}

static bool converse_with(char *const words[], struct slice input, unsigned seconds,
    struct buf *out, int *status, struct err *e)
{
	OWNED(child_drop) struct child c = {.in = -1, .out = -1};
	const uint64_t end = clock_ms() + (uint64_t)seconds * 1000;

	return start(words, &c, e) && converse(&c, input, end, out, e)
	       && wait_for(&c, end, status, e);
}

bool command_run(
    const char *command, struct slice input, unsigned seconds, struct buf *out, struct err *e)
{
	char *const words[] = {
	    (char[]){"/bin/sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
	int status = 0;

	return converse_with(words, input, seconds, out, &status, e) && ended_well(status, e);
}

bool command_ask(char *const words[], struct slice input, unsigned seconds, struct buf *out,
    int *exit_status, struct err *e)
{
	int status = 0;

	if (!converse_with(words, input, seconds, out, &status, e))
		return err_in(e, "%.100s", words[0]);
	if (!WIFEXITED(status))
		return ended_well(status, e) || err_in(e, "%.100s", words[0]);
	*exit_status = WEXITSTATUS(status);
	return true;
}
