#include "registry/scopes.h"

#include "base/own.h"
#include "registry/token.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
	const char *set;
	const char *more;
	const char *want;
};

static const struct row rows[] = {
    {"", "repository:a:pull", "repository:a:pull"},
    {"", "repository:a:push", "repository:a:pull,push"},
    {"repository:a:pull", "repository:a:push,pull", "repository:a:pull,push"},
    {"repository:a:pull,push", "repository:a:pull", "repository:a:pull,push"},
    {"repository:a:pull", "repository:b:pull", "repository:b:pull repository:a:pull"},
    {"repository:a:pull", "repository:b:pull repository:a:pull",
	"repository:b:pull repository:a:pull"},
    {"", "repository:host:5000/x:pull", "repository:host:5000/x:pull"},
    {"", "repository:a:delete,pull,*", "repository:a:pull"},
    {"repository:a:pull", "registry:catalog:*", "repository:a:pull"},
    {"repository:a:pull", "  ", "repository:a:pull"},
    {"repository:a:pull", "nonsense : :: a:", "repository:a:pull"},
};

Test(scopes, TOK_09_TOK_10_TOK_11_sets_that_are_merged)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf set = BUF(SCOPES_MAX);
		buf_adds(&set, rows[i].set);
		scopes_merge(&set, slice_of(rows[i].more));
		cr_expect_str_eq(buf_text(&set), rows[i].want, "row %zu", i);
	}
}

Test(scopes, TOK_09_what_a_set_covers)
{
	const struct slice have = slice_of("repository:a:push,pull repository:b:pull");

	cr_expect(scopes_cover(have, slice_of("repository:b:pull repository:a:pull,push")));
	cr_expect(scopes_cover(have, slice_of("")));
	cr_expect(scopes_cover(have, slice_of("repository:a:delete")), "is never asked for");
	cr_expect_not(scopes_cover(have, slice_of("repository:b:pull,push")));
	cr_expect_not(scopes_cover(have, slice_of("repository:c:pull")));
}

Test(tokens, TOK_14_a_token_must_outlive_its_request)
{
	cr_expect(token_lives(0, 100, 50, 49));
	cr_expect_not(token_lives(0, 100, 50, 50), "it dies under the request");
	cr_expect_not(token_lives(0, 100, 100, 0), "it is dead");
	cr_expect(token_lives(0, 100, 20, 100000), "a new one would not do better");
	cr_expect_not(token_lives(0, 100, 21, 100000));
	cr_expect_not(token_lives(0, 100, 21, UINT64_MAX));
	cr_expect_not(token_lives(0, -3, 0, 0), "a life too short to be used");
}
