#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(err, a_failure_is_one_sentence_with_a_kind)
{
	struct err e = {0};

	cr_assert_not(err_set(&e, ERR_DAMAGED, "expected %d, got %d", 3, 5));
	cr_assert_eq(e.kind, ERR_DAMAGED);
	cr_assert_eq(e.code, 0);
	cr_assert_str_eq(e.text, "expected 3, got 5");
	cr_assert_not(err_in(&e, "blob %s", "abc"));
	cr_assert_str_eq(e.text, "blob abc: expected 3, got 5");
	cr_assert_eq(e.kind, ERR_DAMAGED);
	err_clear(&e);
	cr_assert_eq(e.kind, ERR_NONE);
	cr_assert_str_empty(e.text);
}

Test(err, errno_is_kept_and_named)
{
	struct err e = {0};

	errno = ENOENT;
	cr_assert_not(err_errno(&e, "cannot open %s", "x"));
	cr_assert_eq(e.kind, ERR_SYSTEM);
	cr_assert_eq(e.code, ENOENT);
	cr_assert_str_eq(e.text, "cannot open x: No such file or directory");
}

Test(err, a_text_that_is_too_long_is_cut)
{
	struct err e = {0};
	char text[2 * sizeof(e.text)];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t len = sizeof(e.text) - 8; len < sizeof(e.text) + 8; len++) {
		(void)err_set(&e, ERR_FORMAT, "inner");
		(void)err_in(&e, "%.*s", (int)len, text);
		cr_assert_lt(strlen(e.text), sizeof(e.text));
		cr_expect_eq(strncmp(e.text, text, sizeof(e.text) - 8), 0);
		errno = EIO;
		(void)err_errno(&e, "%.*s", (int)len, text);
		cr_expect_lt(strlen(e.text), sizeof(e.text));
	}
}
