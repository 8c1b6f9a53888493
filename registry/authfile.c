#include "registry/authfile.h"

#include "base/base64.h"
#include "base/own.h"
#include "registry/quirks.h"

#include <string.h>
#include <strings.h>

/* --- Keys --- */

/* The host that a key stands for: without scheme, and without the API paths that tools write.
 * A key for a part of a host (Podman's "host/team") is no host's: empty. */
static struct slice key_host(struct slice key)
{
	static const char *const roots[] = {"", "v1", "v1/", "v2", "v2/"};
	struct slice path = key;
	struct slice host;

	if (slice_starts(key, "https://"))
		path = slice_at(key.ptr + 8, key.len - 8);
	else if (slice_starts(key, "http://"))
		path = slice_at(key.ptr + 7, key.len - 7);
	if (!slice_cut(&path, '/', &host) || !path.ptr)
		return host;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		if (slice_is(path, roots[i]))
			return host;
	}
	return slice_at("", 0);
}

static bool same_host(struct slice key, struct slice host)
{
	const struct slice a = key_host(key);

	if (quirks_is_hub(a) && quirks_is_hub(host))
		return true;
	return a.len && a.len == host.len && strncasecmp(a.ptr, host.ptr, a.len) == 0;
}

/* The value of a map whose key stands for the host; the exact spelling wins. */
static const struct json *find_host(
    const struct json *map, struct slice host, const char **key_found)
{
	const struct json *found = NULL;
	const struct json *value = NULL;
	const char *key = NULL;
	void *iter = NULL;

	while (json_next(map, &iter, &key, &value)) {
		const bool exact = slice_is(host, key);
		if (exact || (!found && same_host(slice_of(key), host))) {
			found = value;
			*key_found = key;
		}
		if (exact)
			break;
	}
	return found;
}

static struct slice host_of(const char *name)
{
	return slice_at(name, strcspn(name, "/"));
}

/* The entry of the longest part of name that has one. */
static const struct json *find_entry(
    const struct json *auths, const char *name, const char **key_found)
{
	OWNED(drop_text) char *part = own_text(name);
	char *slash;

	while ((slash = strrchr(part, '/'))) {
		const struct json *value = NULL;
		void *iter = NULL;
		while (json_next(auths, &iter, key_found, &value)) {
			if (strcmp(*key_found, part) == 0)
				return value;
		}
		*slash = '\0';
	}
	return find_host(auths, slice_of(part), key_found);
}

/* --- Entries --- */

static char *text_of(const struct json *entry, const char *key)
{
	const struct slice text = json_text(json_get(entry, key));

	return text.len ? own_bytes(text.ptr, text.len) : NULL;
}

/* "auth": base64 of user:password, parted at the first colon (CRD-06). */
static bool read_auth(const struct json *entry, struct login *l)
{
	OWNED(secret_buf_drop) struct buf plain = BUF(SECRET_MAX);
	const struct slice text = json_text(json_get(entry, "auth"));
	struct slice password;
	struct slice user;

	if (!text.len)
		return true;
	if (!base64_decode(text, &plain))
		return false;
	password = buf_slice(&plain);
	while (password.len && password.ptr[password.len - 1] == '\0')
		password.len--;
	if (!slice_cut(&password, ':', &user) || !password.ptr)
		return false;
	l->username = own_bytes(user.ptr, user.len);
	l->password = own_bytes(password.ptr, password.len);
	return true;
}

static bool read_entry(const struct json *entry, struct login *l)
{
	if (!read_auth(entry, l))
		return false;
	if (!l->password) {
		secret_drop(&l->username);
		l->username = text_of(entry, "username");
		l->password = text_of(entry, "password");
	}
	l->identity_token = text_of(entry, "identitytoken");
	l->registry_token = text_of(entry, "registrytoken");
	return true;
}

bool authfile_parse(struct slice json, const char *what, struct json **doc, struct err *e)
{
	return !slice_trim(json).len || json_parse(json, what, doc, e);
}

bool authfile_login(const struct authfile *file, const char *name, struct login *out,
    bool *found, struct err *e)
{
	const char *what = file->what;
	const struct json *auths =
	    file->kind == AUTHFILE_LEGACY ? file->doc : json_get(file->doc, "auths");
	const char *key = NULL;
	const struct json *entry = find_entry(auths, name, &key);
	OWNED(buf_drop) struct buf source = BUF(8192);

	*found = false;
	if (!entry)
		return true;
	OWNED(login_drop) struct login l = {0};
	if (!read_entry(entry, &l))
		return err_set(e, ERR_FORMAT,
		    "%s: the \"auth\" of %s is not the base64 of user:password", what, key);
	*found = l.password || l.identity_token || l.registry_token;
	buf_addf(&source, "%s in %s", key, what);
	l.source = own_text(buf_text(&source));
	*out = STEAL(l);
	return true;
}

struct slice authfile_helper(const struct json *doc, const char *name)
{
	const char *key = NULL;

	return json_text(find_host(json_get(doc, "credHelpers"), host_of(name), &key));
}

struct slice authfile_store(const struct json *doc)
{
	return json_text(json_get(doc, "credsStore"));
}

bool authfile_read(struct slice json, const char *what, const char *name, struct login *out,
    bool *found, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;

	*found = false;
	return authfile_parse(json, what, &doc, e)
	       && authfile_login(
		   &(struct authfile){doc, AUTHFILE_JSON, what}, name, out, found, e);
}
