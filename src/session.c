// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conserve.h"
#include "exit.h"
#include "recorder.h"
#include "session.h"
#include "util.h"

static int fail(struct session *s, int code, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s", why);
	return code;
}

int session__open(struct session *s, const struct capture_opts *opts)
{
	s->witness = opts->witness;
	s->marks[0] = -1;
	s->marks[1] = -1;
	if (capture__possible(s->why, sizeof(s->why)))
		return EXIT_ENV;
	s->cap = capture__open(opts, s->why, sizeof(s->why));
	if (s->cap) {
		s->why[0] = '\0';
		return 0;
	}
	return *s->why ? EXIT_ENV : fail(s, EXIT_ENV, strerror(errno));
}

void session__close(struct session *s)
{
	capture__close(s->cap);
	snapshot__free(&s->start);
	snapshot__free(&s->prev);
	snapshot__free(&s->now);
	snapshot__free(&s->interval);
	memset(s, 0, sizeof(*s));
}

void session__tick(void *session)
{
	struct session *s = session;

	capture__tick(s->cap);
}

static int take(struct session *s, bool mark)
{
	int n;

	if (!mark)
		return capture__read(s->cap, &s->now);
	n = capture__mark(s->cap, &s->now);
	if (n < 0)
		return n;
	s->marks[0] = s->marks[1];
	s->marks[1] = n;
	return 0;
}

/*
 * Two counters of another CPU may be seen in the wrong order; not twice. At a
 * mark they stand still.
 */
static int take_whole(struct session *s, bool mark)
{
	int err = take(s, mark);

	if (err || mark || conserve__check(&s->now, s->why, sizeof(s->why)))
		return err;
	snapshot__free(&s->now);
	s->why[0] = '\0';
	return take(s, mark);
}

static int read_now(struct session *s, bool mark)
{
	int err;

	err = take_whole(s, mark);
	if (!err && s->witness)
		err = capture__witness(s->cap, &s->witness_now);
	if (err) {
		snprintf(s->why, sizeof(s->why), "cannot read the counters: %s",
			 strerror(-err));
		return EXIT_ENV;
	}
	if (!conserve__check(&s->now, s->why, sizeof(s->why)))
		return EXIT_VIOLATION;
	return 0;
}

int session__begin(struct session *s, bool mark)
{
	int code = read_now(s, mark);

	if (code)
		return code;
	if (snapshot__copy(&s->start, &s->now))
		return fail(s, EXIT_ENV, "out of memory");
	return 0;
}

static void witness_delta(struct session *s)
{
	const struct witness *a = &s->witness_now, *b = &s->witness_prev;

	s->witness_interval = (struct witness){
		.exits = sat_sub(a->exits, b->exits),
		.live = sat_sub(a->live, b->live),
		.binds = sat_sub(a->binds, b->binds),
		.switch_saves = sat_sub(a->switch_saves, b->switch_saves),
		.counted_switch_saves = sat_sub(a->counted_switch_saves,
						b->counted_switch_saves),
		.neon = sat_sub(a->neon, b->neon),
		.last_state_checked =
			sat_sub(a->last_state_checked, b->last_state_checked),
		.last_state_differs =
			sat_sub(a->last_state_differs, b->last_state_differs),
		.last_state_readable = a->last_state_readable,
	};
}

int session__sample(struct session *s, bool mark)
{
	int code;

	snapshot__free(&s->prev);
	s->prev = s->now;
	s->witness_prev = s->witness_now;
	memset(&s->now, 0, sizeof(s->now));
	code = read_now(s, mark);
	if (code)
		return code;
	snapshot__free(&s->interval);
	if (snapshot__delta(&s->interval, &s->now, &s->prev))
		return fail(s, EXIT_ENV, "out of memory");
	if (!conserve__check(&s->interval, s->why, sizeof(s->why)))
		return EXIT_VIOLATION;
	witness_delta(s);
	return 0;
}

int session__surround(struct session *s, bool mark,
		      int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx,
		      int *err)
{
	int code = session__sample(s, mark);

	*err = code ? 0 : capture__drain_all(s->cap, fn, ctx);
	return code || *err ? code : session__sample(s, false);
}

static bool anything_moved(const struct snapshot *delta)
{
	struct snap_ops all = snapshot__all(delta);
	struct snap_vcpu vcpus;

	snapshot__total(delta, &vcpus);
	return all.save.done || all.load.done || vcpus.exits ||
	       all.save.pending != all.save.pending_before; /* decided */
}

int session__record(struct session *s, struct recorder *to, bool mark,
		    int tries, int (*fn)(void *ctx, const struct fp_rec *rec),
		    void *ctx, int *err)
{
	int code;

	do {
		code = session__surround(s, mark, fn, ctx, err);
		if (code || *err)
			return code;
	} while (--tries && anything_moved(&s->interval));
	*err = recorder__counters(to, &s->prev, &s->now);
	return 0;
}

bool session__lost(struct session *s)
{
	uint64_t lost = sat_sub(s->now.lost, s->start.lost);
	uint64_t missed = sat_sub(s->now.missed, s->start.missed);
	uint64_t undecided = sat_sub(s->now.undecided, s->start.undecided);
	const char *by = missed ? s->now.missed_by : "";

	if (!lost && !missed && !undecided)
		return false;
	snprintf(s->why, sizeof(s->why),
		 "data was lost: lost %" PRIu64 ", missed %" PRIu64
		 "%s%s%s, undecided %" PRIu64,
		 lost, missed, *by ? " (" : "", by, *by ? ")" : "", undecided);
	return true;
}

void session__view(struct session *s, struct view *v)
{
	v->s = &s->interval;
	v->foreign_bit = capture__foreign_bit(s->cap);
	v->marks = s->marks[0] >= 0 ? s->marks : NULL;
	v->witness = s->witness ? &s->witness_interval : NULL;
}
