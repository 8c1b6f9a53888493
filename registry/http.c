#include "registry/http.h"

#include "base/file.h"
#include "base/own.h"
#include "base/stop.h"

#include <ctype.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	REDIRECTS_MAX = 10,
	URL_MAX = 64 * 1024,
	CHALLENGES_MAX = 16 * 1024,
	AUTHORITIES_MAX = 16 * 1024 * 1024,
	ERROR_BODY_MAX = 1024 * 1024, /* of an error's body no more than this is read */
	RECEIVE_BUFFER = 128 * 1024,
	SEND_BUFFER = 256 * 1024,
	CONNECT_SECONDS = 30,
	STALL_SECONDS = 60,
	COMMIT_SECONDS = 300, /* a registry may hash what it got before it answers */
};

struct http {
	CURL *curl;
	struct http_config config;
	struct buf authorities; /* with ca_file: the system's and the file's */
	struct err broken;	/* what the configuration failed with */
	char reason[CURL_ERROR_SIZE];
};

/* One request under way. */
struct transfer {
	struct http *http;
	const struct http_request *request;
	struct http_answer *answer;
	struct curl_slist *headers;
	struct err failed;  /* of a source or sink */
	bool decided;	    /* begin_body has looked at the status */
	bool to_sink;	    /* what it decided */
	bool enough;	    /* the rest of the body is not wanted */
	uint64_t discarded; /* bytes of an error's body beyond its ceiling */
};

bool http_start(struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "libcurl cannot be started");
	return true;
}

void http_stop(void)
{
	curl_global_cleanup();
}

static const char *system_authorities(CURL *curl)
{
	const char *path = getenv("SSL_CERT_FILE");
	char *builtin = NULL;

	if (path && *path)
		return path;
	return curl_easy_getinfo(curl, CURLINFO_CAINFO, &builtin) == CURLE_OK ? builtin : NULL;
}

/* The system's authorities and those of ca_file as one text: the file adds (TLS-01). */
static bool read_authorities(struct http *h, struct err *e)
{
	OWNED(buf_drop) struct buf own = BUF(0);
	OWNED(buf_drop) struct buf all = BUF(0);
	const char *system = system_authorities(h->curl);
	struct err ignored = {0};

	if (!file_read(h->config.ca_file, AUTHORITIES_MAX, &own, e))
		return err_in(e, "--ca-file");
	if (!strstr(buf_text(&own), "-----BEGIN "))
		return err_set(e, ERR_FORMAT, "--ca-file: expected certificates in PEM in %s",
		    h->config.ca_file);
	if (system && !file_read(system, AUTHORITIES_MAX, &all, &ignored))
		buf_drop(&all);
	h->authorities = BUF(2 * (size_t)AUTHORITIES_MAX + 1);
	buf_add(&h->authorities, buf_text(&all), all.len);
	buf_adds(&h->authorities, "\n");
	buf_add(&h->authorities, buf_text(&own), own.len);
	return true;
}

struct http *http_new(const struct http_config *config)
{
	struct http *h = own_new(sizeof(*h));

	h->config = *config;
	h->curl = curl_easy_init();
	if (!h->curl)
		(void)err_set(&h->broken, ERR_SYSTEM, "libcurl cannot be started");
	else if (config->ca_file && !read_authorities(h, &h->broken))
		buf_drop(&h->authorities);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	buf_drop(&h->authorities);
	free(h);
}

void http_drop(struct http **h)
{
	http_free(*h);
	*h = NULL;
}

void http_answer_drop(struct http_answer *a)
{
	free(a->url);
	free(a->location);
	free(a->content_type);
	free(a->content_digest);
	free(a->content_range);
	free(a->retry_after);
	free(a->date);
	buf_drop(&a->challenges);
	buf_drop(&a->body);
	*a = (struct http_answer){0};
}

/* --- URLs --- */

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

bool http_date(const char *text, int64_t *seconds)
{
	const time_t when = curl_getdate(text, NULL);

	*seconds = (int64_t)when;
	return when != (time_t)-1;
}

/* --- Headers of an answer --- */

/* The first value of a header of the last answer, or NULL. */
static char *header(CURL *curl, const char *name)
{
	struct curl_header *found = NULL;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return own_text(found->value);
}

static char *media_type(CURL *curl)
{
	char *text = header(curl, "Content-Type");

	if (!text)
		return NULL;
	text[strcspn(text, "; \t")] = '\0';
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

static void keep_challenges(CURL *curl, struct buf *out)
{
	struct curl_header *found = NULL;

	*out = BUF(CHALLENGES_MAX);
	for (size_t i = 0;
	     curl_easy_header(curl, "WWW-Authenticate", i, CURLH_HEADER, -1, &found)
	     == CURLHE_OK;
	     i++) {
		buf_adds(out, found->value);
		buf_adds(out, "\n");
	}
}

static void keep_headers(CURL *curl, const char *url, struct http_answer *a)
{
	OWNED(drop_text) char *length = header(curl, "Content-Length");

	a->url = own_text(url);
	a->location = header(curl, "Location");
	a->content_type = media_type(curl);
	a->content_digest = header(curl, "Docker-Content-Digest");
	a->content_range = header(curl, "Content-Range");
	a->retry_after = header(curl, "Retry-After");
	a->date = header(curl, "Date");
	a->has_length =
	    length && slice_u64(slice_trim(slice_of(length)), UINT64_MAX, &a->length);
	keep_challenges(curl, &a->challenges);
}

/* --- One hop --- */

static bool range_begins_at(CURL *curl, uint64_t from)
{
	OWNED(drop_text) char *text = header(curl, "Content-Range");
	char want[40];

	(void)snprintf(want, sizeof(want), "bytes %" PRIu64 "-", from);
	return text && strncasecmp(text, want, strlen(want)) == 0;
}

/* Looks at the status before the first byte of a body goes anywhere: only what was asked for
 * reaches the sink. */
static bool begin_body(struct transfer *t)
{
	const struct http_request *r = t->request;
	long status = 0;

	t->decided = true;
	(void)curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	t->answer->status = status;
	if (!r->sink || (status != 200 && status != 206))
		return true;
	t->to_sink = true;
	if (status == 200)
		return !r->range_from || r->sink->rewind(r->sink, &t->failed);
	if (r->range_from && range_begins_at(t->http->curl, r->range_from))
		return true;
	t->to_sink = false;
	t->enough = true;
	return false;
}

/* An error's body is cut at its ceiling and read no further than a limit; a success is not. */
static bool keep_body(struct transfer *t, const char *bytes, size_t len)
{
	struct buf *body = &t->answer->body;

	if (t->answer->status < 300) {
		buf_add(body, bytes, len);
		return buf_ok(body, &t->failed);
	}
	const size_t room = body->max - body->len;
	buf_add(body, bytes, len < room ? len : room);
	t->discarded += len;
	t->enough = t->discarded > ERROR_BODY_MAX;
	return !t->enough;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	const size_t len = size * count;
	struct sink *sink = t->request->sink;

	if (!t->decided && !begin_body(t))
		return CURL_WRITEFUNC_ERROR;
	const bool ok =
	    t->to_sink ? sink->write(sink, bytes, len, &t->failed) : keep_body(t, bytes, len);
	return ok ? len : CURL_WRITEFUNC_ERROR;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	struct source *body = t->request->body;
	size_t got = 0;

	if (body && !body->read(body, bytes, size * count, &got, &t->failed))
		return CURL_READFUNC_ABORT;
	return got;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct transfer *t = context;
	struct source *body = t->request->body;

	if (offset != 0 || origin != SEEK_SET || !body || !body->rewind)
		return CURL_SEEKFUNC_CANTSEEK;
	return body->rewind(body, &t->failed) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static int on_progress(
    void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	(void)context;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return stop_requested();
}

static void set_authorities(struct http *h)
{
	const char *folder = getenv("SSL_CERT_DIR");
	const char *file = getenv("SSL_CERT_FILE");
	CURL *curl = h->curl;

	if (folder && *folder)
		curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
	if (h->authorities.len) {
		struct curl_blob blob = {
		    h->authorities.ptr, h->authorities.len, CURL_BLOB_NOCOPY};
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	} else if (file && *file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, file);
	}
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, h->config.insecure ? 0L : 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, h->config.insecure ? 0L : 2L);
	if (h->config.cert_file)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, h->config.cert_file);
	if (h->config.key_file)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, h->config.key_file);
}

static void set_limits(struct http *h, bool sends)
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
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "sealift");
}

static void set_callbacks(struct transfer *t)
{
	CURL *curl = t->http->curl;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->http->reason);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, t);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_method(struct transfer *t)
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
	case HTTP_PUT:
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
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

static bool set_headers(struct transfer *t, bool own_origin, struct err *e)
{
	const struct http_request *r = t->request;
	char range[40];

	(void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", r->range_from);
	if (!add_header(t, "Authorization", own_origin ? r->authorization : NULL, e)
	    || !add_header(t, "Accept", r->accept, e)
	    || !add_header(t, "Content-Type", r->content_type, e)
	    || !add_header(t, "Range", r->range_from ? range : NULL, e))
		return false;
	if (r->method == HTTP_POST && !r->content_type
	    && !add_header(t, "Content-Type", "application/octet-stream", e))
		return false;
	curl_easy_setopt(t->http->curl, CURLOPT_HTTPHEADER, t->headers);
	return true;
}

/* The list holds credentials: wiped before it is given back. */
static void drop_headers(struct curl_slist **headers)
{
	for (struct curl_slist *line = *headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(*headers);
	*headers = NULL;
}

static const char *method_name(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_HEAD:
		return "HEAD";
	case HTTP_POST:
		return "POST";
	case HTTP_PUT:
		break;
	}
	return "PUT";
}

/* What usually helps, for failures that say too little. */
static const char *advice(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return "; give the authority that signed its certificate with --ca-file, and "
		       "check "
		       "this machine's clock";
	case CURLE_SSL_CONNECT_ERROR:
		return "; TLS was not agreed: if it speaks plain http, and that is intended, "
		       "use "
		       "--plain-http";
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return "; check the name, the port and the proxy settings";
	case CURLE_OPERATION_TIMEDOUT:
		return "; the other side stopped answering";
	default:
		return "";
	}
}

/* Whether a failure is of the moment (PROTOCOL 12), not of certificates or addresses. */
static bool passes(CURLcode code)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_AGAIN:
	case CURLE_HTTP2:
	case CURLE_CHUNK_FAILED:
	case CURLE_BAD_CONTENT_ENCODING:
		return true;
	default:
		return false;
	}
}

/* What a transfer that ended with an error code means for the caller. */
static bool hop_failed(struct transfer *t, CURLcode code, const char *url, struct err *e)
{
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);
	const char *reason = t->http->reason[0] ? t->http->reason : curl_easy_strerror(code);

	if (code == CURLE_WRITE_ERROR && t->enough)
		return true;
	if (t->failed.kind != ERR_NONE) {
		*e = t->failed;
		return false;
	}
	if (!stop_check(e))
		return false;
	http_url_show(url, &shown);
	t->answer->may_pass = passes(code);
	return err_set(e, ERR_NETWORK, "%s %.160s: %.160s%s", method_name(t->request->method),
	    buf_text(&shown), reason, advice(code));
}

static bool run(struct transfer *t, const char *url, struct err *e)
{
	CURL *curl = t->http->curl;

	t->http->reason[0] = '\0';
	const CURLcode code = curl_easy_perform(curl);
	keep_headers(curl, url, t->answer);
	if (code != CURLE_OK && !hop_failed(t, code, url, e))
		return false;
	if (t->failed.kind != ERR_NONE) {
		*e = t->failed;
		return false;
	}
	if (!t->decided && !begin_body(t) && !t->enough) {
		*e = t->failed;
		return false;
	}
	t->answer->sunk = t->to_sink;
	return true;
}

/* Sends the request to one address and fills the answer. */
static bool hop(struct http *h, const struct http_request *r, const char *url,
    struct http_answer *a, struct err *e)
{
	struct transfer t = {.http = h, .request = r, .answer = a};

	http_answer_drop(a);
	a->body = BUF(r->body_max ? r->body_max : 8192);
	curl_easy_reset(h->curl);
	set_authorities(h);
	set_limits(h, r->body != NULL);
	set_callbacks(&t);
	set_method(&t);
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	const bool ok =
	    set_headers(&t, http_url_same_origin(url, r->url), e) && run(&t, url, e);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	drop_headers(&t.headers);
	return ok;
}

/* --- Redirects --- */

static bool is_redirect(const struct http_request *r, const struct http_answer *a)
{
	if (a->status == 307 || a->status == 308)
		return true;
	return (r->method == HTTP_GET || r->method == HTTP_HEAD)
	       && (a->status == 301 || a->status == 302 || a->status == 303);
}

/* The next address, or why it is not gone to (DL-04). */
static bool next_url(
    const char *from, const struct http_answer *a, struct buf *next, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts old = {0};
	OWNED(url_parts_drop) struct url_parts new = {0};
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	http_url_show(from, &shown);
	if (!a->location)
		return err_set(e, ERR_NETWORK, "%.160s: redirect %ld without a Location",
		    buf_text(&shown), a->status);
	if (!http_url_join(from, a->location, next, e) || !http_url_parts(from, &old, e)
	    || !http_url_parts(buf_text(next), &new, e)) {
		e->kind = ERR_NETWORK;
		return err_in(e, "%.160s: redirect", buf_text(&shown));
	}
	if (new.userinfo)
		return err_set(e, ERR_NETWORK,
		    "%.160s: redirect to an address with a user name in it; refused",
		    buf_text(&shown));
	if (strcmp(old.scheme, "https") == 0 && strcmp(new.scheme, "http") == 0)
		return err_set(e, ERR_NETWORK,
		    "%.160s: redirect from https to http on %.100s; refused", buf_text(&shown),
		    new.host);
	return true;
}

bool http_send(
    struct http *h, const struct http_request *r, struct http_answer *a, struct err *e)
{
	OWNED(drop_text) char *url = own_text(r->url);

	http_answer_drop(a);
	if (h->broken.kind != ERR_NONE) {
		*e = h->broken;
		return false;
	}
	for (int hops = 0; hops <= REDIRECTS_MAX; hops++) {
		OWNED(buf_drop) struct buf next = BUF(0);
		if (hops && r->body && !r->body->rewind)
			return err_set(
			    e, ERR_NETWORK, "redirect of a body that cannot be sent twice");
		if (hops && r->body && !r->body->rewind(r->body, e))
			return false;
		if (!hop(h, r, url, a, e))
			return false;
		if (!is_redirect(r, a))
			return true;
		if (!next_url(url, a, &next, e))
			return false;
		free(url);
		url = own_text(buf_text(&next));
	}
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);
	http_url_show(r->url, &shown);
	return err_set(
	    e, ERR_NETWORK, "%.160s: more than %d redirects", buf_text(&shown), REDIRECTS_MAX);
}
