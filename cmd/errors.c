#include "cmd/errors.h"

bool errors_join(const struct err *errors, size_t count, const char *what, struct watch *watch,
    struct err *e)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		if (errors[i].kind == ERR_NONE)
			continue;
		if (failed++)
			watch_warn(watch, "%s", errors[i].text);
		else
			*e = errors[i];
	}
	if (failed > 1)
		return err_in(e, "%zu of %zu %s; the first is", failed, count, what);
	return !failed;
}
