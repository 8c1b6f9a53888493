#include "registry/login.h"

#include <stdlib.h>
#include <string.h>

void secret_drop(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void secret_buf_drop(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_drop(b);
}

void login_drop(struct login *l)
{
	secret_drop(&l->username);
	secret_drop(&l->password);
	secret_drop(&l->identity_token);
	secret_drop(&l->registry_token);
	free(l->source);
	*l = (struct login){0};
}
