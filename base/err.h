/*
 * One way to fail: a function returns false and has filled the caller's struct err with one
 * sentence that says what was expected, what was found and where.  True means done, and the
 * struct is untouched.  Kinds are for branching, text is for people; only cmd/ prints.
 */
#pragma once

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Each kind has one exit status, which cmd/main.c documents and returns. */
enum err_kind {
	ERR_NONE,      /* nothing failed                                       0 */
	ERR_SYSTEM,    /* a file, a disk, the machine                          1 */
	ERR_FORMAT,    /* a document that is not what it says it is            1 */
	ERR_LIMIT,     /* a size or count above what is accepted               1 */
	ERR_USAGE,     /* the command line, or a parameter that is missing     2 */
	ERR_UNTRUSTED, /* unsigned, unknown key, bad signature                 3 */
	ERR_DAMAGED,   /* a digest, a size or a structure that does not hold   4 */
	ERR_NETWORK,   /* unreachable, or an answer that is no registry's      5 */
	ERR_DENIED,    /* authentication or rights                             6 */
	ERR_MISSING,   /* a tag, a chart, a file that is not there             7 */
	ERR_PARTIAL,   /* something was done; run again to continue            8 */
	ERR_DECISION,  /* values that need a person's decision                 9 */
	ERR_STOPPED,   /* a signal asked to stop                             130 */
};

struct err {
	enum err_kind kind;
	int code; /* errno or HTTP status, 0 when there is none */
	char text[480];
};

/* Fills *e with a sentence (lower case, no full stop).  Always false. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set with ERR_SYSTEM; appends ": " and the text of errno, kept in e->code.  Always
 * false. */
bool err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "fmt: " before the sentence that is there; kind and code stay.  Always false. */
bool err_in(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Makes *e say that nothing failed, as a retry loop does before each attempt. */
void err_clear(struct err *e);
