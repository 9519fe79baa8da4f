// SPDX-License-Identifier: GPL-2.0-only
#include "playback.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "player.h"
#include "trace.h"
#include "util.h"

#define PATIENCE 0.04 /* seconds: the screen must not stand still */
#define SLACK 0.25 /* of an interval, if numbers are better then */
#define MOMENT 1e-6 /* seconds: sums of intervals are not exact */

/* ---- the whole ---- */

/* Nothing has happened yet. */
static void begin(struct playback *p)
{
	p->now = *trace__host(player__trace(p->player));
	p->now.vcpus = NULL;
	p->now.owners = NULL;
	p->now.nr_vcpus = p->now.nr_owners = 0;
	p->now.t = p->now.dt = 0;
	p->ended = p->shown = false;
	p->gone = 0;
}

bool playback__open(struct playback *p, const char *path, unsigned int section,
		    char *why, size_t len)
{
	*p = (struct playback){ .speed = 1 };
	p->player = player__open(path, section, why, len);
	if (!p->player)
		return false;
	p->stream = player__is_stream(p->player);
	if (!p->stream)
		p->length = trace__length(player__trace(p->player));
	begin(p);
	return true;
}

void playback__close(struct playback *p)
{
	player__close(p->player);
	snapshot__free(&p->before);
	snapshot__free(&p->now);
	snapshot__free(&p->interval);
	*p = (struct playback){};
}

/* ---- numbers ---- */

/* The screen is for those who live. */
static void drop_ended(struct playback *p)
{
	size_t nr = p->interval.nr_vcpus;

	snapshot__drop_ended(&p->interval);
	p->gone = nr - p->interval.nr_vcpus;
}

/* What was lost is never forgotten, and known when counters tell. */
static void set_ever(struct playback *p)
{
	const struct trace *trace = player__trace(p->player);
	const struct snapshot *known = trace__after(trace);

	p->ever = p->now;
	p->ever.vcpus = NULL;
	p->ever.owners = NULL;
	p->ever.nr_vcpus = p->ever.nr_owners = 0;
	p->ever.folded += p->gone;
	if (!known)
		return;
	p->ever.lost = known->lost + trace__health(trace).lost;
	p->ever.missed = known->missed;
	p->ever.undecided = known->undecided;
	memcpy(p->ever.missed_by, known->missed_by, sizeof(p->ever.missed_by));
}

/* An interval ends at @s, which is taken over; @last if another one is too short. */
static void move_to(struct playback *p, struct snapshot *s, bool last)
{
	struct snapshot *old = last ? &p->now : &p->before;

	snapshot__free(old);
	if (!last)
		p->before = p->now;
	p->now = *s;
}

static int show(struct playback *p)
{
	snapshot__free(&p->interval);
	if (snapshot__delta(&p->interval, &p->now, &p->before))
		return -ENOMEM;
	p->shown = p->fresh = true;
	drop_ended(p);
	set_ever(p);
	return 1;
}

/*
 * What is left at the end may be too short for numbers that mean something, on a
 * screen that stays: then it goes to the interval before.
 */
static int show_end(struct playback *p, struct snapshot *s, double shortest)
{
	double rest = s->t - p->now.t;

	p->ended = true;
	p->jump = false;
	p->clock = s->t;
	move_to(p, s, p->shown && rest < shortest);
	return show(p);
}

/* ---- on a screen ---- */

static bool skips(const struct playback *p, double t, double interval)
{
	double far = p->jump ? MOMENT : interval;

	return !p->stream && !isinf(p->clock) && p->clock - t > far;
}

/* Where the next interval ends; negative: that is not to be shown yet. */
static double next_end(const struct playback *p, double interval)
{
	double t = p->now.t + interval, counted = player__time(p->player);

	if (p->stream && p->paused)
		return INFINITY;
	if (p->stream)
		return t > counted ? t : counted;
	if (p->jump && p->clock < t)
		t = p->clock;
	if (p->length > 0 && t > p->length - MOMENT)
		t = p->length;
	if (p->clock < t - MOMENT)
		return -1;
	return p->length > 0 && t == p->length ? INFINITY : t;
}

/* 1: there are numbers, 0: it has to go on later. */
static int go_on(struct playback *p, double t, double interval)
{
	bool skip = skips(p, t, interval);
	struct snapshot s;
	int where;

	if (skip)
		t = p->clock - interval;
	where = player__to(p->player, t, skip ? 0 : SLACK * interval, &s);
	if (where == PLAYER_END)
		return show_end(p, &s, SLACK * interval);
	if (where != PLAYER_THERE)
		return where < 0 ? where : 0;
	move_to(p, &s, false);
	if (skip)
		return 1;
	p->jump = false;
	return show(p);
}

/* Who can't keep up is not to be left further behind. */
static void go_with_time(struct playback *p)
{
	double wall = fps_clock();

	if (!p->paused && !p->behind)
		p->clock += (wall - p->wall) * p->speed;
	if (p->length > 0 && p->clock > p->length)
		p->clock = p->length;
	p->wall = wall;
	p->behind = false;
}

int playback__go(struct playback *p, double interval)
{
	uint64_t bytes = trace__bytes(player__trace(p->player));
	double begun = fps_clock(), t;
	int more = 1;

	go_with_time(p);
	p->fresh = false;
	while (more > 0 && !p->ended) {
		t = next_end(p, interval);
		if (t < 0)
			break;
		p->behind = fps_clock() - begun > PATIENCE;
		if (p->behind)
			break;
		more = go_on(p, t, interval);
		p->behind = !more;
	}
	if (trace__bytes(player__trace(p->player)) != bytes)
		p->heard = p->wall;
	return more < 0 ? more : p->fresh;
}

void playback__start(struct playback *p)
{
	player__dont_wait(p->player);
	p->wall = p->heard = fps_clock();
}

void playback__step(struct playback *p, double interval)
{
	p->clock = p->now.t + interval;
}

void playback__step_event(struct playback *p, double interval)
{
	double t = player__next(p->player);

	if (t < 0 || t >= p->now.t + interval) {
		playback__step(p, interval);
		return;
	}
	p->clock = t;
	p->jump = true;
}

static int go_back(struct playback *p)
{
	int err;

	snapshot__free(&p->now);
	err = player__rewind(p->player);
	if (!err)
		begin(p);
	return err;
}

int playback__again(struct playback *p)
{
	double t = p->now.t;
	int err = go_back(p);

	p->clock = t;
	p->jump = true;
	return err;
}

int playback__seek(struct playback *p, double t, double interval)
{
	bool back = t < p->now.t + interval - MOMENT;
	int err;

	if (p->length > 0 && t >= p->length - MOMENT) {
		t = p->length;
		back = false;
	}
	if (p->ended && !back)
		return 0;
	err = back ? go_back(p) : 0;
	if (err)
		return err;
	p->clock = t;
	p->jump = true;
	return 0;
}

/* ---- one after the other ---- */

int playback__next(struct playback *p, double interval)
{
	double slack = SLACK * interval;
	struct snapshot s;
	int where;

	if (p->ended)
		return 0;
	where = player__to(p->player, p->now.t + interval, slack, &s);
	if (where < 0)
		return where;
	p->ended = where == PLAYER_END;
	if (p->ended && p->shown && s.t - p->now.t < MOMENT) {
		snapshot__free(&s);
		return 0;
	}
	move_to(p, &s, false);
	return show(p);
}
