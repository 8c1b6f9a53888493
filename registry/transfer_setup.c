#include "registry/transfer_setup.h"

#include "base/own.h"
#include "registry/quirks.h"

#include <inttypes.h>
#include <string.h>

enum {
	RECEIVE_BUFFER = 128 * 1024,
	SEND_BUFFER = 256 * 1024,
	LIMITED_BUFFER = 16 * 1024, /* with --limit-rate */
	CONNECT_SECONDS = 30,
	STALL_SECONDS = 60,
	COMMIT_SECONDS = 300, /* a registry may hash what it got before it answers */
};

void transfer_set_limits(struct http *h, bool sends)
{
	const long connect = h->config.connect_seconds;
	const long stall = h->config.stall_seconds;
	CURL *curl = h->curl;

	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect ? connect : CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
	    stall   ? stall
	    : sends ? (long)COMMIT_SECONDS
		    : (long)STALL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
	if (h->config.bytes_a_second) {
		const curl_off_t rate = (curl_off_t)h->config.bytes_a_second;
		/* libcurl looks at the clock after some bufferfuls only. */
		curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)LIMITED_BUFFER);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)LIMITED_BUFFER);
		curl_easy_setopt(curl, CURLOPT_MAX_SEND_SPEED_LARGE, rate);
		curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, rate);
	}
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "sealift");
}

void transfer_set_method(struct transfer *t)
{
	const struct http_request *r = t->request;
	CURL *curl = t->http->curl;

	switch (r->method) {
	case HTTP_GET:
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		break;
	case HTTP_HEAD:
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
		break;
	case HTTP_POST:
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size);
		if (!r->body)
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
		break;
	case HTTP_PATCH:
	case HTTP_PUT:
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, transfer_method(r->method));
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_size);
		break;
	}
}

static bool add_header(struct transfer *t, const char *name, const char *value, struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(URL_MAX);

	if (!value)
		return true;
	buf_adds(&line, name);
	buf_adds(&line, ": ");
	buf_adds(&line, value);
	struct curl_slist *longer = buf_ok(&line, e) && !strpbrk(buf_text(&line), "\r\n")
					? curl_slist_append(t->headers, buf_text(&line))
					: NULL;
	if (line.ptr)
		explicit_bzero(line.ptr, line.cap);
	if (!longer)
		return err_set(
		    e, ERR_LIMIT, "%s: the value does not fit a request header", name);
	t->headers = longer;
	return true;
}

/* HTTP/2 where a person wants it: a worker asks one thing at a time, to which it adds nothing,
 * and a large body is slower by it.  With it libcurl knows no Expect. */
static void set_version(struct transfer *t, const struct host_settings *s)
{
	t->two = s->http == SETTING_HTTP_2 && !t->request->no_http2;
	curl_easy_setopt(t->http->curl, CURLOPT_HTTP_VERSION,
	    t->two ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	t->plain = t->plain || t->two;
}

/* What is spoken.  An empty Expect keeps libcurl from sending its own. */
static bool add_version(struct transfer *t, const char *url, struct err *e)
{
	char host[HOST_TEXT_MAX];
	const struct host_settings *s =
	    settings_of(t->http->config.settings, quirks_host(url, host));

	set_version(t, s);
	if (s->expect != EXPECT_OFF && !t->plain)
		return true;
	t->plain = true;
	struct curl_slist *longer = curl_slist_append(t->headers, "Expect:");
	if (!longer)
		return err_set(e, ERR_SYSTEM, "there is no memory left for a request header");
	t->headers = longer;
	return true;
}

bool transfer_set_headers(struct transfer *t, const char *url, struct err *e)
{
	const bool own_origin = http_url_same_origin(url, t->request->url);

	const struct http_request *r = t->request;
	char range[40];

	(void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", r->range_from);
	if (!add_header(t, "Authorization", own_origin ? r->authorization : NULL, e)
	    || !add_header(t, "Accept", r->accept, e)
	    || !add_header(t, "Content-Type", r->content_type, e)
	    || !add_header(t, "Content-Range", r->content_range, e)
	    || !add_header(t, "Range", r->range_from ? range : NULL, e))
		return false;
	if (r->method == HTTP_POST && !r->content_type
	    && !add_header(t, "Content-Type", "application/octet-stream", e))
		return false;
	if (!add_version(t, url, e))
		return false;
	curl_easy_setopt(t->http->curl, CURLOPT_HTTPHEADER, t->headers);
	return true;
}

void transfer_drop_headers(struct curl_slist **headers)
{
	for (struct curl_slist *line = *headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(*headers);
	*headers = NULL;
}

const char *transfer_method(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_HEAD:
		return "HEAD";
	case HTTP_POST:
		return "POST";
	case HTTP_PATCH:
		return "PATCH";
	case HTTP_PUT:
		break;
	}
	return "PUT";
}
