#include "base/pool.h"

#include "base/own.h"
#include "base/stop.h"

#include <pthread.h>
#include <string.h>

struct queue {
	const struct pool *pool;
	pthread_mutex_t lock;
	size_t next; /* under lock, as all below */
	size_t workers;
	bool failed;
	struct err first;
};

/* The next job's number, or false when there is none to begin. */
static bool take(struct queue *q, size_t *job)
{
	pthread_mutex_lock(&q->lock);
	const bool any = !q->failed && q->next < q->pool->jobs;
	if (any)
		*job = q->next++;
	pthread_mutex_unlock(&q->lock);
	return any;
}

static void fail(struct queue *q, const struct err *e)
{
	pthread_mutex_lock(&q->lock);
	if (!q->failed) {
		q->failed = true;
		q->first = *e;
	}
	pthread_mutex_unlock(&q->lock);
}

static void *worker(void *argument)
{
	struct queue *q = argument;
	struct err e = {0};
	size_t job;

	pthread_mutex_lock(&q->lock);
	const size_t self = q->workers++;
	pthread_mutex_unlock(&q->lock);
	while (take(q, &job)) {
		if (!stop_check(&e) || !q->pool->work(q->pool->context, self, job, &e)) {
			fail(q, &e);
			break;
		}
	}
	return NULL;
}

/* Starts up to count further threads; returns how many run. */
static size_t start(struct queue *q, pthread_t *threads, size_t count)
{
	size_t running = 0;

	while (running < count && pthread_create(&threads[running], NULL, worker, q) == 0)
		running++;
	return running;
}

bool pool_run(const struct pool *p, struct err *e)
{
	const size_t most = p->workers < p->jobs ? p->workers : p->jobs;
	struct queue q = {.pool = p, .lock = PTHREAD_MUTEX_INITIALIZER};
	OWNED(drop_any) pthread_t *threads = own_array(most, sizeof(*threads));

	const size_t running = most > 1 ? start(&q, threads, most - 1) : 0;
	worker(&q);
	for (size_t i = 0; i < running; i++)
		pthread_join(threads[i], NULL);
	if (q.failed)
		*e = q.first;
	return !q.failed;
}
