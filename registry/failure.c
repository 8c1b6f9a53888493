#include "registry/failure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WANTS_CERTIFICATE                                                                      \
	"; the server wants a client certificate: give it with --cert-file and --key-file, "   \
	"or "                                                                                  \
	"in certs.d"

/* Sentences of libcurl and OpenSSL that say more than the code; the first that fits counts. */
struct sign {
	const char *words;
	enum err_kind kind;
	bool may_pass;
	const char *advice;
};

static const struct sign signs[] = {
    {"response 407", ERR_DENIED, false,
	"; the proxy wants a login, or another than it got: write "
	"http://USER:PASSWORD@HOST:PORT into its variable"},
    {"tunnel failed, response 401", ERR_DENIED, false,
	"; the proxy refuses the login that its variable holds"},
    {"tunnel failed, response 403", ERR_DENIED, false,
	"; the proxy does not let this host be reached"},
    {"certificate required", ERR_NETWORK, false, WANTS_CERTIFICATE},
    {"bad certificate", ERR_NETWORK, false, WANTS_CERTIFICATE},
    {"errno 107", ERR_NETWORK, true, WANTS_CERTIFICATE},
    {"wrong version number", ERR_NETWORK, false,
	"; it does not speak TLS: if plain http is intended, use --plain-http"},
    {"not match target host name", ERR_NETWORK, false,
	"; its certificate is for another name: check the address"},
};

/* What a certificate of the wrong time says depends on whose clock is right. */
static bool about_time(const char *reason, struct failure *out)
{
	const time_t now = time(NULL);
	struct tm tm;
	char text[32];

	if (!strstr(reason, "not yet valid") && !strstr(reason, "has expired"))
		return false;
	if (!gmtime_r(&now, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm))
		return false;
	(void)snprintf(out->advice, sizeof(out->advice),
	    "; this machine's clock says %s: is it right, is the certificate", text);
	return true;
}

static const char *advice_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return "; give the authority that signed its certificate with --ca-file, and "
		       "check this machine's clock";
	case CURLE_SSL_CONNECT_ERROR:
		return "; TLS was not agreed: if it speaks plain http, and that is intended, "
		       "use --plain-http";
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return "; check the name, the port and the proxy settings";
	case CURLE_PARTIAL_FILE:
		return "; the connection broke: run the same command again to continue";
	case CURLE_OPERATION_TIMEDOUT:
		return "; the other side stopped answering";
	default:
		return "";
	}
}

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
	case CURLE_SEND_FAIL_REWIND: /* a PATCH, on a kept connection */
	case CURLE_RECV_ERROR:
	case CURLE_AGAIN:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_CHUNK_FAILED:
	case CURLE_BAD_CONTENT_ENCODING:
		return true;
	default:
		return false;
	}
}

void failure_read(CURLcode code, const char *reason, struct failure *out)
{
	*out = (struct failure){.kind = ERR_NETWORK};
	if (about_time(reason, out))
		return;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (strstr(reason, signs[i].words)) {
			out->kind = signs[i].kind;
			out->may_pass = signs[i].may_pass;
			(void)snprintf(out->advice, sizeof(out->advice), "%s", signs[i].advice);
			return;
		}
	}
	out->may_pass = passes(code);
	(void)snprintf(out->advice, sizeof(out->advice), "%s", advice_of(code));
}
