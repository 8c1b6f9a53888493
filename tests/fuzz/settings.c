/*
 * A file of settings: what is read of it is found again under the name of its host, and what is
 * not is told in one line.
 */
#include "registry/settings.h"

#include "base/own.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(settings_drop) struct settings *s = NULL;
	struct err e = {0};
	const bool ok = settings_read(slice_at(bytes, len), "config", &s, &e);

	if (ok != (e.kind == ERR_NONE) || ok != (s != NULL))
		abort();
	if (!settings_of(s, "registry.corp:5000"))
		abort();
	return 0;
}
