/*
 * One file of logins, as docker, podman and helm write it: the shapes of its keys and entries
 * (PROTOCOL CRD-03..07).  Pure; nothing is asked and nothing is run.
 */
#pragma once

#include "manifests/json.h"
#include "registry/login.h"

enum authfile_kind {
	AUTHFILE_JSON,	 /* {"auths": ...} */
	AUTHFILE_LEGACY, /* ~/.dockercfg: the entries themselves */
};

/* A file that was read; all is borrowed. */
struct authfile {
	const struct json *doc;
	enum authfile_kind kind;
	const char *what; /* names it in errors and in the login's source */
};

/* The text as a document, NULL for an empty one; what names it in errors. */
bool authfile_parse(
    struct slice json, const char *what, struct json **doc, struct err *e) MUST_CHECK;

/* The login for name, "host" or "host/path", of which the longest part that has an entry counts
 * (CRD-05); the exact spelling wins.  *found is false when there is no entry or an empty one.
 */
bool authfile_login(const struct authfile *file, const char *name, struct login *out,
    bool *found, struct err *e) MUST_CHECK;

/* The credential helper that keeps the host's login: of "credHelpers", else "credsStore"
 * (CRD-07); an empty slice when there is none. */
struct slice authfile_helper(const struct json *doc, const char *name);
struct slice authfile_store(const struct json *doc);

/* authfile_parse and authfile_login in one go. */
bool authfile_read(struct slice json, const char *what, const char *name, struct login *out,
    bool *found, struct err *e) MUST_CHECK;
