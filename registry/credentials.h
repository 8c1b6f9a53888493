/*
 * Who we are to a host: the login given on the command line, or one out of the files that
 * docker and podman write (PROTOCOL 5).  Secrets are wiped when dropped and have no way to be
 * printed.
 */
#pragma once

#include "base/buf.h"

enum {
	AUTH_FILE_MAX = 1024 * 1024,
	SECRET_MAX = 256 * 1024,
};

/* The texts are owned; those that the entry does not have are NULL. */
struct login {
	char *username;
	char *password;
	char *identity_token; /* exchanged for a token at the realm */
	char *registry_token; /* sent as it is */
};
void login_drop(struct login *l);

/* The login for host in the text of an auth file; what names the file in errors.  Keys may be
 * written in every shape of CRD-03; the exact spelling wins.  *found is false when there is no
 * entry or an empty one. */
bool credentials_read(struct slice json, const char *what, const char *host, struct login *out,
    bool *found, struct err *e) MUST_CHECK;

/* All logins of a run; safe to use from many threads. */
struct credentials;

/* username and password (borrowed, or NULL) are for the one host that needs a login; auth_file
 * (borrowed, or NULL) stands for the usual places. */
struct credentials *credentials_new(
    const char *username, const char *password, const char *auth_file);
void credentials_free(struct credentials *c);

/* Whether a login was given on the command line. */
bool credentials_given(const struct credentials *c);

/* The login for a host that needs one: the one of the command line, which the first such host
 * gets for itself; else the one in the files.  When there is none *found is false and *looked
 * says where it was looked for; ERR_DENIED when the command line's is another host's. */
bool credentials_find(struct credentials *c, const char *host, struct login *out, bool *found,
    struct buf *looked, struct err *e) MUST_CHECK;
