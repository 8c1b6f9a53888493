/*
 * Calls a fuzz target once for every file of the folders named, in order of their names: the
 * corpora are tests, too, and need no fuzzer for that.
 */
#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool replay_file(const char *folder, const char *name, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(4096);
	OWNED(buf_drop) struct buf input = BUF(INPUT_MAX);

	buf_addf(&path, "%s/%s", folder, name);
	if (!file_read(buf_text(&path), INPUT_MAX, &input, e))
		return false;
	/* An exact copy, so that reading past its end is seen by the sanitizers. */
	OWNED(drop_any) uint8_t *copy = own_array(input.len ? input.len : 1, 1);
	memcpy(copy, buf_text(&input), input.len);
	(void)LLVMFuzzerTestOneInput(copy, input.len);
	return true;
}

static bool replay_folder(const char *folder, size_t *count, struct err *e)
{
	struct dirent **entries = NULL;
	const int found = scandir(folder, &entries, visible, alphasort);
	bool ok = found >= 0 || err_errno(e, "cannot list %s", folder);

	for (int i = 0; i < found; i++) {
		ok = ok && replay_file(folder, entries[i]->d_name, e);
		*count += ok;
		free(entries[i]);
	}
	free(entries);
	return ok;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		if (!replay_folder(argv[i], &count, &e)) {
			(void)fprintf(stderr, "standalone: %s\n", e.text);
			return 1;
		}
	(void)printf("%zu inputs replayed\n", count);
	return 0;
}
