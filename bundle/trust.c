#include "bundle/trust.h"

#include "base/file.h"
#include "base/own.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	KEY_FILE_MAX = 64 * 1024,
	KEYS_MAX = 256,
	PATH_ROOM = 4096,
};

struct trust {
	struct key **keys;
	size_t count;
};

static bool add_file(struct trust *t, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);
	OWNED(key_drop) struct key *key = NULL;

	if (t->count == KEYS_MAX)
		return err_set(
		    e, ERR_LIMIT, "expected at most %d trusted keys, found more", KEYS_MAX);
	if (!file_read(path, KEY_FILE_MAX, &pem, e)
	    || !key_read_public(buf_slice(&pem), path, &key, e))
		return err_in(e, "--trust");
	t->keys = own_grow(t->keys, t->count + 1, sizeof(struct key *));
	t->keys[t->count++] = STEAL(key);
	return true;
}

static bool is_key_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && (strcmp(dot, ".pub") == 0 || strcmp(dot, ".pem") == 0);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool add_folder(struct trust *t, const char *path, struct err *e)
{
	OWNED(close_folder) DIR *folder = opendir(path);
	const struct dirent *entry;

	if (!folder)
		return err_errno(e, "--trust: cannot open %s", path);
	while ((entry = readdir(folder))) {
		OWNED(buf_drop) struct buf file = BUF(PATH_ROOM);

		if (!is_key_name(entry->d_name))
			continue;
		buf_addf(&file, "%s/%s", path, entry->d_name);
		if (!buf_ok(&file, e) || !add_file(t, buf_text(&file), e))
			return false;
	}
	return t->count
	       || err_set(e, ERR_MISSING,
		   "--trust: expected a *.pub or *.pem in %s, found none", path);
}

bool trust_open(const char *path, struct trust **out, struct err *e)
{
	OWNED(trust_drop) struct trust *t = own_new(sizeof(*t));
	struct stat st;

	if (!path)
		return err_set(e, ERR_UNTRUSTED,
		    "expected --trust FILE with the public key of whoever may sign, found "
		    "none: nothing is believed"
		    " by default");
	const bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (folder ? !add_folder(t, path, e) : !add_file(t, path, e))
		return false;
	*out = STEAL(t);
	return true;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		key_free(t->keys[i]);
	free(t->keys);
	free(t);
}

void trust_drop(struct trust **t)
{
	trust_free(*t);
	*t = NULL;
}

const struct key *trust_find(const struct trust *t, const char kid[KID_TEXT])
{
	char have[KID_TEXT];

	for (size_t i = 0; i < t->count; i++)
		if (strcmp(key_kid(t->keys[i], have), kid) == 0)
			return t->keys[i];
	return NULL;
}
