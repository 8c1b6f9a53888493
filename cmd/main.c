/* The process's own safety, and the one place that prints an error. */
#include "base/own.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "cmd/verb.h"
#include "cmd/version.h"
#include "manifests/digest.h"

#include <string.h>

/* The documented exit status of each kind of failure. */
static const int statuses[] = {
    [ERR_NONE] = 0,
    [ERR_SYSTEM] = 1,
    [ERR_FORMAT] = 1,
    [ERR_LIMIT] = 1,
    [ERR_USAGE] = 2,
    [ERR_UNTRUSTED] = 3,
    [ERR_DAMAGED] = 4,
    [ERR_NETWORK] = 5,
    [ERR_DENIED] = 6,
    [ERR_MISSING] = 7,
    [ERR_PARTIAL] = 8,
    [ERR_DECISION] = 9,
    [ERR_STOPPED] = 130,
};

static int fail(const struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(sizeof(e->text) * 4);

	(void)fflush(stdout);
	escape(&line, slice_of(e->text));
	(void)fprintf(stderr, "sealift: %s\n", buf_text(&line));
	return statuses[e->kind];
}

static int usage(FILE *out, int status)
{
	(void)fprintf(out,
	    "Usage: sealift VERB [ARGUMENT]... [OPTION]...\n"
	    "Moves a release of container images and a Helm chart across an air gap.\n\n");
	verb_list(out);
	(void)fprintf(out,
	    "\nsealift VERB --help tells all about a verb; sealift --version the version.\n"
	    "Exit status: 0 done, 1 failure, 2 usage, 3 not trusted, 4 damaged, 5 network,\n"
	    "6 denied, 7 not found, 8 partly done, 9 values need a decision, 130 "
	    "interrupted.\n");
	return status;
}

/* Whether all that was said arrived; a line's own flush may have failed long ago. */
static bool said(struct err *e)
{
	const bool failed = fflush(stdout) != 0 || ferror(stdout);

	return !failed
	       || err_set(
		   e, ERR_SYSTEM, "cannot write to standard output, which is full or closed");
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct err e = {0};
	struct common *options = own_new(verb->size);
	bool done = digest_ready(&e) && options_parse(verb, argc, argv, options, &e);

	if (done && options->help)
		options_help(verb, stdout);
	else if (done)
		done = verb->run(options, &e);
	options_drop(verb, options);
	done = done && said(&e);
	return done ? 0 : fail(&e);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const int help = strcmp(word, "help") == 0;
	char *help_word[] = {(char[]){"--help"}};
	struct err e = {0};
	int used;

	process_guard();
	if (strcmp(word, "--version") == 0) {
		(void)puts(SEALIFT_TOOL);
		return said(&e) ? 0 : fail(&e);
	}
	const struct verb *verb = verb_find(argc - 1 - help, argv + 1 + help, &used);
	if (verb)
		return help ? run(verb, 1, help_word)
			    : run(verb, argc - 1 - used, argv + 1 + used);
	if (help || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return usage(stdout, 0);
	if (*word)
		say(stderr, "sealift: there is no verb \"%s\"\n", word);
	return usage(stderr, statuses[ERR_USAGE]);
}
