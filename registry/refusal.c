#include "registry/refusal.h"

#include "base/own.h"
#include "manifests/json.h"
#include "registry/retry.h"

#include <string.h>
#include <strings.h>

enum { SAID_MAX = 160 };

/* At most SAID_MAX bytes of text from the network, each control or foreign byte as "?". */
static void add_clean(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len && i < SAID_MAX; i++) {
		const unsigned char c = (unsigned char)text.ptr[i];
		buf_add(out, c < 0x20 || c >= 0x7f ? "?" : &text.ptr[i], 1);
	}
}

static bool begins(struct slice body, const char *with)
{
	return body.len >= strlen(with) && strncasecmp(body.ptr, with, strlen(with)) == 0;
}

bool refusal_is_page(const struct http_answer *a)
{
	const struct slice body = slice_trim(buf_slice(&a->body));

	return (a->content_type && strcmp(a->content_type, "text/html") == 0)
	       || begins(body, "<!doctype html") || begins(body, "<html");
}

static struct json *parse(const struct http_answer *a)
{
	struct json *doc = NULL;
	struct err ignored = {0};
	const struct slice body = slice_trim(buf_slice(&a->body));

	if (!body.len || body.ptr[0] != '{' || !json_parse(body, "error", &doc, &ignored))
		return NULL;
	return doc;
}

/* The object that carries code and message: the first of "errors", or the document. */
static const struct json *first_error(const struct json *doc)
{
	const struct json *first = json_at(json_get(doc, "errors"), 0);

	return first ? first : doc;
}

static struct slice first_text(const struct json *object, const char *const *keys)
{
	struct slice text = {0};

	for (; *keys && !text.len; keys++)
		text = json_text(json_get(object, *keys));
	return text;
}

static void add_said(const struct json *doc, struct buf *out)
{
	static const char *const codes[] = {"code", "error", NULL};
	static const char *const messages[] = {"message", "error_description", "details", NULL};
	const struct json *error = first_error(doc);
	const struct slice code = first_text(error, codes);
	const struct slice message = first_text(error, messages);

	if (code.len) {
		buf_adds(out, " ");
		add_clean(out, code);
	}
	if (message.len) {
		buf_adds(out, " (");
		add_clean(out, message);
		buf_adds(out, ")");
	}
}

/* The first line of a body that is no JSON. */
static void add_line(struct slice body, struct buf *out)
{
	struct slice line;

	if (!body.len || !slice_cut(&body, '\n', &line))
		return;
	buf_adds(out, " (");
	add_clean(out, slice_trim(line));
	buf_adds(out, ")");
}

void refusal_text(const struct http_answer *a, struct buf *out)
{
	OWNED(json_drop) struct json *doc = parse(a);

	buf_addf(out, "%ld", a->status);
	if (refusal_is_page(a))
		buf_adds(out, " and an HTML page, as a proxy or a login page sends it");
	else if (doc)
		add_said(doc, out);
	else
		add_line(slice_trim(buf_slice(&a->body)), out);
}

bool refusal_has(const struct http_answer *a, const char *code)
{
	OWNED(json_drop) struct json *doc = parse(a);
	const struct json *errors = json_get(doc, "errors");

	for (size_t i = 0; i < json_count(errors); i++) {
		if (slice_is(json_text(json_get(json_at(errors, i), "code")), code))
			return true;
	}
	return false;
}

bool refusal_passes(const struct http_answer *a)
{
	return retry_status(a->status)
	       || (a->status >= 400
		   && (refusal_has(a, "TOOMANYREQUESTS") || refusal_has(a, "UNAVAILABLE")));
}

struct meaning {
	long status;
	enum err_kind kind;
	const char *hint;
};

static const struct meaning meanings[] = {
    {401, ERR_DENIED, "the login is not accepted, or lacks the right; check user and password"},
    {403, ERR_DENIED,
	"the login lacks the right to do this; check the name, or ask who runs it"},
    {404, ERR_MISSING, "there is none of that name there, or the login may not see it"},
    {405, ERR_NETWORK, "the registry is read-only, or a proxy cache"},
    {407, ERR_DENIED,
	"the proxy wants a login, or another than it got: write http://USER:PASSWORD@HOST:PORT "
	"into its variable"},
    {409, ERR_DENIED, "the tag is there and may not be changed"},
    {410, ERR_MISSING, "it was there and is gone"},
    {411, ERR_NETWORK, "something between here and there took the length away"},
    {412, ERR_DENIED, "a policy of the registry forbids it, such as immutable tags"},
    {413, ERR_LIMIT,
	"the registry, or a proxy before it, limits the size of a request; raise that limit"},
    {415, ERR_FORMAT, "the registry does not take this media type"},
    {429, ERR_NETWORK, "too many requests; log in, use fewer --jobs, or wait"},
    {507, ERR_NETWORK, "the registry's disk is full; tell who runs it, then run this again"},
    {0},
};

static const struct meaning *meaning_of(long status)
{
	static const struct meaning trouble = {
	    0, ERR_NETWORK, "the registry is in trouble; see its log, then run this again"};
	static const struct meaning page = {
	    0, ERR_NETWORK, "this is no registry's answer; check address and proxy"};
	static const struct meaning other = {
	    0, ERR_NETWORK, "the registry does not accept this"};

	for (const struct meaning *m = meanings; m->status; m++) {
		if (m->status == status)
			return m;
	}
	if (status >= 500)
		return &trouble;
	return status < 400 ? &page : &other;
}

static const char lost_upload[] =
    "the registry lost the upload: its replicas may share no secret, or no storage; let the "
    "balancer send a client to one of them";

/* Codes that say more than their status. */
static const struct {
	const char *code;
	const char *method; /* of the request that it is about; "" for any */
	struct meaning meaning;
} code_meanings[] = {
    {"TAG_INVALID", "", {400, ERR_DENIED, "the tag is there and may not be changed"}},
    {"DIGEST_INVALID", "PUT",
	{400, ERR_NETWORK,
	    "something between here and there changes the bytes; go round the proxy, or ask "
	    "who "
	    "runs it"}},
    {"NAME_UNKNOWN", "POST",
	{404, ERR_MISSING,
	    "the repository must be made at the registry first, or the login may not see it"}},
    {"BLOB_UPLOAD_UNKNOWN", "", {404, ERR_NETWORK, lost_upload}},
    {"BLOB_UPLOAD_INVALID", "", {404, ERR_NETWORK, lost_upload}},
    {"MANIFEST_INVALID", "PUT",
	{400, ERR_NETWORK,
	    "the registry does not take images of this kind; ask who runs it, or push to "
	    "another"}},
};

static const struct meaning *meaning_of_code(const struct http_answer *a, const char *doing)
{
	for (size_t i = 0; i < sizeof(code_meanings) / sizeof(code_meanings[0]); i++)
		if (slice_starts(slice_of(doing), code_meanings[i].method)
		    && code_meanings[i].meaning.status == a->status
		    && refusal_has(a, code_meanings[i].code))
			return &code_meanings[i].meaning;
	return meaning_of(a->status);
}

static const struct meaning tls_wanted = {
    400, ERR_NETWORK, "it speaks https: leave out --plain-http, or write https"};

/* Go's server and nginx answer plain http on a port for TLS so (TLS-04). */
static bool wants_tls(const struct http_answer *a)
{
	const char *body = buf_text(&a->body);

	return a->status == 400
	       && (strstr(body, "HTTP request to an HTTPS server")
		   || strstr(body, "HTTP request was sent to HTTPS port"));
}

bool refusal(const struct http_answer *a, const char *doing, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);
	const struct meaning *m = wants_tls(a) ? &tls_wanted : meaning_of_code(a, doing);

	refusal_text(a, &said);
	(void)err_set(e, m->kind, "%.220s: %.180s; %s", doing, buf_text(&said), m->hint);
	e->code = (int)a->status;
	return false;
}
