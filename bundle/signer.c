#include "bundle/signer.h"

#include "base/own.h"

#include <stdlib.h>

struct signer {
	struct key *key;
};

struct signer *signer_of_key_take(struct key **key)
{
	struct signer *s = own_new(sizeof(*s));

	s->key = STEAL(*key);
	return s;
}

void signer_free(struct signer *s)
{
	if (!s)
		return;
	key_free(s->key);
	free(s);
}

void signer_drop(struct signer **s)
{
	signer_free(*s);
	*s = NULL;
}

const char *signer_kid(const struct signer *s, char out[KID_TEXT])
{
	return key_kid(s->key, out);
}

bool signer_sign(const struct signer *s, const struct inventory *inv, struct slice bytes,
    struct signatures *out, struct err *e)
{
	struct buf *text;
	char kid[KID_TEXT];

	(void)inv;
	return signatures_add(out, signer_kid(s, kid), "sig", &text, e)
	       && signature_make(s->key, bytes, text, e);
}

bool signer_made(
    const struct signer *s, const struct area *area, struct slice bytes, struct err *e)
{
	char kid[KID_TEXT];
	const struct area_signature *own = area_find(area, signer_kid(s, kid), "sig");

	if (!own)
		return err_set(e, ERR_UNTRUSTED, "expected a signature by %s, found none", kid);
	return signature_check(s->key, bytes, own->data, e);
}
