#include "cmd/report.h"

#include "base/own.h"
#include "cmd/output.h"
#include "manifests/json.h"

#include <stdio.h>

enum { REPORT_MAX = 32 * 1024 * 1024 };

static void print_change(const char *file, const struct change *ch)
{
	const char *old = ch->old ? ch->old : "(unset)";

	if (ch->kind == CHANGE_SPLICE)
		say(stdout, "%s%s:%zu: %s: %s -> %s\n", ch->version ? "version: " : "", file,
		    ch->line, ch->path, old, ch->new);
	else
		say(stdout, "overlay: %s: %s -> %s\n", ch->path, old, ch->new);
}

static void print_finding(const char *file, const struct finding *f)
{
	const char *path = f->path ? f->path : file;
	const char *waived = f->waived ? " (waived)" : "";

	if (f->line)
		say(stdout, "%s:%zu: %s: %s: %s%s\n", file, f->line, f->code, path, f->text,
		    waived);
	else
		say(stdout, "%s: %s: %s%s\n", f->code, path, f->text, waived);
}

static void print_text(const struct rewrite *r, const char *file)
{
	for (size_t i = 0; i < r->change_count; i++)
		print_change(file, &r->changes[i]);
	for (size_t i = 0; i < r->findings.count; i++)
		print_finding(file, &r->findings.items[i]);
}

static void put_optional(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_pair(w, key, text);
}

static void put_flag(struct json_writer *w, const char *key, bool flag)
{
	json_key(w, key);
	json_put_raw(w, slice_of(flag ? "true" : "false"));
}

static void put_change(struct json_writer *w, const struct change *ch)
{
	json_begin(w, '{');
	json_pair(w, "kind", ch->kind == CHANGE_SPLICE ? "splice" : "overlay");
	json_key(w, "line");
	json_put_u64(w, ch->line);
	put_flag(w, "version", ch->version);
	json_pair(w, "path", ch->path);
	put_optional(w, "old", ch->old);
	json_pair(w, "new", ch->new);
	json_end(w, '}');
}

static void put_finding(struct json_writer *w, const struct finding *f)
{
	json_begin(w, '{');
	json_pair(w, "code", f->code);
	put_flag(w, "blocking", f->blocking);
	put_flag(w, "waived", f->waived);
	json_key(w, "line");
	json_put_u64(w, f->line);
	put_optional(w, "path", f->path);
	json_pair(w, "text", f->text);
	json_end(w, '}');
}

static void print_json(const struct rewrite *r, const char *helm)
{
	OWNED(buf_drop) struct buf text = BUF(REPORT_MAX);
	struct json_writer w = {.out = &text};

	json_begin(&w, '{');
	json_pair(&w, "event", "values");
	json_key(&w, "changes");
	json_begin(&w, '[');
	for (size_t i = 0; i < r->change_count; i++)
		put_change(&w, &r->changes[i]);
	json_end(&w, ']');
	json_key(&w, "findings");
	json_begin(&w, '[');
	for (size_t i = 0; i < r->findings.count; i++)
		put_finding(&w, &r->findings.items[i]);
	json_end(&w, ']');
	put_optional(&w, "helm", helm);
	json_end(&w, '}');
	(void)puts(buf_text(&text));
}

void report_values(const struct rewrite *r, const char *file, const char *helm, bool json)
{
	if (json)
		print_json(r, helm);
	else
		print_text(r, file ? file : "");
}
