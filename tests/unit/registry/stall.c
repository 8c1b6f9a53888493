#include "base/own.h"
#include "registry/http.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A host that says so much of an answer, and then nothing (F-STALL). */
struct host {
	int listener;
	const char *said;
};

static void *serve(void *argument)
{
	const struct host *h = argument;
	char request[4096];
	const int fd = accept(h->listener, NULL, NULL);

	if (fd < 0 || read(fd, request, sizeof(request)) <= 0
	    || write(fd, h->said, strlen(h->said)) < 0)
		return NULL;
	while (read(fd, request, sizeof(request)) > 0)
		continue;
	(void)close(fd);
	return NULL;
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

Test(stall, DL_14_a_transfer_that_stands_still_ends)
{
	static const char *const rows[] = {
	    "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"};
	const struct http_config config = {.stall_seconds = 1};
	struct err e = {0};

	cr_assert(http_start(&e));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(http_answer_drop) struct http_answer a = {0};
		unsigned port = 0;
		struct host host = {listen_somewhere(&port), rows[i]};
		struct http *http = http_new(&config);
		char url[64];
		pthread_t thread;
		const time_t began = time(NULL);

		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", port);
		cr_assert_eq(pthread_create(&thread, NULL, serve, &host), 0);
		const struct http_request r = {
		    .method = HTTP_GET, .url = url, .body_max = 4096};
		err_clear(&e);
		cr_expect_not(http_send(http, &r, &a, &e), "row %zu", i);
		cr_expect_eq(e.kind, ERR_NETWORK, "row %zu: %s", i, e.text);
		cr_expect(a.may_pass, "row %zu: it may be tried again", i);
		cr_expect_lt(time(NULL) - began, 10, "row %zu", i);
		http_free(http);
		(void)pthread_join(thread, NULL);
		(void)close(host.listener);
	}
	http_stop();
}
