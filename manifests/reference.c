#include "manifests/reference.h"

#include <stdio.h>
#include <string.h>

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* The length of the separator at i between two alphanumeric runs of a path component: ".", "_",
 * "__" or dashes; 0 when there is none (REF-01). */
static size_t separator(struct slice s, size_t i)
{
	size_t len = 0;

	if (s.ptr[i] == '.')
		return 1;
	if (s.ptr[i] == '_')
		return i + 1 < s.len && s.ptr[i + 1] == '_' ? 2 : 1;
	while (i + len < s.len && s.ptr[i + len] == '-')
		len++;
	return len;
}

static bool is_component(struct slice s)
{
	size_t i = 0;

	while (i < s.len) {
		if (!is_lower(s.ptr[i]))
			return false;
		while (i < s.len && is_lower(s.ptr[i]))
			i++;
		if (i == s.len)
			return true;
		const size_t len = separator(s, i);
		if (!len)
			return false;
		i += len;
	}
	return false;
}

static bool is_path(struct slice s)
{
	struct slice component;

	while (slice_cut(&s, '/', &component))
		if (!is_component(component))
			return false;
	return true;
}

bool reference_is_tag(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && s.ptr[i] != '_'
		    && (i == 0 || (s.ptr[i] != '.' && s.ptr[i] != '-')))
			return false;
	return s.len >= 1 && s.len <= REFERENCE_TAG_MAX;
}

static bool is_port(struct slice s)
{
	uint64_t port;

	return s.len <= 5 && slice_u64(s, 65535, &port) && port > 0;
}

static bool is_domain(struct slice s)
{
	struct slice label;

	while (slice_cut(&s, '.', &label)) {
		if (!label.len || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-')
				return false;
	}
	return true;
}

static bool is_ipv6(struct slice s)
{
	if (s.len < 4 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < s.len; i++)
		if (!strchr("0123456789abcdefABCDEF:", s.ptr[i]) || !s.ptr[i])
			return false;
	return true;
}

/* "name", "name:port", "[v6]" or "[v6]:port". */
static bool is_host(struct slice s)
{
	const char *end = s.len && s.ptr[0] == '[' ? memchr(s.ptr, ']', s.len) : NULL;
	struct slice name = s;
	struct slice port = {0};

	if (end) {
		name.len = (size_t)(end - s.ptr) + 1;
		if (name.len < s.len && end[1] != ':')
			return false;
		if (name.len < s.len)
			port = slice_at(end + 2, s.len - name.len - 1);
	} else {
		struct slice rest = s;
		(void)slice_cut(&rest, ':', &name);
		port = rest;
	}
	return (!port.ptr || is_port(port)) && (end ? is_ipv6(name) : is_domain(name))
	       && s.len <= REFERENCE_HOST_MAX;
}

/* Whether a first component is a host and not the first part of a path (REF-02). */
static bool looks_like_host(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '.' || s.ptr[i] == ':' || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z'))
			return true;
	return slice_is(s, "localhost");
}

static void copy(char *to, struct slice from)
{
	(void)memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
}

static bool refuse(struct slice text, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "expected an image reference [HOST/]PATH[:TAG][@sha256:…], found \"%.*s\": %s",
	    (int)(text.len > 120 ? 120 : text.len), text.ptr, why);
}

/* Takes "@digest" and ":tag" off the end of *name. */
static bool take_tail(struct slice text, struct slice *name, struct reference *r, struct err *e)
{
	const char *at = memchr(name->ptr, '@', name->len);

	if (at) {
		const struct slice digest =
		    slice_at(at + 1, name->len - (size_t)(at - name->ptr) - 1);
		struct err inner = {0};
		if (!digest_parse(digest, &r->digest, &inner))
			return refuse(text, inner.text, e);
		r->has_digest = true;
		name->len = (size_t)(at - name->ptr);
	}
	const char *slash = name->len ? memrchr(name->ptr, '/', name->len) : NULL;
	const size_t from = slash ? (size_t)(slash - name->ptr) : 0;
	const char *colon = name->len ? memrchr(name->ptr + from, ':', name->len - from) : NULL;
	if (!colon)
		return true;
	const struct slice tag =
	    slice_at(colon + 1, name->len - (size_t)(colon - name->ptr) - 1);
	if (!reference_is_tag(tag))
		return refuse(
		    text, "a tag is 1 to 128 letters, digits, \"_\", \".\" and \"-\"", e);
	copy(r->tag, tag);
	name->len = (size_t)(colon - name->ptr);
	return true;
}

/* Splits *name into host and path; docker.io and library/ are filled in (REF-02, 03, 04). */
static bool take_host(struct slice text, struct slice name, struct reference *r, struct err *e)
{
	struct slice path = name;
	struct slice host = {0};
	const char *slash = memchr(name.ptr, '/', name.len);

	if (slash && looks_like_host(slice_at(name.ptr, (size_t)(slash - name.ptr))))
		(void)slice_cut(&path, '/', &host);
	if (host.ptr && !is_host(host))
		return refuse(text, "the host is not one", e);
	const bool hub =
	    !host.ptr || slice_is(host, "docker.io") || slice_is(host, "index.docker.io");
	const bool bare = hub && path.len && !memchr(path.ptr, '/', path.len);
	if (path.len + (bare ? 8 : 0) > REFERENCE_PATH_MAX)
		return refuse(text, "the path is longer than 255 characters", e);
	if (!is_path(path))
		return refuse(text,
		    "a path is lower-case letters and digits, with single \".\", \"_\", \"__\" "
		    "or \"-\" between them",
		    e);
	if (!host.ptr && digest_parse_hex(path, &(struct digest){0}, &(struct err){0}))
		return refuse(text, "64 hex digits are an image's id, not its name", e);
	copy(r->host, hub ? slice_of("docker.io") : host);
	if (bare)
		copy(r->path, slice_of("library/"));
	copy(r->path + (bare ? 8 : 0), path);
	return true;
}

bool reference_parse(struct slice text, struct reference *r, struct err *e)
{
	struct slice name = text;
	struct reference parsed = {0};

	if (slice_starts(name, "docker://"))
		name = slice_at(name.ptr + 9, name.len - 9);
	else if (slice_starts(name, "oci://"))
		name = slice_at(name.ptr + 6, name.len - 6);
	if (slice_starts(name, "http://") || slice_starts(name, "https://"))
		return refuse(text, "leave the scheme out (--plain-http says http)", e);
	if (!name.len)
		return refuse(text, "it is empty", e);
	if (!take_tail(text, &name, &parsed, e) || !take_host(text, name, &parsed, e))
		return false;
	if (!parsed.tag[0] && !parsed.has_digest)
		copy(parsed.tag, slice_of("latest"));
	*r = parsed;
	return true;
}

const char *reference_text(const struct reference *r, char out[REFERENCE_TEXT_MAX])
{
	char digest[DIGEST_TEXT];

	(void)snprintf(out, REFERENCE_TEXT_MAX, "%s/%s%s%s%s%s", r->host, r->path,
	    r->tag[0] ? ":" : "", r->tag, r->has_digest ? "@" : "",
	    r->has_digest ? digest_text(&r->digest, digest) : "");
	return out;
}

const char *reference_ask(const struct reference *r, char out[REFERENCE_TAG_MAX + 1])
{
	char digest[DIGEST_TEXT];

	(void)snprintf(out, REFERENCE_TAG_MAX + 1, "%s",
	    r->has_digest ? digest_text(&r->digest, digest) : r->tag);
	return out;
}

const char *reference_api_host(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "registry-1.docker.io" : host;
}

static bool refuse_target(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "expected a registry HOST[:PORT][/PREFIX], found \"%.120s\": %s", text, why);
}

bool target_parse(const char *text, struct target *t, struct err *e)
{
	struct slice rest = slice_of(text);
	struct slice host = {0};

	if (strstr(text, "://"))
		return refuse_target(text, "leave the scheme out (--plain-http says http)", e);
	while (rest.len && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	(void)slice_cut(&rest, '/', &host);
	if (!host.len || !is_host(host))
		return refuse_target(text, "the host is not one", e);
	if (rest.ptr && memchr(rest.ptr, ':', rest.len))
		return refuse_target(
		    text, "a tag does not belong here; every image keeps its own", e);
	if (rest.ptr && (rest.len > REFERENCE_PATH_MAX || !is_path(rest)))
		return refuse_target(text,
		    "a prefix is lower-case letters and digits, with \".\", \"_\", \"-\" and "
		    "\"/\" between them",
		    e);
	*t = (struct target){0};
	copy(t->host, host);
	if (rest.ptr)
		copy(t->prefix, rest);
	return true;
}

const char *target_text(const struct target *t, char out[REFERENCE_TEXT_MAX])
{
	(void)snprintf(
	    out, REFERENCE_TEXT_MAX, "%s%s%s", t->host, t->prefix[0] ? "/" : "", t->prefix);
	return out;
}

bool reference_rehome(
    const struct reference *from, const struct target *to, struct reference *out, struct err *e)
{
	const size_t prefix = strlen(to->prefix);
	const size_t len =
	    strlen(to->host) + 1 + prefix + (prefix ? 1 : 0) + strlen(from->path);
	struct reference moved = *from;

	if (len > REFERENCE_PATH_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected a name of at most %d characters with its host, found %zu; choose "
		    "a shorter prefix",
		    REFERENCE_PATH_MAX, len);
	copy(moved.host, slice_of(to->host));
	if (prefix) {
		copy(moved.path, slice_of(to->prefix));
		copy(moved.path + prefix, slice_of("/"));
		copy(moved.path + prefix + 1, slice_of(from->path));
	}
	*out = moved;
	return true;
}
