// SPDX-License-Identifier: GPL-2.0-only
#include "player.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owners.h"
#include "recount.h"
#include "replay.h"
#include "snapshot.h"
#include "trace.h"
#include "util.h"

#define PATIENCE 0.04 /* seconds, with dont_wait */
#define SILENCE 60 /* seconds: counters come more often, whatever they claim */

struct player {
	struct trace *trace;
	struct recount *recount;
	unsigned int section; /* of a merged trace; 0: the first */
	struct owners *owners;
	bool dont_wait;
	void (*tap)(void *ctx, const struct fp_rec *rec); /* or NULL */
	void *tap_ctx;
	/* records that were read, and how many of them were counted */
	const struct fp_rec *rec;
	int nr, at;
	double t; /* of the last that was counted */
	double counters; /* time of the counters that came last: here .. */
	double counters_there; /* .. and as they say */
	/* was taken at a time for which better numbers may still come */
	struct snapshot early;
	bool has_early;
};

/* ---- the whole ---- */

static void leave(struct player *p)
{
	trace__close(p->trace);
	recount__free(p->recount);
	owners__free(p->owners);
	snapshot__free(&p->early);
}

/* Goes on over the sections before, and those that nobody can read. */
static bool find_section(struct player *p)
{
	char why[256];
	int more = 1;

	while (more && trace__section(p->trace) < p->section) {
		while (trace__next(p->trace) > 0)
			;
		more = trace__next_section(p->trace, why, sizeof(why));
		if (more < 0 && more != -EBADMSG)
			return false;
	}
	return !p->section || trace__section(p->trace) == p->section;
}

static bool enter(struct player *p, const char *path, char *why, size_t len)
{
	*p = (struct player){ .section = p->section,
			      .dont_wait = p->dont_wait,
			      .tap = p->tap,
			      .tap_ctx = p->tap_ctx };
	p->trace = trace__open(path, why, len);
	if (!p->trace)
		return false;
	if (!find_section(p)) {
		snprintf(why, len, "there is no section %u in %s", p->section,
			 fps_input(path));
		return false;
	}
	p->recount = recount__new(trace__host(p->trace)->cpus);
	p->owners = owners__new(trace__host(p->trace)->cpus);
	if (!p->recount || !p->owners)
		snprintf(why, len, "out of memory");
	if (p->dont_wait)
		trace__dont_wait(p->trace);
	return p->recount && p->owners;
}

struct player *player__open(const char *path, unsigned int section, char *why,
			    size_t len)
{
	struct player *p = calloc(1, sizeof(*p));

	if (p)
		p->section = section;
	if (p && enter(p, path, why, len))
		return p;
	if (!p)
		snprintf(why, len, "out of memory");
	player__close(p);
	return NULL;
}

void player__close(struct player *p)
{
	if (!p)
		return;
	leave(p);
	free(p);
}

/* The same file, whatever has become of its name. */
int player__rewind(struct player *p)
{
	struct player old = *p;
	char path[64], why[256];
	bool good;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", trace__fd(old.trace));
	good = enter(p, path, why, sizeof(why));
	leave(&old);
	if (p->tap)
		p->tap(p->tap_ctx, NULL);
	return good ? 0 : -ESTALE;
}

void player__tap(struct player *p, void (*fn)(void *ctx, const struct fp_rec *),
		 void *ctx)
{
	p->tap = fn;
	p->tap_ctx = ctx;
}

const struct trace *player__trace(const struct player *p)
{
	return p->trace;
}

bool player__is_stream(const struct player *p)
{
	return !fps_is_file(trace__fd(p->trace));
}

void player__dont_wait(struct player *p)
{
	p->dont_wait = true;
	trace__dont_wait(p->trace);
}

double player__time(const struct player *p)
{
	return p->t;
}

double player__next(const struct player *p)
{
	return p->at < p->nr ? trace__time(p->trace, p->rec[p->at].ns) : -1;
}

/* ---- numbers ---- */

/* A vcpu that has no record did nothing that one would tell. */
static int add_idle(struct snapshot *s, const struct snapshot *known)
{
	size_t i, nr = s->nr_vcpus;
	struct snap_vcpu *rows;

	rows = reallocarray(s->vcpus, nr + known->nr_vcpus + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	s->vcpus = rows;
	for (i = 0; i < known->nr_vcpus; i++) {
		const struct snap_vcpu *v = &known->vcpus[i];

		if (v->state != SNAP_VCPU_LIVE || snapshot__find(s, v))
			continue;
		rows[nr++] = (struct snap_vcpu){ .slot = v->slot,
						 .gen = v->gen,
						 .runs = SNAP_NA };
	}
	s->nr_vcpus = nr;
	return 0;
}

/* What no record tells, where counters do. */
static void add_settled(struct snapshot *s, const struct snapshot *known)
{
	const struct snap_vcpu *v;
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		v = snapshot__find(known, &s->vcpus[i]);
		if (v)
			s->vcpus[i].runs = v->runs;
	}
	s->efi = known->efi;
	s->lost = known->lost;
	s->missed = known->missed;
	memcpy(s->missed_by, known->missed_by, sizeof(s->missed_by));
	s->undecided = known->undecided;
}

static int look(struct player *p, double t, struct snapshot *s)
{
	const struct snapshot *known = trace__after(p->trace);
	uint64_t ns = trace__about(p->trace)->monotonic + (uint64_t)(t * 1e9);
	int err = recount__alone(p->recount, trace__host(p->trace), s);

	if (!err)
		err = owners__read(p->owners, ns, s);
	if (!err && known)
		err = add_idle(s, known);
	if (err) {
		snapshot__free(s);
		return err;
	}
	s->t = s->dt = t;
	if (known)
		recount__name(s, known);
	if (known && trace__settled(p->trace))
		add_settled(s, known);
	return 0;
}

/* ---- on and on ---- */

static void step(struct player *p, const struct fp_rec *rec)
{
	const struct replay *replay = recount__replay(p->recount);
	const struct replay_cpu *c = replay__cpu(replay, rec->cpu);

	recount__step(p->recount, rec);
	if (c)
		owners__look(p->owners, rec->cpu, &c->model, &c->judge, c->slot,
			     rec->ns);
	if (p->tap)
		p->tap(p->tap_ctx, rec);
}

/* All that is there up to @t. Is there more? */
static bool count(struct player *p, double t)
{
	double when;

	for (; p->at < p->nr; p->at++) {
		when = trace__time(p->trace, p->rec[p->at].ns);
		if (when > t)
			return true;
		step(p, &p->rec[p->at]);
		if (when > p->t)
			p->t = when;
	}
	return false;
}

/*
 * How long after the last ones these counters were written is known exactly, and
 * there may have been no record since.
 */
static void settle(struct player *p)
{
	double there = trace__after(p->trace)->t;
	double t = p->counters + there - p->counters_there;

	if (p->counters_there > 0 && t > p->t && t < p->t + SILENCE)
		p->t = t;
	p->counters = p->t;
	p->counters_there = there;
}

/* Counters come after the records of their time: are there any soon? */
static bool may_settle(const struct player *p, double t, double slack)
{
	return trace__block_end(p->trace) <= t + slack;
}

static int take_early(struct player *p, struct snapshot *s)
{
	*s = p->early;
	p->early = (struct snapshot){};
	p->has_early = false;
	return PLAYER_THERE;
}

static int take(struct player *p, double t, int where, struct snapshot *s)
{
	int err = look(p, t, s);

	snapshot__free(&p->early);
	p->has_early = false;
	return err ? err : where;
}

/* The records of a block. 0 after the last of them. */
static int read_records(struct player *p, double t, double slack,
			struct snapshot *s)
{
	int err;

	do {
		if (count(p, p->has_early ? INFINITY : t)) {
			if (!may_settle(p, t, slack))
				return take(p, t, PLAYER_THERE, s);
			err = look(p, t, &p->early);
			if (err)
				return err;
			p->has_early = true;
			count(p, INFINITY);
		}
		p->nr = trace__batch(p->trace, &p->rec);
		p->at = 0;
	} while (p->nr > 0);
	return p->nr;
}

/* The next block. 0: go on. */
static int next(struct player *p, double t, double slack, struct snapshot *s)
{
	int kind = trace__next(p->trace);

	switch (kind) {
	case -EAGAIN:
		return PLAYER_DRY;
	case 0:
		return take(p, p->t, PLAYER_END, s);
	case TRACE_COUNTERS:
		settle(p);
		if (p->t >= t - slack)
			return take(p, p->t, PLAYER_THERE, s);
		return 0;
	case TRACE_EVENTS:
		return p->has_early ? take_early(p, s) : 0;
	default:
		return kind < 0 ? kind : 0;
	}
}

int player__to(struct player *p, double t, double slack, struct snapshot *s)
{
	double begun = fps_clock();
	int where;

	do {
		where = read_records(p, t, slack, s);
		if (!where)
			where = next(p, t, slack, s);
		if (!where && p->dont_wait && fps_clock() - begun > PATIENCE)
			where = PLAYER_BUSY;
	} while (!where);
	return where;
}

bool player__doubts(const struct player *p, char *why, size_t len)
{
	const struct snapshot *after = trace__after(p->trace);
	struct snapshot delta;
	bool agrees;

	if (!trace__settled(p->trace) || trace__health(p->trace).lost ||
	    snapshot__delta(&delta, after, trace__before(p->trace)))
		return false;
	agrees = recount__agrees(p->recount, after, &delta, why, len);
	snapshot__free(&delta);
	return !agrees;
}
