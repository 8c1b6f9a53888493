#include "registry/credentials.h"

#include "base/file.h"
#include "base/own.h"
#include "registry/authfile.h"
#include "registry/authplaces.h"
#include "registry/helmrepos.h"
#include "registry/keychain.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	PLACES_MAX = 64 * 1024,
	NAME_MAX_BYTES = 2048,
};

struct credentials {
	const char *username;
	const char *password;
	const char *auth_file;
	struct watch *watch;
	pthread_mutex_t lock;
	char *host;	   /* under lock: whose login username and password are */
	struct buf warned; /* under lock: files that were warned of, one a line */
};

/* One look for a login: what is asked, and what came of it. */
struct search {
	struct credentials *all;
	const struct credential_ask *ask;
	char name[NAME_MAX_BYTES]; /* "host" or "host/path" */
	struct login *out;
	bool *found;
	struct buf *looked;
};

static void looked_in(struct search *s, const char *place)
{
	const char *home = getenv("HOME");
	const size_t len = home ? strlen(home) : 0;
	const bool below = len > 1 && strncmp(place, home, len) == 0 && place[len] == '/';

	/* All places are to fit into one sentence. */
	buf_adds(s->looked, s->looked->len ? ", " : "");
	buf_adds(s->looked, below ? "~" : "");
	buf_adds(s->looked, below ? place + len : place);
}

/* Whether this is the first time that the file is told of. */
static bool first_time(struct credentials *c, const char *path)
{
	struct slice rest;
	struct slice line;
	bool first = true;

	pthread_mutex_lock(&c->lock);
	rest = slice_at(buf_text(&c->warned), c->warned.len);
	while (first && slice_cut(&rest, '\n', &line))
		first = !slice_is(line, path);
	if (first) {
		buf_adds(&c->warned, path);
		buf_adds(&c->warned, "\n");
	}
	pthread_mutex_unlock(&c->lock);
	return first;
}

/* A login that others on this machine can read (CRD-14). */
static void check_mode(struct search *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077)
	    && first_time(s->all, path))
		watch_warn(s->all->watch,
		    "%s holds logins and others on this machine may open it; chmod 600 it",
		    path);
}

/* --- Helpers --- */

/* A helper that fails is passed over when things are only read (CRD-08). */
static bool ask_helper(struct search *s, struct slice helper, struct err *e)
{
	struct err failure = {0};

	if (!helper.len || *s->found)
		return true;
	if (keychain_get(helper, s->ask->host, s->out, s->found, &failure))
		return true;
	if (s->ask->strict || failure.kind == ERR_STOPPED) {
		*e = failure;
		return false;
	}
	watch_warn(s->all->watch, "%s", failure.text);
	return true;
}

/* --- Files --- */

static enum authfile_kind kind_of(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && strcmp(name, "/.dockercfg") == 0 ? AUTHFILE_LEGACY : AUTHFILE_JSON;
}

/* Helpers first: "credHelpers", "credsStore", then what stands in the file (CRD-07). */
static bool look_in_text(struct search *s, struct slice text, const char *path, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;

	if (!authfile_parse(text, path, &doc, e)
	    || !ask_helper(s, authfile_helper(doc, s->name), e)
	    || !ask_helper(s, authfile_store(doc), e))
		return false;
	if (*s->found)
		return true;
	const struct authfile file = {doc, kind_of(path), path};
	if (!authfile_login(&file, s->name, s->out, s->found, e))
		return false;
	if (*s->found)
		check_mode(s, path);
	return true;
}

/* Looks in one file; one that is not there has no logins, unless it was given by name. */
static bool look_in_file(struct search *s, const char *path, struct err *e)
{
	OWNED(secret_buf_drop) struct buf text = BUF(AUTH_FILE_MAX);
	const bool named = s->all->auth_file != NULL;

	looked_in(s, path);
	if (file_read(path, AUTH_FILE_MAX, &text, e))
		return look_in_text(s, buf_slice(&text), path, e);
	if (e->kind != ERR_MISSING || named)
		return err_in(e, "%s", named ? "--authfile" : "credentials");
	err_clear(e);
	return true;
}

static bool look_in_files(struct search *s, struct err *e)
{
	OWNED(buf_drop) struct buf paths = BUF(PLACES_MAX);
	struct slice path;

	authplaces(s->all->auth_file, &paths);
	struct slice rest = paths.len ? buf_slice(&paths) : (struct slice){0};
	while (!*s->found && slice_cut(&rest, '\n', &path)) {
		OWNED(drop_text) char *name = own_bytes(path.ptr, path.len);
		if (!look_in_file(s, name, e))
			return false;
	}
	return true;
}

/* $DOCKER_AUTH_CONFIG is an auth file's text (CRD-11). */
static bool look_in_environment(struct search *s, struct err *e)
{
	const char *text = getenv("DOCKER_AUTH_CONFIG");

	if (!text || !*text || s->all->auth_file)
		return true;
	looked_in(s, "$DOCKER_AUTH_CONFIG");
	return authfile_read(
	    slice_of(text), "$DOCKER_AUTH_CONFIG", s->name, s->out, s->found, e);
}

/* What is asked of no repository may be a chart repository, of which Helm keeps a list. */
static bool look_in_helm(struct search *s, struct err *e)
{
	OWNED(secret_buf_drop) struct buf text = BUF(HELMREPOS_MAX);
	OWNED(buf_drop) struct buf path = BUF(PLACES_MAX);

	if (*s->found || *s->ask->path || s->all->auth_file)
		return true;
	authplaces_repositories(&path);
	if (!path.len)
		return true;
	looked_in(s, buf_text(&path));
	if (file_read(buf_text(&path), HELMREPOS_MAX, &text, e)) {
		if (!helmrepos_read(
			buf_slice(&text), buf_text(&path), s->ask->host, s->out, s->found, e))
			return false;
		if (*s->found)
			check_mode(s, buf_text(&path));
		return true;
	}
	if (e->kind != ERR_MISSING)
		return err_in(e, "credentials");
	err_clear(e);
	return true;
}

/* --- The order --- */

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

static bool search(struct search *s, struct err *e)
{
	const struct credential_ask *ask = s->ask;

	(void)snprintf(s->name, sizeof(s->name), "%.512s%s%.1500s", ask->host,
	    *ask->path ? "/" : "", ask->path);
	*s->found = false;
	if (!look_in_environment(s, e))
		return false;
	if (!*s->found && !look_in_files(s, e))
		return false;
	if (!look_in_helm(s, e))
		return false;
	s->out->named = *s->found && s->all->auth_file;
	return true;
}

bool credentials_find(struct credentials *c, const struct credential_ask *ask,
    struct login *out, bool *found, struct buf *looked, struct err *e)
{
	struct search s = {.all = c, .ask = ask, .out = out, .found = found, .looked = looked};
	const bool given = c->username && ask->origin == HOST_NAMED;

	*found = given && claim(c, ask->host);
	if (*found) {
		*out = (struct login){
		    .username = own_text(c->username),
		    .password = own_text(c->password ? c->password : ""),
		    .source = own_text("--username"),
		    .named = true,
		};
		return true;
	}
	if (!search(&s, e))
		return false;
	if (*found || !given)
		return true;
	return err_set(e, ERR_DENIED,
	    "%.120s needs a login too, but --username is the login for %.120s; put both into "
	    "one "
	    "file and give it with --authfile",
	    ask->host, c->host);
}

struct credentials *credentials_new(
    const char *username, const char *password, const char *auth_file, struct watch *watch)
{
	struct credentials *c = own_new(sizeof(*c));

	*c = (struct credentials){
	    .username = username,
	    .password = password,
	    .auth_file = auth_file,
	    .watch = watch,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .warned = BUF(1024 * 1024),
	};
	return c;
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	buf_drop(&c->warned);
	free(c->host);
	free(c);
}
