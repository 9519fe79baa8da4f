/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays a trace: what had happened up to a time that is asked for. The counters in it
 * say what no record tells, at the times when they were written.
 */
#ifndef FPSTAT_PLAYER_H
#define FPSTAT_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

struct fp_rec;
struct player;
struct snapshot;
struct trace;

/*
 * As trace__open(); @section of a merged trace, or 0: the first. player__close(NULL) is
 * fine.
 */
struct player *player__open(const char *path, unsigned int section, char *why,
			    size_t len);
void player__close(struct player *p);

/*
 * Each record that is counted from here on goes to @fn, too; NULL says that all begins
 * anew, with player__rewind().
 */
void player__tap(struct player *p, void (*fn)(void *ctx, const struct fp_rec *),
		 void *ctx);

/* Until player__rewind(). */
const struct trace *player__trace(const struct player *p);
/* Is it a pipe, or the like? Then there is no way back. */
bool player__is_stream(const struct player *p);
/* From here on player__to() takes a twentieth of a second at most. */
void player__dont_wait(struct player *p);
/* To the beginning. 0, or a negative errno: it is not as it was. */
int player__rewind(struct player *p);

enum player_at {
	PLAYER_THERE = 1,
	PLAYER_END, /* of the trace */
	/* of player__dont_wait(): call it again, with the same time or a later one, */
	PLAYER_DRY, /* when the pipe has more */
	PLAYER_BUSY, /* soon */
};

/*
 * Counts what happened up to @t, in seconds of the trace. If counters were written
 * less than @slack before or after, then up to there. Returns where it is, or a
 * negative errno; THERE or at the END @s gets the numbers, with the time in s->t.
 */
int player__to(struct player *p, double t, double slack, struct snapshot *s);

/* What was counted last, seconds. */
double player__time(const struct player *p);
/* When the next record was, or a negative number: that was not read yet. */
double player__next(const struct player *p);
/* At the end: are the numbers not those of the kernel? @why gets one sentence. */
bool player__doubts(const struct player *p, char *why, size_t len);

#endif /* FPSTAT_PLAYER_H */
