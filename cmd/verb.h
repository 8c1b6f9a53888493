/*
 * A verb of the command line: its options as tables, its help as text, its work as one
 * function. A verb file exports its struct verb and nothing else.
 */
#pragma once

#include "base/err.h"
#include "cmd/options.h"

#include <stdio.h>

struct verb {
	const char *name;
	const char *arguments; /* "BUNDLE HOST[:PORT][/PREFIX]" */
	size_t least;	       /* how many positional arguments there must and may be */
	size_t most;
	const char *summary;		   /* one line, for the list of verbs */
	const char *about;		   /* a paragraph, for the verb's help */
	const char *example;		   /* one or two command lines */
	const struct option_group *groups; /* ends with a group without options */
	size_t size; /* of the verb's options struct, which starts with struct common */
	bool (*run)(void *options, struct err *e);
};

extern const struct verb verb_keygen;
extern const struct verb verb_plan;
extern const struct verb verb_export;
extern const struct verb verb_inspect;
extern const struct verb verb_sign;
extern const struct verb verb_attach;
extern const struct verb verb_verify;
extern const struct verb verb_preflight;
extern const struct verb verb_push;
extern const struct verb verb_values;
extern const struct verb verb_extract;
extern const struct verb verb_head;
extern const struct verb verb_approve;
extern const struct verb verb_trust_list;
extern const struct verb verb_trust_add;
extern const struct verb verb_trust_remove;
extern const struct verb verb_state_reset;
extern const struct verb verb_split;
extern const struct verb verb_parts_need;
extern const struct verb verb_parts_patch;
extern const struct verb verb_parts_apply;

/* The verb that the first of count words names, or the first two ("parts need"); *used is how
 * many.  NULL when there is none. */
const struct verb *verb_find(int count, char **words, int *used);

/* A line for each verb. */
void verb_list(FILE *out);
