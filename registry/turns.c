#include "registry/turns.h"

void turns_init(struct turns *t, uint64_t most)
{
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->free, NULL);
	t->limited = most > 0;
	t->left = most;
}

void turns_drop(struct turns *t)
{
	(void)pthread_cond_destroy(&t->free);
	(void)pthread_mutex_destroy(&t->lock);
}

void turns_take(struct turns *t)
{
	if (!t->limited)
		return;
	(void)pthread_mutex_lock(&t->lock);
	while (!t->left)
		(void)pthread_cond_wait(&t->free, &t->lock);
	t->left--;
	(void)pthread_mutex_unlock(&t->lock);
}

void turns_give(struct turns *t)
{
	if (!t->limited)
		return;
	(void)pthread_mutex_lock(&t->lock);
	t->left++;
	(void)pthread_cond_signal(&t->free);
	(void)pthread_mutex_unlock(&t->lock);
}
