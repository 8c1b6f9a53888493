#include "registry/http.h"

#include "base/own.h"
#include "registry/quirks.h"
#include "registry/redirect.h"
#include "registry/tls.h"
#include "registry/transfer.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { REDIRECTS_MAX = 10 };

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

struct http *http_new(const struct http_config *config)
{
	struct http *h = own_new(sizeof(*h));

	h->config = *config;
	h->curl = curl_easy_init();
	if (!h->curl)
		(void)err_set(&h->broken, ERR_SYSTEM, "libcurl cannot be started");
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	identities_free(h->identities);
	free(h);
}

void http_drop(struct http **h)
{
	http_free(*h);
	*h = NULL;
}

static struct redirect_leave leave_of(const struct http *h, const struct http_request *r)
{
	char host[HOST_TEXT_MAX];
	const char *home = r->home ? r->home : r->url;
	const struct host_settings *s =
	    settings_of(h->config.settings, quirks_host(home, host));

	return (struct redirect_leave){
	    .plain = s->insecure || (r->home && h->config.insecure),
	    .near = s->allow_private_redirect,
	};
}

bool http_send(
    struct http *h, const struct http_request *r, struct http_answer *a, struct err *e)
{
	OWNED(drop_text) char *url = own_text(r->url);
	const struct redirect_leave leave = leave_of(h, r);

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
		if (!transfer_run(h, r, url, a, e))
			return false;
		if (!redirect_asked(r, a))
			return true;
		if (!redirect_url(url, a, &leave, &next, e))
			return false;
		free(url);
		url = own_text(buf_text(&next));
	}
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);
	http_url_show(r->url, &shown);
	return err_set(
	    e, ERR_NETWORK, "%.160s: more than %d redirects", buf_text(&shown), REDIRECTS_MAX);
}
