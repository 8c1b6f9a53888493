#include "base/clock.h"
#include "base/command.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { ANSWER_MAX = 4096, INPUT_LEN = 1024 * 1024 };

struct row {
	const char *script; /* of sh */
	const char *says;   /* in the error; NULL: it ends by itself */
	int status;
};

static const struct row rows[] = {
    {"echo well", NULL, 0},
    {"exit 3", NULL, 3},
    {"cat >/dev/null", NULL, 0},
    {"exec sleep 100", "found none in time", 0},
    {"exec sleep 100 >&-", "found none in time", 0},
    {"sleep 3 & exit 0", "found none in time", 0}, /* holds its output */
    {"exec yes", "4096 bytes", 0},
    {"kill -9 $$", "signal 9", 0},
    {"kill -PIPE $$", "signal 13", 0},
};

/* Nobody is left to wait for, whichever way it went. */
static void expect_no_child(void)
{
	cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

Test(command, CRD_08_ends_within_its_time)
{
	static const char input[INPUT_LEN];

	(void)signal(SIGPIPE, SIG_IGN); /* as main does */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		char *const words[] = {
		    (char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)row->script, NULL};
		struct buf answer = BUF(ANSWER_MAX);
		struct err e = {0};
		int status = -1;
		const uint64_t began = clock_ms();

		const bool ok =
		    command_ask(words, slice_at(input, INPUT_LEN), 1, &answer, &status, &e);
		cr_expect(clock_ms() - began < 5000, "%s", row->script);
		cr_expect(ok == !row->says, "%s: %s", row->script, e.text);
		cr_expect(!ok || status == row->status, "%s: %d", row->script, status);
		cr_expect(ok || strstr(e.text, row->says), "%s: %s", row->script, e.text);
		cr_expect(answer.len <= ANSWER_MAX);
		expect_no_child();
		buf_drop(&answer);
	}
}

Test(command, one_that_is_not_there)
{
	char *const words[] = {(char[]){"no-such-program"}, NULL};
	struct buf answer = BUF(ANSWER_MAX);
	struct err e = {0};
	int status = 0;

	cr_expect(!command_ask(words, slice_of(""), 1, &answer, &status, &e));
	cr_expect(strstr(e.text, "no-such-program") != NULL, "%s", e.text);
	expect_no_child();
	buf_drop(&answer);
}
