#include "registry/warnings.h"

#include <inttypes.h>
#include <string.h>

#define RATE_MOST UINT64_C(1000000000000)

void warnings_init(struct warnings *w)
{
	*w = (struct warnings){0};
	(void)pthread_mutex_init(&w->lock, NULL);
}

void warnings_drop(struct warnings *w)
{
	(void)pthread_mutex_destroy(&w->lock);
}

/* The text of `299 - "text"`, its escapes undone, into out; false when it is none. */
static bool read_text(struct slice value, char *out, size_t room)
{
	const char *quote = memchr(value.ptr, '"', value.len);
	const char *end = value.ptr + value.len;
	size_t n = 0;

	if (!quote || !slice_starts(value, "299 "))
		return false;
	for (const char *c = quote + 1; c < end && *c != '"' && n + 1 < room; c++) {
		if (*c == '\\' && c + 1 < end)
			c++;
		out[n++] = *c;
	}
	out[n] = '\0';
	return n > 0;
}

/* FNV-1a: of two texts that fall together one is told. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static bool is_new(struct warnings *w, const char *text)
{
	const uint64_t hash = hash_of(text);
	bool known = false;

	(void)pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->count; i++)
		known = known || w->told[i] == hash;
	known = known || w->count == WARNINGS_MOST;
	if (!known)
		w->told[w->count++] = hash;
	(void)pthread_mutex_unlock(&w->lock);
	return !known;
}

/* The number of "100;w=21600", and the seconds that it is for, 0 where it does not say. */
static bool read_rate(const char *text, uint64_t *number, uint64_t *seconds)
{
	struct slice rest = text ? slice_trim(slice_of(text)) : slice_of("");
	struct slice part;

	*seconds = 0;
	if (!rest.len || !slice_cut(&rest, ';', &part)
	    || !slice_u64(slice_trim(part), RATE_MOST, number))
		return false;
	rest = slice_trim(rest);
	return !slice_starts(rest, "w=")
	       || slice_u64(slice_at(rest.ptr + 2, rest.len - 2), RATE_MOST, seconds);
}

static void tell_rate(
    struct warnings *w, const struct http_answer *a, const char *host, struct watch *watch)
{
	uint64_t limit = 0;
	uint64_t left = 0;
	uint64_t window = 0;

	if (!read_rate(a->rate_limit, &limit, &window)
	    || !read_rate(a->rate_left, &left, &window))
		return;
	(void)pthread_mutex_lock(&w->lock);
	const bool tell = left * 10 <= limit && !w->low;
	w->low = w->low || tell;
	w->counted = true;
	w->left = left;
	(void)pthread_mutex_unlock(&w->lock);
	if (tell)
		watch_warn(watch,
		    "%.80s: %" PRIu64 " of %" PRIu64
		    " requests for manifests are left in %" PRIu64
		    " minutes; a login may have more",
		    host, left, limit, window / 60);
}

bool warnings_left(struct warnings *w, uint64_t *left)
{
	(void)pthread_mutex_lock(&w->lock);
	const bool counted = w->counted;
	*left = w->left;
	(void)pthread_mutex_unlock(&w->lock);
	return counted;
}

void warnings_tell(
    struct warnings *w, const struct http_answer *a, const char *host, struct watch *watch)
{
	struct slice rest = buf_slice(&a->warnings);
	struct slice line;
	char text[256];

	tell_rate(w, a, host, watch);
	while (rest.len && slice_cut(&rest, '\n', &line))
		if (read_text(line, text, sizeof(text)) && is_new(w, text))
			watch_warn(watch, "%.80s says: %s", host, text);
}
