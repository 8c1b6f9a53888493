#include "registry/account.h"

#include "base/own.h"
#include "registry/bearer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void ticket_drop(struct ticket *t)
{
	secret_buf_drop(&t->value);
	*t = (struct ticket){0};
}

static void drop_tokens(struct auth *a)
{
	while (a->tokens) {
		struct token *next = a->tokens->next;
		bearer_free(a->tokens);
		a->tokens = next;
	}
}

static void account_free(struct account *one)
{
	login_drop(&one->login);
	free(one->looked);
	free(one);
}

static void drop_seats(struct auth *a)
{
	while (a->seats) {
		struct seat *next = a->seats->next;
		buf_drop(&a->seats->demanded);
		buf_drop(&a->seats->asked);
		free(a->seats->repository);
		free(a->seats);
		a->seats = next;
	}
	while (a->accounts) {
		struct account *next = a->accounts->next;
		account_free(a->accounts);
		a->accounts = next;
	}
}

struct auth *auth_new(const struct auth_config *config)
{
	struct auth *a = own_new(sizeof(*a));

	a->config = *config;
	a->config.host = a->host = own_text(config->host);
	a->config.base = a->base = own_text(config->base);
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	drop_tokens(a);
	drop_seats(a);
	challenge_drop(&a->wanted);
	pthread_mutex_destroy(&a->lock);
	free(a->host);
	free(a->base);
	free(a);
}

bool auth_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e)
{
	bool ok = true;

	ticket_drop(out);
	out->value = BUF(2 * SECRET_MAX);
	pthread_mutex_lock(&a->lock);
	out->seat = account_seat(a, errand->repository);
	out->mount = errand->mount_from != NULL;
	if (a->wanted.scheme == CHALLENGE_BASIC)
		ok = account_basic(a, h, errand, out, e);
	else if (a->wanted.scheme == CHALLENGE_BEARER)
		ok = bearer_ticket(a, h, errand, out, e);
	pthread_mutex_unlock(&a->lock);
	return ok;
}
