#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	e->kind = kind;
	e->code = 0;
	return false;
}

bool err_errno(struct err *e, const char *fmt, ...)
{
	const int code = errno;
	va_list args;

	va_start(args, fmt);
	int used = vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	if (used < 0)
		used = 0;
	if ((size_t)used < sizeof(e->text)) {
		char reason[128];
		(void)snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s",
		    strerror_r(code, reason, sizeof(reason)));
	}
	e->kind = ERR_SYSTEM;
	e->code = code;
	return false;
}

bool err_in(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	va_list args;

	(void)memcpy(inner, e->text, sizeof(inner));
	va_start(args, fmt);
	int used = vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	if (used < 0)
		used = 0;
	if ((size_t)used < sizeof(e->text))
		(void)snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s", inner);
	return false;
}

void err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->code = 0;
	e->text[0] = '\0';
}
