/*
 * Edits of single scalars in a YAML text: every byte outside the listed ranges stays.
 * VALUES.md 3.2.
 */
#pragma once

#include "manifests/yaml.h"

struct splice {
	const struct yaml_node *node; /* a scalar, a null or an alias of the text's own tree */
	const char *value;	      /* borrowed: what it becomes */
};

/* The text with every splice applied, into out.  No two may touch the same bytes. */
void splice_apply(struct slice text, struct splice *splices, size_t count, struct buf *out);

/* The proof: the new text, parsed again, is the old tree but for the spliced scalars, which
 * have their new values.  ERR_FORMAT, since it is a defect of this program when it does not
 * hold. */
bool splice_prove(const struct yaml *before, struct slice after, const struct splice *splices,
    size_t count, struct err *e) MUST_CHECK;
