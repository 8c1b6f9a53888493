/*
 * Who we are to a host: the login given on the command line, or what the environment, the files
 * that docker, podman and helm write, and the helpers that these name have (PROTOCOL 5).  This
 * is the order; a file's shape is authfile.c, helpers are keychain.c, places authplaces.c.
 */
#pragma once

#include "manifests/watch.h"
#include "registry/login.h"

enum { AUTH_FILE_MAX = 1024 * 1024 };

/* All logins of a run; safe to use from many threads. */
struct credentials;

/* username and password (borrowed, or NULL) are for the one host that needs a login; auth_file
 * (borrowed, or NULL) stands for the usual places; watch may be NULL. */
struct credentials *credentials_new(
    const char *username, const char *password, const char *auth_file, struct watch *watch);
void credentials_free(struct credentials *c);

/* Whether a login was given on the command line. */
bool credentials_given(const struct credentials *c);

/* How a host came into this run. */
enum host_origin {
	HOST_NAMED,	 /* a person named it */
	HOST_REDIRECTED, /* another host sent us there: the command line's login is not for it
			  */
};

/* Whose login is wanted. */
struct credential_ask {
	const char *host;
	const char *path; /* repository, "" for none: files may have logins for a part of it */
	enum host_origin origin;
	bool strict; /* a helper that fails ends the run, as a push wants it (CRD-08) */
};

/* The login for a host that needs one: the one of the command line, which the first such host
 * gets for itself; else the first that is found.  When there is none *found is false and
 * *looked says where it was looked for; ERR_DENIED when the command line's is another host's.
 */
bool credentials_find(struct credentials *c, const struct credential_ask *ask,
    struct login *out, bool *found, struct buf *looked, struct err *e) MUST_CHECK;
