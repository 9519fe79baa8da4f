// SPDX-License-Identifier: GPL-2.0-only
/* fpstat top --read: the screen of a trace, or of a host that sends one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd_top.h"
#include "culprit.h"
#include "exit.h"
#include "flow.h"
#include "offline.h"
#include "player.h"
#include "trace.h"
#include "utf8.h"
#include "util.h"

#define TICK 0.05 /* seconds */
#define SILENCE 3 /* seconds: a recorder sends what it has each second */

static const struct trace *trace_of(const struct top *t)
{
	return player__trace(t->play.player);
}

static struct flow *new_flow(const struct top *t)
{
	struct blame_namer namer = { culprit__name, (void *)trace_of(t) };

	return flow__new(trace__host(trace_of(t))->cpus, namer,
			 trace__about(trace_of(t))->monotonic);
}

/* Each record that is counted; NULL: all begins anew. */
static void on_record(void *ctx, const struct fp_rec *rec)
{
	struct top *t = ctx;

	if (rec && t->flow)
		(void)flow__feed(t->flow, rec); /* no memory: less to see */
	if (rec)
		return;
	history__free(&t->history);
	if (!t->flow)
		return;
	flow__free(t->flow);
	t->flow = new_flow(t);
}

/* From the beginning on, so that what is shown has seen all. */
static int follow_records(struct top *t)
{
	if (t->flow)
		return 0;
	t->flow = new_flow(t);
	if (!t->view.s || t->play.stream)
		return 0;
	return playback__again(&t->play);
}

int top_replay__open(struct top *t)
{
	const char *host;
	char why[256];

	if (!playback__open(&t->play, t->cfg->read,
			    (unsigned int)t->cfg->section, why, sizeof(why))) {
		fps_err("%s", why);
		return EXIT_ENV;
	}
	host = trace__about(trace_of(t))->host;
	utf8__clean(t->host, sizeof(t->host), host, strlen(host));
	t->state.replay = !t->play.stream;
	t->state.speed = t->play.speed;
	t->cost = *trace__cost(trace_of(t));
	player__tap(t->play.player, on_record, t);
	if (t->play.stream || t->cfg->stream || t->state.view->stream)
		follow_records(t); /* a pipe has no way back */
	t->view.foreign_bit = trace__foreign_bit(trace_of(t));
	return 0;
}

/* ---- on a screen ---- */

static double silence(const struct top *t)
{
	return t->play.stream ? fps_clock() - t->play.heard : 0;
}

static void say(struct top *t)
{
	bool cut = trace__health(trace_of(t)).cut;

	t->replay.alarm = false;
	t->says[0] = '\0';
	if (t->play.ended) {
		t->replay.alarm = cut;
		strcpy(t->says, cut ? "cut off" : "end");
	} else if (t->play.jump) {
		strcpy(t->says, "seeking");
	} else if (silence(t) >= SILENCE) {
		t->replay.alarm = true;
		snprintf(t->says, sizeof(t->says), "no data for %.0f s",
			 silence(t));
	} else if (t->state.frozen) {
		strcpy(t->says, t->play.stream ? "frozen" : "paused");
	}
	t->replay.state = *t->says ? t->says : NULL;
}

void top_replay__describe(struct top *t)
{
	const struct playback *p = &t->play;

	say(t);
	t->replay.stream = p->stream;
	t->replay.t = p->jump ? player__time(p->player) : p->interval.t;
	t->replay.length = p->length;
	t->replay.speed = p->speed;
	t->replay.damaged = trace__health(trace_of(t)).damaged;
}

static void fail(struct top *t, int err)
{
	t->err = err;
	loop__stop(t->loop);
}

static void on_tick(void *ctx)
{
	struct top *t = ctx;
	int more = playback__go(&t->play, t->state.interval);
	char said[sizeof(t->says)];

	if (more < 0) {
		fail(t, more);
		return;
	}
	if (t->play.ended && t->input >= 0) {
		loop__unwatch(t->loop, t->input);
		t->input = -1;
	}
	if (more) {
		t->view.s = &t->play.interval;
		top__look(t);
		return;
	}
	strcpy(said, t->says);
	say(t);
	if (t->play.jump || strcmp(said, t->says))
		top__draw(t);
}

static void on_input(void *ctx, uint32_t events)
{
	(void)events; /* whoever reads it will see */
	on_tick(ctx);
}

int top_replay__start(struct top *t)
{
	int err;

	t->input = -1;
	playback__start(&t->play);
	err = loop__every(t->loop, TICK, on_tick, t);
	if (err < 0 || !t->play.stream)
		return err;
	t->input = loop__watch(t->loop, trace__fd(trace_of(t)), on_input, t);
	return t->input;
}

void top_replay__obey(struct top *t)
{
	struct top_wish *w = &t->state.wish;
	int err = 0;

	t->play.paused = t->state.frozen;
	t->play.speed = t->state.speed;
	if (t->state.record)
		strcpy(t->state.says, "this is a recording already");
	if (t->state.view->stream)
		err = follow_records(t);
	if (w->step)
		playback__step(&t->play, t->state.interval);
	if (w->event)
		playback__step_event(&t->play, t->state.interval);
	if (!err && w->jump)
		err = playback__seek(&t->play, w->to, t->state.interval);
	w->step = w->event = w->jump = false;
	if (err)
		fail(t, err);
}

/* ---- on paper ---- */

int top_replay__print(struct top *t)
{
	unsigned long n = t->cfg->count;

	do {
		t->err = playback__next(&t->play, t->state.interval);
		t->view.s = &t->play.interval;
		if (t->err > 0) {
			history__add(&t->history, t->view.s);
			top__print(t);
		}
	} while (t->err > 0 && !ferror(stdout) && (!n || --n));
	return top_replay__end(t);
}

int top_replay__end(struct top *t)
{
	const char *input = t->cfg->read;
	char why[256];

	if (t->err < 0)
		return offline__unreadable(input, trace_of(t), t->err);
	if (!t->play.ended)
		return EXIT_FINE;
	offline__whole(input, trace_of(t));
	if (player__doubts(t->play.player, why, sizeof(why)))
		fps_err("%s: these are the numbers of the records", why);
	return EXIT_FINE;
}
