/*
 * Options as tables: a row says the name, the letter, where the value goes and what it means.
 * The same rows parse the command line and print the help.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdio.h>

/* Values of an option that may be given again and again; the texts are argv's. */
struct texts {
	const char **items;
	size_t count;
};

/* A number from 0 to 1,000,000, if one was given. */
struct number {
	bool given;
	unsigned value;
};

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_TEXTS,  /* struct texts */
	OPTION_NUMBER, /* struct number */
};

struct option {
	const char *name; /* without "--"; NULL ends a table */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset;	      /* of the value in the group's struct */
	const char *argument; /* "FILE"; NULL for a flag */
	const char *help;
};

/* A table and where its struct stands in the verb's. */
struct option_group {
	const struct option *options; /* NULL ends the groups */
	size_t offset;
	const char *title;
};

/* What every verb has. */
struct common {
	struct texts arguments; /* the positional ones */
	bool help;
	bool json;
	bool quiet;
	bool verbose;
	bool no_progress;
};
extern const struct option common_options[];

struct verb;

/* Fills options (verb->size zeroed bytes) from argv[0..argc), the words after the verb.
 * ERR_USAGE. */
bool options_parse(
    const struct verb *verb, int argc, char **argv, void *options, struct err *e) MUST_CHECK;

/* Gives back what options_parse allocated. */
void options_drop(const struct verb *verb, void *options);

/* The number that was given, else the preset one. */
unsigned number_or(struct number n, unsigned preset);

/* The verb's whole help. */
void options_help(const struct verb *verb, FILE *out);
