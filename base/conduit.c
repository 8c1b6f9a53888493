#include "base/conduit.h"

#include "base/own.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct end {
	struct source source;
	struct conduit *conduit;
};

struct conduit {
	struct sink sink;
	struct end end;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *bytes; /* a ring */
	size_t room;
	size_t at; /* the first byte in it */
	size_t len;
	bool no_writer;
	bool no_reader;
};

static bool write_some(struct conduit *c, const char *bytes, size_t len, size_t *taken)
{
	while (c->len == c->room && !c->no_reader)
		(void)pthread_cond_wait(&c->changed, &c->lock);
	if (c->no_reader)
		return false;
	const size_t to = (c->at + c->len) % c->room;
	const size_t behind = c->room - c->len;
	size_t most = len < behind ? len : behind;
	most = most < c->room - to ? most : c->room - to;
	(void)memcpy(c->bytes + to, bytes, most);
	c->len += most;
	*taken = most;
	(void)pthread_cond_broadcast(&c->changed);
	return true;
}

static bool on_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct conduit *c = (struct conduit *)self;
	const char *at = bytes;
	bool ok = true;

	(void)pthread_mutex_lock(&c->lock);
	while (ok && len) {
		size_t taken = 0;
		ok = write_some(c, at, len, &taken);
		at += taken;
		len -= taken;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return ok || err_set(e, ERR_STOPPED, "the reader wants no more");
}

static bool on_read(struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct conduit *c = ((struct end *)self)->conduit;

	(void)e;
	(void)pthread_mutex_lock(&c->lock);
	while (!c->len && !c->no_writer)
		(void)pthread_cond_wait(&c->changed, &c->lock);
	size_t most = room < c->len ? room : c->len;
	most = most < c->room - c->at ? most : c->room - c->at;
	if (most)
		(void)memcpy(bytes, c->bytes + c->at, most);
	c->at = (c->at + most) % c->room;
	c->len -= most;
	*got = most;
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_mutex_unlock(&c->lock);
	return true;
}

struct conduit *conduit_new(size_t room)
{
	struct conduit *c = own_new(sizeof(*c));

	c->sink = (struct sink){on_write, NULL};
	c->end = (struct end){{on_read, NULL}, c};
	c->bytes = own_array(room, 1);
	c->room = room;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->changed, NULL);
	return c;
}

void conduit_drop(struct conduit **c)
{
	if (!*c)
		return;
	(void)pthread_cond_destroy(&(*c)->changed);
	(void)pthread_mutex_destroy(&(*c)->lock);
	free((*c)->bytes);
	free(*c);
	*c = NULL;
}

struct sink *conduit_sink(struct conduit *c)
{
	return &c->sink;
}

struct source *conduit_source(struct conduit *c)
{
	return &c->end.source;
}

void conduit_end_writing(struct conduit *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->no_writer = true;
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_mutex_unlock(&c->lock);
}

void conduit_end_reading(struct conduit *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->no_reader = true;
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_mutex_unlock(&c->lock);
}
