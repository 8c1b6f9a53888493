#include "registry/answer.h"

#include "base/own.h"
#include "registry/transfer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_MAX = 16 * 1024 }; /* bytes of one header's values */

void http_answer_drop(struct http_answer *a)
{
	free(a->url);
	free(a->location);
	free(a->content_type);
	free(a->content_digest);
	free(a->content_range);
	free(a->range);
	free(a->retry_after);
	free(a->rate_limit);
	free(a->rate_left);
	free(a->date);
	free(a->subject);
	buf_drop(&a->links);
	buf_drop(&a->challenges);
	buf_drop(&a->warnings);
	buf_drop(&a->body);
	*a = (struct http_answer){0};
}

bool http_date(const char *text, int64_t *seconds)
{
	const time_t when = curl_getdate(text, NULL);

	*seconds = (int64_t)when;
	return when != (time_t)-1;
}

char *answer_header(CURL *curl, const char *name)
{
	struct curl_header *found = NULL;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return own_text(found->value);
}

static char *media_type(CURL *curl)
{
	char *text = answer_header(curl, "Content-Type");

	if (!text)
		return NULL;
	text[strcspn(text, "; \t")] = '\0';
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

/* Every value of a header that may come more than once. */
static void keep_lines(CURL *curl, const char *name, struct buf *out)
{
	struct curl_header *found = NULL;

	*out = BUF(LINES_MAX);
	for (size_t i = 0;
	     curl_easy_header(curl, name, i, CURLH_HEADER, -1, &found) == CURLHE_OK; i++) {
		buf_adds(out, found->value);
		buf_adds(out, "\n");
	}
}

void answer_keep_headers(CURL *curl, const char *url, struct http_answer *a)
{
	OWNED(drop_text) char *length = answer_header(curl, "Content-Length");
	OWNED(drop_text) char *chunk = answer_header(curl, "OCI-Chunk-Min-Length");

	a->url = own_text(url);
	a->location = answer_header(curl, "Location");
	a->content_type = media_type(curl);
	a->content_digest = answer_header(curl, "Docker-Content-Digest");
	a->content_range = answer_header(curl, "Content-Range");
	a->range = answer_header(curl, "Range");
	if (!chunk || !slice_u64(slice_trim(slice_of(chunk)), UINT64_MAX, &a->chunk_least))
		a->chunk_least = 0;
	a->rate_limit = answer_header(curl, "RateLimit-Limit");
	a->rate_left = answer_header(curl, "RateLimit-Remaining");
	a->retry_after = answer_header(curl, "Retry-After");
	a->date = answer_header(curl, "Date");
	a->has_length =
	    length && slice_u64(slice_trim(slice_of(length)), UINT64_MAX, &a->length);
	a->subject = answer_header(curl, "OCI-Subject");
	keep_lines(curl, "Link", &a->links);
	keep_lines(curl, "WWW-Authenticate", &a->challenges);
	keep_lines(curl, "Warning", &a->warnings);
}
