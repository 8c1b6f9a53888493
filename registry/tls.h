/*
 * Whom a connection believes and what it shows of itself (PROTOCOL 13, TLS).
 */
#pragma once

#include "registry/transfer.h"

/* The system's authorities and those of ca_file as one text: the file adds (TLS-01). */
bool tls_read(struct http *h, struct err *e) MUST_CHECK;

/* Tells libcurl, before each hop. */
void tls_set(struct http *h);
