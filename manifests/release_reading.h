/*
 * A release file while it is read: its texts with their parameters filled, each mistake told
 * with its line and column (ERR_FORMAT).
 */
#pragma once

#include "manifests/release_parts.h"
#include "manifests/yaml.h"

enum { RELEASE_PARAMETERS_MAX = 64 };

/* A parameter that the file declares, and what fills it; all borrowed. */
struct filling {
	const char *name;
	const char *description;
	const char *value;
};

/* A release file while it is read. */
struct reading {
	const char *what;
	struct filling fillings[RELEASE_PARAMETERS_MAX];
	size_t count;
	struct release *release;
};

/* Puts the place of node before the sentence that is there; always false. */
bool reading_fail_at(const struct reading *r, const struct yaml_node *node, struct err *e);

bool reading_need_kind(const struct reading *r, const struct yaml_node *node,
    enum yaml_kind kind, struct err *e) MUST_CHECK;

/* Whether node is a mapping with keys of the list only, each once; the list ends with NULL. */
bool reading_need_keys(const struct reading *r, const struct yaml_node *node,
    const char *const *keys, struct err *e) MUST_CHECK;

/* A text with its parameters filled, not empty; the caller's to free. */
bool reading_take_text(const struct reading *r, const struct yaml_node *node, char **out,
    struct err *e) MUST_CHECK;

/* The same under a key of a mapping; where the key may be missing, out is left as it is. */
bool reading_need_text(const struct reading *r, const struct yaml_node *mapping,
    const char *key, char **out, struct err *e) MUST_CHECK;
bool reading_may_text(const struct reading *r, const struct yaml_node *mapping, const char *key,
    char **out, struct err *e) MUST_CHECK;

/* The digest that a lock pins, where there is one. */
bool reading_may_pin(const struct reading *r, const struct yaml_node *mapping, struct pin *out,
    struct err *e) MUST_CHECK;

/* Adds the texts under a key that may be missing. */
bool reading_take_list(const struct reading *r, const struct yaml_node *mapping,
    const char *key, struct text_list *out, struct err *e) MUST_CHECK;

/* The parameters that root declares, filled from what was given or from their defaults;
 * ERR_USAGE where one is missing or unknown. */
bool reading_parameters(struct reading *r, const struct yaml_node *root,
    const struct parameter *given, size_t count, struct err *e) MUST_CHECK;
