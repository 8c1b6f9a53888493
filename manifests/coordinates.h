/*
 * Which value counts: a chart's defaults under a customer's file, looked up by dotted path as
 * Helm merges them, and the first path of a list that says something.  VALUES.md 1.3, 3.1.
 */
#pragma once

#include "manifests/release.h"
#include "manifests/yaml.h"

struct merged_values {
	struct yaml *file;     /* the customer's; NULL: none */
	struct yaml *defaults; /* the chart's; NULL: none */
	const char *app_version;
};

/* What stands at a path. */
struct place {
	const char *path;	      /* borrowed from the list; NULL: nothing was found */
	const struct yaml_node *node; /* NULL for "@appVersion" */
	bool in_file;		      /* in the customer's file, not the defaults */
	struct slice text;	      /* the value; of a null, empty */
};

enum empty_rule {
	EMPTY_IS_UNSET,
	EMPTY_COUNTS, /* but for null */
};

/* The place at one path; false when there is no scalar there, or null, or the file deletes it.
 */
bool values_at(const struct merged_values *v, const char *path, struct place *out);

/* The first of the paths that says something. */
bool values_first(const struct merged_values *v, const struct text_list *paths,
    enum empty_rule empty, struct place *out);

/* The first registry that counts: an empty one counts only beside the component's own
 * repository, and only when the coordinates say so. */
bool values_registry(
    const struct merged_values *v, const struct coordinates *c, struct place *out);

/* Whether a merge key ("<<") in the customer's file could set a value at the path unseen. */
bool values_merge_key(const struct merged_values *v, const char *path, size_t *line);

/* Whether a key of the path stands twice in one mapping of the customer's file; out is the last
 * one, and *first the line of one before it. */
bool values_duplicate(
    const struct merged_values *v, const char *path, struct place *out, size_t *first);
