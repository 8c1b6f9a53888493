/*
 * No more requests at one host at the same time than a setting allows.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t free;
	uint64_t left; /* under lock */
	bool limited;
};

/* At most so many at the same time; 0: any number. */
void turns_init(struct turns *t, uint64_t most);
void turns_drop(struct turns *t);

/* Waits until there is one; each request that is under way ends within its own limits. */
void turns_take(struct turns *t);
void turns_give(struct turns *t);
