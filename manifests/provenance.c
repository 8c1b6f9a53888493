#include "manifests/provenance.h"

#include "base/own.h"
#include "manifests/yaml.h"

#include <string.h>

#define BEGINS "-----BEGIN PGP SIGNED MESSAGE-----"
#define ENDS "-----BEGIN PGP SIGNATURE-----"

bool provenance_is(struct slice text)
{
	return slice_starts(text, BEGINS);
}

static bool take_line(struct slice *rest, struct slice *line)
{
	if (!rest->ptr || !rest->len || !slice_cut(rest, '\n', line))
		return false;
	while (
	    line->len && (line->ptr[line->len - 1] == '\r' || line->ptr[line->len - 1] == ' '))
		line->len--;
	return true;
}

/* What stands between the line "..." and the signature, without the dashes that PGP puts
 * before dashes. */
static void take_sums(struct slice text, struct buf *out)
{
	struct slice line;
	bool body = false;
	bool sums = false;

	while (take_line(&text, &line) && !slice_is(line, ENDS)) {
		body = body || !line.len;
		if (slice_starts(line, "- "))
			line = slice_at(line.ptr + 2, line.len - 2);
		if (sums) {
			buf_add(out, line.ptr, line.len);
			buf_adds(out, "\n");
		}
		sums = sums || (body && slice_is(line, "..."));
	}
}

bool provenance_check(
    struct slice text, const char *file, const struct digest *digest, struct err *e)
{
	OWNED(buf_drop) struct buf sums = BUF(PROVENANCE_MAX);
	OWNED(yaml_drop) struct yaml *doc = NULL;
	char want[DIGEST_TEXT];
	struct slice found = slice_at("", 0);
	struct err ignored = {0};

	take_sums(text, &sums);
	if (yaml_parse(buf_slice(&sums), "provenance", &doc, &ignored)) {
		const struct yaml_node *files = yaml_resolve(yaml_get(yaml_root(doc), "files"));
		const struct yaml_node *sum = yaml_resolve(yaml_get(files, file));
		if (sum && sum->kind == YAML_SCALAR)
			found = sum->text;
	}
	return slice_is(found, digest_text(digest, want))
	       || err_set(e, ERR_DAMAGED,
		   "expected the provenance file to say %s of %.160s, found %.*s", want, file,
		   (int)(found.len > 80 ? 80 : found.len), found.len ? found.ptr : "nothing");
}
