#include "registry/certsd.h"

#include "base/own.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS_MAX = 256 * 1024 };

void certsd_drop(struct certsd *c)
{
	buf_drop(&c->authorities);
	free(c->cert);
	free(c->key);
	*c = (struct certsd){0};
}

static bool ends(const char *name, const char *with)
{
	const size_t len = strlen(name);
	const size_t end = strlen(with);

	return len > end && strcmp(name + len - end, with) == 0;
}

static void put_path(struct buf *out, const char *folder, const char *name)
{
	buf_adds(out, folder);
	buf_adds(out, "/");
	buf_adds(out, name);
}

/* The file beside one of a pair: the same name with another end. */
static char *other_half(const char *path, const char *end, const char *other)
{
	OWNED(buf_drop) struct buf text = BUF(PATH_MAX);

	buf_add(&text, path, strlen(path) - strlen(end));
	buf_adds(&text, other);
	return own_text(buf_text(&text));
}

static bool take_pair(struct certsd *c, const char *path, struct err *e)
{
	const bool cert = ends(path, ".cert");
	OWNED(drop_text)
	char *other = other_half(path, cert ? ".cert" : ".key", cert ? ".key" : ".cert");

	if (access(other, F_OK) != 0)
		return err_set(
		    e, ERR_FORMAT, "%s: expected %s beside it, found none", path, other);
	if (cert && !c->cert) {
		c->cert = own_text(path);
		c->key = STEAL(other);
	}
	return true;
}

static bool take_file(struct certsd *c, const char *folder, const char *name, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_MAX);

	put_path(&path, folder, name);
	if (!buf_ok(&path, e))
		return false;
	if (ends(name, ".cert") || ends(name, ".key"))
		return take_pair(c, buf_text(&path), e);
	if (!ends(name, ".crt"))
		return true;
	buf_adds(&c->authorities, c->authorities.len ? "\n" : "");
	buf_adds(&c->authorities, buf_text(&path));
	return true;
}

/* *there says whether there is such a folder. */
static bool read_folder(const char *folder, struct certsd *c, bool *there, struct err *e)
{
	struct dirent **names = NULL;
	const int count = scandir(folder, &names, NULL, alphasort);
	bool ok = true;

	*there = count >= 0;
	for (int i = 0; i < count; i++) {
		ok = ok && take_file(c, folder, names[i]->d_name, e);
		free(names[i]);
	}
	free(names);
	return ok;
}

bool certsd_find(const char *host, struct certsd *out, struct err *e)
{
	static const char *const roots[] = {
	    "~/.config/containers/certs.d", "/etc/containers/certs.d", "/etc/docker/certs.d"};
	OWNED(certsd_drop) struct certsd c = {.authorities = BUF(PATHS_MAX)};
	const char *home = getenv("HOME");
	bool there = false;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && !there; i++) {
		OWNED(buf_drop) struct buf folder = BUF(PATH_MAX);
		const bool ours = roots[i][0] == '~';
		if (ours && (!home || !*home))
			continue;
		buf_adds(&folder, ours ? home : "");
		put_path(&folder, roots[i] + ours, host);
		if (!buf_ok(&folder, e) || !read_folder(buf_text(&folder), &c, &there, e))
			return false;
	}
	*out = STEAL(c);
	return true;
}
