/*
 * Ownership: a variable that owns something says so where it is declared, and gives it back
 * when it goes out of scope.  STEAL hands the thing on.  Small allocations do not fail: the
 * one out-of-memory path ends the program after one sentence.  A size that comes from input
 * is checked against a limit before it comes here.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define OWNED(drop) __attribute__((cleanup(drop)))

/* The value of an owning variable, which is left empty. */
#define STEAL(variable)                                                                        \
	__extension__({                                                                        \
		__typeof__(variable) stolen_ = (variable);                                     \
		(variable) = (__typeof__(variable)){0};                                        \
		stolen_;                                                                       \
	})

/* count zeroed things of size bytes; never NULL, free() gives it back. */
void *own_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* One zeroed thing of size bytes. */
void *own_new(size_t size) __attribute__((malloc, returns_nonnull));

/* The array at ptr (or NULL) with room for count things of size bytes; new room is not zeroed.
 */
void *own_grow(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of text, NUL-terminated. */
char *own_text(const char *text) __attribute__((malloc, returns_nonnull));

/* A NUL-terminated copy of len bytes. */
char *own_bytes(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));

/* Cleanup functions: each ignores an empty variable and keeps errno. */
void drop_fd(
    int *fd); /* -1 is empty; for files that were read: a written one is closed and checked */
void drop_text(char **text);	 /* free() */
void drop_any(void *ptr_to_ptr); /* free() of any pointer variable, given its address */
