// SPDX-License-Identifier: GPL-2.0-only
/* The view of one vcpu: verdicts, causes, where its state was, its last events. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow.h"
#include "fpstat/model.h"
#include "top.h"
#include "top_events.h"
#include "util.h"

/* The one that was picked; else the busiest. */
static const struct snap_vcpu *find(const struct snapshot *s, uint64_t id)
{
	const struct snap_vcpu *most = NULL, *v;
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		v = &s->vcpus[i];
		if (id && ((uint64_t)v->slot << 32 | v->gen) == id)
			return v;
		if (!most || v->exits > most->exits)
			most = v;
	}
	return id ? NULL : most;
}

const struct snap_vcpu *top_detail__vcpu(const struct top_shown *in,
					 const struct top_state *st)
{
	return find(top__numbers(in, st), st->vcpu);
}

/* ---- bars ---- */

static void paint_bar(struct pen *p, double x, double max, int width,
		      enum style style)
{
	int i, n = max > 0 ? (int)(x / max * width + 0.5) : 0;

	for (i = 0; i < width; i++)
		ink(p, i < n ? style : STYLE_DIM, "%s",
		    i < n	 ? ink__bar(p->on, 1, 1) :
		    p->on->ascii ? "." :
				   "·");
}

static void paint_number(struct pen *p, const char *name, uint64_t n, double dt)
{
	char cell[COLUMN_CELL];

	column__short(n, dt, 6, cell);
	ink(p, STYLE_PLAIN, " %s ", name);
	ink(p, STYLE_BOLD, "%s", cell);
}

/* Done, and what became of it. */
static void paint_verdicts(struct paint *on, int y, const char *what,
			   const struct snap_xfer *x, bool save, double dt)
{
	struct pen p = pen__at(on, y, 0);
	char share[COLUMN_CELL];

	ink(&p, STYLE_BOLD, "%-11s", what);
	if (x->done == SNAP_NA) {
		ink(&p, STYLE_PLAIN, " n/a");
		return;
	}
	column__share(snap_xfer__share(x), share);
	paint_bar(&p, (double)x->needed, (double)x->done, 10,
		  STYLE_OWNER + SNAP_OWNER_GUEST);
	paint_number(&p, "done", x->done, dt);
	paint_number(&p, "needed", x->needed, dt);
	paint_number(&p, "redundant", x->redundant, dt);
	ink(&p, STYLE_PLAIN, " (%s)", share);
	if (save) {
		paint_number(&p, "clean", x->clean, dt);
		paint_number(&p, "unclobbered", x->unclobbered, dt);
		paint_number(&p, "dead", x->dead, dt);
	}
	if (x->unknown)
		paint_number(&p, "unknown", x->unknown, dt);
}

static void paint_causes(struct paint *on, int y, const struct snap_vcpu *v,
			 double dt)
{
	struct pen p = pen__at(on, y, 0);
	uint64_t max = 0;
	int i;

	ink(&p, STYLE_BOLD, "%-11s", "saved by");
	for (i = 0; i < FP_CAUSE_MAX; i++)
		max = v->cause[i] > max ? v->cause[i] : max;
	for (i = 0; i < FP_CAUSE_MAX; i++) {
		if (!v->cause[i])
			continue;
		ink(&p, STYLE_OWNER + SNAP_OWNER_KERNEL, "%s",
		    ink__bar(on, (double)v->cause[i], (double)max));
		paint_number(&p, snap_cause__name(i), v->cause[i], dt);
		ink(&p, STYLE_PLAIN, "  ");
	}
}

/* ---- where its state was ---- */

enum { TIMELINE = 11 };

/* What is drawn: of all CPUs the same time. */
struct timeline {
	uint64_t begin, end; /* ns */
	int width;
	char line[512];
};

/* Of two CPUs, a record may be older than the one before it. */
static int place(const struct timeline *t, uint64_t ns)
{
	double span = (double)(t->end - t->begin) + 1;

	int at = (int)((double)sat_sub(ns, t->begin) / span * t->width);

	return at < t->width ? at : t->width - 1;
}

/* In the registers of @cpu since then, or not any more; as the events say. */
static void draw_events(struct timeline *t, const struct flow *f, uint32_t cpu,
			size_t nr)
{
	const struct flow_event *e;
	char state = ' ';
	int x = 0, to;

	memset(t->line, ' ', (size_t)t->width);
	t->line[t->width] = '\0';
	while (nr--) {
		e = flow__focused(f, nr);
		to = place(t, e->rec.ns);
		while (x < to)
			t->line[x++] = state;
		if (e->ops & (FP_OP_GUEST_LOAD | FP_OP_LIVE))
			state = e->rec.cpu == cpu ? 'G' : '.';
		else if (e->rec.cpu == cpu && e->ops & FP_OP_GUEST_SAVE)
			state = '.';
		if (state != ' ')
			t->line[to] = state;
	}
	while (x < t->width)
		t->line[x++] = state;
}

/* How many events there are, and from when to when. */
static size_t measure_events(struct timeline *t, const struct flow *f)
{
	const struct flow_event *e;
	size_t nr;

	t->begin = UINT64_MAX;
	for (nr = 0; (e = flow__focused(f, nr)); nr++) {
		t->begin = e->rec.ns < t->begin ? e->rec.ns : t->begin;
		t->end = e->rec.ns > t->end ? e->rec.ns : t->end;
	}
	return nr;
}

static int paint_timeline(struct paint *on, int y, int lines,
			  const struct top_shown *in)
{
	struct timeline t = { .width = on->cols - TIMELINE };
	size_t nr = measure_events(&t, in->flow);
	int used = 0;
	uint32_t cpu;
	struct pen p;

	if (t.width > (int)sizeof(t.line) - 1)
		t.width = sizeof(t.line) - 1;
	if (!nr || t.width < 8)
		return 0;
	for (cpu = 0; cpu < in->s->cpus && used < lines; cpu++) {
		draw_events(&t, in->flow, cpu, nr);
		if (!strchr(t.line, 'G'))
			continue;
		p = pen__at(on, y + used++, 0);
		ink(&p, STYLE_BOLD, "live cpu%-3" PRIu32, cpu);
		ink(&p, STYLE_OWNER + SNAP_OWNER_GUEST, "%s", t.line);
	}
	return used;
}

/* ---- the whole ---- */

static int above(struct paint *on, int y, int lines, const struct top_shown *in,
		 const struct top_state *st)
{
	const struct snap_vcpu *v = top_detail__vcpu(in, st);
	const struct snapshot *s = top__numbers(in, st);
	double dt = st->per == PER_ALL ? 0 : s->dt;
	struct pen p = pen__at(on, y, 0);
	int used = 6;

	if (lines < 1)
		return 0;
	if (!v) {
		ink(&p, STYLE_MARK, " it is gone ");
		return 1;
	}
	ink(&p, STYLE_BOLD, "%s/%" PRIu32, v->vm, v->vcpu_id);
	ink(&p, STYLE_PLAIN, "  pid %" PRIu32 "  tid %" PRIu32, v->vm_pid,
	    v->tid);
	paint_number(&p, " runs", v->runs, dt);
	paint_number(&p, " exits", v->exits, dt);
	paint_number(&p, " still live", v->guest_runs_live, dt);
	paint_number(&p, " others paid", v->collateral, dt);
	if (lines < used + 1)
		return 1;
	paint_verdicts(on, y + 1, "guest save", &v->guest.save, true, dt);
	paint_verdicts(on, y + 2, "guest load", &v->guest.load, false, dt);
	paint_verdicts(on, y + 3, "host save", &v->host.save, true, dt);
	paint_verdicts(on, y + 4, "host load", &v->host.load, false, dt);
	paint_causes(on, y + 5, v, dt);
	if (in->flow)
		used += paint_timeline(on, y + used, lines - used - 1, in);
	return used + top_flow__above(on, y + used, lines - used, in, st);
}

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	(void)st;
	return top_events__fill(t, in, flow__focused, FLOW_FOCUS);
}

const struct top_view top_detail = {
	.key = '8',
	.name = "detail",
	.help = "one vcpu: its state, and its last events",
	.stream = true,
	.columns = top_event_columns,
	.nr_columns = &top_nr_event_columns,
	.fill = fill,
	.above = above,
};
