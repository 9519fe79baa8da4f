/* SPDX-License-Identifier: GPL-2.0-only */
/* What all live commands do with a capture: open, tick, read, subtract. */
#ifndef FPSTAT_SESSION_H
#define FPSTAT_SESSION_H

#include "capture.h"
#include "snapshot.h"
#include "view.h"

#define SESSION_TICK 0.05 /* seconds between two capture__tick() */
#define SESSION_WHY 512

struct session {
	struct capture *cap;
	bool witness;
	struct snapshot start; /* where the count begins */
	struct snapshot prev; /* where the interval begins */
	struct snapshot now;
	struct snapshot interval; /* now - prev */
	int marks[2]; /* first and last; negative: not yet made */
	int marked;
	struct witness witness_prev, witness_now, witness_interval;
};

/* Tells the user why not, and returns EXIT_ENV; or returns 0. */
int session__open(struct session *s, const struct capture_opts *opts);
/* The same without words: @why gets the sentence. */
int session__try_open(struct session *s, const struct capture_opts *opts,
		      char *why, size_t len);
/* All fine with a zeroed @s. */
void session__close(struct session *s);
void session__tick(void *session);

/* The count begins here, with a mark if so. 0 or an exit code. */
int session__begin(struct session *s, bool mark);
/*
 * Ends an interval: now and interval are set, prev is what now was before.
 * Returns 0; EXIT_VIOLATION if a sum does not hold, EXIT_ENV if the counters
 * cannot be read; both are told to the user.
 */
int session__sample(struct session *s, bool mark);
/* Has anything been lost since the count began? Tells, under --strict. */
bool session__lost(struct session *s);
/* What a view needs to print the interval. */
void session__view(struct session *s, struct view *v);

#endif /* FPSTAT_SESSION_H */
