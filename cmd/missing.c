/* A destination whose repositories must be made before a push (PROTOCOL PSH-08): what that is
 * called there, and the command of --on-missing-repo that makes one. */
#include "cmd/parcel.h"

#include "base/command.h"
#include "base/own.h"
#include "registry/quirks.h"

enum {
	COMMAND_SECONDS = 120,
	COMMAND_SAYS_MOST = 64 * 1024,
};

/* Whether registries refuse an upload so where the repository is not made yet. */
static bool is_missing(const struct err *e)
{
	return e->kind == ERR_DENIED || e->code == 400 || e->code == 404 || e->code == 500;
}

/* Runs the command with host and repository as its last two words. */
static bool make(const char *command, const struct parcel *p, struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(64 * 1024);
	OWNED(buf_drop) struct buf says = BUF(COMMAND_SAYS_MOST);
	OWNED(drop_text) char *host = own_text(p->to.host);
	OWNED(drop_text) char *path = own_text(p->to.path);
	char shell[] = "sh";
	char option[] = "-c";
	int status = 0;

	buf_adds(&line, command);
	buf_adds(&line, " \"$@\"");
	if (!buf_ok(&line, e))
		return err_in(e, "--on-missing-repo");
	OWNED(drop_text) char *script = own_text(buf_text(&line));
	char *const words[] = {shell, option, script, shell, host, path, NULL};
	if (!command_ask(words, slice_of(""), COMMAND_SECONDS, &says, &status, e))
		return err_in(e, "--on-missing-repo");
	return status == 0
	       || err_set(e, ERR_SYSTEM,
		   "--on-missing-repo: the command ended with status %d for %.200s", status,
		   path);
}

bool missing_made(const struct phase *ph, struct parcel *first, struct err *e)
{
	struct delivery *d = ph->delivery;
	const char *hint = quirks_missing_repository(first->to.host);

	if (!is_missing(e))
		return false;
	(void)pthread_mutex_lock(&d->making);
	if (first->made == MADE_NOT_ASKED && d->on_missing_repo) {
		first->made =
		    make(d->on_missing_repo, first, &first->error) ? MADE_WELL : MADE_FAILED;
	} else if (first->made == MADE_NOT_ASKED && (hint || e->code == 404)) {
		first->made = MADE_FAILED;
		watch_warn(ph->watch,
		    "%.200s/%.255s: %s; or let --on-missing-repo COMMAND make what is missing",
		    first->to.host, first->to.path,
		    hint ? hint
			 : "where a registry makes no repositories by itself, make it first");
	}
	const bool made = first->made == MADE_WELL;
	if (first->error.kind)
		*e = first->error;
	(void)pthread_mutex_unlock(&d->making);
	return made;
}
