#include "manifests/platform.h"

#include <stdio.h>
#include <string.h>

/* What people and tools call an architecture, and what image documents call it (PLT-02). */
static const struct {
	const char *said;
	const char *arch;
	const char *variant; /* NULL: keep what was said */
} aliases[] = {
    {"x86_64", "amd64", NULL},
    {"x86-64", "amd64", NULL},
    {"aarch64", "arm64", NULL},
    {"armhf", "arm", "v7"},
    {"armel", "arm", "v6"},
    {"i386", "386", NULL},
};

static void copy(char *to, size_t room, struct slice from)
{
	const size_t len = from.len < room - 1 ? from.len : room - 1;

	if (len)
		(void)memcpy(to, from.ptr, len);
	to[len] = '\0';
}

void platform_set(struct platform *p, struct slice os, struct slice arch, struct slice variant)
{
	*p = (struct platform){0};
	copy(p->os, sizeof(p->os), os);
	copy(p->arch, sizeof(p->arch), arch);
	copy(p->variant, sizeof(p->variant), variant);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(p->arch, aliases[i].said) != 0)
			continue;
		copy(p->arch, sizeof(p->arch), slice_of(aliases[i].arch));
		if (aliases[i].variant)
			copy(p->variant, sizeof(p->variant), slice_of(aliases[i].variant));
	}
	if (strcmp(p->arch, "arm") == 0 && !p->variant[0])
		copy(p->variant, sizeof(p->variant), slice_of("v7"));
	if ((strcmp(p->arch, "arm64") == 0 && strcmp(p->variant, "v8") == 0)
	    || (strcmp(p->arch, "amd64") == 0 && strcmp(p->variant, "v1") == 0))
		p->variant[0] = '\0';
}

void platform_set_version(struct platform *p, struct slice version)
{
	copy(p->version, sizeof(p->version), version);
}

static bool word(struct slice s, size_t room)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			s.ptr[i])
		    || !s.ptr[i])
			return false;
	return s.len && s.len < room;
}

/* Takes "(10.0.17763)" off the end of "windows(10.0.17763)", as containerd writes it. */
static bool take_version(struct slice *os, struct slice *version)
{
	struct slice rest = *os;

	(void)slice_cut(&rest, '(', os);
	if (!rest.ptr)
		return true;
	*version = slice_at(rest.ptr, rest.len ? rest.len - 1 : 0);
	return rest.len && rest.ptr[rest.len - 1] == ')'
	       && word(*version, sizeof(((struct platform *)0)->version));
}

bool platform_parse(struct slice text, struct platform *p, struct err *e)
{
	struct slice rest = text;
	struct slice os;
	struct slice arch;
	struct slice variant = {0};
	struct slice version = {0};

	if (!slice_cut(&rest, '/', &os) || !slice_cut(&rest, '/', &arch)
	    || !take_version(&os, &version) || !word(os, sizeof(p->os))
	    || !word(arch, sizeof(p->arch))
	    || (rest.ptr && !word(variant = rest, sizeof(p->variant))))
		return err_set(e, ERR_USAGE,
		    "expected a platform such as linux/amd64 or linux/arm/v7, found \"%.*s\"",
		    SLICE_ARG(text));
	platform_set(p, os, arch, variant);
	platform_set_version(p, version);
	return true;
}

const char *platform_text(const struct platform *p, char out[PLATFORM_TEXT])
{
	const bool version = p->version[0] != '\0';

	if (!p->os[0] && !p->arch[0])
		(void)snprintf(out, PLATFORM_TEXT, "unknown");
	else
		(void)snprintf(out, PLATFORM_TEXT, "%s%s%s%s/%s%s%s", p->os, version ? "(" : "",
		    p->version, version ? ")" : "", p->arch, p->variant[0] ? "/" : "",
		    p->variant);
	return out;
}

bool platform_equal(const struct platform *a, const struct platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->arch, b->arch) == 0
	       && strcmp(a->variant, b->variant) == 0;
}

/* The number of a variant: 7 for "v7"; what stands for none is the architecture's base. */
static int level(const struct platform *p)
{
	const bool arm64 = strcmp(p->arch, "arm64") == 0;

	if (!p->variant[0])
		return arm64 ? 8 : 1;
	if (p->variant[0] != 'v' || p->variant[1] < '1' || p->variant[1] > '9' || p->variant[2])
		return -1;
	return p->variant[1] - '0';
}

/* Windows runs what its own build was made for: the first three numbers (PLT-04).  0: it does
 * not; 2: the very version; 1: one that does as well. */
static int match_version(const char *want, const char *have)
{
	size_t dots = 0;
	size_t i = 0;

	if (strcmp(want, have) == 0)
		return 2;
	for (; want[i]; i++) {
		dots += want[i] == '.';
		if (dots == 3)
			break;
		if (want[i] != have[i])
			return 0;
	}
	return have[i] == '.' || !have[i];
}

int platform_match(const struct platform *want, const struct platform *have)
{
	enum { EXACT = 100 };
	const int version = match_version(want->version, have->version);

	if (want->version[0] && !version)
		return 0;
	if (platform_equal(want, have))
		return EXACT + version;
	if (strcmp(want->os, have->os) != 0 || strcmp(want->arch, have->arch) != 0)
		return 0;
	const int wanted = level(want);
	const int offered = level(have);
	return wanted > 0 && offered > 0 && offered < wanted ? offered : 0;
}
