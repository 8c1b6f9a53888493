#include "cmd/stamp.h"

#include "base/date.h"
#include "base/own.h"
#include "bundle/names.h"

#include <stdlib.h>
#include <string.h>

static bool read_label(const char *text, struct stamp *s, struct err *e)
{
	const char *equals = strchr(text, '=');
	const struct slice key = slice_at(text, equals ? (size_t)(equals - text) : 0);

	if (!equals || !name_is_label(key) || !name_is_label_value(slice_of(equals + 1)))
		return err_set(e, ERR_USAGE,
		    "--label: expected KEY=VALUE, the key of letters, digits, dots, slashes, "
		    "dashes and underscores (at most %d), the value of printable ASCII (at "
		    "most %d), found \"%s\"",
		    LABEL_KEY_MAX, LABEL_VALUE_MAX, text);
	s->labels[s->label_count++] =
	    (struct bundle_label){own_bytes(key.ptr, key.len), own_text(equals + 1)};
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(
	    ((const struct bundle_label *)a)->key, ((const struct bundle_label *)b)->key);
}

static bool read_labels(const struct texts *given, struct stamp *s, struct err *e)
{
	if (given->count > LABELS_MAX)
		return err_set(e, ERR_USAGE, "--label: expected at most %d, found %zu",
		    LABELS_MAX, given->count);
	s->labels = own_array(given->count, sizeof(*s->labels));
	for (size_t i = 0; i < given->count; i++)
		if (!read_label(given->items[i], s, e))
			return false;
	qsort(s->labels, s->label_count, sizeof(*s->labels), by_key);
	for (size_t i = 1; i < s->label_count; i++)
		if (by_key(&s->labels[i - 1], &s->labels[i]) == 0)
			return err_set(e, ERR_USAGE,
			    "--label: expected each key once, found %s twice",
			    s->labels[i].key);
	return true;
}

bool stamp_read(const struct stamp_options *o, struct stamp *out, struct err *e)
{
	OWNED(stamp_drop) struct stamp s = {0};

	s.channel = own_text(o->channel ? o->channel : "stable");
	if (!name_is_channel(slice_of(s.channel)))
		return err_set(e, ERR_USAGE,
		    "--channel: expected 1 to %d letters, digits, dots, dashes and "
		    "underscores, the first a letter or digit, found \"%s\"",
		    CHANNEL_MAX, s.channel);
	if (o->expires && !date_read(o->expires, DATE_DAY_END, &s.expires, e))
		return err_in(e, "--expires");
	if (o->expires && !s.expires)
		return err_set(e, ERR_USAGE, "--expires: expected a time that comes, found %s",
		    o->expires);
	if (!read_labels(&o->labels, &s, e))
		return false;
	*out = STEAL(s);
	return true;
}

void stamp_drop(struct stamp *s)
{
	for (size_t i = 0; i < s->label_count; i++) {
		free(s->labels[i].key);
		free(s->labels[i].value);
	}
	free(s->labels);
	free(s->channel);
	*s = (struct stamp){0};
}

bool stamp_put(const struct stamp *s, struct inventory *inv, struct err *e)
{
	char text[2][DATE_TEXT];

	if (s->expires && s->expires <= inv->created)
		return err_set(e, ERR_USAGE,
		    "--expires: expected a time after %s, which the bundle carries as its own, "
		    "found %s",
		    date_text(inv->created, text[0]), date_text(s->expires, text[1]));
	inv->channel = own_text(s->channel);
	inv->expires = s->expires;
	inv->labels = own_array(s->label_count, sizeof(*inv->labels));
	for (; inv->label_count < s->label_count; inv->label_count++)
		inv->labels[inv->label_count] =
		    (struct bundle_label){own_text(s->labels[inv->label_count].key),
			own_text(s->labels[inv->label_count].value)};
	return true;
}
