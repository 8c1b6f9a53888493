/*
 * The customer's values file: decided before anything is pushed, written after.
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/options.h"
#include "manifests/reference.h"

struct customer_options {
	const char *file;
	const char *output;
	bool force;
	bool update_tags;
	struct texts waivers; /* "CODE:PATH" */
	const char *registry; /* HOST[/PREFIX]: what the cluster calls the target; NULL: that */
};
extern const struct option customer_options[];
extern const struct option customer_cluster_options[]; /* where a target is pushed to */

struct customer;

/* What the values are to fit.  excluded says why an image of the bundle is not pushed (NULL: it
 * is), one for each; NULL: all are. */
struct subject {
	const struct reader *reader;
	const struct target *target;
	const char *const *excluded;
};

/* Decides every change to the values file for a subject, and where it will be written; prints
 * the changes and findings.  Writes nothing.  *out is NULL when neither -f nor -o was given.
 * ERR_DECISION when a person must decide first. */
bool customer_decide(const struct customer_options *o, const struct common *common,
    const struct subject *subject, struct customer **out, struct err *e) MUST_CHECK;

/* Writes what was decided and prints the helm command that uses it. */
bool customer_write(const struct customer *c, struct err *e) MUST_CHECK;

void customer_free(struct customer *c);
void customer_drop(struct customer **c);
