#include "bundle/judge.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

enum {
	CLOCK_SLACK = 24 * 60 * 60, /* seconds that two clocks may differ */
	REASON_MAX = 400,
};

/* A member of the area under a trusted key. */
struct evidence {
	const struct ring_key *by;
	struct slice inventory;
	const struct area *area;
	const struct area_signature *signature;
};

static bool check_sig(const struct evidence *v, struct err *e)
{
	return signature_check(v->by->key, v->inventory, v->signature->data, e);
}

/* The forms of a signature that this version can check. */
static const struct form {
	const char *suffix;
	bool (*check)(const struct evidence *v, struct err *e);
} forms[] = {
    {"sig", check_sig},
};

static const struct form *find_form(const struct area_signature *s)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(area_suffix(s), forms[i].suffix) == 0)
			return &forms[i];
	return NULL;
}

static void add_signer(struct judgement *j, const struct ring_key *by)
{
	struct judged_signer *s = &j->signers[j->signer_count];

	if (j->signer_count && digest_equal(&s[-1].spki, &by->spki))
		return; /* another form by the same key: the area is sorted by key */
	(void)memcpy(s->kid, by->kid, KID_TEXT);
	s->spki = by->spki;
	j->signer_count++;
}

/* Every other form of a signature is made of the raw one, or stands beside it. */
static bool has_raw(const struct evidence *v, struct err *e)
{
	return area_find(v->area, v->by->kid, "sig")
	       || err_set(e, ERR_UNTRUSTED,
		   "expected %s.sig beside %s, found none: the signature itself was taken away",
		   v->by->kid, v->signature->name);
}

static bool judge_signatures(
    const struct head *h, const struct trust *trust, struct judgement *out, struct err *e)
{
	const struct area *a = &h->area;
	size_t unchecked = 0;

	for (size_t i = 0; i < a->count; i++) {
		const struct area_signature *s = &a->signatures[i];
		const struct evidence v = {
		    keyring_find(&trust->ring, s->kid), buf_slice(&h->inventory), a, s};
		const struct form *form = v.by ? find_form(s) : NULL;

		if (!form) {
			out->unchecked[unchecked++] = own_text(s->name);
			continue;
		}
		if (!has_raw(&v, e) || !form->check(&v, e))
			return false;
		add_signer(out, v.by);
	}
	return true;
}

static void join_signers(const struct judgement *j, struct buf *out)
{
	for (size_t i = 0; i < j->signer_count; i++)
		buf_addf(out, "%s%s", i ? ", " : " (", j->signers[i].kid);
	if (j->signer_count)
		buf_adds(out, ")");
	for (char *const *why = j->out_of_scope; *why; why++)
		buf_addf(out, "; %s", *why);
}

/* No key of anybody's: the commonest mistake gets sentences of its own. */
static bool by_nobody(const struct area *a, struct err *e)
{
	if (!a->count)
		return err_set(e, ERR_UNTRUSTED,
		    "expected a signature by a trusted key, found none at all");
	return err_set(e, ERR_UNTRUSTED,
	    "expected a signature by a trusted key, found one by %s%s; --trust names whom to "
	    "believe",
	    a->signatures[0].kid, a->count > 1 ? " and others" : "");
}

static bool enough(
    const struct head *h, const struct trust *trust, const struct judgement *j, struct err *e)
{
	OWNED(buf_drop) struct buf found = BUF(REASON_MAX);

	if (j->signer_count && j->signer_count >= trust->threshold)
		return true;
	if (!j->signer_count && !j->out_of_scope[0])
		return by_nobody(&h->area, e);
	join_signers(j, &found);
	return err_set(e, ERR_UNTRUSTED, "expected signatures by %u trusted key%s, found %zu%s",
	    trust->threshold, trust->threshold == 1 ? "" : "s", j->signer_count,
	    buf_text(&found));
}

/* Takes the keys off the list whose scope the bundle is not in, and says why. */
static void apply_scopes(
    const struct inventory *inv, const struct trust *trust, struct judgement *j)
{
	size_t kept = 0;
	size_t left_out = 0;

	for (size_t i = 0; i < j->signer_count; i++) {
		const struct ring_key *k = keyring_find(&trust->ring, j->signers[i].kid);
		struct buf why = BUF(REASON_MAX);

		buf_addf(&why, "the key %s (%s) ", k->kid, k->scope_path ? k->scope_path : "");
		if (scope_covers(&k->scope, inv->name, trust->now, &why))
			j->signers[kept++] = j->signers[i];
		else
			j->out_of_scope[left_out++] = own_text(buf_text(&why));
		buf_drop(&why);
	}
	j->signer_count = kept;
}

bool judge_head(const struct head *h, const struct trust *trust, struct judgement *out,
    struct inventory **inv, struct err *e)
{
	OWNED(inventory_drop) struct inventory *read = NULL;

	*out = (struct judgement){.verdict = VERDICT_REFUSED};
	if (!judge_signatures(h, trust, out, e) || !enough(h, trust, out, e)
	    || !inventory_read(buf_slice(&h->inventory), &read, e))
		return false;
	apply_scopes(read, trust, out);
	if (!enough(h, trust, out, e))
		return false;
	*inv = STEAL(read);
	out->verdict = VERDICT_TRUSTED;
	return true;
}

void judgement_drop(struct judgement *j)
{
	for (char **name = j->unchecked; *name; name++)
		free(*name);
	for (char **why = j->out_of_scope; *why; why++)
		free(*why);
	*j = (struct judgement){0};
}

bool judge_time(const struct inventory *inv, uint64_t now, struct err *e)
{
	char then[DATE_TEXT];
	char clock[DATE_TEXT];

	if (now + CLOCK_SLACK < inv->created)
		return err_set(e, ERR_UNTRUSTED,
		    "it was made on %s, and here it is %s: this machine's clock is wrong",
		    date_text(inv->created, then), date_text(now, clock));
	if (inv->expires && now > inv->expires)
		return err_set(e, ERR_UNTRUSTED,
		    "it expired on %s, and here it is %s: ask for a newer one",
		    date_text(inv->expires, then), date_text(now, clock));
	return true;
}
