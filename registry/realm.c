#include "registry/realm.h"

#include "base/own.h"
#include "registry/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

/* How near an address is; a name, and an address of everybody's, is nowhere in particular. */
enum nearness { NEAR_NOT, NEAR_MACHINE, NEAR_LINK, NEAR_PRIVATE };

static enum nearness near_v4(uint32_t a)
{
	if (a >> 24 == 127 || a >> 24 == 0)
		return NEAR_MACHINE;
	if (a >> 16 == 0xa9fe) /* 169.254/16: link-local, and the clouds' metadata */
		return NEAR_LINK;
	return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ? NEAR_PRIVATE : NEAR_NOT;
}

static enum nearness near_v6(const struct in6_addr *a)
{
	const unsigned char *b = a->s6_addr;

	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a))
		return near_v4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16
			       | (uint32_t)b[14] << 8 | b[15]);
	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a))
		return NEAR_MACHINE;
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return NEAR_LINK;
	return (b[0] & 0xfe) == 0xfc ? NEAR_PRIVATE : NEAR_NOT;
}

/* host as a URL has it: an IPv6 address stands in brackets, perhaps with a zone. */
static enum nearness nearness(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[INET6_ADDRSTRLEN] = "";
	const size_t len = host[0] == '[' ? strcspn(host + 1, "]%") : sizeof(bare);

	if (strcasecmp(host, "localhost") == 0)
		return NEAR_MACHINE;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return near_v4(ntohl(v4.s_addr));
	if (len >= sizeof(bare))
		return NEAR_NOT;
	(void)memcpy(bare, host + 1, len);
	return inet_pton(AF_INET6, bare, &v6) == 1 ? near_v6(&v6) : NEAR_NOT;
}

bool realm_may_redirect(const char *from, const char *to)
{
	OWNED(url_parts_drop) struct url_parts here = {0};
	OWNED(url_parts_drop) struct url_parts there = {0};
	struct err ignored = {0};

	if (!http_url_parts(from, &here, &ignored) || !http_url_parts(to, &there, &ignored))
		return false;
	const enum nearness how = nearness(there.host);
	return (how != NEAR_MACHINE && how != NEAR_LINK) || nearness(here.host) == how
	       || strcasecmp(here.host, there.host) == 0;
}

bool realm_check(const char *base, const char *realm, const char *host, enum realm_trust trust,
    struct err *e)
{
	OWNED(url_parts_drop) struct url_parts from = {0};
	OWNED(url_parts_drop) struct url_parts to = {0};

	if (!http_url_parts(base, &from, e) || !http_url_parts(realm, &to, e))
		return false;
	if (trust == REALM_ANY)
		return true;
	if (strcmp(from.scheme, "https") == 0 && strcmp(to.scheme, "https") != 0)
		return err_set(e, ERR_DENIED,
		    "%.120s: its token service is at a plain http address; no login is sent "
		    "there, unless allow-http-realm says so in --config",
		    host);
	const enum nearness there = nearness(to.host);
	return there == NEAR_NOT || strcasecmp(from.host, to.host) == 0
	       || nearness(from.host) == there
	       || err_set(e, ERR_DENIED,
		   "%.120s: its token service is at %.80s, an address of this machine or of a "
		   "private network; no login is sent there",
		   host, to.host);
}
