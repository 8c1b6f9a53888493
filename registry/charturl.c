#include "registry/charturl.h"

#include "base/own.h"
#include "registry/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool charturl_below(const char *repo, const char *name, struct buf *out, struct err *e)
{
	const size_t path = strcspn(repo, "?#");
	size_t len = path;

	while (len && repo[len - 1] == '/')
		len--;
	buf_drop(out);
	*out = BUF(CHART_URL_MAX);
	buf_add(out, repo, len);
	buf_adds(out, "/");
	buf_adds(out, name);
	buf_adds(out, repo[path] == '?' ? repo + path : "");
	return buf_ok(out, e);
}

bool charturl_prov(const char *url, struct buf *out, struct err *e)
{
	const size_t path = strcspn(url, "?#");

	buf_drop(out);
	*out = BUF(CHART_URL_MAX);
	buf_add(out, url, path);
	buf_adds(out, ".prov");
	buf_adds(out, url + path);
	return buf_ok(out, e);
}

const char *charturl_problem(const char *url)
{
	static const struct {
		const char *scheme;
		const char *why;
	} schemes[] = {
	    {"http:", NULL},
	    {"https:", NULL},
	    {"oci:", NULL},
	    {"local:", "this is a local repository of Artifactory; ask for a virtual one"},
	    {"", "only http, https and oci are fetched"},
	};
	const size_t name = strcspn(url, ":/?#");
	size_t i = 0;

	if (url[name] != ':')
		return NULL;
	while (strncasecmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) != 0)
		i++;
	return schemes[i].why;
}

void charturl_list_drop(struct charturl_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	*l = (struct charturl_list){0};
}

static void add(struct charturl_list *l, const char *url)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], url) == 0)
			return;
	l->items[l->count++] = own_text(url);
}

/* url below folder, whose query replaces its own where it has one, as in Helm. */
static bool join(const char *repo, const char *url, bool helm, struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);
	OWNED(buf_drop) struct buf joined = BUF(0);
	const char *query = strchr(repo, '?');
	const bool absolute = strstr(url, "://") || strncmp(url, "//", 2) == 0;

	if (!charturl_below(repo, "", &folder, e)
	    || !http_url_join(buf_text(&folder), url, &joined, e))
		return err_in(e, "chart repository %.200s", repo);
	buf_drop(out);
	*out = BUF(CHART_URL_MAX);
	if (!helm || absolute || !query) {
		buf_adds(out, buf_text(&joined));
	} else {
		buf_add(out, buf_text(&joined), strcspn(buf_text(&joined), "?"));
		buf_adds(out, query);
	}
	return buf_ok(out, e);
}

static void add_escaped(struct charturl_list *l, const char *url)
{
	OWNED(buf_drop) struct buf out = BUF(CHART_URL_MAX);
	const size_t path = strcspn(url, "?#");

	for (size_t i = 0; i < path; i++)
		buf_add(&out, url[i] == '+' ? "%2B" : &url[i], url[i] == '+' ? 3 : 1);
	buf_adds(&out, url + path);
	if (!out.over)
		add(l, buf_text(&out));
}

/* The folder of an index that came from moved. */
static void folder_of(const char *moved, struct buf *out)
{
	const size_t path = strcspn(moved, "?#");
	const char *slash = memrchr(moved, '/', path);

	*out = BUF(CHART_URL_MAX);
	buf_add(out, moved, slash ? (size_t)(slash - moved) : path);
	buf_adds(out, moved[path] == '?' ? moved + path : "");
}

bool charturl_list(const char *repo, const char *moved, const char *url,
    struct charturl_list *out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(0);
	OWNED(buf_drop) struct buf folder = BUF(0);

	if (!join(repo, url, true, &text, e))
		return false;
	add(out, buf_text(&text));
	if (!join(repo, url, false, &text, e))
		return false;
	add(out, buf_text(&text));
	add_escaped(out, out->items[0]);
	if (!moved)
		return true;
	folder_of(moved, &folder);
	if (!buf_ok(&folder, e) || !join(buf_text(&folder), url, true, &text, e))
		return false;
	add(out, buf_text(&text));
	return true;
}
