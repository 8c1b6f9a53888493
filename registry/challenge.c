#include "registry/challenge.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one header value offers, as it is read. */
struct reading {
	struct slice rest;
	struct challenge bearer;
	struct challenge basic;
	struct challenge *into; /* parameters go here; NULL: an unknown scheme's */
	size_t count;
	struct buf names; /* of all schemes, for the error */
};

void challenge_drop(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct challenge){0};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* A token, with the characters that unquoted realms hold besides (RFC 7230 and CHL-04). */
static bool is_token(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && !strchr("\",=", c);
}

static void advance(struct slice *s, size_t count)
{
	s->ptr += count;
	s->len -= count;
}

static void skip(struct slice *s, const char *what)
{
	while (s->len && s->ptr[0] && strchr(what, s->ptr[0]))
		advance(s, 1);
}

static struct slice take_token(struct slice *s)
{
	size_t len = 0;

	while (len < s->len && is_token(s->ptr[len]))
		len++;
	const struct slice token = slice_at(s->ptr, len);
	advance(s, len);
	return token;
}

/* A quoted string behind its first quote, unescaped; false when it does not end. */
static bool take_quoted(struct slice *s, struct buf *out)
{
	advance(s, 1);
	while (s->len && s->ptr[0] != '"') {
		if (s->ptr[0] == '\\' && s->len > 1)
			advance(s, 1);
		buf_add(out, s->ptr, 1);
		advance(s, 1);
	}
	if (!s->len)
		return false;
	advance(s, 1);
	return true;
}

static bool named(struct slice name, const char *want)
{
	return name.len == strlen(want) && strncasecmp(name.ptr, want, name.len) == 0;
}

/* Keeps a parameter that is known; the first of a name wins. */
static void keep(struct challenge *c, struct slice name, const struct buf *value)
{
	char **field = NULL;

	if (!c)
		return;
	if (named(name, "realm"))
		field = &c->realm;
	else if (named(name, "service"))
		field = &c->service;
	else if (named(name, "scope"))
		field = &c->scope;
	if (field && !*field && !memchr(buf_text(value), '\0', value->len))
		*field = own_text(buf_text(value));
}

/* What stands behind "name =" goes to the challenge; false when it cannot be read. */
static bool read_value(struct reading *r, struct slice name)
{
	OWNED(buf_drop) struct buf value = BUF(CHALLENGE_TEXT_MAX);

	advance(&r->rest, 1);
	skip(&r->rest, " \t");
	if (r->rest.len && r->rest.ptr[0] == '"') {
		if (!take_quoted(&r->rest, &value))
			return false;
	} else {
		/* An unquoted value may hold "=" ("realm=/t?x=1") and token68 ends in it. */
		size_t len = 0;
		while (len < r->rest.len
		       && (is_token(r->rest.ptr[len]) || r->rest.ptr[len] == '='))
			len++;
		buf_add(&value, r->rest.ptr, len);
		advance(&r->rest, len);
	}
	keep(r->into, name, &value);
	return true;
}

/* A new challenge begins: its parameters belong to it, unless its scheme was there before. */
static void begin(struct reading *r, struct slice scheme)
{
	struct challenge *c = NULL;

	if (named(scheme, "bearer"))
		c = &r->bearer;
	else if (named(scheme, "basic"))
		c = &r->basic;
	r->into = NULL;
	if (c && (c->scheme == CHALLENGE_NONE || !c->realm)) {
		challenge_drop(c);
		c->scheme = c == &r->bearer ? CHALLENGE_BEARER : CHALLENGE_BASIC;
		r->into = c;
	}
	buf_adds(&r->names, r->names.len ? ", " : "");
	for (size_t i = 0; i < scheme.len && i < 32; i++)
		buf_add(
		    &r->names, (unsigned char)scheme.ptr[i] < 0x7f ? &scheme.ptr[i] : "?", 1);
	r->count++;
}

/* One header value; a line that breaks off keeps what was read before. */
static void read_line(struct reading *r)
{
	r->into = NULL;
	while (r->count < CHALLENGES_MAX) {
		skip(&r->rest, " \t,");
		if (!r->rest.len)
			return;
		const struct slice word = take_token(&r->rest);
		const bool spaced = r->rest.len && is_space(r->rest.ptr[0]);
		if (!word.len)
			return;
		struct slice ahead = r->rest;
		skip(&ahead, " \t");
		const bool value = ahead.len && ahead.ptr[0] == '=';
		if (!value) {
			begin(r, word);
			if (!spaced && r->rest.len && r->rest.ptr[0] == '"')
				return;
			continue;
		}
		r->rest = ahead;
		if (!read_value(r, word)) {
			/* Unterminated: the challenge it stands in is not believed. */
			if (r->into)
				challenge_drop(r->into);
			return;
		}
	}
}

bool challenge_read(struct slice lines, struct challenge *out, struct err *e)
{
	OWNED(buf_drop) struct buf names = BUF(4096);
	struct reading r = {.names = names};
	struct slice line;
	struct slice rest = lines;

	if (lines.len > CHALLENGE_TEXT_MAX)
		rest.len = 0;
	while (slice_cut(&rest, '\n', &line)) {
		r.rest = line;
		read_line(&r);
	}
	names = r.names;
	struct challenge *best = &r.basic;
	if (r.bearer.scheme == CHALLENGE_BEARER && r.bearer.realm && *r.bearer.realm)
		best = &r.bearer;
	*out = STEAL(*best);
	challenge_drop(&r.bearer);
	challenge_drop(&r.basic);
	if (out->scheme != CHALLENGE_NONE)
		return true;
	return err_set(e, ERR_DENIED,
	    "expected a Bearer or Basic challenge that can be read, found %.200s",
	    names.len ? buf_text(&names) : "none");
}
