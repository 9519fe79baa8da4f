/* SPDX-License-Identifier: GPL-2.0-only */
/* A made-up host for the benches: its records, in the order of their times. */
#ifndef FPSTAT_BENCH_HOST_H
#define FPSTAT_BENCH_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/charge.h"
#include "fpstat/stream.h"
#include "result.h"

enum { CPUS = 16, VCPUS = 64, TASKS = 256, EXITS = 16, BURST = 8 };

struct host {
	uint64_t rng;
	struct bench_cpu {
		uint64_t task;
		uint64_t ns;
		struct fp_rec next[BURST];
		unsigned int nr, at;
	} cpu[CPUS];
};

static inline uint64_t draw(struct host *h)
{
	h->rng = h->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return h->rng >> 33;
}

static inline unsigned int below(struct host *h, unsigned int n)
{
	return (unsigned int)draw(h) % n;
}

static inline uint64_t task_buf(unsigned int i)
{
	return 0xffff000000001000ull + 0x2000ull * i;
}

static inline uint64_t vcpu_buf(unsigned int i)
{
	return 0xffff800000001000ull + 0x8000ull * i;
}

/* About @ns after the record before on this CPU. */
static inline struct fp_rec *add(struct host *h, struct bench_cpu *c,
				 unsigned int ns, uint8_t kind, bool foreign)
{
	struct fp_rec *rec = &c->next[c->nr++];

	c->ns += ns / 2 + below(h, ns);
	*rec = (struct fp_rec){
		.ns = c->ns,
		.ev = { .buf = c->task,
			.gen = 1,
			.kind = kind,
			.foreign = foreign },
		.slot = FP_NO_SLOT,
		.cpu = (uint32_t)(c - h->cpu),
	};
	return rec;
}

static inline void switch_to(struct host *h, struct bench_cpu *c,
			     unsigned int task)
{
	add(h, c, 20000, FP_EV_SWITCH, false)->other = task_buf(task);
	add(h, c, 400, FP_EV_SAVE, false);
	c->task = task_buf(task);
	add(h, c, 900, FP_EV_LOAD, true);
}

static inline struct fp_rec *in_run(struct fp_rec *rec, unsigned int slot)
{
	rec->ev.in_run = 1;
	rec->slot = slot;
	return rec;
}

/* One KVM_RUN of an eager kernel: host out, guest in, guest out, host in. */
static inline void kvm_run(struct host *h, struct bench_cpu *c,
			   unsigned int vcpu)
{
	unsigned int exits = 1 + below(h, EXITS);
	struct fp_rec *rec = add(h, c, 5000, FP_EV_VLOAD, false);

	rec->slot = vcpu;
	rec->other = vcpu_buf(vcpu);
	in_run(add(h, c, 300, FP_EV_SAVE, false), vcpu);
	in_run(add(h, c, 2000, FP_EV_BIND_VCPU, true), vcpu)->ev.buf =
		vcpu_buf(vcpu);
	rec = in_run(add(h, c, 3000 * exits, FP_EV_SAVE, false), vcpu);
	rec->exits = exits;
	rec->live = exits - 1;
	rec = add(h, c, 600, FP_EV_RUN_END, true);
	rec->flags = FP_REC_NO_JUDGE;
	rec->other = 6; /* mmio */
	add(h, c, 800, FP_EV_LOAD, true)->slot = vcpu;
}

static inline void refill(struct host *h, struct bench_cpu *c)
{
	unsigned int cpu = (unsigned int)(c - h->cpu);
	unsigned int task = CPUS * below(h, TASKS / CPUS) + cpu;

	c->nr = c->at = 0;
	if (!c->task)
		c->task = task_buf(cpu);
	if (below(h, 4) == 0 && task_buf(task) != c->task)
		switch_to(h, c, task);
	else
		kvm_run(h, c, CPUS * below(h, VCPUS / CPUS) + cpu);
}

/* A zeroed @h but for rng is fine. */
static inline struct fp_rec host__next(struct host *h)
{
	struct bench_cpu *c, *first = h->cpu;

	for (c = h->cpu; c < h->cpu + CPUS; c++) {
		if (c->at == c->nr)
			refill(h, c);
		if (c->next[c->at].ns < first->next[first->at].ns)
			first = c;
	}
	return first->next[first->at++];
}

#endif /* FPSTAT_BENCH_HOST_H */
