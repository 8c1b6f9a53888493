#include "bundle/trust.h"

#include "base/own.h"

#include <stdlib.h>

struct trust *trust_new(void)
{
	struct trust *t = own_new(sizeof(*t));

	t->threshold = 1;
	return t;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	keyring_drop(&t->ring);
	authority_free(t->authority);
	free(t);
}

void trust_drop(struct trust **t)
{
	trust_free(*t);
	*t = NULL;
}

bool trust_add(struct trust *t, const char *path, struct err *e)
{
	return keyring_add(&t->ring, path, GUARD_USER, e);
}
