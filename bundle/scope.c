#include "bundle/scope.h"

#include "base/own.h"
#include "bundle/setting.h"

#include <stdlib.h>

void scope_drop(struct scope *s)
{
	for (size_t i = 0; i < s->name_count; i++)
		free(s->names[i]);
	free(s->names);
	*s = (struct scope){0};
}

static bool add_name(struct scope *s, struct slice glob, struct err *e)
{
	if (s->name_count == SCOPE_NAMES_MAX)
		return err_set(e, ERR_UNTRUSTED,
		    "expected at most %d lines with bundle-name, found more", SCOPE_NAMES_MAX);
	s->names = own_grow(s->names, s->name_count + 1, sizeof(*s->names));
	s->names[s->name_count++] = own_bytes(glob.ptr, glob.len);
	return true;
}

static bool set_time(
    const struct setting *line, enum date_day day, uint64_t *seconds, struct err *e)
{
	OWNED(drop_text) char *text = own_bytes(line->value.ptr, line->value.len);

	if (*seconds)
		return err_set(e, ERR_UNTRUSTED, "expected %.*s once", SLICE_ARG(line->name));
	if (date_read(text, day, seconds, e))
		return true;
	e->kind = ERR_UNTRUSTED;
	return false;
}

static bool take_line(struct scope *s, const struct setting *line, struct err *e)
{
	if (slice_is(line->name, "bundle-name"))
		return add_name(s, line->value, e);
	if (slice_is(line->name, "not-before"))
		return set_time(line, DATE_DAY_BEGIN, &s->not_before, e);
	if (slice_is(line->name, "not-after"))
		return set_time(line, DATE_DAY_END, &s->not_after, e);
	return err_set(e, ERR_UNTRUSTED,
	    "expected bundle-name, not-before or not-after, found \"%.*s\"",
	    SLICE_ARG(line->name));
}

bool scope_read(struct slice text, const char *what, struct scope *out, struct err *e)
{
	OWNED(scope_drop) struct scope s = {0};
	struct settings lines = {.rest = text};
	struct setting line;
	bool bad;

	while (settings_next(&lines, &line, &bad))
		if (!take_line(&s, &line, e))
			return err_in(e, "%s, line %zu", what, line.line);
	if (bad)
		return err_set(e, ERR_UNTRUSTED,
		    "%s, line %zu: expected NAME = VALUE, found \"%.*s\"", what, line.line,
		    SLICE_ARG(line.name));
	if (!s.name_count && !s.not_before && !s.not_after)
		return err_set(e, ERR_UNTRUSTED,
		    "%s: expected at least one line that limits the key, found none", what);
	*out = STEAL(s);
	return true;
}

/* "*" is any run of characters, "?" any one. */
static bool matches(const char *glob, const char *name)
{
	const char *star = NULL; /* the last one, and where its run may grow */
	const char *run = name;

	while (*name) {
		if (*glob == '*') {
			star = glob++;
			run = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star + 1;
			name = ++run;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

static void join_names(const struct scope *s, struct buf *out)
{
	for (size_t i = 0; i < s->name_count; i++)
		buf_addf(out, "%s%s", i ? ", " : "", s->names[i]);
}

static bool names_cover(const struct scope *s, const char *name)
{
	for (size_t i = 0; i < s->name_count; i++)
		if (matches(s->names[i], name))
			return true;
	return s->name_count == 0;
}

bool scope_covers(const struct scope *s, const char *name, uint64_t now, struct buf *why)
{
	char when[2][DATE_TEXT];

	if (!names_cover(s, name)) {
		buf_adds(why, "is for the bundles ");
		join_names(s, why);
		buf_addf(why, " only, and this one is %s", name);
		return false;
	}
	if (now < s->not_before) {
		buf_addf(why, "counts from %s on, and it is %s",
		    date_text(s->not_before, when[0]), date_text(now, when[1]));
		return false;
	}
	if (s->not_after && now > s->not_after) {
		buf_addf(why, "counted until %s, and it is %s",
		    date_text(s->not_after, when[0]), date_text(now, when[1]));
		return false;
	}
	return true;
}

void scope_text(const struct scope *s, struct buf *out)
{
	char when[DATE_TEXT];

	if (s->name_count) {
		buf_adds(out, "bundles ");
		join_names(s, out);
	}
	if (s->not_before)
		buf_addf(
		    out, "%sfrom %s", out->len ? ", " : "", date_text(s->not_before, when));
	if (s->not_after)
		buf_addf(
		    out, "%suntil %s", out->len ? ", " : "", date_text(s->not_after, when));
}
