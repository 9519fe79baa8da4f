// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fpstat/charge.h"
#include "fpstat/counters.h"

/* The vcpu in a slot, while its state is in registers. */
struct life {
	bool live;
	uint64_t since;
	uint64_t entries;
};

struct cpu {
	struct report_cpu counted;
	uint32_t slot; /* of the vcpu whose entries have no record */
};

struct report {
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct life life[FP_MAX_VCPUS];
	struct report_histogram lifetimes;
	struct report_histogram entries;
	bool headless; /* a life ended that was not seen to begin */
};

struct report *report__new(unsigned int cpus)
{
	struct report *r = calloc(1, sizeof(*r));
	unsigned int i;

	if (!r)
		return NULL;
	r->nr_cpus = cpus;
	r->cpus = calloc(cpus, sizeof(*r->cpus));
	for (i = 0; r->cpus && i < cpus; i++)
		r->cpus[i].slot = FP_NO_SLOT;
	if (r->cpus)
		return r;
	free(r);
	return NULL;
}

void report__free(struct report *r)
{
	if (r)
		free(r->cpus);
	free(r);
}

static void count_ops(struct report_cpu *c, uint32_t slot, uint32_t ops)
{
	struct report_ops *user = slot == FP_NO_SLOT ? &c->task : &c->host;

	c->guest.save += !!(ops & FP_OP_GUEST_SAVE);
	c->guest.load += !!(ops & FP_OP_GUEST_LOAD);
	user->save += !!(ops & FP_OP_USER_SAVE);
	user->load += !!(ops & FP_OP_USER_LOAD);
	c->kernel.save += !!(ops & FP_OP_KERNEL_SAVE);
	c->kernel.load += !!(ops & FP_OP_KERNEL_LOAD);
}

static void add(struct report_histogram *h, uint64_t n)
{
	h->n[n ? 63 - __builtin_clzll(n) : 0]++;
}

static void end_life(struct report *r, struct life *l, uint64_t ns, int counted)
{
	if (l->live && counted && ns >= l->since) {
		add(&r->lifetimes, ns - l->since);
		add(&r->entries, l->entries);
	}
	l->live = false;
}

static void follow_life(struct report *r, const struct fp_rec *rec,
			uint32_t ops, int counted)
{
	struct life *l = &r->life[rec->slot];

	if (ops & FP_OP_GUEST_SAVE) {
		r->headless |= counted && !l->live;
		end_life(r, l, rec->ns, counted);
	}
	if (ops & FP_OP_GUEST_LOAD)
		*l = (struct life){ .live = true, .since = rec->ns };
	l->entries += !!(ops & (FP_OP_GUEST_LOAD | FP_OP_LIVE));
	if (rec->ev.kind == FP_EV_VCPU_END)
		l->live = false;
}

void report__feed(struct report *r, const struct fp_rec *rec, uint32_t step,
		  int counted)
{
	struct cpu *c;

	if (rec->cpu >= r->nr_cpus)
		return;
	c = &r->cpus[rec->cpu];
	if (c->slot < FP_MAX_VCPUS)
		r->life[c->slot].entries += rec->live;
	if (rec->ev.kind == FP_EV_VLOAD || rec->ev.kind == FP_EV_BIND_VCPU)
		c->slot = rec->slot;
	if (rec->slot < FP_MAX_VCPUS)
		follow_life(r, rec, FP_OPS(step), counted);
	if (!counted)
		return;
	c->counted.records++;
	c->counted.exits += rec->exits;
	c->counted.gaps += !!(rec->flags & FP_REC_GAP);
	count_ops(&c->counted, rec->slot, FP_OPS(step));
}

bool report__headless(const struct report *r)
{
	return r->headless;
}

const struct report_cpu *report__cpu(const struct report *r, unsigned int cpu)
{
	return &r->cpus[cpu].counted;
}

const struct report_histogram *report__lifetimes(const struct report *r)
{
	return &r->lifetimes;
}

const struct report_histogram *report__entries(const struct report *r)
{
	return &r->entries;
}
