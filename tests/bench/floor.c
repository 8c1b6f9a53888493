/*
 * The least that an export can cost: fetches the blobs that standard input lists, hashes them
 * and writes them one after another into one file, with as many threads as asked, then syncs
 * it.
 *
 *     floor THREADS OUTPUT < list        a line of the list: SIZE SHA256 URL
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOBS_MAX = 1024, THREADS_MAX = 64, HASH_SIZE = 32 };

struct blob {
	off_t offset;
	off_t size;
	char hex[65];
	char url[1024];
};

struct work {
	int fd;
	size_t count;
	atomic_size_t next;
	atomic_bool failed;
	struct blob blobs[BLOBS_MAX];
};

/* One blob on its way from the network to the file. */
struct transfer {
	int fd;
	off_t at;
	EVP_MD_CTX *hash;
};

static size_t take(char *data, size_t one, size_t count, void *user)
{
	struct transfer *t = user;
	const size_t size = one * count;

	if (EVP_DigestUpdate(t->hash, data, size) != 1)
		return 0;
	for (size_t done = 0; done < size;) {
		const ssize_t n = pwrite(t->fd, data + done, size - done, t->at);
		if (n <= 0)
			return 0;
		done += (size_t)n;
		t->at += n;
	}
	return size;
}

static bool hash_is(EVP_MD_CTX *hash, const char *hex)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[2 * HASH_SIZE + 1];

	if (EVP_DigestFinal_ex(hash, sum, NULL) != 1)
		return false;
	for (size_t i = 0; i < HASH_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", sum[i]);
	return strcmp(text, hex) == 0;
}

static bool fetch(CURL *curl, const struct blob *b, int fd)
{
	struct transfer t = {.fd = fd, .at = b->offset, .hash = EVP_MD_CTX_new()};
	bool ok = t.hash && EVP_DigestInit_ex(t.hash, EVP_sha256(), NULL) == 1;

	(void)curl_easy_setopt(curl, CURLOPT_URL, b->url);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
	ok = ok && curl_easy_perform(curl) == CURLE_OK && t.at == b->offset + b->size
	     && hash_is(t.hash, b->hex);
	EVP_MD_CTX_free(t.hash);
	if (!ok)
		(void)fprintf(stderr, "floor: %s failed\n", b->url);
	return ok;
}

static void *worker(void *argument)
{
	struct work *w = argument;
	CURL *curl = curl_easy_init();

	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024L);
	(void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	while (!w->failed) {
		const size_t i = atomic_fetch_add(&w->next, 1);
		if (i >= w->count)
			break;
		if (!fetch(curl, &w->blobs[i], w->fd))
			w->failed = true;
	}
	curl_easy_cleanup(curl);
	return NULL;
}

static void read_list(struct work *w)
{
	off_t offset = 0;
	long long size;

	while (w->count < BLOBS_MAX) {
		struct blob *b = &w->blobs[w->count];
		if (scanf("%lld %64s %1023s", &size, b->hex, b->url) != 3)
			break;
		b->offset = offset;
		b->size = (off_t)size;
		offset += b->size;
		w->count++;
	}
}

static void run_threads(struct work *w, size_t count)
{
	pthread_t threads[THREADS_MAX];
	size_t started = 0;

	while (started < count && pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	if (started < count)
		w->failed = true;
	while (started > 0)
		(void)pthread_join(threads[--started], NULL);
}

int main(int argc, char **argv)
{
	static struct work w;
	const unsigned long threads = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;

	if (threads < 1 || threads > THREADS_MAX) {
		(void)fprintf(stderr, "usage: floor THREADS OUTPUT < list\n");
		return 2;
	}
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	read_list(&w);
	w.fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (w.fd < 0 || w.count == 0)
		return 1;
	run_threads(&w, threads);
	if (fsync(w.fd) != 0 || close(w.fd) != 0)
		w.failed = true;
	curl_global_cleanup();
	return w.failed ? 1 : 0;
}
