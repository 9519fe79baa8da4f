/* SPDX-License-Identifier: GPL-2.0-only */
/* fpstat top: what a key can change. */
#ifndef FPSTAT_TOP_H
#define FPSTAT_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "column.h"

struct top_state {
	const struct column *sort;
	bool reverse;
	bool frozen;
	bool help;
	bool quit;
	double interval;
	size_t first; /* row at the top */
	size_t page; /* rows that fit */
	size_t nr; /* rows there are */
};

/* Does what @key means; false if it means nothing. */
bool top_key__press(struct top_state *t, int key);
/* Keeps first where there is something to show. */
void top_key__clamp(struct top_state *t);
/* Line @i of the help, or NULL after the last. */
const char *top_key__help(size_t i, char *buf, size_t len);
void top_key__print_help(FILE *out);

#endif /* FPSTAT_TOP_H */
