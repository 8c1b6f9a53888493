#include "bundle/judge.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

static bool no_trusted_signature(const struct area *a, struct err *e)
{
	if (!a->count)
		return err_set(e, ERR_UNTRUSTED,
		    "expected a signature by a trusted key, found none at all");
	return err_set(e, ERR_UNTRUSTED,
	    "expected a signature by a trusted key, found one by %s%s; --trust names whom to "
	    "believe",
	    a->signatures[0].kid, a->count > 1 ? " and others" : "");
}

bool judge_head(
    const struct head *h, const struct trust *trust, struct judgement *out, struct err *e)
{
	const struct area *a = &h->area;
	size_t unchecked = 0;
	bool signed_by_any = false;

	for (size_t i = 0; i < a->count; i++) {
		const struct area_signature *s = &a->signatures[i];
		const struct key *key =
		    strcmp(area_suffix(s), "sig") == 0 ? trust_find(trust, s->kid) : NULL;

		if (!key) {
			out->unchecked[unchecked++] = own_text(s->name);
			continue;
		}
		if (!signature_check(key, buf_slice(&h->inventory), s->data, e))
			return false;
		(void)memcpy(out->signer, s->kid, KID_TEXT);
		signed_by_any = true;
	}
	if (!signed_by_any)
		return no_trusted_signature(a, e);
	out->verdict = VERDICT_TRUSTED;
	return true;
}

void judgement_drop(struct judgement *j)
{
	for (char **name = j->unchecked; *name; name++)
		free(*name);
	*j = (struct judgement){0};
}
