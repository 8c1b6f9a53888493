/*
 * Another program, run for its answer.
 */
#pragma once

#include "base/buf.h"

/* Runs the words of command by the shell with input on its standard input, and takes what it
 * says on standard output, at most out's ceiling; its standard error is this program's.  It has
 * seconds to answer.  ERR_SYSTEM with how it ended when that was not well, ERR_STOPPED. */
bool command_run(const char *command, struct slice input, unsigned seconds, struct buf *out,
    struct err *e) MUST_CHECK;

/* The same without a shell: words[0] is found by PATH, the last of words is NULL.  True however
 * it exited by itself; *exit_status says how. */
bool command_ask(char *const words[], struct slice input, unsigned seconds, struct buf *out,
    int *exit_status, struct err *e) MUST_CHECK;
