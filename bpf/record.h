/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording: each step as a record of the stream, for who wants to take the same
 * steps in user space. Counting never waits for it: what finds no room is lost,
 * and the next record of this CPU says so.
 */
#ifndef FPSTAT_BPF_RECORD_H
#define FPSTAT_BPF_RECORD_H

#include "kernel.h"
#include "maps.h"

/* The second half of struct fp_event, as a number. */
union fp_event_half {
	__u64 all;
	struct {
		__u32 gen;
		__u8 kind;
		__u8 foreign;
		__u8 in_run;
		__u8 arg;
	};
};

static __always_inline __u64 pack(const struct fp_event *ev)
{
	union fp_event_half half = {
		.gen = ev->gen,
		.kind = ev->kind,
		.foreign = ev->foreign,
		.in_run = ev->in_run,
		.arg = ev->arg,
	};

	return half.all;
}

static __always_inline struct fp_event unpack(__u64 buf, __u64 event)
{
	union fp_event_half half = { .all = event };
	struct fp_event ev = {
		.buf = buf,
		.gen = half.gen,
		.kind = half.kind,
		.foreign = half.foreign,
		.in_run = half.in_run,
		.arg = half.arg,
	};

	return ev;
}

/*
 * What happened since the last record, once: at the end of KVM_RUN a softirq may
 * come in here and record something itself.
 */
static __always_inline void tell_counts(struct fp_percpu *c, struct fp_rec *r)
{
	r->exits = r->live = r->lost = 0;
	if (c->telling)
		return;
	c->telling = 1;
	barrier();
	r->exits = c->exits;
	r->live = c->live;
	r->lost = c->gap;
	ADD(c->exits, -r->exits);
	ADD(c->live, -r->live);
	ADD(c->gap, -r->lost);
	barrier();
	c->telling = 0;
}

/* Global and with numbers only, as judge() is; @own: the slot that pays. */
__noinline int record(__u32 cpu, __u32 own, __u64 buf, __u64 event, __u32 flags)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_rec *r;

	if (!c)
		return 0;
	r = bpf_ringbuf_reserve(&stream, sizeof(*r), 0);
	if (!r) {
		ADD(c->lost, 1);
		ADD(c->gap, 1);
		c->flags &= ~FP_REC_LAST; /* it was of this one */
		return 0;
	}
	r->ns = bpf_ktime_get_ns();
	r->ev = unpack(buf, event);
	r->other = c->other;
	r->letter = c->judge.letter;
	r->slot = own;
	r->cpu = cpu;
	r->flags = flags | c->flags;
	c->flags &= ~r->flags;
	tell_counts(c, r);
	if (r->lost)
		r->flags |= FP_REC_GAP;
	c->other = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* What the next record of this CPU has in fp_rec.other. */
static __always_inline void tell_stream(struct fp_percpu *c, __u64 other)
{
	if (streaming)
		c->other = other;
}

/* Of an event that the judge does not see. */
static __always_inline void record_only(const struct fp_event *ev,
					const struct fp_vcpu *v, __u32 flags)
{
	if (streaming)
		record(bpf_get_smp_processor_id(), v ? v->slot : FP_NO_SLOT,
		       ev->buf, pack(ev), flags);
}

/* Of what happens to a state in memory, whoever is current. */
static __always_inline void record_in_memory(__u8 kind, __u64 buf,
					     const struct fp_vcpu *v)
{
	const struct fp_event ev = { .buf = buf, .kind = kind };

	record_only(&ev, v, FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

#endif /* FPSTAT_BPF_RECORD_H */
