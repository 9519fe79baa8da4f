// SPDX-License-Identifier: GPL-2.0-only
#include "flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recount.h"
#include "replay.h"
#include "util.h"
#include "whatif.h"

struct ring {
	struct flow_event *event;
	size_t size;
	size_t nr; /* ever */
};

struct cpu {
	uint64_t waits; /* number of the event whose save is not decided */
	struct flow_task *saver; /* whose it is, or NULL */
	bool guest; /* was in the registers since the last user's load */
};

struct flow {
	struct whatif *whatif;
	struct blame_namer namer;
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct ring last, focus;
	uint32_t slot, gen; /* of the focus */
	uint64_t records, begin, end;
	uint64_t skipped; /* ns, in between */
	struct flow_task *task; /* in the order in which they came up */
	size_t nr_tasks;
	uint16_t by_tid[4 * FLOW_TASKS]; /* open hash: index + 1 */
};

static bool new_ring(struct ring *r, size_t size)
{
	r->event = calloc(size, sizeof(*r->event));
	r->size = size;
	return r->event;
}

struct flow *flow__new(unsigned int cpus, struct blame_namer namer,
		       uint64_t begin)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->namer = namer;
	f->begin = f->end = begin;
	f->nr_cpus = cpus;
	f->slot = FP_NO_SLOT;
	f->whatif = whatif__new(cpus, namer);
	f->cpus = calloc(cpus, sizeof(*f->cpus));
	f->task = calloc(FLOW_TASKS, sizeof(*f->task));
	if (f->whatif && f->cpus && f->task &&
	    new_ring(&f->last, FLOW_EVENTS) && new_ring(&f->focus, FLOW_FOCUS))
		return f;
	flow__free(f);
	return NULL;
}

void flow__free(struct flow *f)
{
	if (!f)
		return;
	whatif__free(f->whatif);
	free(f->cpus);
	free(f->task);
	free(f->last.event);
	free(f->focus.event);
	free(f);
}

/* ---- tasks ---- */

/* Its place in the hash, or where it would be. */
static size_t find_task(const struct flow *f, uint32_t tid)
{
	size_t i = (size_t)(tid * 2654435761u) % ARRAY_SIZE(f->by_tid);

	while (f->by_tid[i] && f->task[f->by_tid[i] - 1].tid != tid)
		i = (i + 1) % ARRAY_SIZE(f->by_tid);
	return i;
}

/* NULL: there were too many already. */
static struct flow_task *task_of(struct flow *f, uint32_t tid)
{
	size_t i = find_task(f, tid);
	struct flow_task *t;

	if (f->by_tid[i])
		return &f->task[f->by_tid[i] - 1];
	if (f->nr_tasks == FLOW_TASKS)
		return NULL;
	t = &f->task[f->nr_tasks++];
	f->by_tid[i] = (uint16_t)f->nr_tasks;
	t->tid = tid;
	f->namer.name(f->namer.ctx, BLAME_TASK, tid, t->name, sizeof(t->name));
	return t;
}

const char *flow__task_name(const struct flow *f, uint32_t tid)
{
	size_t i = find_task(f, tid);

	return f->by_tid[i] ? f->task[f->by_tid[i] - 1].name : NULL;
}

static void add_task(struct flow *f, struct cpu *c, const struct flow_event *e)
{
	bool mine = e->rec.slot == FP_NO_SLOT &&
		    e->ops & (FP_OP_USER_SAVE | FP_OP_USER_LOAD);
	struct flow_task *t = mine ? task_of(f, e->rec.ev.gen) : NULL;

	if (e->ops & FP_OP_USER_SAVE)
		c->saver = t;
	if (t) {
		t->saves += !!(e->ops & FP_OP_USER_SAVE);
		t->loads += !!(e->ops & FP_OP_USER_LOAD);
		t->redundant += fp_redundant(e->save) + fp_redundant(e->load);
		t->paid += c->guest && e->load == FP_VERDICT_LOAD_NEEDED;
	}
	if (e->rec.ev.kind == FP_EV_BIND_VCPU)
		c->guest = true;
	else if (e->ops & FP_OP_USER_LOAD)
		c->guest = false;
}

/* ---- events ---- */

static struct flow_event *find(struct ring *r, uint64_t number)
{
	size_t i;

	for (i = 0; number && i < r->nr && i < r->size; i++) {
		struct flow_event *e = &r->event[(r->nr - 1 - i) % r->size];

		if (e->number == number)
			return e;
		if (e->number < number)
			break;
	}
	return NULL;
}

/* What came now has decided a save that waited. */
static void decide(struct flow *f, struct cpu *c, uint8_t verdict, uint8_t by)
{
	struct ring *rings[] = { &f->last, &f->focus };
	struct flow_event *e;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rings); i++) {
		e = find(rings[i], c->waits);
		if (e) {
			e->save = verdict;
			e->decided_by = by;
		}
	}
	if (c->saver)
		c->saver->redundant += fp_redundant(verdict);
	c->waits = 0;
	c->saver = NULL;
}

static void keep(struct ring *r, const struct flow_event *e)
{
	r->event[r->nr++ % r->size] = *e;
}

static bool is_focused(const struct flow *f, const struct flow_event *e)
{
	return e->rec.slot == f->slot && e->gen == f->gen;
}

static void set_ops(struct flow_event *e, const struct fp_rec *rec,
		    const struct fp_verdicts *is, uint32_t step)
{
	e->rec = *rec;
	e->ops = FP_OPS(step);
	e->cause = (uint8_t)FP_CAUSE(step);
	e->save = is->save;
	e->load = is->load;
}

static void follow(struct flow *f, const struct fp_rec *rec, uint32_t step)
{
	const struct recount *recount = whatif__recount(f->whatif);
	const struct fp_verdicts is =
		replay__verdicts(recount__replay(recount), rec);
	struct cpu *c = &f->cpus[rec->cpu];
	struct flow_event e = { .number = f->records };

	set_ops(&e, rec, &is, step);
	if (rec->slot < FP_MAX_VCPUS)
		e.gen = recount__gen(recount, rec->slot);
	if (is.old)
		decide(f, c, is.old, rec->ev.kind);
	keep(&f->last, &e);
	if (is_focused(f, &e))
		keep(&f->focus, &e);
	if (e.save == FP_VERDICT_PENDING)
		c->waits = e.number;
	add_task(f, c, &e);
}

int flow__feed(void *flow, const struct fp_rec *rec)
{
	struct flow *f = flow;
	uint32_t step;
	int err = whatif__feed(f->whatif, rec);

	f->records++;
	if (rec->ns > f->end)
		f->end = rec->ns;
	step = replay__step_made(recount__replay(whatif__recount(f->whatif)));
	if (rec->cpu < f->nr_cpus)
		follow(f, rec, step);
	return err;
}

void flow__skip(struct flow *f, uint64_t from, uint64_t to)
{
	if (f->end < from)
		f->end = from;
	if (f->end >= to)
		return;
	f->skipped += to - f->end;
	f->end = to;
}

static const struct flow_event *back_in(const struct ring *r, size_t back)
{
	if (back >= r->nr || back >= r->size)
		return NULL;
	return &r->event[(r->nr - 1 - back) % r->size];
}

/* What is still known of its past is taken over. */
void flow__focus(struct flow *f, uint32_t slot, uint32_t gen)
{
	const struct flow_event *e;
	size_t i;

	if (f->slot == slot && f->gen == gen)
		return;
	f->slot = slot;
	f->gen = gen;
	f->focus.nr = 0;
	for (i = f->last.size; i-- > 0;) {
		e = flow__event(f, i);
		if (e && is_focused(f, e))
			keep(&f->focus, e);
	}
}

const struct flow_event *flow__event(const struct flow *f, size_t back)
{
	return back_in(&f->last, back);
}

const struct flow_event *flow__focused(const struct flow *f, size_t back)
{
	return back_in(&f->focus, back);
}

const struct flow_task *flow__tasks(const struct flow *f, size_t *nr)
{
	*nr = f->nr_tasks;
	return f->task;
}

const struct whatif *flow__whatif(const struct flow *f)
{
	return f->whatif;
}

double flow__seconds(const struct flow *f)
{
	return (double)sat_sub(sat_sub(f->end, f->begin), f->skipped) / 1e9;
}

uint64_t flow__begin(const struct flow *f)
{
	return f->begin;
}
