#include "cmd/config.h"

#include "base/own.h"

#include <stdlib.h>

enum { POLICY_FILE_MAX = 64 * 1024 };

static const char *chosen(void)
{
	const char *folder = getenv("SEALIFT_CONFIG");

	return folder && *folder ? folder : NULL;
}

bool config_path(const char *name, struct buf *out, struct err *e)
{
	const char *folder = chosen();

	buf_init(out, CONFIG_PATH_MAX);
	buf_addf(out, "%s/%s", folder ? folder : "/etc/sealift", name);
	return buf_ok(out, e);
}

enum guard config_guard(void)
{
	return chosen() ? GUARD_USER : GUARD_ROOT;
}

bool config_policy(struct policy *out, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(0);
	OWNED(buf_drop) struct buf text = BUF(0);
	struct err failure = {0};

	*out = policy_default();
	if (!config_path("trust.conf", &path, e))
		return false;
	if (guarded_read(buf_text(&path), POLICY_FILE_MAX, config_guard(), &text, &failure))
		return policy_read(buf_slice(&text), buf_text(&path), out, e);
	if (failure.kind == ERR_MISSING)
		return true;
	*e = failure;
	return false;
}
