#include "registry/helmrepos.h"

#include "base/own.h"
#include "manifests/yaml.h"
#include "registry/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct slice text_of(const struct yaml_node *item, const char *key)
{
	const struct yaml_node *node = yaml_resolve(yaml_get(item, key));

	return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text
									: slice_at("", 0);
}

/* Whether the address in text is at host, "name[:port]". */
static bool at_host(struct slice text, const char *host)
{
	OWNED(drop_text) char *url = own_bytes(text.ptr, text.len);
	OWNED(url_parts_drop) struct url_parts parts = {0};
	OWNED(buf_drop) struct buf there = BUF(URL_MAX);
	struct err ignored = {0};

	if (!http_url_parts(url, &parts, &ignored))
		return false;
	buf_adds(&there, parts.host);
	buf_adds(&there, parts.port ? ":" : "");
	buf_adds(&there, parts.port ? parts.port : "");
	return strcasecmp(buf_text(&there), host) == 0;
}

bool helmrepos_read(struct slice yaml, const char *what, const char *host, struct login *out,
    bool *found, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	OWNED(buf_drop) struct buf source = BUF(8192);

	*found = false;
	if (!yaml_parse(yaml, what, &doc, e))
		return false;
	const struct yaml_node *list = yaml_resolve(yaml_get(yaml_root(doc), "repositories"));
	for (const struct yaml_node *r = list ? list->first : NULL; r && !*found; r = r->next) {
		const struct yaml_node *item = yaml_resolve(r);
		const struct slice user = text_of(item, "username");
		const struct slice password = text_of(item, "password");
		/* Helm sends neither when one of both is empty (HLM-03). */
		if (!user.len || !password.len || !at_host(text_of(item, "url"), host))
			continue;
		buf_addf(&source, "%.*s in %s", SLICE_ARG(text_of(item, "name")), what);
		*out = (struct login){
		    .username = own_bytes(user.ptr, user.len),
		    .password = own_bytes(password.ptr, password.len),
		    .source = own_text(buf_text(&source)),
		};
		*found = true;
	}
	return true;
}

void helm_tls_drop(struct helm_tls *t)
{
	free(t->ca_file);
	free(t->cert_file);
	free(t->key_file);
	*t = (struct helm_tls){0};
}

/* An address as Helm compares it: a slash at its end says nothing. */
static struct slice bare(struct slice url)
{
	while (url.len && url.ptr[url.len - 1] == '/')
		url.len--;
	return url;
}

static bool is_repository(const struct yaml_node *item, const char *repository)
{
	const struct slice url = bare(text_of(item, "url"));
	const struct slice want = bare(slice_of(repository));

	return url.len && url.len == want.len && memcmp(url.ptr, want.ptr, url.len) == 0;
}

static char *path_of(const struct yaml_node *item, const char *key)
{
	const struct slice text = text_of(item, key);

	return text.len ? own_bytes(text.ptr, text.len) : NULL;
}

bool helmrepos_read_tls(struct slice yaml, const char *what, const char *repository,
    struct helm_tls *out, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;

	*out = (struct helm_tls){0};
	if (!yaml_parse(yaml, what, &doc, e))
		return false;
	const struct yaml_node *list = yaml_resolve(yaml_get(yaml_root(doc), "repositories"));
	const struct yaml_node *r = list ? list->first : NULL;
	while (r && !is_repository(yaml_resolve(r), repository))
		r = r->next;
	const struct yaml_node *item = r ? yaml_resolve(r) : NULL;
	if (!item)
		return true;
	if (!text_of(item, "certFile").len != !text_of(item, "keyFile").len)
		return err_set(e, ERR_FORMAT,
		    "%.300s, %.200s: expected certFile and keyFile, found one of them", what,
		    repository);
	*out = (struct helm_tls){
	    .ca_file = path_of(item, "caFile"),
	    .cert_file = path_of(item, "certFile"),
	    .key_file = path_of(item, "keyFile"),
	    .insecure = slice_is(text_of(item, "insecure_skip_tls_verify"), "true"),
	};
	return true;
}
