/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace as a live screen shows it: interval by interval, as fast as it happened or
 * otherwise. What comes through a pipe is shown when it comes.
 */
#ifndef FPSTAT_PLAYBACK_H
#define FPSTAT_PLAYBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"

struct player;

struct playback {
	struct player *player; /* owned */
	bool stream;
	double length; /* seconds, 0: not known */
	double speed;
	bool paused;
	/* after playback__go() has returned true: */
	struct snapshot interval;
	struct snapshot ever; /* no rows; of losses, what is known so far */
	struct snapshot now; /* all up to where the interval ends */
	bool ended;
	double heard; /* fps_clock(), when something came */

	/* private */
	struct snapshot before; /* where the interval begins */
	bool shown, fresh;
	bool behind; /* there was not enough time to do all */
	double clock; /* seconds of the trace: to be shown .. */
	double wall; /* .. and when that was so */
	bool jump; /* to that time, whatever the intervals are */
	uint64_t gone; /* vcpus that ended long ago */
};

/* False, and one sentence in @why, if that is no trace. @section: player__open() */
bool playback__open(struct playback *p, const char *path, unsigned int section,
		    char *why, size_t len);
/* Fine with a zeroed @p. */
void playback__close(struct playback *p);

/* From here on it is for playback__go(). */
void playback__start(struct playback *p);
/*
 * All that there is to show by now. Takes some hundredths of a second at most, to be
 * called often. 1 if there are new numbers, else 0 or a negative errno.
 */
int playback__go(struct playback *p, double interval);
/* The next interval, even if it is paused. */
void playback__step(struct playback *p, double interval);
/* The same up to the next event. */
void playback__step_event(struct playback *p, double interval);
/* To that time, INFINITY is the end. A negative errno: there is no way back. */
int playback__seek(struct playback *p, double t, double interval);
/* To where it is, but once more from the beginning; the same. */
int playback__again(struct playback *p);

/* Waits for the next interval instead. 1, 0 after the last, or a negative errno. */
int playback__next(struct playback *p, double interval);

#endif /* FPSTAT_PLAYBACK_H */
