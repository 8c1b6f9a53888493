#include "bundle/names.h"

#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool is_of(struct slice text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.ptr[i] || !strchr(allowed, text.ptr[i]))
			return false;
	return true;
}

static bool is_name(struct slice text, size_t max, const char *allowed)
{
	return text.len >= 1 && text.len <= max && is_of(text, allowed)
	       && strchr(LETTERS DIGITS, text.ptr[0]);
}

/* CON, NUL, COM1, … whatever follows the first dot, as Windows sees them. */
static bool is_device(struct slice name)
{
	static const char *const plain[] = {"con", "prn", "aux", "nul"};
	struct slice first;

	if (!slice_cut(&name, '.', &first))
		return false;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (first.len == 3 && strncasecmp(first.ptr, plain[i], 3) == 0)
			return true;
	return first.len == 4 && strchr(DIGITS, first.ptr[3])
	       && (strncasecmp(first.ptr, "com", 3) == 0
		   || strncasecmp(first.ptr, "lpt", 3) == 0);
}

/* An underscore may come first: it means nothing to a shell, a file system or an option. */
static bool is_file(struct slice name, size_t max, const char *allowed)
{
	const bool begins = name.len && name.ptr[0] != '.' && name.ptr[0] != '-';

	return begins && name.len <= max && is_of(name, allowed)
	       && name.ptr[name.len - 1] != '.' && !is_device(name);
}

bool name_is_file(struct slice name)
{
	return is_file(name, FILE_NAME_MAX, LETTERS DIGITS "._-");
}

bool name_is_chart_file(struct slice name)
{
	return is_file(name, CHART_FILE_MAX, LETTERS DIGITS "._+-");
}

bool name_is_channel(struct slice name)
{
	return is_name(name, CHANNEL_MAX, LETTERS DIGITS "._-");
}

bool name_is_label(struct slice key)
{
	return is_name(key, LABEL_KEY_MAX, LETTERS DIGITS "._/-");
}

bool name_is_label_value(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < ' ' || value.ptr[i] > '~')
			return false;
	return value.len <= LABEL_VALUE_MAX;
}
