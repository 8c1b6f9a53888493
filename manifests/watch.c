#include "manifests/watch.h"

#include <stdarg.h>
#include <stdio.h>

void watch_tell(struct watch *watch, const struct news *news)
{
	if (watch)
		watch->tell(watch, news);
}

void watch_warn(struct watch *watch, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	watch_tell(watch, &(struct news){.kind = NEWS_WARNING, .text = text});
}
