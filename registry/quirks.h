/*
 * What single registries do in their own way, as data: a row says how it is recognised and what
 * is done.  Facts about a host are learnt in a run, told once, in one line, with the setting
 * that would save the detour for good.
 */
#pragma once

#include "manifests/watch.h"

enum { HOST_TEXT_MAX = 512 };

/* Facts that a run learns about a host; a row each in quirks.c. */
enum quirk {
	QUIRK_TOKEN_BY_GET,
	QUIRK_NO_EXPECT,
	QUIRK_NO_MOUNT,
	QUIRK_CHUNKS,
	QUIRK_ONE_PATCH,
	QUIRK_SMALL_CHUNKS,
	QUIRK_NO_REFERRERS,
	QUIRK_NO_HTTP2,
	QUIRK_COUNT,
};

/* The host of a URL as people write it, "name[:port]": that of an API of several names is the
 * one in references (REF-03).  Into host, which is returned; "" for what is no URL. */
const char *quirks_host(const char *url, char host[HOST_TEXT_MAX]);

/* Whether host is one of the names of Docker Hub (CRD-04). */
bool quirks_is_hub(struct slice host);

/* What must be made at a host before the first push into a repository (PSH-08); NULL: nothing
 * is known. */
const char *quirks_missing_repository(const char *host);

/* The learnt facts of one host, a bit a quirk; zero to begin with. */
typedef _Atomic unsigned quirk_facts;

bool quirk_known(const quirk_facts *facts, enum quirk q);

/* Knows it from a setting: nothing is told. */
void quirk_assume(quirk_facts *facts, enum quirk q);

/* Learns; the first time tells what it means and which setting fixes it. */
void quirk_learn(quirk_facts *facts, enum quirk q, const char *host, struct watch *watch);
