#include "registry/quirks.h"

#include "base/own.h"
#include "registry/url.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct row {
	const char *id;		/* of PROTOCOL.md */
	const char *recognised; /* for people: "refuses ..." */
	const char *done;
	const char *setting;
};

static const struct row rows[QUIRK_COUNT] = {
    [QUIRK_TOKEN_BY_GET] = {"TOK-03", "its token service does not know POST",
	"tokens are asked for by GET", "token-method: get"},
    [QUIRK_NO_EXPECT] = {"UPL-19", "it does not answer \"Expect: 100-continue\" in time",
	"nothing is expected any more", "expect: off"},
    [QUIRK_NO_MOUNT] = {"UPL-02", "it mounts no layers of its other repositories",
	"they are uploaded to each", "mount: off"},
    [QUIRK_CHUNKS] = {"UPL-08", "it, or a proxy before it, refuses an upload in one PUT",
	"uploads go in chunks", "upload: patch-chunk"},
    [QUIRK_ONE_PATCH] = {"UPL-08", "it refuses an upload in chunks", "uploads go in one PATCH",
	"upload: patch-whole"},
    [QUIRK_SMALL_CHUNKS] = {"UPL-12", "a chunk is too large for it, or for a proxy before it",
	"chunks are smaller", "chunk-size: BYTES"},
    [QUIRK_NO_REFERRERS] = {"RFR-01", "it does not list what refers to an image",
	"that is looked for by tags", "referrers: tag"},
    [QUIRK_NO_HTTP2] = {"UPL-22", "a connection that was to speak HTTP/2 broke off",
	"HTTP/1.1 is spoken", "http: 1.1"},
};

/* Names of hosts that mean another: what people write, what stands in URLs. */
struct alias {
	const char *name;
	const char *means;
};

static const struct alias aliases[] = {
    {"index.docker.io", "docker.io"},
    {"registry-1.docker.io", "docker.io"},
    {"docker.io", "docker.io"},
};

static const struct alias *find_alias(struct slice host)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (host.len == strlen(aliases[i].name)
		    && strncasecmp(host.ptr, aliases[i].name, host.len) == 0)
			return &aliases[i];
	}
	return NULL;
}

bool quirks_is_hub(struct slice host)
{
	return find_alias(host) != NULL;
}

const char *quirks_host(const char *url, char host[HOST_TEXT_MAX])
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	struct err ignored = {0};

	host[0] = '\0';
	if (!http_url_parts(url, &u, &ignored))
		return host;
	const struct alias *alias = u.port ? NULL : find_alias(slice_of(u.host));
	(void)snprintf(host, HOST_TEXT_MAX, "%s%s%s", alias ? alias->means : u.host,
	    u.port ? ":" : "", u.port ? u.port : "");
	return host;
}

/* Hosts by their endings, or by a word in them, where repositories are made by hand (PSH-08).
 */
struct maker {
	const char *part;
	const char *hint;
};

static const struct maker makers[] = {
    {".amazonaws.com",
	"ECR makes no repository by itself: aws ecr create-repository --repository-name NAME"},
    {".pkg.dev", "the repository of Artifact Registry (PROJECT/REPOSITORY) must be made first"},
    {".jfrog.io", "the first part of the name must be the key of a Docker repository"},
    {"artifactory", "the first part of the name must be the key of a Docker repository"},
    {"gitlab", "the project must exist, with its container registry switched on"},
    {"harbor", "the project, which is the first part of the name, must be made first"},
    {"nexus", "the address must be that of a hosted Docker repository's connector"},
    {"quay", "the organization must exist, and the login may need the right to create in it"},
    {"docker.io", "the name must begin with your user or organization"},
    {"ghcr.io", "the name must begin with your user or organization"},
    {".azurecr.io", "the login needs the role AcrPush"},
};

const char *quirks_missing_repository(const char *host)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strcasestr(host, makers[i].part))
			return makers[i].hint;
	return NULL;
}

bool quirk_known(const quirk_facts *facts, enum quirk q)
{
	return atomic_load(facts) & 1U << q;
}

void quirk_assume(quirk_facts *facts, enum quirk q)
{
	(void)atomic_fetch_or(facts, 1U << q);
}

void quirk_learn(quirk_facts *facts, enum quirk q, const char *host, struct watch *watch)
{
	if (atomic_fetch_or(facts, 1U << q) & 1U << q)
		return;
	char text[512];
	(void)snprintf(text, sizeof(text),
	    "%.100s: %s (%s), so %s; \"%s\" under registries in --config says so for good",
	    host, rows[q].recognised, rows[q].id, rows[q].done, rows[q].setting);
	watch_tell(watch, &(struct news){.kind = NEWS_LEARNED, .text = text});
}
