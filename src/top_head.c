// SPDX-License-Identifier: GPL-2.0-only
/* The top of the screen: what is watched, how far it can be trusted, and sums. */
#include <inttypes.h>

#include "cost.h"
#include "human.h"
#include "top.h"

static void paint_host(struct paint *on, int y, const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	struct pen p = pen__at(on, y, 0);

	ink(&p, STYLE_BOLD, "fpstat");
	ink(&p, STYLE_PLAIN, "  %s  %s  mode ", in->host, s->kernel);
	ink(&p, STYLE_BOLD, "%s", s->mode);
	ink(&p, STYLE_PLAIN, "  policy ");
	ink(&p, STYLE_BOLD, "%s", snap_policy__name(s->policy));
	ink(&p, STYLE_PLAIN, "  cpus ");
	if (s->online && s->online < s->cpus)
		ink(&p, STYLE_PLAIN, "%u of ", s->online);
	ink(&p, STYLE_PLAIN, "%u", s->cpus);
	if (s->sve_vl)
		ink(&p, STYLE_PLAIN, "  sve %u", s->sve_vl * 8);
}

/* A number that should be zero. */
static void paint_alarm(struct pen *p, const char *what, uint64_t n)
{
	char cell[COLUMN_CELL];

	column__number(n, 0, cell);
	ink(p, STYLE_PLAIN, "  ");
	ink(p, n && n != SNAP_NA ? STYLE_ALARM : STYLE_PLAIN, "%s %s", what,
	    cell);
}

static void paint_time(struct pen *p, const char *what, double t)
{
	unsigned long s = (unsigned long)t;

	ink(p, STYLE_PLAIN, "%s %lu:%02lu:%02lu", what, s / 3600, s / 60 % 60,
	    s % 60);
}

static void paint_replay(struct pen *p, const struct top_replay *r)
{
	paint_time(p, r->stream ? "stream" : "replay", r->t);
	if (r->length > 0)
		paint_time(p, " of", r->length);
	if (!r->stream)
		ink(p, STYLE_PLAIN, " x%g", r->speed);
	if (r->state) {
		ink(p, STYLE_PLAIN, " ");
		ink(p, r->alarm ? STYLE_ALARM : STYLE_MARK, " %s ", r->state);
	}
	if (r->damaged)
		paint_alarm(p, "damaged", r->damaged);
}

static void paint_overhead(struct pen *p, const struct snapshot *s)
{
	double share = snapshot__overhead(s);

	if (share < 0)
		ink(p, STYLE_PLAIN, "  overhead n/a");
	else
		ink(p, STYLE_PLAIN, "  overhead %.2f%%", share * 100);
}

/* Live, another capture has the stream, and loses what it loses. */
static uint64_t lost(const struct top_shown *in)
{
	uint64_t n = in->ever->lost;

	return in->replay || !in->stream || n == SNAP_NA ? n :
							   n + in->stream->lost;
}

static void paint_health(struct paint *on, int y, const struct top_shown *in,
			 const struct top_state *st)
{
	const struct snapshot *s = in->ever;
	struct pen p = pen__at(on, y, 0);

	if (in->replay)
		paint_replay(&p, in->replay);
	else if (in->s->shed) /* what else that can be is the checker's */
		ink(&p, STYLE_ALARM, "over budget");
	else
		paint_time(&p, "up", s->t);
	paint_alarm(&p, "missed", s->missed);
	if (*s->missed_by)
		ink(&p, STYLE_PLAIN, " (%s)", s->missed_by);
	paint_alarm(&p, "lost", lost(in));
	paint_alarm(&p, "undecided", s->undecided);
	ink(&p, STYLE_PLAIN, "  every %g s", st->interval);
	if (st->frozen && !in->replay)
		ink(&p, STYLE_MARK, "  frozen  ");
	paint_overhead(&p, in->s);
	if (in->recording) {
		ink(&p, STYLE_PLAIN, "  ");
		ink(&p, STYLE_ALARM, " REC ");
		ink(&p, STYLE_PLAIN, " %s", in->recording);
	}
}

/* How many a second, and the redundant share of them. */
static void paint_sum(struct pen *p, const char *what,
		      const struct snap_xfer *x, double dt,
		      const char *share_of)
{
	char number[COLUMN_CELL], share[COLUMN_CELL];

	column__short(x->done, dt, 5, number);
	column__share(snap_xfer__share(x), share);
	ink(p, STYLE_PLAIN, "%s ", what);
	ink(p, STYLE_BOLD, "%5s", number);
	ink(p, STYLE_PLAIN, "%s ", share_of);
	ink(p, STYLE_BOLD, "%4s", share);
}

static void paint_totals(struct paint *on, int y, const struct snapshot *s)
{
	struct snap_ops all = snapshot__all(s), other = snapshot__other(s);
	struct pen save = pen__at(on, y, 0), load = pen__at(on, y + 1, 0);
	struct snap_vcpu v;

	snapshot__total(s, &v);
	paint_sum(&save, "save/s", &all.save, s->dt, " redundant");
	paint_sum(&save, "  guest", &v.guest.save, s->dt, "");
	paint_sum(&save, "  host", &v.host.save, s->dt, "");
	paint_sum(&save, "  other", &other.save, s->dt, "");
	paint_sum(&load, "load/s", &all.load, s->dt, " redundant");
	paint_sum(&load, "  guest", &v.guest.load, s->dt, "");
	paint_sum(&load, "  host", &v.host.load, s->dt, "");
	paint_sum(&load, "  other", &other.load, s->dt, "");
}

/* ---- the gap between what was moved and what had to be ---- */

struct sum {
	double save, load; /* operations; in bytes: of each */
};

struct gap {
	bool na;
	struct sum done[2], less[2]; /* operations, and bytes */
};

static void add(struct gap *g, const struct snap_ops *o, uint64_t bytes)
{
	uint64_t save = snap_xfer__redundant(&o->save);
	uint64_t load = snap_xfer__redundant(&o->load);
	double saved[2] = { 1, (double)snap_xfer__size(&o->save, bytes) };
	double loaded[2] = { 1, (double)snap_xfer__size(&o->load, bytes) };
	int i;

	g->na |= save == SNAP_NA || load == SNAP_NA;
	for (i = 0; i < 2 && !g->na; i++) {
		g->done[i].save += saved[i] * (double)o->save.done;
		g->done[i].load += loaded[i] * (double)o->load.done;
		g->less[i].save += saved[i] * (double)save;
		g->less[i].load += loaded[i] * (double)load;
	}
}

static void add_vcpu(struct gap *g, const struct snap_vcpu *v)
{
	uint64_t bytes = v->guest_bytes ? v->guest_bytes : FP_FPSIMD_BYTES;

	add(g, &v->guest, bytes);
	add(g, &v->host, FP_FPSIMD_BYTES);
}

static struct gap gap_of(const struct snapshot *s)
{
	struct snap_ops other = snapshot__other(s);
	struct gap g = {};
	size_t i;

	for (i = 0; i < s->nr_vcpus && !g.na; i++)
		add_vcpu(&g, &s->vcpus[i]);
	add_vcpu(&g, &s->folded_sum);
	add(&g, &other, FP_FPSIMD_BYTES);
	return g;
}

static double both(struct sum s)
{
	return s.save + s.load;
}

static double ns(struct sum bytes, const struct cost *c)
{
	return (bytes.save * c->hot.save + bytes.load * c->hot.load) /
	       FP_FPSIMD_BYTES;
}

static void paint_of(struct pen *p, double less, double done, double dt,
		     void (*print)(char *, size_t, uint64_t, uint64_t),
		     const char *what)
{
	uint64_t a = (uint64_t)(less / dt + 0.5);
	uint64_t b = (uint64_t)(done / dt + 0.5);
	char x[32], y[32];

	print(x, sizeof(x), a, a);
	print(y, sizeof(y), b, b);
	ink(p, STYLE_BOLD, "%6s", x);
	ink(p, STYLE_PLAIN, " of %s%s", y, what);
}

/* With SVE: may tasks have had larger states than can be told? */
static bool is_least(const struct snapshot *s)
{
	return s->sve_vl && s->task.save.done &&
	       (s->task.save.bytes == SNAP_NA || s->task.load.bytes == SNAP_NA);
}

void top_head__gap(struct paint *on, int y, const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	struct gap g = gap_of(s);
	struct pen p = pen__at(on, y, 0);

	ink(&p, STYLE_PLAIN, "gap/s ");
	if (g.na || s->dt <= 0) {
		ink(&p, STYLE_PLAIN, "  n/a");
	} else {
		paint_of(&p, both(g.less[0]), both(g.done[0]), s->dt,
			 human__count, " ops ");
		paint_of(&p, both(g.less[1]), both(g.done[1]), s->dt,
			 human__bytes, is_least(s) ? "+ bytes " : " bytes ");
		if (in->cost && !in->cost->why)
			paint_of(&p, ns(g.less[1], in->cost),
				 ns(g.done[1], in->cost), s->dt, human__ns, "");
		else
			ink(&p, STYLE_PLAIN, "  time n/a");
	}
	ink(&p, STYLE_PLAIN, "  were not needed");
}

void top_head__paint(struct paint *on, int lines, const struct top_shown *in,
		     const struct top_state *st)
{
	if (lines)
		paint_host(on, 0, in);
	if (lines > 1)
		paint_health(on, 1, in, st);
	if (lines > 2)
		paint_totals(on, 2, in->s);
	if (lines > 4)
		top_head__gap(on, 4, in);
}
