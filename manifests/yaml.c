#include "manifests/yaml.h"

#include "base/own.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
	CHUNK_NODES = 128, /* nodes never move, so they come in chunks */
};

/* A node and what it owns. */
struct cell {
	struct yaml_node node;
	char *text;
	char *anchor;
};

struct chunk {
	struct chunk *before;
	struct cell cells[CHUNK_NODES];
};

/* A collection that is open. */
struct level {
	struct yaml_node *node;
	struct yaml_node *last; /* its last item or value */
};

struct yaml {
	struct chunk *chunks;
	size_t count;
	struct yaml_node *root;
	struct yaml_node *anchored[YAML_ANCHORS_MAX]; /* in the order of the text */
	size_t anchor_count;
};

/* A document on its way from text to tree. */
struct builder {
	struct slice text; /* with its BOM */
	const char *what;
	struct yaml *doc;
	struct level levels[YAML_DEPTH_MAX];
	size_t depth;		     /* of them are open */
	const struct yaml_node *key; /* a key that waits for its value */
	size_t bom;		     /* bytes before the first character that libyaml sees */
	size_t chars;		     /* this many characters … */
	size_t bytes;		     /* … of text end at this byte */
};

/* ---- what no YAML reader should see ---------------------------------------------------------
 */

/* Reads one UTF-8 character; its length, 0 when the bytes are none. */
static size_t utf8_read(struct slice s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char lead = (unsigned char)s.ptr[0];
	const size_t len = lead < 0x80		   ? 1
			   : (lead & 0xe0) == 0xc0 ? 2
			   : (lead & 0xf0) == 0xe0 ? 3
			   : (lead & 0xf8) == 0xf0 ? 4
						   : 0;

	if (!len || len > s.len)
		return 0;
	*c = len == 1 ? lead : lead & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return len;
}

/* YAML's c-printable. */
static bool printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85
	       || (c >= 0xa0 && c <= 0xfffd) || c >= 0x10000;
}

static bool check_characters(struct slice text, const char *what, size_t from, struct err *e)
{
	size_t line = 1;
	size_t column = 1;
	uint32_t c = 0;

	for (size_t i = from, len = 0; i < text.len; i += len) {
		len = utf8_read(slice_at(text.ptr + i, text.len - i), &c);
		if (!len)
			return err_set(e, ERR_FORMAT,
			    "%s:%zu:%zu: expected UTF-8, found the byte 0x%02x", what, line,
			    column, (unsigned)(unsigned char)text.ptr[i]);
		if (!printable(c))
			return err_set(e, ERR_FORMAT,
			    "%s:%zu:%zu: expected text, found the control character U+%04X",
			    what, line, column, (unsigned)c);
		column++;
		if (c == '\n') {
			line++;
			column = 1;
		}
	}
	return true;
}

/* The length of a UTF-8 BOM; a BOM of UTF-16 is an error. */
static bool check_bom(struct slice text, const char *what, size_t *bom, struct err *e)
{
	const bool half = text.len > 1 && (!text.ptr[0] || !text.ptr[1]);

	if (half || slice_starts(text, "\xff\xfe") || slice_starts(text, "\xfe\xff"))
		return err_set(e, ERR_FORMAT,
		    "%s:1:1: expected UTF-8, found UTF-16; save the file as UTF-8", what);
	*bom = slice_starts(text, "\xef\xbb\xbf") ? 3 : 0;
	return true;
}

/* ---- positions ------------------------------------------------------------------------------
 */

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The byte at which libyaml's character number index begins: libyaml counts characters, and its
 * marks come nearly in order, so the last one is the place to count from. */
static size_t byte_at(struct builder *b, size_t index)
{
	while (b->chars < index && b->bytes < b->text.len) {
		b->bytes++;
		while (b->bytes < b->text.len && continues(b->text.ptr[b->bytes]))
			b->bytes++;
		b->chars++;
	}
	while (b->chars > index) {
		b->bytes--;
		while (continues(b->text.ptr[b->bytes]))
			b->bytes--;
		b->chars--;
	}
	return b->bytes;
}

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_word(struct slice text, size_t at, size_t end)
{
	while (at < end && !is_space(text.ptr[at]) && !is_break(text.ptr[at]))
		at++;
	return at;
}

static size_t skip_line(struct slice text, size_t at, size_t end)
{
	while (at < end && !is_break(text.ptr[at]))
		at++;
	return at;
}

/* Where the content begins behind an anchor and a tag, and the comments after those. */
static size_t skip_properties(struct slice text, size_t at, size_t end)
{
	while (at < end) {
		const char c = text.ptr[at];

		if (c == '&' || c == '!')
			at = skip_word(text, at, end);
		else if (c == '#')
			at = skip_line(text, at, end);
		else if (is_space(c) || is_break(c))
			at++;
		else
			break;
	}
	return at;
}

/* The end of a block scalar's last line that is not blank. */
static size_t trim_block(struct slice text, size_t start, size_t end)
{
	size_t at = end;

	while (at > start && (is_space(text.ptr[at - 1]) || is_break(text.ptr[at - 1])))
		at--;
	return skip_line(text, at, end);
}

/* Line and column of a byte, for a node whose anchor was skipped. */
static void move_place(struct yaml_node *node, struct slice text, size_t from)
{
	for (size_t i = from; i < node->start; i++) {
		if (text.ptr[i] == '\n') {
			node->line++;
			node->column = 1;
		} else if (!continues(text.ptr[i])) {
			node->column++;
		}
	}
}

/* ---- building -------------------------------------------------------------------------------
 */

static bool fail_at(
    const struct builder *b, enum err_kind kind, yaml_mark_t at, const char *why, struct err *e)
{
	return err_set(e, kind, "%s:%zu:%zu: %s", b->what, at.line + 1, at.column + 1, why);
}

static bool fail_limit(
    const struct builder *b, yaml_mark_t at, size_t max, const char *of, struct err *e)
{
	return err_set(e, ERR_LIMIT, "%s:%zu:%zu: expected at most %zu %s, found more", b->what,
	    at.line + 1, at.column + 1, max, of);
}

static struct cell *add_cell(struct yaml *doc)
{
	const size_t at = doc->count % CHUNK_NODES;

	if (at == 0) {
		struct chunk *chunk = own_new(sizeof *chunk);
		chunk->before = doc->chunks;
		doc->chunks = chunk;
	}
	doc->count++;
	return &doc->chunks->cells[at];
}

/* Hangs a node into the open collection: as an item, as a key that waits, or as a value. */
static void hang(struct builder *b, struct yaml_node *node)
{
	if (!b->depth) {
		b->doc->root = node;
		return;
	}
	struct level *in = &b->levels[b->depth - 1];
	node->parent = in->node;
	if (in->node->kind == YAML_MAPPING && !b->key) {
		b->key = node;
		return;
	}
	node->key = b->key;
	b->key = NULL;
	if (in->last)
		in->last->next = node;
	else
		in->node->first = node;
	in->last = node;
	in->node->count++;
}

static bool new_cell(struct builder *b, enum yaml_kind kind, const yaml_event_t *event,
    struct cell **out, struct err *e)
{
	if (b->doc->count == YAML_NODES_MAX)
		return fail_limit(b, event->start_mark, YAML_NODES_MAX, "nodes", e);
	struct cell *cell = add_cell(b->doc);
	cell->node.kind = kind;
	cell->node.start = byte_at(b, event->start_mark.index);
	cell->node.end = byte_at(b, event->end_mark.index);
	cell->node.line = event->start_mark.line + 1;
	cell->node.column = event->start_mark.column + 1;
	*out = cell;
	return true;
}

/* Remembers a node's anchor, taking the name from libyaml. */
static bool anchor_take(struct builder *b, struct cell *cell, yaml_char_t **name,
    const yaml_event_t *event, struct err *e)
{
	if (!*name)
		return true;
	if (b->doc->anchor_count == YAML_ANCHORS_MAX)
		return fail_limit(b, event->start_mark, YAML_ANCHORS_MAX, "anchors", e);
	cell->anchor = (char *)STEAL(*name);
	cell->node.anchor = cell->anchor;
	b->doc->anchored[b->doc->anchor_count++] = &cell->node;
	return true;
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		return YAML_SINGLE;
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return YAML_DOUBLE;
	if (style == YAML_LITERAL_SCALAR_STYLE)
		return YAML_LITERAL;
	return style == YAML_FOLDED_SCALAR_STYLE ? YAML_FOLDED : YAML_PLAIN;
}

/* In {a: , b: 1} libyaml has the missing value before the comma; it belongs after the colon. */
static void move_to_colon(struct yaml_node *node, struct slice text)
{
	size_t at = node->start;

	while (at > 0 && is_space(text.ptr[at - 1]))
		at--;
	if (at == 0 || text.ptr[at - 1] != ':')
		return;
	node->column -= node->start - at;
	node->start = at;
	node->end = at;
}

/* The exact bytes of a scalar, from the bytes of its event. */
static void set_range(const struct builder *b, struct yaml_node *node, bool properties)
{
	const size_t from = node->start;

	if (properties) {
		node->start = skip_properties(b->text, from, node->end);
		move_place(node, b->text, from);
	}
	if (node->style == YAML_PLAIN && node->start == node->end)
		move_to_colon(node, b->text);
	if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
		node->end = trim_block(b->text, node->start, node->end);
}

static bool add_scalar(struct builder *b, yaml_event_t *event, struct err *e)
{
	struct cell *cell = NULL;

	if (!new_cell(b, YAML_SCALAR, event, &cell, e))
		return false;
	cell->text = (char *)STEAL(event->data.scalar.value);
	cell->node.text = slice_at(cell->text, event->data.scalar.length);
	cell->node.style = style_of(event->data.scalar.style);
	cell->node.tagged = event->data.scalar.tag != NULL;
	set_range(b, &cell->node, cell->node.tagged || event->data.scalar.anchor);
	if (!anchor_take(b, cell, &event->data.scalar.anchor, event, e))
		return false;
	hang(b, &cell->node);
	return true;
}

static bool open_level(struct builder *b, enum yaml_kind kind, yaml_event_t *event,
    yaml_char_t **anchor, struct err *e)
{
	struct cell *cell = NULL;

	if (b->depth == YAML_DEPTH_MAX)
		return fail_limit(b, event->start_mark, YAML_DEPTH_MAX, "levels", e);
	if (!new_cell(b, kind, event, &cell, e) || !anchor_take(b, cell, anchor, event, e))
		return false;
	hang(b, &cell->node);
	if (b->key)
		return fail_at(b, ERR_FORMAT, event->start_mark,
		    "expected a text as key, found a mapping or a sequence", e);
	b->levels[b->depth++] = (struct level){.node = &cell->node};
	return true;
}

static bool add_alias(struct builder *b, yaml_event_t *event, struct err *e)
{
	struct cell *cell = NULL;

	if (!new_cell(b, YAML_ALIAS, event, &cell, e))
		return false;
	cell->text = (char *)STEAL(event->data.alias.anchor);
	cell->node.text = slice_of(cell->text);
	for (size_t i = b->doc->anchor_count; i > 0 && !cell->node.target; i--)
		if (strcmp(b->doc->anchored[i - 1]->anchor, cell->text) == 0)
			cell->node.target = b->doc->anchored[i - 1];
	if (!cell->node.target)
		return fail_at(b, ERR_FORMAT, event->start_mark,
		    "expected an alias of an anchor above it, found one of no anchor", e);
	for (size_t i = 0; i < b->depth; i++)
		if (b->levels[i].node == cell->node.target)
			return fail_at(b, ERR_FORMAT, event->start_mark,
			    "expected an alias of something else, found one of what it is in",
			    e);
	hang(b, &cell->node);
	return true;
}

static bool open_document(struct builder *b, const yaml_event_t *event, struct err *e)
{
	if (b->doc->root)
		return fail_at(b, ERR_FORMAT, event->start_mark,
		    "expected one document, found a second, which Helm 3 would not read", e);
	return true;
}

static bool add_event(struct builder *b, yaml_event_t *event, struct err *e)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event, e);
	case YAML_ALIAS_EVENT:
		return add_alias(b, event, e);
	case YAML_MAPPING_START_EVENT:
		return open_level(b, YAML_MAPPING, event, &event->data.mapping_start.anchor, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(
		    b, YAML_SEQUENCE, event, &event->data.sequence_start.anchor, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return true;
	case YAML_DOCUMENT_START_EVENT:
		return open_document(b, event, e);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return true;
}

/* Says what libyaml says, at its place, and what to do where that is a common mistake. */
static bool fail_syntax(struct builder *b, const yaml_parser_t *parser, struct err *e)
{
	const yaml_mark_t at = parser->problem_mark;
	const size_t byte = byte_at(b, at.index);
	const char *hint = "";

	if (byte < b->text.len && b->text.ptr[byte] == '\t')
		hint = "; indent with blanks, not with a tab";
	else if (byte > b->bom && byte < b->text.len && b->text.ptr[byte] == '{'
		 && b->text.ptr[byte - 1] == '$')
		hint = "; inside {} and [] a text with ${} needs double quotes around it";
	return err_set(e, ERR_FORMAT,
	    "%s:%zu:%zu: expected YAML, found an error in it: %s%s%s%s", b->what, at.line + 1,
	    at.column + 1, parser->problem ? parser->problem : "unknown",
	    parser->context ? " " : "", parser->context ? parser->context : "", hint);
}

static bool read_events(struct builder *b, yaml_parser_t *parser, struct err *e)
{
	for (bool more = true; more;) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return fail_syntax(b, parser, e);
		more = event.type != YAML_STREAM_END_EVENT;
		const bool ok = add_event(b, &event, e);
		yaml_event_delete(&event);
		if (!ok)
			return false;
	}
	return true;
}

void yaml_drop(struct yaml **y)
{
	struct chunk *chunk = *y ? (*y)->chunks : NULL;

	while (chunk) {
		struct chunk *before = chunk->before;
		for (size_t i = 0; i < CHUNK_NODES; i++) {
			free(chunk->cells[i].text);
			free(chunk->cells[i].anchor);
		}
		free(chunk);
		chunk = before;
	}
	free(*y);
	*y = NULL;
}

static bool check_text(struct slice text, const char *what, size_t *bom, struct err *e)
{
	if (text.len > YAML_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "%s: expected at most %d bytes of YAML, found %zu",
		    what, YAML_TEXT_MAX, text.len);
	return check_bom(text, what, bom, e) && check_characters(text, what, *bom, e);
}

bool yaml_parse(struct slice text, const char *what, struct yaml **out, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = own_new(sizeof *doc);
	struct builder b = {.text = text, .what = what, .doc = doc};
	OWNED(yaml_parser_delete) yaml_parser_t parser = {0};

	if (!check_text(text, what, &b.bom, e))
		return false;
	if (!yaml_parser_initialize(&parser))
		return err_set(
		    e, ERR_SYSTEM, "%s: expected memory for a YAML parser, found none", what);
	b.bytes = b.bom;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
	    (const unsigned char *)(text.len ? text.ptr : "") + b.bom, text.len - b.bom);
	if (!read_events(&b, &parser, e))
		return false;
	*out = STEAL(doc);
	return true;
}

/* ---- looking --------------------------------------------------------------------------------
 */

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return y->root;
}

const struct yaml_node *yaml_resolve(const struct yaml_node *node)
{
	return node && node->kind == YAML_ALIAS ? node->target : node;
}

static const struct yaml_node *get(const struct yaml_node *mapping, struct slice key)
{
	const struct yaml_node *found = NULL;

	mapping = yaml_resolve(mapping);
	if (!mapping || mapping->kind != YAML_MAPPING)
		return NULL;
	for (const struct yaml_node *value = mapping->first; value; value = value->next) {
		const struct yaml_node *name = yaml_resolve(value->key);

		if (name && slice_equal(name->text, key))
			found = value;
	}
	return found;
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	return get(mapping, slice_of(key));
}

static const struct yaml_node *item(const struct yaml_node *sequence, struct slice number)
{
	uint64_t i = 0;

	if (!slice_u64(number, YAML_NODES_MAX, &i))
		return NULL;
	const struct yaml_node *at = sequence->first;
	while (at && i--)
		at = at->next;
	return at;
}

/* Takes the next key off a dotted path. */
static bool cut_key(struct slice *rest, struct slice *part)
{
	if (!rest->ptr || !slice_starts(*rest, "\""))
		return slice_cut(rest, '.', part);
	*rest = slice_at(rest->ptr + 1, rest->len - 1);
	if (!slice_cut(rest, '"', part))
		return false;
	if (rest->ptr && rest->len && rest->ptr[0] == '.')
		*rest = slice_at(rest->ptr + 1, rest->len - 1);
	else
		*rest = (struct slice){0};
	return true;
}

const struct yaml_node *yaml_path(const struct yaml *y, const char *path)
{
	const struct yaml_node *node = y->root;
	struct slice rest = slice_of(path);
	struct slice key;

	while (node && cut_key(&rest, &key)) {
		node = yaml_resolve(node);
		node = node->kind == YAML_SEQUENCE ? item(node, key) : get(node, key);
	}
	return node;
}

/* ---- what plain characters mean -------------------------------------------------------------
 */

static bool is_null_text(struct slice s)
{
	return !s.len || slice_is(s, "~") || slice_is(s, "null") || slice_is(s, "Null")
	       || slice_is(s, "NULL");
}

bool yaml_is_null(const struct yaml_node *node)
{
	return node && node->kind == YAML_SCALAR && node->style == YAML_PLAIN && !node->tagged
	       && is_null_text(node->text);
}

static bool matches(struct slice s, const char *pattern)
{
	regex_t regex;
	/* With REG_STARTEND the slice needs no NUL behind it. */
	regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)s.len};

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	const bool match = regexec(&regex, s.ptr, 1, &range, REG_STARTEND) == 0;
	regfree(&regex);
	return match;
}

bool yaml_is_text(struct slice plain)
{
	static const char *const patterns[] = {
	    "^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$",
	    "^(true|True|TRUE|false|False|FALSE|<<|=)$",
	    "^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$",
	    "^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?$", /* 1:30, base 60 */
	    "^[-+]?(\\.[0-9_]+|[0-9][0-9_]*(\\.[0-9_]*)?)([eE][-+]?[0-9]+)?$",
	    "^[-+]?\\.(inf|Inf|INF)$",
	    "^\\.(nan|NaN|NAN)$",
	    "^[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt \t].*)?$",
	};

	if (is_null_text(plain))
		return false;
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		if (matches(plain, patterns[i]))
			return false;
	return true;
}
