#include "bundle/keyring.h"

#include "base/file.h"
#include "base/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	KEY_FILE_MAX = 64 * 1024,
	SCOPE_FILE_MAX = 64 * 1024,
	KEYS_MAX = 256,
	PATH_ROOM = 4096,
};

static void drop_ring_key(struct ring_key *k)
{
	free(k->path);
	free(k->scope_path);
	key_free(k->key);
	scope_drop(&k->scope);
	*k = (struct ring_key){0};
}

void keyring_drop(struct keyring *r)
{
	for (size_t i = 0; i < r->count; i++)
		drop_ring_key(&r->keys[i]);
	free(r->keys);
	*r = (struct keyring){0};
}

static bool has_end(const char *name, const char *end)
{
	const size_t len = strlen(name);
	const size_t tail = strlen(end);

	return name[0] != '.' && len > tail && strcmp(name + len - tail, end) == 0;
}

bool keyring_takes(const char *name)
{
	return has_end(name, ".pub") || has_end(name, ".pem");
}

/* A second block would be a key that nobody sees, or a private one. */
static bool one_block(struct slice pem)
{
	static const char mark[] = "-----BEGIN ";
	const char *first = memmem(pem.ptr, pem.len, mark, sizeof(mark) - 1);

	if (!first)
		return true; /* then it is no PEM, and is refused as such */
	const char *after = first + sizeof(mark) - 1;
	return !memmem(after, pem.len - (size_t)(after - pem.ptr), mark, sizeof(mark) - 1);
}

static bool read_key(struct ring_key *k, enum guard guard, struct err *e)
{
	OWNED(buf_drop) struct buf pem = BUF(0);

	if (!guarded_read(k->path, KEY_FILE_MAX, guard, &pem, e))
		return false;
	if (pem.len && !one_block(buf_slice(&pem)))
		return err_set(e, ERR_FORMAT,
		    "%s: expected one public key and nothing else, found several blocks",
		    k->path);
	if (!key_read_public(buf_slice(&pem), k->path, &k->key, e))
		return false;
	key_fingerprint(k->key, &k->spki);
	(void)key_kid(k->key, k->kid);
	return true;
}

/* Bytes of path before ".pub" or ".pem", all of them when it has neither. */
static int stem(const char *path)
{
	const char *name = strrchr(path, '/');

	return (int)strlen(path) - (keyring_takes(name ? name + 1 : path) ? 4 : 0);
}

/* NAME.scope beside NAME.pub. */
static bool read_scope(struct ring_key *k, enum guard guard, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf text = BUF(0);
	struct err absent = {0};

	buf_addf(&path, "%.*s.scope", stem(k->path), k->path);
	if (!buf_ok(&path, e))
		return false;
	if (!guarded_read(buf_text(&path), SCOPE_FILE_MAX, guard, &text, &absent)) {
		if (absent.kind == ERR_MISSING)
			return true;
		*e = absent;
		return false;
	}
	k->scope_path = own_text(buf_text(&path));
	return scope_read(buf_slice(&text), k->scope_path, &k->scope, e);
}

/* Whether the key is on the ring already; a difference in scope is refused. */
static bool seen(const struct keyring *r, const struct ring_key *k, bool *known, struct err *e)
{
	const struct ring_key *other = keyring_find(r, k->kid);

	*known = other != NULL;
	if (!other)
		return true;
	if (!digest_equal(&other->spki, &k->spki))
		return err_set(e, ERR_UNTRUSTED,
		    "%s and %s: expected two keys with two ids, found %s twice", other->path,
		    k->path, k->kid);
	return (!other->scope_path && !k->scope_path)
	       || err_set(e, ERR_UNTRUSTED,
		   "%s and %s: expected the key %s once, since one of them has a scope, found "
		   "it twice",
		   other->path, k->path, k->kid);
}

static bool make_room(struct keyring *r, struct err *e)
{
	if (r->count == KEYS_MAX)
		return err_set(e, ERR_LIMIT, "expected at most %d keys, found more", KEYS_MAX);
	r->keys = own_grow(r->keys, r->count + 1, sizeof(*r->keys));
	return true;
}

/* A refused file has its reason in its error, and fails only when nobody surveys. */
static bool add_file(struct keyring *r, const char *path, enum guard guard, struct err *e)
{
	OWNED(drop_ring_key) struct ring_key k = {.path = own_text(path)};
	bool known = false;

	if (!make_room(r, e))
		return false;
	if (!read_key(&k, guard, e) || !read_scope(&k, guard, e) || !seen(r, &k, &known, e))
		return false;
	if (!known)
		r->keys[r->count++] = STEAL(k);
	return true;
}

static bool survey_file(struct keyring *r, const char *path, enum guard guard, struct err *e)
{
	OWNED(drop_ring_key) struct ring_key k = {.path = own_text(path)};

	if (!make_room(r, e))
		return false;
	if (!read_key(&k, guard, &k.error) || !read_scope(&k, guard, &k.error)) {
		key_drop(&k.key);
		k.kid[0] = '\0';
	}
	r->keys[r->count++] = STEAL(k);
	return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_ring_file(const struct dirent *entry)
{
	return keyring_takes(entry->d_name) || has_end(entry->d_name, ".scope");
}

/* The names of a folder, each owned, as scandir gives them. */
struct names {
	struct dirent **items;
	int count;
};

static void drop_names(struct names *n)
{
	for (int i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static bool list_folder(const char *path, enum guard guard, struct names *out, struct err *e)
{
	OWNED(drop_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		(void)err_errno(e, "cannot open %s", path);
		if (e->code == ENOENT)
			e->kind = ERR_MISSING;
		return false;
	}
	if (!guarded_check(fd, guard, e))
		return err_in(e, "%s", path);
	out->count = scandirat(fd, ".", &out->items, is_ring_file, by_name);
	if (out->count >= 0)
		return true;
	out->count = 0;
	return err_errno(e, "cannot list %s", path);
}

/* Whether a key stands beside the sidecar. */
static bool has_key(const struct names *n, const char *scope)
{
	const size_t len = strlen(scope) - strlen(".scope");

	for (int i = 0; i < n->count; i++) {
		const char *name = n->items[i]->d_name;
		if (keyring_takes(name) && strlen(name) == len + 4
		    && strncmp(name, scope, len) == 0)
			return true;
	}
	return false;
}

static bool check_sidecars(const char *folder, const struct names *n, struct err *e)
{
	for (int i = 0; i < n->count; i++) {
		const char *name = n->items[i]->d_name;
		if (has_end(name, ".scope") && !has_key(n, name))
			return err_set(e, ERR_UNTRUSTED,
			    "%s/%s: expected a key beside it, %.*s.pub or .pem, found none: "
			    "what it limits would not be limited",
			    folder, name, (int)(strlen(name) - strlen(".scope")), name);
	}
	return true;
}

typedef bool add_function(struct keyring *r, const char *path, enum guard guard, struct err *e);

static bool add_all(struct keyring *r, const char *folder, const struct names *n,
    enum guard guard, add_function *add, struct err *e)
{
	for (int i = 0; i < n->count; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

		if (!keyring_takes(n->items[i]->d_name))
			continue;
		buf_addf(&path, "%s/%s", folder, n->items[i]->d_name);
		if (!buf_ok(&path, e) || !add(r, buf_text(&path), guard, e)) {
			if (e->kind == ERR_MISSING) /* a link to nowhere is no absent folder */
				e->kind = ERR_UNTRUSTED;
			return false;
		}
	}
	return true;
}

bool keyring_survey(struct keyring *r, const char *folder, enum guard guard, struct err *e)
{
	OWNED(drop_names) struct names names = {0};

	return list_folder(folder, guard, &names, e)
	       && add_all(r, folder, &names, guard, survey_file, e);
}

static bool add_folder(struct keyring *r, const char *folder, enum guard guard, struct err *e)
{
	OWNED(drop_names) struct names names = {0};
	const size_t before = r->count;

	if (!list_folder(folder, guard, &names, e) || !check_sidecars(folder, &names, e)
	    || !add_all(r, folder, &names, guard, add_file, e))
		return false;
	return r->count > before || names.count
	       || err_set(
		   e, ERR_MISSING, "expected a *.pub or *.pem in %s, found none", folder);
}

bool keyring_add(struct keyring *r, const char *path, enum guard guard, struct err *e)
{
	struct stat st;
	const bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	return folder ? add_folder(r, path, guard, e) : add_file(r, path, guard, e);
}

const struct ring_key *keyring_find(const struct keyring *r, const char *kid)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->keys[i].key && strcmp(r->keys[i].kid, kid) == 0)
			return &r->keys[i];
	return NULL;
}
