#include "registry/realm.h"

#include <criterion/criterion.h>
#include <string.h>

/* CHL-08: which registry may send us where. */
static const struct {
	const char *base;
	const char *realm;
	bool good;
} rows[] = {
    {"https://registry-1.docker.io", "https://auth.docker.io/token", true},
    {"http://reg.corp:5000", "http://tokens.corp/t", true},
    {"http://reg.corp:5000", "https://tokens.corp/t", true},
    {"https://reg.corp", "http://tokens.corp/t", false},
    {"https://reg.corp", "http://reg.corp/t", false},
    {"https://reg.corp", "https://127.0.0.1/t", false},
    {"https://reg.corp", "https://127.8.9.10:8443/t", false},
    {"https://reg.corp", "https://localhost/t", false},
    {"https://reg.corp", "https://LOCALHOST/t", false},
    {"https://reg.corp", "https://0.0.0.0/t", false},
    {"https://reg.corp", "https://169.254.169.254/latest/meta-data", false},
    {"https://reg.corp", "https://10.1.2.3/t", false},
    {"https://reg.corp", "https://172.16.0.1/t", false},
    {"https://reg.corp", "https://172.31.255.1/t", false},
    {"https://reg.corp", "https://172.32.0.1/t", true},
    {"https://reg.corp", "https://192.168.7.7/t", false},
    {"https://reg.corp", "https://192.169.7.7/t", true},
    {"https://reg.corp", "https://[::1]/t", false},
    {"https://reg.corp", "https://[::]/t", false},
    {"https://reg.corp", "https://[fe80::1]/t", false},
    {"https://reg.corp", "https://[fd00::1]/t", false},
    {"https://reg.corp", "https://[::ffff:127.0.0.1]/t", false},
    {"https://reg.corp", "https://[2001:db8::1]/t", true},
    {"https://reg.corp", "https://2130706433/t", false},
    {"https://reg.corp", "https://0x7f.1/t", false},
    {"http://127.0.0.1:5000", "http://127.0.0.1:5001/t", true},
    {"http://127.0.0.1:5000", "http://localhost:5001/t", true},
    {"http://127.0.0.1:5000", "http://10.0.0.1/t", false},
    {"http://localhost:5000", "http://[::1]:5001/t", true},
    {"https://10.0.0.5", "https://10.0.0.6/t", true},
    {"https://10.0.0.5", "https://192.168.0.6/t", true},
    {"https://10.0.0.5", "https://127.0.0.1/t", false},
    {"https://8.8.8.8", "https://10.0.0.6/t", false},
    {"https://169.254.1.1", "https://169.254.1.1:8443/t", true},
};

Test(realm, CHL_08_where_tokens_may_come_from)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = {0};
		const bool good =
		    realm_check(rows[i].base, rows[i].realm, "reg", REALM_GUARDED, &e);

		cr_expect_eq(
		    good, rows[i].good, "%s to %s: %s", rows[i].base, rows[i].realm, e.text);
		if (!good)
			cr_expect(e.kind == ERR_DENIED && strstr(e.text, "no login is sent"),
			    "%s: %s", rows[i].realm, e.text);
	}
}
