/*
 * What one host lets us in with.  Secrets are wiped when dropped and have no way to be printed.
 */
#pragma once

#include "base/buf.h"

enum { SECRET_MAX = 256 * 1024 };

/* The texts are owned; those that the entry does not have are NULL. */
struct login {
	char *username;
	char *password;
	char *identity_token; /* exchanged for a token at the realm */
	char *registry_token; /* sent as it is */
	char *source;	      /* for people: "quay.io/team in /home/me/.docker/config.json" */
	bool
	    named; /* the command line said that this very login, or this file, is to be used */
};
void login_drop(struct login *l);

/* Cleanup functions for texts and buffers that hold a secret. */
void secret_drop(char **text);
void secret_buf_drop(struct buf *b);
