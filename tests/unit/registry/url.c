#include "base/own.h"
#include "registry/http.h"

#include <criterion/criterion.h>

struct join {
	const char *base;
	const char *relative;
	const char *want; /* NULL: refused */
};

/* DL-03, UPL-05: what a Location means, and that its bytes stay. */
static const struct join joins[] = {
    {"https://h/v2/x/blobs/uploads/", "https://h/v2/x/blobs/uploads/1?_state=a%3D%3D",
	"https://h/v2/x/blobs/uploads/1?_state=a%3D%3D"},
    {"https://h:5000/v2/x/", "/v2/x/1?_state=A-_%2f", "https://h:5000/v2/x/1?_state=A-_%2f"},
    {"https://h/v2/x/blobs/uploads/", "1", "https://h/v2/x/blobs/uploads/1"},
    {"https://h/v2/x/blobs/uploads/", "../2", "https://h/v2/x/blobs/2"},
    {"https://h/v2/x", "//other/y?sig=%2B+%7E~", "https://other/y?sig=%2B+%7E~"},
    {"https://h/v2/x", "http://s3/a/../b/./%2e%2E?z=1&a=2",
	"http://s3/a/../b/./%2e%2E?z=1&a=2"},
    {"http://[::1]:5000/v2/", "/v2/y", "http://[::1]:5000/v2/y"},
    {"https://h/v2/x?old=1", "?new=2", "https://h/v2/x?new=2"},
    {"https://h/v2/x", "ftp://h/y", NULL},
    {"https://h/v2/x", "file:///etc/passwd", NULL},
    {"https://h/v2/x", "https://", NULL},
};

Test(url, UPL_05_DL_03_join)
{
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(0);
		struct err e = {0};
		const bool ok = http_url_join(joins[i].base, joins[i].relative, &out, &e);
		cr_expect_eq(ok, joins[i].want != NULL, "row %zu: %s", i, e.text);
		if (ok && joins[i].want)
			cr_expect_str_eq(buf_text(&out), joins[i].want, "row %zu", i);
	}
}

Test(url, UPL_05_add_query)
{
	static const char *const rows[][2] = {
	    {"https://h/u/1", "https://h/u/1?digest=sha256%3Aab"},
	    {"https://h/u/1?", "https://h/u/1?digest=sha256%3Aab"},
	    {"https://h/u/1?_state=a%3D%3d", "https://h/u/1?_state=a%3D%3d&digest=sha256%3Aab"},
	    {"https://h/u/1?a=b&", "https://h/u/1?a=b&digest=sha256%3Aab"},
	    {"https://h/u/1?a=b#frag", "https://h/u/1?a=b&digest=sha256%3Aab#frag"},
	    {"https://h/u/1#what?", "https://h/u/1?digest=sha256%3Aab#what?"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(0);
		struct err e = {0};
		cr_expect(http_url_add_query(rows[i][0], "digest", "sha256:ab", &out, &e));
		cr_expect_str_eq(buf_text(&out), rows[i][1], "row %zu", i);
	}
}

Test(url, DL_02_same_origin)
{
	cr_expect(http_url_same_origin("https://h/a", "https://h:443/b"));
	cr_expect(http_url_same_origin("http://H/a", "http://h:80/b?c"));
	cr_expect(http_url_same_origin("http://h:5000/", "http://h:5000/v2/"));
	cr_expect_not(http_url_same_origin("https://h/a", "http://h/a"));
	cr_expect_not(http_url_same_origin("https://h/a", "https://h:444/a"));
	cr_expect_not(http_url_same_origin("https://h/a", "https://h.evil/a"));
	cr_expect_not(http_url_same_origin("https://h/a", "https://h@evil/a"));
	cr_expect_not(http_url_same_origin("https://h/a", "nonsense"));
}

Test(url, TOK_20_shown_without_secrets)
{
	static const char *const rows[][2] = {
	    {"https://h/p?X-Amz-Signature=secret", "https://h/p"},
	    {"https://user:secret@h/p#secret", "https://h/p"},
	    {"http://h:5000/v2/", "http://h:5000/v2/"},
	    {"https://h/\x1b[2Jx", "https://h/?[2Jx"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(256);
		http_url_show(rows[i][0], &out);
		cr_expect_str_eq(buf_text(&out), rows[i][1], "row %zu", i);
	}
}
