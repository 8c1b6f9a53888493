#include "registry/tls.h"

#include "base/file.h"
#include "base/own.h"
#include "registry/authplaces.h"
#include "registry/certsd.h"
#include "registry/helmrepos.h"
#include "registry/quirks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	AUTHORITIES_MAX = 16 * 1024 * 1024,
	PLACE_MAX = 8192,
};

struct identity {
	struct identity *next;
	char *host;
	char *repository;	/* for a chart repository's files; NULL: for all else */
	struct buf authorities; /* empty: the system's alone, by libcurl's own means */
	struct certsd own;
	struct helm_tls helm;
	const char *cert; /* NULL: none */
	const char *key;
};

void identities_free(struct identity *first)
{
	while (first) {
		struct identity *next = first->next;
		buf_drop(&first->authorities);
		certsd_drop(&first->own);
		helm_tls_drop(&first->helm);
		free(first->repository);
		free(first->host);
		free(first);
		first = next;
	}
}

/* The file of the environment: libcurl itself reads none of these (TLS-08). */
static const char *environment_file(void)
{
	static const char *const names[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = getenv(names[i]);
		if (path && *path)
			return path;
	}
	return NULL;
}

static const char *system_authorities(CURL *curl)
{
	const char *path = environment_file();
	char *builtin = NULL;

	if (path)
		return path;
	return curl_easy_getinfo(curl, CURLINFO_CAINFO, &builtin) == CURLE_OK ? builtin : NULL;
}

static bool add_file(struct identity *id, const char *path, const char *option, struct err *e)
{
	OWNED(buf_drop) struct buf own = BUF(0);

	if (!file_read(path, AUTHORITIES_MAX, &own, e))
		return err_in(e, "%s", option);
	if (!strstr(buf_text(&own), "-----BEGIN "))
		return err_set(
		    e, ERR_FORMAT, "%s: expected certificates in PEM in %s", option, path);
	buf_adds(&id->authorities, "\n");
	buf_add(&id->authorities, buf_text(&own), own.len);
	return buf_ok(&id->authorities, e);
}

/* With authorities of its own, the host's are one text with the system's: they add. */
static bool read_authorities(
    const struct http *h, const struct host_settings *s, struct identity *id, struct err *e)
{
	OWNED(buf_drop) struct buf all = BUF(0);
	const char *system = system_authorities(h->curl);
	struct slice rest =
	    id->own.authorities.len ? buf_slice(&id->own.authorities) : (struct slice){0};
	struct err ignored = {0};
	struct slice line;

	id->authorities = BUF(4 * (size_t)AUTHORITIES_MAX);
	if (!h->config.ca_file && !s->ca_file && !id->helm.ca_file && !rest.len)
		return true;
	if (system && file_read(system, AUTHORITIES_MAX, &all, &ignored))
		buf_add(&id->authorities, all.ptr, all.len);
	if (h->config.ca_file && !add_file(id, h->config.ca_file, "--ca-file", e))
		return false;
	if (s->ca_file && !add_file(id, s->ca_file, "ca-file", e))
		return false;
	if (id->helm.ca_file && !add_file(id, id->helm.ca_file, "caFile of Helm's list", e))
		return false;
	while (slice_cut(&rest, '\n', &line)) {
		OWNED(drop_text) char *path = own_bytes(line.ptr, line.len);
		if (!add_file(id, path, "certs.d", e))
			return false;
	}
	return true;
}

/* What Helm's list of repositories says of the one that is asked for (HLM-04). */
static bool read_helm(struct identity *id, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PLACE_MAX);
	OWNED(secret_buf_drop) struct buf text = BUF(HELMREPOS_MAX);

	authplaces_repositories(&path);
	if (!id->repository || !path.len)
		return true;
	if (file_read(buf_text(&path), HELMREPOS_MAX, &text, e))
		return helmrepos_read_tls(
		    buf_slice(&text), buf_text(&path), id->repository, &id->helm, e);
	if (e->kind != ERR_MISSING)
		return false;
	err_clear(e);
	return true;
}

/* The nearer word counts: the settings, then Helm's list, then the folders of certs.d. */
static bool read_identity(
    const struct http *h, const struct host_settings *s, struct identity *id, struct err *e)
{
	if (!certsd_find(id->host, &id->own, e) || !read_helm(id, e)
	    || !read_authorities(h, s, id, e))
		return false;
	id->cert = s->client_cert	? s->client_cert
		   : id->helm.cert_file ? id->helm.cert_file
					: id->own.cert;
	id->key = s->client_cert       ? s->client_key
		  : id->helm.cert_file ? id->helm.key_file
				       : id->own.key;
	return true;
}

static bool is_for(const struct identity *id, const char *host, const char *repository)
{
	return strcmp(id->host, host) == 0 && !id->repository == !repository
	       && (!repository || strcmp(id->repository, repository) == 0);
}

static bool find_identity(struct http *h, const char *host, const char *repository,
    const struct identity **out, struct err *e)
{
	const struct host_settings *s = settings_of(h->config.settings, host);
	struct identity *id = h->identities;

	while (id && !is_for(id, host, repository))
		id = id->next;
	if (!id) {
		id = own_new(sizeof(*id));
		id->host = own_text(host);
		id->repository = repository ? own_text(repository) : NULL;
		if (!read_identity(h, s, id, e)) {
			identities_free(id);
			return false;
		}
		id->next = h->identities;
		h->identities = id;
	}
	*out = id;
	return true;
}

static void set_authorities(CURL *curl, const struct identity *id)
{
	const char *folder = getenv("SSL_CERT_DIR");

	if (folder && *folder)
		curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
	if (id->authorities.len) {
		struct curl_blob blob = {
		    id->authorities.ptr, id->authorities.len, CURL_BLOB_NOCOPY};
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	} else if (environment_file()) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, environment_file());
	}
}

/* Whether url is at the machine that the command line's words on TLS are about. */
static bool at_home(const struct http_request *r, const char *url)
{
	OWNED(url_parts_drop) struct url_parts here = {0};
	OWNED(url_parts_drop) struct url_parts home = {0};
	struct err ignored = {0};

	return r->home && http_url_parts(url, &here, &ignored)
	       && http_url_parts(r->home, &home, &ignored)
	       && strcasecmp(here.host, home.host) == 0;
}

bool tls_set(struct http *h, const struct http_request *r, const char *url, struct err *e)
{
	char host[HOST_TEXT_MAX];
	const struct host_settings *s = settings_of(h->config.settings, quirks_host(url, host));
	const struct identity *id = NULL;
	const bool own = h->config.cert_file != NULL;
	const char *repository =
	    r->chart_repository && http_url_same_origin(r->chart_repository, url)
		? r->chart_repository
		: NULL;

	if (!find_identity(h, host, repository, &id, e))
		return false;
	const bool verify =
	    !s->insecure && !id->helm.insecure && !(h->config.insecure && at_home(r, url));
	const char *cert = own ? h->config.cert_file : id->cert;
	const char *key = own ? h->config.key_file : id->key;
	set_authorities(h->curl, id);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	if (cert)
		curl_easy_setopt(h->curl, CURLOPT_SSLCERT, cert);
	if (key)
		curl_easy_setopt(h->curl, CURLOPT_SSLKEY, key);
	return true;
}
