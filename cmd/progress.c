#include "cmd/progress.h"

#include "base/clock.h"
#include "base/own.h"
#include "cmd/output.h"
#include "manifests/json.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum style {
	STYLE_QUIET,
	STYLE_LINES,
	STYLE_BAR,
	STYLE_EVENTS,
};

enum { BAR_INTERVAL_MS = 200 };

struct progress {
	struct watch watch;
	pthread_mutex_t lock;
	const char *doing;
	enum style style;
	bool verbose;
	bool bar_shown;
	uint64_t total; /* bytes; 0: not known */
	uint64_t moved;
	int64_t began_ms;
	int64_t shown_ms;
};

static void hide_bar(struct progress *p)
{
	if (p->bar_shown)
		(void)fputs("\r\033[K", stderr);
	p->bar_shown = false;
}

/* Redraws the bar when the last one is old enough. */
static void show_bar(struct progress *p)
{
	const int64_t now = (int64_t)clock_ms();
	const int64_t spent = now - p->began_ms;
	char moved[24];
	char rate[24];

	if (p->style != STYLE_BAR || now - p->shown_ms < BAR_INTERVAL_MS)
		return;
	p->shown_ms = now;
	p->bar_shown = true;
	(void)size_text(p->moved, moved);
	(void)size_text(spent > 0 ? p->moved * 1000 / (uint64_t)spent : 0, rate);
	(void)fprintf(stderr, "\r\033[K%s: ", p->doing);
	if (p->total)
		(void)fprintf(stderr, "%u%%  ", (unsigned)(p->moved * 100 / p->total));
	(void)fprintf(stderr, "%s  %s/s", moved, rate);
	(void)fflush(stderr);
}

static const char *const kinds[] = {
    [NEWS_BEGAN] = "began",
    [NEWS_BYTES] = "bytes",
    [NEWS_RESTART] = "restart",
    [NEWS_DONE] = "done",
    [NEWS_RETRY] = "retry",
    [NEWS_LEARNED] = "learned",
    [NEWS_WARNING] = "warning",
};

static void print_event(const struct news *news)
{
	OWNED(buf_drop) struct buf line = BUF(64 * 1024);
	struct json_writer w = {.out = &line};
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "event", kinds[news->kind]);
	if (news->name)
		json_pair(&w, "name", news->name);
	if (news->what) {
		json_pair(&w, "digest", digest_text(&news->what->digest, digest));
		json_key(&w, "size");
		json_put_u64(&w, news->what->size);
	}
	if (news->text)
		json_pair(&w, "text", news->text);
	json_end(&w, '}');
	(void)fprintf(stderr, "%s\n", buf_text(&line));
}

/* Done things are news to a person when they have a name; single blobs only with --verbose. */
static void print_line(struct progress *p, const struct news *news)
{
	char size[24];
	char digest[DIGEST_TEXT];

	hide_bar(p);
	if (news->kind == NEWS_WARNING)
		say(stderr, "warning: %s\n", news->text);
	else if (news->kind == NEWS_LEARNED)
		say(stderr, "note: %s\n", news->text);
	else if (news->kind == NEWS_RETRY && p->verbose)
		say(stderr, "retry: %s\n", news->text);
	else if (news->kind == NEWS_DONE && news->what && (news->name || p->verbose))
		say(stderr, "%s: %s %s (%s)\n", p->doing, news->text ? news->text : "done",
		    news->name ? news->name : digest_text(&news->what->digest, digest),
		    size_text(news->what->size, size));
}

static void count(struct progress *p, const struct news *news)
{
	if (news->kind == NEWS_BYTES)
		p->moved += news->bytes;
	if (news->kind == NEWS_RESTART)
		p->moved -= news->bytes < p->moved ? news->bytes : p->moved;
}

static void tell(struct watch *watch, const struct news *news)
{
	struct progress *p = (struct progress *)watch;
	const bool rare = news->kind != NEWS_BYTES && news->kind != NEWS_BEGAN;

	pthread_mutex_lock(&p->lock);
	count(p, news);
	if (p->style == STYLE_EVENTS && rare)
		print_event(news);
	else if (rare && (p->style != STYLE_QUIET || news->kind == NEWS_WARNING))
		print_line(p, news);
	show_bar(p);
	pthread_mutex_unlock(&p->lock);
}

static enum style choose(const struct common *common)
{
	if (common->json)
		return STYLE_EVENTS;
	if (common->quiet)
		return STYLE_QUIET;
	return !common->no_progress && isatty(STDERR_FILENO) ? STYLE_BAR : STYLE_LINES;
}

struct progress *progress_new(const struct common *common, const char *doing)
{
	struct progress *p = own_new(sizeof(*p));

	p->watch.tell = tell;
	(void)pthread_mutex_init(&p->lock, NULL);
	p->doing = doing;
	p->style = choose(common);
	p->verbose = common->verbose;
	p->began_ms = (int64_t)clock_ms();
	return p;
}

struct watch *progress_watch(struct progress *p)
{
	return &p->watch;
}

void progress_total(struct progress *p, uint64_t bytes)
{
	pthread_mutex_lock(&p->lock);
	p->total = bytes;
	p->moved = 0;
	p->began_ms = (int64_t)clock_ms();
	pthread_mutex_unlock(&p->lock);
}

void progress_begin(struct progress *p, const char *doing, uint64_t bytes)
{
	p->doing = doing;
	progress_total(p, bytes);
}

void progress_rate(struct progress *p)
{
	const int64_t spent = (int64_t)clock_ms() - p->began_ms;
	char moved[24];
	char rate[24];

	(void)size_text(p->moved, moved);
	(void)size_text(p->moved * 1000 / (uint64_t)(spent > 0 ? spent : 1), rate);
	progress_step(p, "%s: %s, %s/s", p->doing, moved, rate);
}

void progress_step(struct progress *p, const char *fmt, ...)
{
	OWNED(drop_text) char *text = NULL;
	va_list args;

	if (p->style == STYLE_QUIET || p->style == STYLE_EVENTS)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	pthread_mutex_lock(&p->lock);
	hide_bar(p);
	if (text)
		say(stderr, "%s\n", text);
	pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	hide_bar(p);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void progress_drop(struct progress **p)
{
	progress_free(*p);
	*p = NULL;
}
