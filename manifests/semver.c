#include "manifests/semver.h"

#include <ctype.h>
#include <string.h>

/* --- Versions --- */

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isdigit((unsigned char)s.ptr[i]))
			return false;
	return s.len > 0;
}

/* Identifiers between dots; numbers of a prerelease have no zero before them. */
static bool are_identifiers(struct slice text, bool zeros)
{
	struct slice word;

	while (slice_cut(&text, '.', &word)) {
		for (size_t i = 0; i < word.len; i++)
			if (!isalnum((unsigned char)word.ptr[i]) && word.ptr[i] != '-')
				return false;
		if (!word.len
		    || (!zeros && word.len > 1 && word.ptr[0] == '0' && is_number(word)))
			return false;
	}
	return true;
}

/* Takes "-pre" and "+build" off the end of a version's text. */
static bool take_tail(struct slice *text, struct slice *pre)
{
	struct slice build = *text;
	struct slice rest;

	(void)slice_cut(&build, '+', &rest);
	*text = rest;
	if (build.ptr && !are_identifiers(build, true))
		return false;
	(void)slice_cut(&rest, '-', text);
	*pre = rest.ptr ? rest : slice_at("", 0);
	return !rest.ptr || are_identifiers(rest, false);
}

static bool read(struct slice text, struct semver *v, size_t *parts)
{
	struct slice number;

	*v = (struct semver){0};
	*parts = 0;
	if (!take_tail(&text, &v->pre))
		return false;
	while (slice_cut(&text, '.', &number))
		if (*parts == 3 || !slice_u64(number, INT64_MAX, &v->part[(*parts)++]))
			return false;
	return *parts > 0;
}

bool semver_parse(struct slice text, struct semver *v)
{
	size_t parts;

	if (slice_starts(text, "v"))
		text = slice_at(text.ptr + 1, text.len - 1);
	return read(text, v, &parts);
}

bool semver_parse_strict(struct slice text, struct semver *v)
{
	size_t parts;
	struct slice number;
	struct slice rest = text;

	if (!read(text, v, &parts) || parts != 3)
		return false;
	for (size_t i = 0; i < 2 && slice_cut(&rest, '.', &number); i++)
		if (number.len > 1 && number.ptr[0] == '0')
			return false;
	return rest.len < 2 || rest.ptr[0] != '0' || !isdigit((unsigned char)rest.ptr[1]);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Numbers come before words, and a shorter number is the smaller. */
static int compare_words(struct slice a, struct slice b)
{
	const bool left = is_number(a);
	const bool right = is_number(b);
	const size_t shared = a.len < b.len ? a.len : b.len;

	if (left != right)
		return left ? -1 : 1;
	if (left && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	const int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
	return order ? order : compare_numbers(a.len, b.len);
}

/* No prerelease is above any. */
static int compare_pre(struct slice a, struct slice b)
{
	struct slice left;
	struct slice right;

	if (!a.len || !b.len)
		return (a.len == 0) - (b.len == 0);
	for (;;) {
		const bool more_left = slice_cut(&a, '.', &left);
		const bool more_right = slice_cut(&b, '.', &right);
		if (!more_left || !more_right)
			return more_left - more_right;
		const int order = compare_words(left, right);
		if (order)
			return order;
	}
}

int semver_compare(const struct semver *a, const struct semver *b)
{
	for (size_t i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return compare_numbers(a->part[i], b->part[i]);
	return compare_pre(a->pre, b->pre);
}

/* --- Ranges --- */

static bool is_any(struct slice part)
{
	return !part.len || slice_is(part, "x") || slice_is(part, "X") || slice_is(part, "*");
}

/* The parts of a version, as many as there are; *any of those that are any. */
static bool read_parts(struct slice text, struct range_term *t, bool any[3])
{
	struct slice part;
	size_t count = 0;

	for (; slice_cut(&text, '.', &part); count++) {
		if (count == 3 || !part.len)
			return false;
		any[count] = is_any(part);
		if (!any[count] && !slice_u64(part, INT64_MAX, &t->version.part[count]))
			return false;
	}
	return true;
}

/* A version in which parts may be missing or any; behind the first such one the others count
 * for nothing. */
static bool read_partial(struct slice text, struct range_term *t)
{
	bool any[3] = {true, true, true};
	size_t first = 0;

	if (slice_starts(text, "v"))
		text = slice_at(text.ptr + 1, text.len - 1);
	if (!text.len || !take_tail(&text, &t->version.pre) || !text.len
	    || !read_parts(text, t, any))
		return false;
	while (first < 3 && !any[first])
		first++;
	t->any_major = first == 0;
	t->any_minor = first == 1;
	t->any_patch = first == 2;
	for (size_t i = first; i < 3; i++)
		t->version.part[i] = 0;
	return true;
}

static const struct {
	const char *text;
	enum range_op op;
} operators[] = {{">=", RANGE_AT_LEAST}, {"=>", RANGE_AT_LEAST}, {"<=", RANGE_AT_MOST},
    {"=<", RANGE_AT_MOST}, {"!=", RANGE_NOT_EQUAL}, {"~>", RANGE_TILDE}, {"~", RANGE_TILDE},
    {"^", RANGE_CARET}, {">", RANGE_ABOVE}, {"<", RANGE_BELOW}, {"=", RANGE_EQUAL},
    {"", RANGE_EQUAL}};

static void skip_blanks(struct slice *s)
{
	while (s->len && (*s->ptr == ' ' || *s->ptr == '\t'))
		*s = slice_at(s->ptr + 1, s->len - 1);
}

/* Takes the next word: what stands before a blank or a comma. */
static struct slice take_word(struct slice *s)
{
	size_t len = 0;

	while (len < s->len && !strchr(" \t,", s->ptr[len]))
		len++;
	const struct slice word = slice_at(s->ptr, len);
	*s = slice_at(s->ptr + len, s->len - len);
	return word;
}

static bool add_term(struct range *r, enum range_op op, struct slice version, bool first)
{
	struct range_term term = {.op = op, .first = first};

	if (r->count == RANGE_TERMS_MAX || !read_partial(version, &term))
		return false;
	r->terms[r->count++] = term;
	return true;
}

/* "1.2 - 2.3": the dash stands between blanks. */
static bool take_dash(struct slice *rest)
{
	struct slice s = *rest;

	skip_blanks(&s);
	if (s.ptr == rest->ptr || !slice_starts(s, "-") || s.len < 2
	    || (s.ptr[1] != ' ' && s.ptr[1] != '\t'))
		return false;
	*rest = slice_at(s.ptr + 1, s.len - 1);
	skip_blanks(rest);
	return true;
}

static bool read_term(struct slice *rest, struct range *r, bool first)
{
	size_t i = 0;

	while (!slice_starts(*rest, operators[i].text))
		i++;
	const size_t len = strlen(operators[i].text);
	*rest = slice_at(rest->ptr + len, rest->len - len);
	skip_blanks(rest);
	const struct slice version = take_word(rest);
	if (len || !take_dash(rest))
		return add_term(r, operators[i].op, version, first);
	return add_term(r, RANGE_AT_LEAST, version, first)
	       && add_term(r, RANGE_AT_MOST, take_word(rest), false);
}

static bool read_alternative(struct slice text, struct range *r)
{
	bool first = true;

	for (skip_blanks(&text); text.len; skip_blanks(&text), first = false) {
		if (!first && slice_starts(text, ",")) {
			text = slice_at(text.ptr + 1, text.len - 1);
			skip_blanks(&text);
		}
		if (!read_term(&text, r, first))
			return false;
	}
	return !first;
}

bool range_parse(struct slice text, struct range *r, struct err *e)
{
	struct slice rest = text;
	bool ok = text.len > 0;

	*r = (struct range){0};
	while (ok) {
		const char *bar = memmem(rest.ptr, rest.len, "||", 2);
		const size_t len = bar ? (size_t)(bar - rest.ptr) : rest.len;
		ok = read_alternative(slice_at(rest.ptr, len), r);
		if (!bar)
			break;
		rest = slice_at(bar + 2, rest.len - len - 2);
	}
	return ok
	       || err_set(e, ERR_USAGE,
		   "expected a version or a range such as 1.2.3, ^1.2 or \">=1.2 <2\", found "
		   "\"%.*s\"",
		   (int)(text.len > 100 ? 100 : text.len), text.ptr ? text.ptr : "");
}

/* --- Whether a version is in a range --- */

static bool same(const struct range_term *t, const struct semver *v, size_t part)
{
	return t->version.part[part] == v->part[part];
}

static bool is_partial(const struct range_term *t)
{
	return t->any_major || t->any_minor || t->any_patch;
}

static bool is_tilde(const struct range_term *t, const struct semver *v)
{
	if (semver_compare(v, &t->version) < 0)
		return false;
	/* "~0.0.0", as "*": all of them. */
	if (!t->version.part[0] && !t->version.part[1] && !t->version.part[2] && !t->any_minor
	    && !t->any_patch)
		return true;
	return same(t, v, 0) && (t->any_minor || same(t, v, 1));
}

static bool is_caret(const struct range_term *t, const struct semver *v)
{
	if (semver_compare(v, &t->version) < 0)
		return false;
	if (t->version.part[0] > 0 || t->any_minor || t->any_major)
		return t->any_major || same(t, v, 0);
	if (v->part[0] > 0)
		return false;
	if (t->version.part[1] > 0 || t->any_patch)
		return same(t, v, 1);
	return v->part[1] == 0 && same(t, v, 2);
}

static bool is_another(const struct range_term *t, const struct semver *v)
{
	if (!is_partial(t))
		return semver_compare(v, &t->version) != 0;
	if (t->any_major)
		return false;
	if (!same(t, v, 0))
		return true;
	if (t->any_minor)
		return false;
	return !same(t, v, 1)
	       || ((v->pre.len || t->version.pre.len)
		   && compare_pre(v->pre, t->version.pre) != 0);
}

/* ">11" is above all of 11, ">11.1" above all of 11.1. */
static bool is_above(const struct range_term *t, const struct semver *v)
{
	if (!is_partial(t) || t->any_major || !same(t, v, 0))
		return is_partial(t) && !t->any_major ? v->part[0] > t->version.part[0]
						      : semver_compare(v, &t->version) > 0;
	return !t->any_minor && v->part[1] > t->version.part[1];
}

static bool is_at_most(const struct range_term *t, const struct semver *v)
{
	if (!is_partial(t))
		return semver_compare(v, &t->version) <= 0;
	if (v->part[0] != t->version.part[0])
		return v->part[0] < t->version.part[0];
	return t->any_minor || v->part[1] <= t->version.part[1];
}

static bool holds(const struct range_term *t, const struct semver *v)
{
	switch (t->op) {
	case RANGE_EQUAL:
		return is_partial(t) ? is_tilde(t, v) : semver_compare(v, &t->version) == 0;
	case RANGE_NOT_EQUAL:
		return is_another(t, v);
	case RANGE_ABOVE:
		return is_above(t, v);
	case RANGE_BELOW:
		return semver_compare(v, &t->version) < 0;
	case RANGE_AT_LEAST:
		return semver_compare(v, &t->version) >= 0;
	case RANGE_AT_MOST:
		return is_at_most(t, v);
	case RANGE_TILDE:
		return is_tilde(t, v);
	case RANGE_CARET:
		break;
	}
	return is_caret(t, v);
}

bool range_has(const struct range *r, const struct semver *v)
{
	for (size_t i = 0; i < r->count;) {
		bool all = true;
		bool pre = false;
		do {
			all = all && holds(&r->terms[i], v);
			pre = pre || r->terms[i].version.pre.len;
		} while (++i < r->count && !r->terms[i].first);
		if (all && (pre || !v->pre.len))
			return true;
	}
	return false;
}
