#include "bundle/setting.h"

/* Whether line has a name and a value. */
static bool parse(struct slice line, struct setting *out)
{
	struct slice rest = line;

	if (!slice_cut(&rest, '=', &out->name) || !rest.ptr)
		return false;
	out->name = slice_trim(out->name);
	out->value = slice_trim(rest);
	return out->name.len && out->value.len;
}

bool settings_next(struct settings *s, struct setting *out, bool *bad)
{
	struct slice line;

	*bad = false;
	while (slice_cut(&s->rest, '\n', &line)) {
		s->line++;
		line = slice_trim(line);
		if (!line.len || line.ptr[0] == '#')
			continue;
		*out = (struct setting){.name = line, .line = s->line};
		*bad = !parse(line, out);
		return !*bad;
	}
	return false;
}
