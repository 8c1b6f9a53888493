#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void out_of_memory(void) __attribute__((noreturn));

static void out_of_memory(void)
{
	static const char text[] = "sealift: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void *own_array(size_t count, size_t size)
{
	void *ptr = calloc(count ? count : 1, size ? size : 1);

	if (!ptr)
		out_of_memory();
	return ptr;
}

void *own_new(size_t size)
{
	return own_array(1, size);
}

void *own_grow(void *ptr, size_t count, size_t size)
{
	void *grown = reallocarray(ptr, count ? count : 1, size ? size : 1);

	if (!grown)
		out_of_memory();
	return grown;
}

char *own_bytes(const void *bytes, size_t len)
{
	char *copy = own_array(len + 1, 1);

	if (len)
		(void)memcpy(copy, bytes, len);
	return copy;
}

char *own_text(const char *text)
{
	return own_bytes(text, strlen(text));
}

void drop_fd(int *fd)
{
	const int keep = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = keep;
}

void drop_text(char **text)
{
	drop_any(text);
}

void drop_any(void *ptr_to_ptr)
{
	const int keep = errno;
	void *ptr;

	(void)memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
	free(ptr);
	(void)memset(ptr_to_ptr, 0, sizeof(ptr));
	errno = keep;
}
