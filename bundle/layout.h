/*
 * Where everything stands in the file: a prefix sum over the inventory, so that there is no
 * index that could lie.
 */
#pragma once

#include "bundle/inventory.h"

/* The largest file that is laid out: 2^53 - 1 bytes, as JSON numbers go. */
#define LAYOUT_TOTAL_MAX (((uint64_t)1 << 53) - 1)

struct layout {
	uint64_t area;	   /* where the signature area begins */
	uint64_t *headers; /* where each member's header stands; its data follows */
	size_t count;
	uint64_t trailer;
	uint64_t total;
};

/* Lays out a bundle whose inventory has inventory_size bytes.  ERR_LIMIT beyond
 * LAYOUT_TOTAL_MAX. */
bool layout_make(const struct inventory *inv, uint64_t inventory_size, struct layout *out,
    struct err *e) MUST_CHECK;
void layout_drop(struct layout *l);

/* Where member i's data stands. */
uint64_t layout_data(const struct layout *l, size_t i);
