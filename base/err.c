#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Adds ": " and text as far as there is room. */
static void add(struct err *e, const char *text)
{
	const char *const parts[] = {": ", text};
	size_t at = strlen(e->text);

	for (size_t i = 0; i < 2; i++)
		for (const char *c = parts[i]; *c && at + 1 < sizeof(e->text); c++)
			e->text[at++] = *c;
	e->text[at] = '\0';
}

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
	char reason[128];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	add(e, strerror_r(code, reason, sizeof(reason)));
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
	(void)vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	add(e, inner);
	return false;
}

void err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->code = 0;
	e->text[0] = '\0';
}
