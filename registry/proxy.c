#include "registry/proxy.h"

#include "base/own.h"
#include "registry/quirks.h"

#include <stdlib.h>
#include <string.h>

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* libcurl reads http_proxy alone, since a CGI program's caller can set HTTP_PROXY; others read
 * both, and this is no CGI program unless REQUEST_METHOD is set. */
static const char *environment_proxy(const char *url)
{
	if (strncmp(url, "http://", 7) != 0 || is_set("http_proxy") || is_set("REQUEST_METHOD"))
		return NULL;
	return is_set("HTTP_PROXY") ? getenv("HTTP_PROXY") : NULL;
}

bool proxy_set(struct http *h, const char *url, struct err *e)
{
	char host[HOST_TEXT_MAX];
	const struct host_settings *s = settings_of(h->config.settings, quirks_host(url, host));
	const char *proxy = s->proxy ? s->proxy : environment_proxy(url);

	if (s->proxy) {
		/* What is said of a host is stronger than NO_PROXY. */
		curl_easy_setopt(h->curl, CURLOPT_NOPROXY, "");
		if (strcmp(proxy, "none") == 0)
			proxy = "";
	}
	if (proxy && curl_easy_setopt(h->curl, CURLOPT_PROXY, proxy) != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "libcurl takes no proxy");
	return true;
}
