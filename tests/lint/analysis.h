/*
 * For the analyzers alone, which see one file at a time: that err_set and its kin always answer
 * false.  Included before every file but base/err.c, never by the program.
 */
#pragma once

#include "base/err.h"

#define err_set(...) ((void)err_set(__VA_ARGS__), false)
#define err_errno(...) ((void)err_errno(__VA_ARGS__), false)
#define err_in(...) ((void)err_in(__VA_ARGS__), false)
