/* The table of verbs. */
#include "cmd/verb.h"

#include "base/buf.h"
#include "base/own.h"

#include <string.h>

static const struct verb *const verbs[] = {
    &verb_keygen,
    &verb_plan,
    &verb_export,
    &verb_inspect,
    &verb_sign,
    &verb_attach,
    &verb_verify,
    &verb_preflight,
    &verb_push,
    &verb_values,
    &verb_extract,
    &verb_head,
    &verb_approve,
    &verb_trust_list,
    &verb_trust_add,
    &verb_trust_remove,
    &verb_split,
    &verb_parts_need,
    &verb_parts_patch,
    &verb_parts_apply,
    &verb_state_reset,
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

const struct verb *verb_find(int count, char **words, int *used)
{
	OWNED(buf_drop) struct buf name = BUF(256);

	for (*used = 1; *used <= count && *used <= 2; ++*used) {
		buf_addf(&name, *used > 1 ? " %s" : "%s", words[*used - 1]);
		for (size_t i = 0; i < VERBS; i++)
			if (strcmp(verbs[i]->name, buf_text(&name)) == 0)
				return verbs[i];
	}
	return NULL;
}

void verb_list(FILE *out)
{
	for (size_t i = 0; i < VERBS; i++)
		(void)fprintf(out, "  %-13s %s\n", verbs[i]->name, verbs[i]->summary);
}
