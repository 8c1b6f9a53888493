/*
 * Secrets that a person gives: from the terminal without echo, from a file, or from a
 * descriptor that another program filled; never from an argument or the environment.
 */
#pragma once

#include "bundle/signature.h"
#include "cmd/options.h"

struct passphrase_options {
	const char *file;
	const char *fd;
	bool none;
};
extern const struct option passphrase_options[];

enum { PASSPHRASE_MAX = 1024 };

/* Asks on the terminal for the "what" of name, twice when it is new; *secret is owned, to be
 * wiped. */
bool passphrase_prompt(
    const char *what, const char *name, bool twice, char **secret, struct err *e) MUST_CHECK;

/* The passphrase for a new key: NULL in *secret only with --no-passphrase. */
bool passphrase_new(const struct passphrase_options *o, const char *name, char **secret,
    struct err *e) MUST_CHECK;

/* Answers key_open_private as the options say. */
struct passphrase_source {
	struct passphrase passphrase;
	const struct passphrase_options *options;
};
void passphrase_source_init(struct passphrase_source *s, const struct passphrase_options *o);

/* Wipes and frees. */
void passphrase_drop(char **secret);
