#include "registry/url.h"

#include "base/own.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void drop_url(CURLU **url)
{
	curl_url_cleanup(*url);
	*url = NULL;
}

static void drop_curl_text(char **text)
{
	curl_free(*text);
	*text = NULL;
}

/* A person reads this: the address without anything that may be secret. */
static bool url_error(const char *url, CURLUcode code, struct err *e)
{
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	http_url_show(url, &shown);
	return err_set(e, ERR_FORMAT, "expected an http or https address, found \"%.160s\": %s",
	    buf_text(&shown), curl_url_strerror(code));
}

static bool parse_url(const char *url, CURLU **out, struct err *e)
{
	OWNED(drop_url) CURLU *u = curl_url();
	OWNED(drop_curl_text) char *scheme = NULL;

	CURLUcode code = curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS);
	if (code == CURLUE_OK)
		code = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (code == CURLUE_OK && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		code = CURLUE_UNSUPPORTED_SCHEME;
	if (code != CURLUE_OK)
		return url_error(url, code, e);
	*out = STEAL(u);
	return true;
}

static bool put_url(CURLU *u, struct buf *out, struct err *e)
{
	OWNED(drop_curl_text) char *text = NULL;
	const CURLUcode code = curl_url_get(u, CURLUPART_URL, &text, 0);

	if (code != CURLUE_OK)
		return err_set(e, ERR_FORMAT, "address: %s", curl_url_strerror(code));
	*out = BUF(URL_MAX);
	buf_adds(out, text);
	return buf_ok(out, e);
}

bool http_url_join(const char *base, const char *relative, struct buf *out, struct err *e)
{
	OWNED(drop_url) CURLU *u = NULL;

	if (strlen(relative) >= URL_MAX)
		return err_set(
		    e, ERR_LIMIT, "address: expected less than %d bytes, found more", URL_MAX);
	if (!parse_url(base, &u, e))
		return false;
	const CURLUcode code = curl_url_set(u, CURLUPART_URL, relative, CURLU_PATH_AS_IS);
	if (code != CURLUE_OK)
		return url_error(relative, code, e);
	OWNED(buf_drop) struct buf joined = BUF(0);
	OWNED(drop_url) CURLU *again = NULL;
	if (!put_url(u, &joined, e) || !parse_url(buf_text(&joined), &again, e))
		return false;
	*out = STEAL(joined);
	return true;
}

bool http_url_add_query(
    const char *url, const char *name, const char *value, struct buf *out, struct err *e)
{
	OWNED(drop_curl_text) char *escaped = curl_easy_escape(NULL, value, 0);
	const size_t whole = strlen(url);
	const size_t len = strcspn(url, "#");
	const char *query = memchr(url, '?', len);

	*out = BUF(URL_MAX);
	buf_add(out, url, len);
	if (!query)
		buf_adds(out, "?");
	else if (query + 1 < url + len && url[len - 1] != '&')
		buf_adds(out, "&");
	buf_adds(out, name);
	buf_adds(out, "=");
	buf_adds(out, escaped ? escaped : "");
	buf_add(out, url + len, whole - len);
	return buf_ok(out, e);
}

static char *url_part(CURLU *u, CURLUPart part, unsigned flags)
{
	OWNED(drop_curl_text) char *text = NULL;

	return curl_url_get(u, part, &text, flags) == CURLUE_OK && text ? own_text(text) : NULL;
}

void url_parts_drop(struct url_parts *u)
{
	free(u->scheme);
	free(u->host);
	free(u->port);
	free(u->path);
	free(u->query);
	*u = (struct url_parts){0};
}

void url_parts_origin(const struct url_parts *u, struct buf *host, struct buf *base)
{
	buf_adds(host, u->host);
	buf_adds(host, u->port ? ":" : "");
	buf_adds(host, u->port ? u->port : "");
	buf_adds(base, u->scheme);
	buf_adds(base, "://");
	buf_adds(base, buf_text(host));
}

bool http_url_parts(const char *url, struct url_parts *out, struct err *e)
{
	OWNED(drop_url) CURLU *u = NULL;
	OWNED(drop_text) char *user = NULL;

	if (!parse_url(url, &u, e))
		return false;
	user = url_part(u, CURLUPART_USER, 0);
	*out = (struct url_parts){
	    .scheme = url_part(u, CURLUPART_SCHEME, 0),
	    .host = url_part(u, CURLUPART_HOST, 0),
	    .port = url_part(u, CURLUPART_PORT, 0),
	    .path = url_part(u, CURLUPART_PATH, 0),
	    .query = url_part(u, CURLUPART_QUERY, 0),
	    .userinfo = user != NULL,
	};
	if (!out->scheme || !out->host) {
		url_parts_drop(out);
		return url_error(url, CURLUE_NO_HOST, e);
	}
	return true;
}

bool http_url_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
	OWNED(drop_url) CURLU *left = NULL;
	OWNED(drop_url) CURLU *right = NULL;
	struct err ignored = {0};

	if (!parse_url(a, &left, &ignored) || !parse_url(b, &right, &ignored))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		OWNED(drop_text) char *l = url_part(left, parts[i], CURLU_DEFAULT_PORT);
		OWNED(drop_text) char *r = url_part(right, parts[i], CURLU_DEFAULT_PORT);
		if (!l || !r || strcasecmp(l, r) != 0)
			return false;
	}
	return true;
}

void http_url_show(const char *url, struct buf *out)
{
	const size_t len = strcspn(url, "?#");
	const char *slashes = strstr(url, "://");
	const char *host = slashes && slashes < url + len ? slashes + 3 : url;
	const size_t authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);

	buf_add(out, url, (size_t)(host - url));
	const char *rest = at ? at + 1 : host;
	for (const char *c = rest; c < url + len; c++)
		buf_add(out, (unsigned char)*c < 0x20 || *c == 0x7f ? "?" : c, 1);
}
