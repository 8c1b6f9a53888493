#include "registry/link.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(link, RFR_02_TAG_01_where_a_list_goes_on)
{
	static const struct {
		const char *lines;
		const char *next;
	} rows[] = {
	    {"</v2/a?n=1&last=b>; rel=\"next\"\n", "/v2/a?n=1&last=b"},
	    {"</a>; rel=next\n", "/a"},
	    {"</a>;rel = next\n", "/a"},
	    {"</a>\n", "/a"},
	    {"</a>; REL=\"NEXT\"\n", "/a"},
	    {"</a>; rel=\"prev next\"\n", "/a"},
	    {"</a>; rel=\"prev\"\n", ""},
	    {"</a>; rel=prev, </b>; rel=next\n", "/b"},
	    {"</a>; rel=prev\n</b>; rel=next\n", "/b"},
	    {"</a>; title=\"x, </c>; rel=next\"; rel=prev, </b>; rel=next\n", "/b"},
	    {"</a>; title=\"x;y\"; rel=next\n", "/a"},
	    {"</a>; foo; rel=next; bar\n", "/a"},
	    {"</a>; title=next\n", "/a"},
	    {"<>; rel=next\n", ""},
	    {"</a; rel=next\n", ""},
	    {"/a; rel=next\n", ""},
	    {"</a>; rel=\"nextish\"\n", ""},
	    {"</a>; rel=\"next", "/a"},
	    {"", ""},
	    {"\n\n,,,\n", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct slice next = link_next(slice_of(rows[i].lines));
		cr_expect(slice_is(next, rows[i].next), "row %zu: %s: %.*s", i, rows[i].lines,
		    SLICE_ARG(next));
	}
}

Test(link, RFR_02_pages_that_come_again)
{
	struct link_trail trail = {0};

	cr_expect(link_trail_add(&trail, "a"));
	cr_expect(link_trail_add(&trail, "b"));
	cr_expect_not(link_trail_add(&trail, "a"));
	link_trail_drop(&trail);
	for (int i = 0; i < LINK_PAGES_MAX; i++) {
		char url[16];
		(void)snprintf(url, sizeof(url), "%d", i);
		cr_expect(link_trail_add(&trail, url));
	}
	cr_expect_not(link_trail_add(&trail, "one more"));
	link_trail_drop(&trail);
}
