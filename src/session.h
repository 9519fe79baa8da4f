/* SPDX-License-Identifier: GPL-2.0-only */
/* What all live commands do with a capture: open, tick, read, subtract. */
#ifndef FPSTAT_SESSION_H
#define FPSTAT_SESSION_H

#include "capture.h"
#include "snapshot.h"
#include "view.h"

struct recorder;

#define SESSION_TICK 0.05 /* seconds between two capture__tick() */

struct session {
	struct capture *cap;
	bool witness;
	struct snapshot start; /* where the count begins */
	struct snapshot prev; /* where the interval begins */
	struct snapshot now;
	struct snapshot interval; /* now - prev */
	int marks[2]; /* first and last; negative: not yet made */
	int marked;
	char why[512]; /* what went wrong; whoever owns the terminal says it */
	struct witness witness_prev, witness_now, witness_interval;
};

/* All of these: 0, or an exit code and one sentence in why[]. */
int session__open(struct session *s, const struct capture_opts *opts);
/* The count begins here, with a mark if so. */
int session__begin(struct session *s, bool mark);
/*
 * Ends an interval: now and interval are set, prev is what now was before.
 * EXIT_VIOLATION if a sum does not hold, EXIT_ENV if there is nothing to read.
 */
int session__sample(struct session *s, bool mark);
/*
 * Reads all records so far, and samples before and after: in the end prev and now are
 * the counters between which they lie. @err is what @fn returned, if not 0: then it
 * ends there.
 */
int session__surround(struct session *s, bool mark,
		      int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx,
		      int *err);
/*
 * The same, up to @tries times, until nothing has moved in between; and @to is told
 * these counters. @err may be what it said.
 */
int session__record(struct session *s, struct recorder *to, bool mark,
		    int tries, int (*fn)(void *ctx, const struct fp_rec *rec),
		    void *ctx, int *err);

/* All fine with a zeroed @s. */
void session__close(struct session *s);
void session__tick(void *session);

/* Has anything been lost since the count began? Then why[] tells. */
bool session__lost(struct session *s);
/* What a view needs to print the interval. */
void session__view(struct session *s, struct view *v);

#endif /* FPSTAT_SESSION_H */
