/* SPDX-License-Identifier: GPL-2.0-only */
/* fpstat top: what a key can change. */
#ifndef FPSTAT_TOP_H
#define FPSTAT_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "column.h"

/* What the keys of a replay ask for; what was done is to be taken back. */
struct top_replay {
	bool on; /* is there one? */
	double speed;
	bool step; /* one interval */
	bool jump; /* to that time .. */
	double to; /* .. INFINITY: the end */
	bool typing; /* .. which is typed */
	char typed[16];
};

struct top_state {
	const struct column *sort;
	bool reverse;
	bool frozen;
	bool help;
	bool quit;
	double interval;
	struct top_replay replay;
	size_t first; /* row at the top */
	size_t page; /* rows that fit */
	size_t nr; /* rows there are */
};

struct top_key {
	const char *name;
	int key[3];
	void (*action)(struct top_state *t);
	const char *help;
};

/* Those that mean something if .replay.on. */
extern const struct top_key top_keys_replay[];
extern const size_t nr_top_keys_replay;
/* What @key means while .replay.typing. */
void top_key__type(struct top_state *t, int key);

/* Does what @key means; false if it means nothing. */
bool top_key__press(struct top_state *t, int key);
/* Keeps first where there is something to show. */
void top_key__clamp(struct top_state *t);
/* Line @i of the help, or NULL after the last. */
const char *top_key__help(size_t i, char *buf, size_t len);
void top_key__print_help(FILE *out);

#endif /* FPSTAT_TOP_H */
