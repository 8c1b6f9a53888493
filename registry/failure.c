#include "registry/failure.h"

const char *failure_advice(CURLcode code)
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

bool failure_passes(CURLcode code)
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
