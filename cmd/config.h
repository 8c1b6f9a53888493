/*
 * The folder of settings, /etc/sealift or the one that SEALIFT_CONFIG names: trusted.d,
 * approvers.d and trust.conf.
 */
#pragma once

#include "bundle/guarded.h"
#include "bundle/policy.h"

enum { CONFIG_PATH_MAX = 4096 };

/* The path of name in that folder, into out. */
bool config_path(const char *name, struct buf *out, struct err *e) MUST_CHECK;

/* Who may own what is in it: root alone in /etc/sealift. */
enum guard config_guard(void);

/* trust.conf, or the default where there is none. */
bool config_policy(struct policy *out, struct err *e) MUST_CHECK;
