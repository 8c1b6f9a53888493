#include "registry/tls.h"

#include "base/file.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>

enum { AUTHORITIES_MAX = 16 * 1024 * 1024 };

static const char *system_authorities(CURL *curl)
{
	const char *path = getenv("SSL_CERT_FILE");
	char *builtin = NULL;

	if (path && *path)
		return path;
	return curl_easy_getinfo(curl, CURLINFO_CAINFO, &builtin) == CURLE_OK ? builtin : NULL;
}

bool tls_read(struct http *h, struct err *e)
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

void tls_set(struct http *h)
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
