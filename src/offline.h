/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands that can also count live do with a trace: read it to its end. */
#ifndef FPSTAT_OFFLINE_H
#define FPSTAT_OFFLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fleet.h"
#include "snapshot.h"
#include "view.h"

struct command;
struct fp_rec;
struct opt_rest;
struct recount;
struct trace;
struct whatif;

enum { OFFLINE_WHERE = 96 };

struct offline {
	/* the command fills in: */
	const char *input; /* "-" is standard input */
	const char *output; /* NULL: stdout */
	bool directory; /* .output is one: whoever wants it makes it */
	bool strict;
	bool recorded; /* for tests: what the kernel counted, and nothing else */
	double from; /* seconds of the trace that are of interest .. */
	double to; /* .. up to here; 0: all of it */
	void *ctx;
	/*
	 * Of each section of the trace: before the first record, each record, and
	 * after the last; or NULL.
	 */
	int (*begin)(struct offline *o);
	int (*feed)(struct offline *o, const struct fp_rec *rec, uint32_t step);
	int (*print)(struct offline *o, struct view *v);
	/* After the last section, if there are several; or NULL. */
	void (*sum)(struct offline *o, const struct fleet *f);
	/* Once, at the end, whatever went wrong; or NULL. */
	void (*finish)(struct offline *o);
	/* begin() may: its records go there, and are counted there. */
	struct whatif *whatif;

	struct trace *trace;
	FILE *out; /* NULL for a directory */
	char where[OFFLINE_WHERE]; /* for messages: "section 2 (its host): ", or "" */
	struct recount *recount; /* up to this record; NULL if .whatif counts */
	bool inside; /* is this record of interest? */
	/* feed() may: it needs to know what came before what is of interest */
	bool unsure;
	/* when it prints: */
	struct snapshot now;
	/* the counters of the kernel, if whole and of all of a capture .. */
	struct snapshot last;
	struct snapshot delta; /* .. and how much they grew at the end */
	bool whole; /* nothing is missing, and stream and counters agree .. */
	bool differs; /* .. or they don't, though nothing was lost */

	/* private */
	struct fleet fleet;
	int skipped; /* what lies before .from is not read .. */
	double warm; /* .. but for so many seconds */
	uint64_t unpaid; /* replay__unpaid() at from */
	struct snapshot first; /* at from .. */
	struct snapshot until; /* .. and at to .. */
	struct snapshot part; /* .. and what happened in between */
	bool fed; /* there was a record */
	bool plain; /* .. and all that follow are asked for */
	bool begun;
	bool ended;
};

/* Says what is wrong, or missing. Returns the exit code of the command. */
int offline__run(struct offline *o);
/* Says what is missing in @t, which was read to its end. Returns if it is whole. */
bool offline__whole(const char *input, const struct trace *t);
/* Says why it can't be read on. Returns the exit code. */
int offline__unreadable(const char *input, const struct trace *t, int err);
/*
 * With -r there is no CMD, and nothing that is for live counting: @live is that
 * option, or NULL. Returns false and sets @rest->code if not so.
 */
bool offline__operands(const struct command *cmd, struct opt_rest *rest,
		       const char *live);

#endif /* FPSTAT_OFFLINE_H */
