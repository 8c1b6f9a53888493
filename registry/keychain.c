#include "registry/keychain.h"

#include "base/command.h"
#include "base/own.h"
#include "manifests/json.h"
#include "registry/quirks.h"

#include <stdint.h>
#include <string.h>

/* The words by which helpers say that they have nothing, which is no failure. */
static bool says_nothing(struct slice said)
{
	static const char *const words[] = {
	    "credentials not found in native keychain", "credentials not found"};
	const struct slice text = slice_trim(said);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_starts(text, words[i]))
			return true;
	}
	return false;
}

static char *take(const struct json *doc, const char *key)
{
	const struct slice text = json_text(json_get(doc, key));

	return own_bytes(text.ptr ? text.ptr : "", text.len);
}

/* {"Username": ..., "Secret": ...}; the name "<token>" says that the secret is an identity
 * token (CRD-10). */
static bool read_answer(
    const struct buf *answer, const char *program, struct login *out, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct err ignored = {0};

	if (!json_parse(buf_slice(answer), program, &doc, &ignored)
	    || !json_text(json_get(doc, "Secret")).len)
		return err_set(e, ERR_SYSTEM,
		    "%.100s: expected JSON with Username and Secret, found something else",
		    program);
	out->username = take(doc, "Username");
	if (strcmp(out->username, "<token>") != 0) {
		out->password = take(doc, "Secret");
		return true;
	}
	secret_drop(&out->username);
	out->identity_token = take(doc, "Secret");
	return true;
}

static bool ask(
    const char *program, const char *server, struct login *out, bool *found, struct err *e)
{
	OWNED(secret_buf_drop) struct buf answer = BUF(KEYCHAIN_ANSWER_MAX);
	char *const words[] = {(char *)(uintptr_t)program, (char[]){"get"}, NULL};
	int status = 0;

	*found = false;
	if (!command_ask(words, slice_of(server), KEYCHAIN_SECONDS, &answer, &status, e))
		return e->kind == ERR_STOPPED ? false : err_in(e, "credential helper");
	if (status == 0) {
		*found = read_answer(&answer, program, out, e);
		return *found;
	}
	if (says_nothing(buf_slice(&answer)))
		return true;
	/* What it says of a failure is not shown: it may hold what it keeps. */
	return err_set(e, ERR_SYSTEM,
	    "credential helper %.100s: expected a login for %.100s, found exit status %d; run "
	    "it by hand, or give the login with --authfile",
	    program, server, status);
}

bool keychain_get(
    struct slice name, const char *host, struct login *out, bool *found, struct err *e)
{
	static const char *const hub[] = {"https://index.docker.io/v1/", "docker.io"};
	const char *const alone[] = {host, NULL};
	const char *const *servers = quirks_is_hub(slice_of(host)) ? hub : alone;
	OWNED(buf_drop) struct buf program = BUF(256);

	*found = false;
	buf_adds(&program, "docker-credential-");
	buf_add(&program, name.ptr, name.len);
	if (memchr(name.ptr, '/', name.len) || memchr(name.ptr, '\0', name.len)
	    || !buf_ok(&program, e))
		return err_set(e, ERR_FORMAT,
		    "credential helper: expected a name without \"/\", found \"%.*s\"",
		    SLICE_ARG(name));
	for (size_t i = 0; i < 2 && servers[i] && !*found; i++) {
		if (!ask(buf_text(&program), servers[i], out, found, e))
			return false;
	}
	if (*found) {
		OWNED(buf_drop) struct buf source = BUF(512);
		buf_addf(&source, "credential helper %s", buf_text(&program));
		out->source = own_text(buf_text(&source));
	}
	return true;
}
