// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel of martin knows when it has loaded a guest, and that it is live from
 * then on until vcpu_put or NEON; not whether it is used. One automaton follows
 * that, as policy.c does, to the last doubt. Beside it are kept
 *  - for flush-after: see flush.h;
 *  - for keep: whose state vcpu_put has left in the registers, which is saved, and
 *    the longest absence of its thread since.
 */
#include "sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <linux/types.h>
#include <string.h>

#include "fpstat/counters.h"
#include "flush.h"

/* Owns a state: a task, or a vcpu. */
struct ctx {
	uint64_t buf;
	struct ctx *next; /* in its bucket, or in the list of free ones */
	struct ctx *vcpu; /* of a task: the one it has loaded .. */
	struct ctx *guest; /* .. and loaded last, until KVM_RUN ends */
	uint32_t slot; /* of a task: the vcpu that it runs */
	uint32_t home; /* CPU that may hold its newest value */
	bool in_run;
	bool known; /* of a task: whether it is in KVM_RUN */
	bool dead;
	/* of a vcpu that was put */
	uint32_t kept; /* CPU that may have been left with its state .. */
	enum tri sure; /* .. and if it was */
	uint64_t left; /* when its thread was switched out; 0: it was not */
	uint64_t away; /* the longest absence since it was left there */
};

struct cpu {
	uint64_t task; /* current */
	const struct ctx *held; /* as in policy.c */
	bool doubt;
	struct ctx *kept; /* if ctx.kept says so, too */
	bool anybody_kept;
	struct flush *flush; /* by parameter */
};

enum { BUCKETS = 4096, NOWHERE = UINT32_MAX };

struct sweep {
	struct params params;
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct flush *flush;
	struct ctx *bucket[BUCKETS];
	struct ctx *free;
	size_t nr_slots;
	struct policy_ops *row; /* by slot and parameter */
	struct policy_ops ended[PARAMS_MAX];
	struct policy_ops nobodys[PARAMS_MAX]; /* of slots that cannot be */
};

/* Somebody, or nobody: nothing is known of the registers. */
static const struct ctx anybody;

/* ---- contexts ---- */

static struct ctx **bucket(struct sweep *s, uint64_t buf)
{
	return &s->bucket[(buf * 0x9e3779b97f4a7c15ull) >> 52];
}

static struct ctx *new_ctx(struct sweep *s, uint64_t buf)
{
	struct ctx *x = s->free, **head = bucket(s, buf);

	if (x)
		s->free = x->next;
	else
		x = malloc(sizeof(*x));
	if (!x)
		return NULL;
	*x = (struct ctx){ .buf = buf,
			   .next = *head,
			   .slot = FP_NO_SLOT,
			   .home = NOWHERE,
			   .kept = NOWHERE };
	*head = x;
	return x;
}

static struct ctx *ctx_of(struct sweep *s, uint64_t buf)
{
	struct ctx *x;

	for (x = *bucket(s, buf); x; x = x->next) {
		if (x->buf == buf)
			return x;
	}
	return new_ctx(s, buf);
}

static void free_ctx(struct sweep *s, struct ctx *x)
{
	struct ctx **at = bucket(s, x->buf);

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->next = s->free;
	s->free = x;
}

/* ---- rows ---- */

static int want_slot(struct sweep *s, uint32_t slot)
{
	size_t n = s->nr_slots ? s->nr_slots : 64, one = s->params.nr;
	struct policy_ops *row;

	if (slot >= FP_MAX_VCPUS || slot < s->nr_slots)
		return 0;
	while (n <= slot)
		n *= 2;
	row = reallocarray(s->row, n, one * sizeof(*row));
	if (!row)
		return -ENOMEM;
	s->row = row;
	memset(row + s->nr_slots * one, 0,
	       (n - s->nr_slots) * one * sizeof(*row));
	s->nr_slots = n;
	return 0;
}

static void move(struct policy_xfer *x, enum tri sure, bool irqoff)
{
	x->done.lo += sure == TRI_YES;
	x->done.hi += sure != TRI_NO;
	x->irqoff.lo += irqoff && sure == TRI_YES;
	x->irqoff.hi += irqoff && sure != TRI_NO;
}

static enum tri both(enum tri a, enum tri b)
{
	return a < b ? a : b;
}

static enum tri negated(enum tri t)
{
	return TRI_YES - t;
}

/* ---- whose state is in the registers ---- */

struct at {
	struct sweep *all;
	struct cpu *cpu;
	uint32_t nr;
};

static enum tri holds(const struct at *at, const struct ctx *x)
{
	if (at->cpu->held == &anybody)
		return TRI_MAYBE;
	if (at->cpu->held != x || x->home != at->nr)
		return TRI_NO;
	return at->cpu->doubt ? TRI_MAYBE : TRI_YES;
}

static struct ctx *kept(const struct at *at)
{
	struct ctx *x = at->cpu->kept;

	return x && x->kept == at->nr ? x : NULL;
}

/* By load, NEON or power off; NULL: nobody's. */
static void take(const struct at *at, struct ctx *x)
{
	at->cpu->held = x;
	at->cpu->doubt = false;
	at->cpu->kept = NULL;
	at->cpu->anybody_kept = false;
	if (x)
		x->home = at->nr;
}

static void perhaps_take(const struct at *at, struct ctx *x)
{
	struct cpu *cpu = at->cpu;

	if (cpu->held && cpu->held != x)
		cpu->held = &anybody; /* more than we keep apart */
	else
		cpu->held = x;
	cpu->doubt = true;
	x->home = at->nr;
	if (kept(at) && kept(at) != x)
		kept(at)->sure = TRI_MAYBE;
}

/* ---- keep ---- */

/* Its state is saved now, and left where it is; @live: if it was there. */
static void leave(const struct at *at, struct ctx *v, enum tri live)
{
	if (live == TRI_NO)
		return;
	if (live == TRI_MAYBE && v->kept != NOWHERE && v->kept != at->nr)
		at->all->cpus[v->kept].anybody_kept = true;
	if (live == TRI_MAYBE && kept(at) && kept(at) != v)
		at->cpu->anybody_kept = true;
	at->cpu->kept = v;
	v->kept = at->nr;
	v->sure = live;
	v->away = 0;
}

/* The vcpu is loaded again: how long was it away? */
static void come_back(struct ctx *v, uint64_t ns)
{
	uint64_t away = v->left && ns > v->left ? ns - v->left : 0;

	if (away > v->away)
		v->away = away;
	v->left = 0;
}

/* Does its use find the state in the registers, if it may stay so long? */
static enum tri finds(const struct at *at, const struct ctx *v, uint64_t limit)
{
	if (at->cpu->anybody_kept)
		return limit ? TRI_MAYBE : TRI_NO;
	return kept(at) == v && v->away < limit ? v->sure : TRI_NO;
}

/* ---- all of them on one CPU ---- */

static struct policy_ops *row_of(const struct at *at, const struct ctx *t)
{
	struct sweep *s = at->all;

	return t->slot < s->nr_slots ? &s->row[t->slot * s->params.nr] :
				       s->nobodys;
}

static void save_guest(const struct at *at, const struct ctx *t, bool irqoff)
{
	const struct params *all = &at->all->params;
	struct policy_ops *ops = row_of(at, t);
	enum tri live = holds(at, t->vcpu);
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		const struct param *p = &all->param[i];

		if (p->kind == PARAM_KEEP)
			move(&ops[i].save, live, irqoff);
		else
			flush__save(&at->cpu->flush[i], &ops[i], p->value, live,
				    irqoff);
	}
}

static void put(const struct at *at, struct ctx *t)
{
	enum tri live;

	if (!t->vcpu)
		return;
	live = holds(at, t->vcpu);
	save_guest(at, t, true);
	leave(at, t->vcpu, live);
	if (live != TRI_NO && at->cpu->held != &anybody)
		at->cpu->held = NULL;
}

static void on_switch(const struct at *at, struct ctx *t, uint64_t ns)
{
	put(at, t);
	if (t->vcpu)
		t->vcpu->left = ns;
}

/* Its thread goes to user mode, and loads its own state over what was left. */
static void on_run_end(const struct at *at, struct ctx *t)
{
	put(at, t);
	if (t->guest)
		t->guest->kept = NOWHERE;
}

static void on_user(const struct at *at, struct ctx *t, enum tri sure)
{
	if (t->in_run || t->dead || holds(at, t) == TRI_YES)
		return;
	if (sure == TRI_YES && t->known)
		take(at, t);
	else
		perhaps_take(at, t);
}

/* The trap: from here on its state is live. */
static void own(const struct at *at, struct ctx *v, enum tri use)
{
	if (use == TRI_YES) {
		take(at, v);
		v->kept = NOWHERE;
		return;
	}
	perhaps_take(at, v);
	if (v->kept != at->nr)
		v->sure = TRI_MAYBE;
}

static void on_enter(const struct at *at, struct ctx *t, const struct need *n)
{
	const struct params *all = &at->all->params;
	struct policy_ops *ops = row_of(at, t);
	enum tri live, load;
	unsigned int i;

	if (!t->vcpu)
		return;
	live = holds(at, t->vcpu);
	load = both(n->use, negated(live));
	for (i = 0; i < all->nr; i++) {
		const struct param *p = &all->param[i];

		if (p->kind == PARAM_KEEP)
			move(&ops[i].load,
			     both(load, negated(finds(at, t->vcpu, p->value))),
			     true);
		else
			flush__enter(&at->cpu->flush[i], &ops[i], p->value,
				     live, n);
	}
	if (load != TRI_NO)
		own(at, t->vcpu, n->use);
}

static void on_neon(const struct at *at, struct ctx *t)
{
	if (t->vcpu)
		save_guest(at, t, false);
	take(at, NULL);
}

static void step(const struct at *at, const struct need *n, struct ctx *t)
{
	switch (n->kind) {
	case NEED_SWITCH:
		on_switch(at, t, n->ns);
		break;
	case NEED_USER:
		on_user(at, t, n->use);
		break;
	case NEED_VLOAD:
		come_back(t->vcpu, n->ns);
		break;
	case NEED_VPUT:
		put(at, t);
		break;
	case NEED_RUN_END:
		on_run_end(at, t);
		break;
	case NEED_ENTER:
		on_enter(at, t, n);
		break;
	case NEED_NEON:
		on_neon(at, t);
		break;
	case NEED_CLOBBER:
		take(at, NULL);
		break;
	default:
		break;
	}
}

/* ---- what is the same whatever the parameter: see policy.c ---- */

static bool goes_on(const struct sweep *s, const struct ctx *x, uint32_t cpu)
{
	uint32_t c;

	for (c = 0; c < s->nr_cpus; c++) {
		if (c != cpu && s->cpus[c].task == x->buf)
			return true;
	}
	return false;
}

static void gap(struct sweep *s, uint32_t cpu)
{
	struct ctx *x;
	unsigned int c;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		for (x = s->bucket[i]; x; x = x->next) {
			if (goes_on(s, x, cpu))
				continue;
			x->vcpu = x->guest = NULL;
			x->in_run = x->known = x->dead = false;
		}
	}
	for (c = 0; c < s->nr_cpus; c++) {
		s->cpus[c].held = &anybody;
		s->cpus[c].doubt = true;
		s->cpus[c].anybody_kept = true;
	}
}

static int before(struct sweep *s, const struct need *n, struct ctx *t)
{
	if (n->kind != NEED_RUN && n->kind != NEED_VLOAD)
		return 0;
	t->slot = n->slot;
	t->in_run = t->known = true;
	if (n->kind == NEED_VLOAD) {
		t->vcpu = t->guest = ctx_of(s, n->vcpu);
		if (!t->vcpu)
			return -ENOMEM;
	}
	return want_slot(s, n->slot);
}

static void after(const struct need *n, struct ctx *t)
{
	switch (n->kind) {
	case NEED_SWITCH:
		t->vcpu = NULL;
		break;
	case NEED_RUN_END:
		t->in_run = false;
		t->known = true;
		t->vcpu = t->guest = NULL;
		break;
	case NEED_VPUT:
		t->vcpu = NULL;
		break;
	default:
		break;
	}
}

/* To a state in memory, whoever is current. */
static int happens(struct sweep *s, const struct need *n)
{
	struct ctx *x = ctx_of(s, n->task ? n->task : n->vcpu);

	if (!x)
		return -ENOMEM;
	if (n->kind == NEED_FORGET)
		x->home = x->kept = NOWHERE;
	else if (n->kind == NEED_DIES)
		x->dead = true;
	else
		free_ctx(s, x);
	return 0;
}

int sweep__step(struct sweep *s, const struct need *n)
{
	struct at at = { .all = s, .nr = n->cpu };
	struct ctx *t;
	int err;

	if (n->cpu >= s->nr_cpus)
		return 0;
	if (n->kind == NEED_UNKNOWN)
		return 0; /* see policy_unseen */
	if (n->kind == NEED_GAP) {
		gap(s, n->cpu);
		return 0;
	}
	if (n->kind >= NEED_FORGET)
		return happens(s, n);
	at.cpu = &s->cpus[n->cpu];
	at.cpu->task = n->kind == NEED_SWITCH ? n->next : n->task;
	t = ctx_of(s, n->task);
	err = t ? before(s, n, t) : -ENOMEM;
	if (err)
		return err;
	if (n->kind != NEED_RUN_END || t->in_run)
		step(&at, n, t);
	after(n, t);
	return 0;
}

struct sweep *sweep__new(unsigned int cpus, const struct params *params)
{
	struct sweep *s = calloc(1, sizeof(*s));
	unsigned int c;

	if (!s)
		return NULL;
	s->params = *params;
	s->cpus = calloc(cpus, sizeof(*s->cpus));
	s->flush = calloc((size_t)cpus * params->nr, sizeof(*s->flush));
	if (!s->cpus || !s->flush) {
		sweep__free(s);
		return NULL;
	}
	s->nr_cpus = cpus;
	for (c = 0; c < cpus; c++)
		s->cpus[c].flush = &s->flush[(size_t)c * params->nr];
	gap(s, 0);
	return s;
}

static void free_list(struct ctx *x)
{
	struct ctx *next;

	for (; x; x = next) {
		next = x->next;
		free(x);
	}
}

void sweep__free(struct sweep *s)
{
	int i;

	if (!s)
		return;
	for (i = 0; i < BUCKETS; i++)
		free_list(s->bucket[i]);
	free_list(s->free);
	free(s->cpus);
	free(s->flush);
	free(s->row);
	free(s);
}

/* ---- results ---- */

static void add(struct policy_xfer *to, const struct policy_xfer *from)
{
	to->done.lo += from->done.lo;
	to->done.hi += from->done.hi;
	to->irqoff.lo += from->irqoff.lo;
	to->irqoff.hi += from->irqoff.hi;
}

const struct policy_ops *sweep__rows(const struct sweep *s, uint32_t slot)
{
	return slot < s->nr_slots ? &s->row[slot * s->params.nr] : NULL;
}

void sweep__end(struct sweep *s, uint32_t slot)
{
	struct policy_ops *row;
	unsigned int i;

	if (slot >= s->nr_slots)
		return;
	row = &s->row[slot * s->params.nr];
	for (i = 0; i < s->params.nr; i++) {
		add(&s->ended[i].save, &row[i].save);
		add(&s->ended[i].load, &row[i].load);
		row[i] = (struct policy_ops){};
	}
}

struct policy_ops sweep__total(const struct sweep *s, unsigned int i)
{
	struct policy_ops sum = s->ended[i];
	size_t slot;

	for (slot = 0; slot < s->nr_slots; slot++) {
		const struct policy_ops *row = &s->row[slot * s->params.nr];

		add(&sum.save, &row[i].save);
		add(&sum.load, &row[i].load);
	}
	return sum;
}
