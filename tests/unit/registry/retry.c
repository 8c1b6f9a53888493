#include "registry/retry.h"

#include "base/stop.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

Test(retry, RTY_statuses)
{
	static const long pass[] = {408, 425, 429, 499, 500, 502, 503, 504, 520, 524};
	static const long stay[] = {
	    200, 301, 400, 401, 403, 404, 405, 409, 413, 416, 501, 505, 519, 525};

	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++)
		cr_expect(retry_status(pass[i]), "%ld", pass[i]);
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		cr_expect_not(retry_status(stay[i]), "%ld", stay[i]);
}

struct row {
	const char *text;
	const char *date;
	bool ok;
	uint64_t ms;
};

Test(retry, RTY_01_retry_after)
{
	static const struct row rows[] = {
	    {"2", NULL, true, 2000},
	    {" 7 ", NULL, true, 7000},
	    {"0", NULL, true, 1000},
	    {"999999", NULL, true, RETRY_AFTER_MOST_MS},
	    {"18446744073709551615", NULL, true, RETRY_AFTER_MOST_MS},
	    {"-1", NULL, false, 0},
	    {"abc", NULL, false, 0},
	    {"", NULL, false, 0},
	    {NULL, NULL, false, 0},
	    {"Wed, 21 Oct 2015 07:28:10 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", true, 10000},
	    {"Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:10 GMT", false, 0},
	    {"Wed, 21 Oct 2015 07:28:10 GMT", NULL, false, 0},
	    {"Wed, 21 Oct 2099 07:28:10 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", true,
		RETRY_AFTER_MOST_MS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ms = 0;
		cr_expect_eq(retry_after(rows[i].text, rows[i].date, RETRY_AFTER_MOST_MS, &ms),
		    rows[i].ok, "row %zu", i);
		cr_expect_eq(ms, rows[i].ms, "row %zu: %" PRIu64, i, ms);
	}
}

Test(retry, RTY_02_backoff_doubles_within_its_bounds)
{
	uint64_t most = 100;

	for (unsigned failed = 1; failed < 40; failed++) {
		const uint64_t low = retry_backoff(100, failed, 0);
		const uint64_t high = retry_backoff(100, failed, (uint32_t)(most / 2));
		cr_expect_eq(high, most, "failed %u: %" PRIu64, failed, high);
		cr_expect_eq(low, most - most / 2, "failed %u: %" PRIu64, failed, low);
		for (uint32_t r = 0; r < 1000; r++)
			cr_expect(retry_backoff(100, failed, r * 7919) <= most);
		most = most * 2 < RETRY_MOST_MS ? most * 2 : RETRY_MOST_MS;
	}
	cr_expect_eq(retry_backoff(0, 1, RETRY_BASE_MS / 2), RETRY_BASE_MS);
}

Test(retry, RTY_10_bounded)
{
	const struct retry_policy policy = {.retries = 3, .base_ms = 1};
	struct retry r = {.policy = &policy};
	struct err e = {0};
	int again = 0;

	do
		(void)err_set(&e, ERR_NETWORK, "refused");
	while (retry_again(&r, NULL, &e) && ++again < 100);
	cr_expect_eq(again, 3);
	cr_expect_eq(e.kind, ERR_NETWORK);
	cr_expect_str_eq(e.text, "refused");
}

Test(retry, a_stop_ends_the_waiting)
{
	const struct retry_policy policy = {.retries = 3, .base_ms = 20000};
	struct retry r = {.policy = &policy};
	struct err e = {0};

	(void)err_set(&e, ERR_NETWORK, "refused");
	stop_request();
	cr_expect_not(retry_again(&r, NULL, &e));
	cr_expect_eq(e.kind, ERR_STOPPED);
}
