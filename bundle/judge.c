#include "bundle/judge.h"

#include "base/own.h"
#include "bundle/forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 400 };

static void add_signer(struct judgement *j, const char *kid, const struct digest *spki)
{
	struct judged_signer *s = &j->signers[j->signer_count];

	if (j->signer_count && digest_equal(&s[-1].spki, spki))
		return; /* another form by the same key: the area is sorted by key */
	(void)memcpy(s->kid, kid, KID_TEXT);
	s->spki = *spki;
	j->signer_count++;
}

static void add_text(char **list, const char *text)
{
	while (*list)
		list++;
	*list = own_text(text);
}

static bool judge_by_ring(const struct head *h, const struct trust *trust,
    const struct area_signature *s, struct judgement *out, struct err *e)
{
	const struct ring_key *by = keyring_find(&trust->ring, s->kid);

	if (!by || !forms_know(area_suffix(s))) {
		add_text(out->unchecked, s->name);
		return true;
	}
	const struct evidence v = {by->key, buf_slice(&h->inventory), &h->area, s};
	if (!forms_check(&v, e))
		return false;
	add_signer(out, by->kid, &by->spki);
	return true;
}

/* The member's name is outside the signature, and must be that of the signer's key. */
static bool is_named_right(
    const struct area_signature *s, const struct digest *spki, struct err *e)
{
	char hex[DIGEST_TEXT];

	return strncmp(digest_hex(spki, hex), s->kid, KID_TEXT - 1) == 0
	       || err_set(e, ERR_UNTRUSTED,
		   "%s: expected the signature of that key, found one by %.16s", s->name, hex);
}

static bool judge_by_authority(const struct head *h, const struct trust *trust,
    const struct area_signature *s, struct judgement *out, struct err *e)
{
	const struct authority_case judged = {s->data, buf_slice(&h->inventory), trust->now};
	struct authority_answer answer;
	char why[AUTHORITY_WHY + AREA_NAME + 2];

	if (strcmp(area_suffix(s), "p7s") != 0) {
		add_text(out->unchecked, s->name);
		return true;
	}
	if (!authority_check(trust->authority, &judged, &answer, e))
		return err_in(e, "%s", s->name);
	if (!is_named_right(s, &answer.spki, e))
		return false;
	(void)snprintf(why, sizeof(why), "%s: %s", s->name, answer.why);
	if (answer.vouches)
		add_signer(out, s->kid, &answer.spki);
	else
		add_text(out->not_counted, why);
	return true;
}

static bool judge_signatures(
    const struct head *h, const struct trust *trust, struct judgement *out, struct err *e)
{
	for (size_t i = 0; i < h->area.count; i++) {
		const struct area_signature *s = &h->area.signatures[i];
		const bool ok = trust->authority ? judge_by_authority(h, trust, s, out, e)
						 : judge_by_ring(h, trust, s, out, e);
		if (!ok)
			return false;
	}
	return true;
}

static void join_signers(const struct judgement *j, struct buf *out)
{
	for (size_t i = 0; i < j->signer_count; i++)
		buf_addf(out, "%s%s", i ? ", " : " (", j->signers[i].kid);
	if (j->signer_count)
		buf_adds(out, ")");
	for (char *const *why = j->not_counted; *why; why++)
		buf_addf(out, "; %s", *why);
}

/* No key of anybody's: the commonest mistake gets sentences of its own. */
static bool by_nobody(const struct area *a, const struct trust *trust, struct err *e)
{
	if (!a->count)
		return err_set(e, ERR_UNTRUSTED,
		    "expected a signature by a trusted key, found none at all");
	if (trust->authority)
		return err_set(e, ERR_UNTRUSTED,
		    "expected a signature with a certificate (KID.p7s), since --trust-ca says "
		    "whom to believe, found none");
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
	if (!j->signer_count && !j->not_counted[0])
		return by_nobody(&h->area, trust, e);
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

	if (trust->authority) /* it has no scopes */
		return;
	for (size_t i = 0; i < j->signer_count; i++) {
		const struct ring_key *k = keyring_find(&trust->ring, j->signers[i].kid);
		struct buf why = BUF(REASON_MAX);

		buf_addf(&why, "the key %s (%s) ", k->kid, k->scope_path ? k->scope_path : "");
		if (scope_covers(&k->scope, inv->name, trust->now, &why))
			j->signers[kept++] = j->signers[i];
		else
			add_text(j->not_counted, buf_text(&why));
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

bool judgement_holds(const struct judgement *j, struct err *e)
{
	return j->verdict == VERDICT_TRUSTED
	       || err_set(e, ERR_UNTRUSTED, "expected a bundle that is trusted, found none");
}

void judgement_drop(struct judgement *j)
{
	for (char **name = j->unchecked; *name; name++)
		free(*name);
	for (char **why = j->not_counted; *why; why++)
		free(*why);
	*j = (struct judgement){0};
}

bool judge_time(const struct inventory *inv, uint64_t now, struct err *e)
{
	char then[DATE_TEXT];
	char clock[DATE_TEXT];

	if (now + DATE_SLACK < inv->created)
		return err_set(e, ERR_UNTRUSTED,
		    "it was made on %s, and here it is %s: this machine's clock is wrong",
		    date_text(inv->created, then), date_text(now, clock));
	if (inv->expires && now > inv->expires)
		return err_set(e, ERR_UNTRUSTED,
		    "it expired on %s, and here it is %s: ask for a newer one",
		    date_text(inv->expires, then), date_text(now, clock));
	return true;
}
