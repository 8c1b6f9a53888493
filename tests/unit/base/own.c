#include "base/own.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

Test(own, steal_leaves_the_variable_empty)
{
	char *text = own_text("mine");
	char *taken = STEAL(text);

	cr_assert_null(text);
	cr_assert_str_eq(taken, "mine");
	drop_text(&taken);
	cr_assert_null(taken);
	drop_text(&taken);
}

Test(own, things_are_zeroed_and_none_is_a_thing)
{
	static const char zeros[4096];
	OWNED(drop_any) char *array = own_array(4, 1024);
	OWNED(drop_any) void *none = own_array(0, 8);
	OWNED(drop_any) int *one = own_new(sizeof(*one));
	OWNED(drop_any) void *grown = own_grow(NULL, 0, 8);

	cr_expect_eq(memcmp(array, zeros, 4096), 0);
	cr_expect_eq(*one, 0);
	cr_expect_not_null(none);
	cr_expect_not_null(grown);
}

Test(own, growing_keeps_what_is_there)
{
	OWNED(drop_any) int *numbers = NULL;

	for (int i = 0; i < 1000; i++) {
		numbers = own_grow(numbers, (size_t)i + 1, sizeof(*numbers));
		numbers[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		cr_expect_eq(numbers[i], i);
}

Test(own, bytes_are_copied_with_a_nul_behind)
{
	OWNED(drop_text) char *copy = own_bytes("a\0b", 3);
	OWNED(drop_text) char *empty = own_bytes(NULL, 0);

	cr_expect_eq(memcmp(copy, "a\0b", 4), 0);
	cr_expect_str_empty(empty);
}

static int open_here(void)
{
	OWNED(drop_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	errno = EIO;
	return fd;
}

Test(own, what_goes_out_of_scope_is_given_back_and_errno_stays)
{
	const int fd = open_here();
	int none = -1;
	char *text = own_text("x");

	cr_expect_eq(errno, EIO);
	cr_expect_eq(fcntl(fd, F_GETFD), -1, "the file is closed");
	errno = EIO;
	drop_fd(&none);
	drop_any(&text);
	cr_expect_eq(errno, EIO);
	cr_expect_null(text);
}
