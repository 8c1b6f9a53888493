/*
 * The program's own reader over many bundles in one process: verdicts KEY.pub reads paths, one
 * a line, and answers each with a line "KIND SENTENCE", KIND as in base/err.h.
 */
#include "base/own.h"
#include "bundle/reader.h"

#include <stdio.h>
#include <string.h>

static bool judge(const char *path, const struct trust *trust, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(reader_drop) struct reader *reader = NULL;

	return medium_open_file(path, MEDIUM_READ, &medium, e)
	       && reader_open(&medium, trust, &reader, e) && reader_verify(reader, 1, NULL, e);
}

int main(int argc, char **argv)
{
	OWNED(trust_drop) struct trust *trust = trust_new();
	char path[4096];
	struct err e = {0};

	if (argc != 2 || !trust_add(trust, argv[1], &e)) {
		(void)fprintf(stderr, "usage: verdicts KEY.pub: %s\n", e.text);
		return 2;
	}
	while (fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		err_clear(&e);
		(void)judge(path, trust, &e);
		(void)printf("%d %s\n", (int)e.kind, e.text);
		(void)fflush(stdout);
	}
	return 0;
}
