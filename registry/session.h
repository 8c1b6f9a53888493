/*
 * One upload session: where it is, how bytes go there, and what the answers mean (UPL-03..13).
 */
#pragma once

#include "registry/learned.h"
#include "registry/registry.h"

struct session {
	const struct repository *at;
	const struct descriptor *blob;
	struct source *bytes; /* of the whole blob; can rewind */
	struct learned *learned;
	struct buf location; /* the latest that was told, without the digest (UPL-05) */
	struct http_answer
	    answer; /* the last; its may_pass says whether a new session may do better */
	char digest[DIGEST_TEXT];
	char doing[REGISTRY_DOING_MAX];
	bool smaller;	  /* refused for a chunk's size, which is less from now on (UPL-12) */
	bool wrong_shape; /* refused for how the bytes came, not for what they are (UPL-08) */
};
void session_drop(struct session *s);

/* How many bytes a Range of the registry says that it has (UPL-11): "0-N" with or without
 * "bytes" before it; "0--1" is none, "0-0" none or one.  False when it says nothing usable. */
bool session_range(const char *text, uint64_t *least, uint64_t *most);

/* Asks for the blob out of another repository (UPL-02): *done when it was mounted.  Else
 * location is that of the session that the registry opened instead, or empty: no refusal is an
 * error. */
bool session_mount(struct session *s, const char *from, bool *done, struct err *e) MUST_CHECK;

/* Opens it; *done when the registry has the blob after all. */
bool session_open(struct session *s, bool *done, struct err *e) MUST_CHECK;

/* Sends all bytes the given way and closes the session with the digest. */
bool session_send(struct session *s, enum upload_way way, struct err *e) MUST_CHECK;

/* After a PUT of all that broke off, its end not known: asks once what the registry kept of it,
 * and sends the rest in chunks (UPL-13).  False, *e as it was, where nothing usable is left. */
bool session_resume(struct session *s, enum upload_way way, struct err *e) MUST_CHECK;
