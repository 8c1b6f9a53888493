#include "registry/mirrors.h"

#include "base/own.h"
#include "manifests/reference.h"
#include "registry/url.h"

#include <stdlib.h>
#include <strings.h>

static bool read_mirror(const struct mirror *m, struct mirrored *out, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	OWNED(buf_drop) struct buf host = BUF(1024);
	OWNED(buf_drop) struct buf base = BUF(1024);

	if (!http_url_parts(m->url, &u, e)) {
		e->kind = ERR_USAGE;
		return err_in(e, "--mirror %.100s", m->host);
	}
	if (u.userinfo || u.query)
		return err_set(e, ERR_USAGE,
		    "--mirror %.100s: expected an address without a user name and without "
		    "\"?\"; "
		    "logins go into --authfile",
		    m->host);
	url_parts_origin(&u, &host, &base);
	struct slice path = u.path ? slice_of(u.path) : slice_of("");
	while (path.len && path.ptr[0] == '/')
		path = slice_at(path.ptr + 1, path.len - 1);
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	OWNED(buf_drop) struct buf prefix = BUF(REFERENCE_PATH_MAX);
	buf_add(&prefix, path.ptr, path.len);
	buf_adds(&prefix, path.len ? "/" : "");
	if (!buf_ok(&prefix, e) || !buf_ok(&base, e))
		return err_in(e, "--mirror %.100s", m->host);
	*out = (struct mirrored){
	    own_text(m->host), own_text(buf_text(&base)), own_text(buf_text(&prefix))};
	return true;
}

bool mirrors_read(const struct mirror *said, size_t count, struct mirrors *out, struct err *e)
{
	out->items = own_array(count, sizeof(*out->items));
	for (; out->count < count; out->count++)
		if (!read_mirror(&said[out->count], &out->items[out->count], e))
			return false;
	return true;
}

void mirrors_drop(struct mirrors *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].host);
		free(m->items[i].base);
		free(m->items[i].prefix);
	}
	free(m->items);
	*m = (struct mirrors){0};
}

const struct mirrored *mirrors_find(const struct mirrors *m, const char *host)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcasecmp(m->items[i].host, host) == 0)
			return &m->items[i];
	return NULL;
}

bool mirrors_url(const struct mirrors *m, const char *url, struct buf *out, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	OWNED(buf_drop) struct buf host = BUF(1024);
	OWNED(buf_drop) struct buf base = BUF(1024);

	*out = BUF(64 * 1024);
	if (!http_url_parts(url, &u, e))
		return false;
	url_parts_origin(&u, &host, &base);
	const struct mirrored *to = mirrors_find(m, buf_text(&host));
	if (!to) {
		buf_adds(out, url);
		return buf_ok(out, e);
	}
	buf_adds(out, to->base);
	buf_adds(out, "/");
	buf_adds(out, to->prefix);
	buf_adds(out, u.path && u.path[0] == '/' ? u.path + 1 : "");
	buf_adds(out, u.query ? "?" : "");
	buf_adds(out, u.query ? u.query : "");
	return buf_ok(out, e);
}
