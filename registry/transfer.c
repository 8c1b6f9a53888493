#include "registry/transfer.h"

#include "base/own.h"
#include "base/stop.h"
#include "registry/failure.h"
#include "registry/proxy.h"
#include "registry/tls.h"
#include "registry/transfer_setup.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
	BODY_MAX = 8192,		/* of an answer, where the request names no ceiling */
	ERROR_BODY_MAX = 1024 * 1024,	/* of an error's body no more than this is read */
	EXPECT_LEAST = 1024 * 1024 + 1, /* libcurl expects a "100 Continue" of such bodies */
};

static bool range_begins_at(CURL *curl, uint64_t from)
{
	OWNED(drop_text) char *text = answer_header(curl, "Content-Range");
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

static bool expects(const struct transfer *t)
{
	return t->request->body_size >= EXPECT_LEAST && !t->plain;
}

/* libcurl would send the request again by itself, but after it got tired of waiting for the
 * answer it forgets to begin the body anew. */
static bool is_417(struct slice line)
{
	return slice_starts(line, "HTTP/1.") && line.len > 12
	       && slice_starts(slice_at(line.ptr + 8, line.len - 8), " 417");
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	static const char word[] = "HTTP/1.1 100";
	struct transfer *t = context;
	const struct slice line = slice_at(bytes, size * count);

	t->continued = t->continued || slice_starts(line, word);
	t->unexpected = expects(t) && is_417(line);
	return t->unexpected ? 0 : size * count;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	struct source *body = t->request->body;
	size_t got = 0;

	/* libcurl asks for the body after the "100 Continue", or when it has waited enough. */
	if (expects(t) && !t->continued)
		t->answer->expect_silent = true;
	if (body && !body->read(body, bytes, size * count, &got, &t->failed))
		return CURL_READFUNC_ABORT;
	return got;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct transfer *t = context;
	struct source *body = t->request->body;

	/* libcurl sends a request again that a kept connection lost; a part of an upload may
	 * have arrived (RTY-03). */
	if (t->request->method == HTTP_PATCH)
		return CURL_SEEKFUNC_CANTSEEK;
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

static void set_callbacks(struct transfer *t)
{
	CURL *curl = t->http->curl;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->http->reason);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, t);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/* What becomes of HTTP/2 that a proxy only pretends to speak. */
static bool broke_off(CURLcode code)
{
	switch ((int)code) {
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_WEIRD_SERVER_REPLY:
		return true;
	default:
		return false;
	}
}

/* What a transfer that ended with an error code means for the caller.
 */
static bool hop_failed(struct transfer *t, CURLcode code, const char *url, struct err *e)
{
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);
	const char *reason = t->http->reason[0] ? t->http->reason : curl_easy_strerror(code);
	struct failure failure;

	if (code == CURLE_WRITE_ERROR && t->enough)
		return true;
	if (t->failed.kind != ERR_NONE) {
		*e = t->failed;
		return false;
	}
	if (!stop_check(e))
		return false;
	http_url_show(url, &shown);
	failure_read(code, reason, &failure);
	t->answer->may_pass = failure.may_pass;
	t->answer->http2_broken = t->two && broke_off(code);
	return err_set(e, failure.kind, "%s %.130s: %.140s%s",
	    transfer_method(t->request->method), buf_text(&shown), reason, failure.advice);
}

static bool run(struct transfer *t, const char *url, struct err *e)
{
	CURL *curl = t->http->curl;

	t->http->reason[0] = '\0';
	const CURLcode code = curl_easy_perform(curl);
	answer_keep_headers(curl, url, t->answer);
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

/* Nothing has come back yet. */
static void empty_answer(struct transfer *t)
{
	const size_t most = t->request->body_max;

	http_answer_drop(t->answer);
	t->answer->body = BUF(most ? most : BODY_MAX);
}

/* Without what was not expected. */
static bool run_again(struct transfer *t, const char *url, struct err *e)
{
	err_clear(e);
	empty_answer(t);
	t->unexpected = t->decided = t->enough = t->to_sink = false;
	t->plain = true;
	t->answer->expect_silent = true;
	transfer_drop_headers(&t->headers);
	return t->request->body->rewind(t->request->body, e) && transfer_set_headers(t, url, e)
	       && run(t, url, e);
}

bool transfer_run(struct http *h, const struct http_request *r, const char *url,
    struct http_answer *a, struct err *e)
{
	struct transfer t = {.http = h, .request = r, .answer = a, .plain = r->no_expect};

	empty_answer(&t);
	curl_easy_reset(h->curl);
	transfer_set_limits(h, r->body || r->method == HTTP_PUT);
	set_callbacks(&t);
	transfer_set_method(&t);
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	const bool ok = tls_set(h, r, url, e) && proxy_set(h, url, e)
			&& transfer_set_headers(&t, url, e)
			&& (run(&t, url, e) || (t.unexpected && run_again(&t, url, e)));
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	transfer_drop_headers(&t.headers);
	return ok;
}
