/*
 * The floor under an export or a push: the same requests by bare libcurl, with as many
 * connections, and nothing else.  FLOOR THREADS PLAN prints the seconds; a line of the plan is
 *
 *	G URL				one GET
 *	I BASE TAG MANIFEST DIGEST FILE ...	an image: its tag looked up, each blob asked for
 *and uploaded, the manifest put and its tag looked up again
 */
#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WORDS_MAX = 64,
	LINES_MAX = 16384,
	PLAN_MAX = 64 * 1024 * 1024,
	FILE_MAX = 1024 * 1024,
	URL_TEXT_MAX = 4096,
};

struct plan {
	char *lines[LINES_MAX];
	size_t count;
	atomic_size_t next;
};

static size_t nowhere(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static void fail(const char *what, const char *url)
{
	(void)fprintf(stderr, "floor: %s: %s\n", what, url);
	exit(1);
}

/* One request; true for a status below 300.  body NULL: none. */
static bool ask(CURL *curl, const char *method, const char *url, const struct buf *body,
    struct curl_slist *headers)
{
	long status = 0;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, nowhere);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (strcmp(method, "GET") != 0) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)(body ? body->len : 0));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? buf_text(body) : "");
	}
	if (curl_easy_perform(curl) != CURLE_OK)
		fail(method, url);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status < 300;
}

/* A registry that is not told which manifests are known says nothing of them. */
static bool look(CURL *curl, const char *method, const char *url)
{
	struct curl_slist *accept =
	    curl_slist_append(NULL, "Accept: application/vnd.oci.image.manifest.v1+json, "
				    "application/vnd.oci.image.index.v1+json");

	const bool found = ask(curl, method, url, NULL, accept);
	curl_slist_free_all(accept);
	return found;
}

static void read_body(const char *path, struct buf *out)
{
	struct err e = {0};

	*out = BUF(FILE_MAX);
	if (!file_read(path, FILE_MAX, out, &e))
		fail("cannot read", path);
}

static void put_blob(CURL *curl, const char *base, const char *digest, const char *path)
{
	OWNED(buf_drop) struct buf body = BUF(0);
	struct curl_header *location = NULL;
	char url[URL_TEXT_MAX];

	(void)snprintf(url, sizeof(url), "%s/blobs/%s", base, digest);
	if (ask(curl, "HEAD", url, NULL, NULL))
		fail("it is there", url);
	(void)snprintf(url, sizeof(url), "%s/blobs/uploads/", base);
	if (!ask(curl, "POST", url, NULL, NULL)
	    || curl_easy_header(curl, "Location", 0, CURLH_HEADER, -1, &location) != CURLHE_OK)
		fail("POST", url);
	(void)snprintf(url, sizeof(url), "%s&digest=%s", location->value, digest);
	read_body(path, &body);
	struct curl_slist *type =
	    curl_slist_append(NULL, "Content-Type: application/octet-stream");
	if (!ask(curl, "PUT", url, &body, type))
		fail("PUT", url);
	curl_slist_free_all(type);
}

static void put_image(CURL *curl, char *const words[], size_t count)
{
	OWNED(buf_drop) struct buf body = BUF(0);
	char url[URL_TEXT_MAX];

	(void)snprintf(url, sizeof(url), "%s/manifests/%s", words[1], words[2]);
	if (look(curl, "HEAD", url))
		fail("it is there", url);
	for (size_t i = 4; i + 1 < count; i += 2)
		put_blob(curl, words[1], words[i], words[i + 1]);
	read_body(words[3], &body);
	struct curl_slist *type =
	    curl_slist_append(NULL, "Content-Type: application/vnd.oci.image.manifest.v1+json");
	if (!ask(curl, "PUT", url, &body, type) || !look(curl, "HEAD", url))
		fail("PUT", url);
	curl_slist_free_all(type);
}

static void carry_out(CURL *curl, char *line)
{
	char *words[WORDS_MAX];
	size_t count = 0;
	char *rest = NULL;

	for (char *w = strtok_r(line, " ", &rest); w && count < WORDS_MAX;
	     w = strtok_r(NULL, " ", &rest))
		words[count++] = w;
	if (count > 4 && words[0][0] == 'I')
		put_image(curl, words, count);
	else if (count == 2)
		(void)look(curl, "GET", words[1]);
}

static void *work(void *context)
{
	struct plan *plan = context;
	CURL *curl = curl_easy_init();

	for (;;) {
		const size_t at = atomic_fetch_add(&plan->next, 1);
		if (at >= plan->count)
			break;
		carry_out(curl, plan->lines[at]);
	}
	curl_easy_cleanup(curl);
	return NULL;
}

static double seconds_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	OWNED(buf_drop) struct buf text = BUF(PLAN_MAX);
	static struct plan plan;
	pthread_t threads[WORDS_MAX];
	struct err e = {0};
	char *rest = NULL;

	if (argc != 3 || !file_read(argv[2], PLAN_MAX, &text, &e))
		fail("expected THREADS PLAN", e.text);
	const size_t jobs = strtoul(argv[1], NULL, 10);
	for (char *line = strtok_r(text.ptr, "\n", &rest); line && plan.count < LINES_MAX;
	     line = strtok_r(NULL, "\n", &rest))
		plan.lines[plan.count++] = line;
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	const double began = seconds_now();
	for (size_t i = 0; i < jobs && i < WORDS_MAX; i++)
		(void)pthread_create(&threads[i], NULL, work, &plan);
	for (size_t i = 0; i < jobs && i < WORDS_MAX; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("%.3f\n", seconds_now() - began);
	return 0;
}
