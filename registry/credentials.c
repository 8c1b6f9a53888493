#include "registry/credentials.h"

#include "base/file.h"
#include "base/own.h"
#include "manifests/json.h"
#include "base/base64.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct credentials {
	const char *username;
	const char *password;
	const char *auth_file;
	pthread_mutex_t lock;
	char *host; /* under lock: whose login username and password are */
};

static void drop_secret(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void drop_secret_buf(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_drop(b);
}

void login_drop(struct login *l)
{
	drop_secret(&l->username);
	drop_secret(&l->password);
	drop_secret(&l->identity_token);
	drop_secret(&l->registry_token);
}

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

/* Docker Hub goes by several names (CRD-04). */
static struct slice canonical(struct slice host)
{
	static const char *const hub[] = {"index.docker.io", "registry-1.docker.io"};

	for (size_t i = 0; i < sizeof(hub) / sizeof(hub[0]); i++) {
		if (host.len == strlen(hub[i]) && strncasecmp(host.ptr, hub[i], host.len) == 0)
			return slice_of("docker.io");
	}
	return host;
}

static bool same_host(struct slice key, const char *host)
{
	const struct slice a = canonical(key_host(key));
	const struct slice b = canonical(slice_of(host));

	return a.len && a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static const struct json *find_entry(const struct json *auths, const char *host)
{
	const struct json *entry = json_get(auths, host);
	const struct json *value = NULL;
	const char *key = NULL;
	void *iter = NULL;

	while (!entry && json_next(auths, &iter, &key, &value)) {
		if (same_host(slice_of(key), host))
			entry = value;
	}
	return entry;
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
	OWNED(drop_secret_buf) struct buf plain = BUF(SECRET_MAX);
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
		drop_secret(&l->username);
		l->username = text_of(entry, "username");
		l->password = text_of(entry, "password");
	}
	l->identity_token = text_of(entry, "identitytoken");
	l->registry_token = text_of(entry, "registrytoken");
	return true;
}

bool credentials_read(struct slice json, const char *what, const char *host, struct login *out,
    bool *found, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;

	*found = false;
	if (!slice_trim(json).len)
		return true;
	if (!json_parse(json, what, &doc, e))
		return false;
	const struct json *entry = find_entry(json_get(doc, "auths"), host);
	if (!entry)
		return true;
	OWNED(login_drop) struct login l = {0};
	if (!read_entry(entry, &l))
		return err_set(e, ERR_FORMAT,
		    "%s: the \"auth\" of %s is not the base64 of user:password", what, host);
	*found = l.password || l.identity_token || l.registry_token;
	*out = STEAL(l);
	return true;
}

/* --- Places --- */

static void add_place(struct buf *paths, const char *folder, const char *rest)
{
	if (!folder || !*folder)
		return;
	buf_adds(paths, paths->len ? "\n" : "");
	buf_adds(paths, folder);
	buf_adds(paths, rest);
}

/* The files to look in, one a line, in order: a file that was named is the only one. */
static void places(const struct credentials *c, struct buf *paths)
{
	const char *named = c->auth_file ? c->auth_file : getenv("REGISTRY_AUTH_FILE");
	const char *docker = getenv("DOCKER_CONFIG");
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	add_place(paths, named, "");
	if (paths->len)
		return;
	add_place(paths, docker, "/config.json");
	add_place(paths, getenv("XDG_RUNTIME_DIR"), "/containers/auth.json");
	if (config && *config)
		add_place(paths, config, "/containers/auth.json");
	else
		add_place(paths, home, "/.config/containers/auth.json");
	if (!docker || !*docker)
		add_place(paths, home, "/.docker/config.json");
}

/* Looks in one file; one that is not there has no logins, unless it was given by name. */
static bool look(const struct credentials *c, const char *path, const char *host,
    struct login *out, bool *found, struct err *e)
{
	OWNED(drop_secret_buf) struct buf text = BUF(AUTH_FILE_MAX);

	if (!file_read(path, AUTH_FILE_MAX, &text, e)) {
		if (e->kind != ERR_MISSING || c->auth_file)
			return err_in(e, "%s", c->auth_file ? "--authfile" : "credentials");
		err_clear(e);
		return true;
	}
	return credentials_read(buf_slice(&text), path, host, out, found, e);
}

static bool find_stored(const struct credentials *c, const char *host, struct login *out,
    bool *found, struct buf *looked, struct err *e)
{
	OWNED(buf_drop) struct buf paths = BUF(64 * 1024);
	struct slice path;

	places(c, &paths);
	struct slice rest = paths.len ? buf_slice(&paths) : (struct slice){0};
	while (!*found && slice_cut(&rest, '\n', &path)) {
		OWNED(drop_text) char *name = own_bytes(path.ptr, path.len);
		if (!look(c, name, host, out, found, e))
			return false;
		buf_adds(looked, looked->len ? ", " : "");
		buf_adds(looked, name);
	}
	return true;
}

/* Whether the command line's login is, or now becomes, this host's. */
static bool claim(struct credentials *c, const char *host)
{
	pthread_mutex_lock(&c->lock);
	if (!c->host)
		c->host = own_text(host);
	const bool ours = strcmp(c->host, host) == 0;
	pthread_mutex_unlock(&c->lock);
	return ours;
}

bool credentials_given(const struct credentials *c)
{
	return c->username != NULL;
}

bool credentials_find(struct credentials *c, const char *host, struct login *out, bool *found,
    struct buf *looked, struct err *e)
{
	*found = c->username && claim(c, host);
	if (*found) {
		*out = (struct login){
		    .username = own_text(c->username),
		    .password = own_text(c->password ? c->password : ""),
		};
		return true;
	}
	if (!find_stored(c, host, out, found, looked, e))
		return false;
	if (*found || !c->username)
		return true;
	return err_set(e, ERR_DENIED,
	    "%.120s needs a login too, but --username is the login for %.120s; put both into "
	    "one "
	    "file and give it with --authfile",
	    host, c->host);
}

struct credentials *credentials_new(
    const char *username, const char *password, const char *auth_file)
{
	struct credentials *c = own_new(sizeof(*c));

	*c = (struct credentials){
	    .username = username,
	    .password = password,
	    .auth_file = auth_file,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	};
	return c;
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->host);
	free(c);
}
