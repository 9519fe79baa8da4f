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
 * On the CPU that is @c; @own: the slot that pays. False: it was lost. Each word is
 * written as soon as it is known, so that few must be kept.
 */
static __always_inline bool record(struct fp_percpu *c, struct fp_lane *lane,
				   const struct fp_event *ev, __u64 other,
				   __u32 own, __u64 flags)
{
	__u64 pos, lap, passed, lost;
	struct fp_slot *to;
	__u32 at;

	if (!fp_ring_begin(lane, &pos)) {
		ADD(c->lost, 1);
		return false;
	}
	at = fp_ring_at(lane, pos);
	to = bpf_map_lookup_elem(&rings, &at);
	if (!to)
		return false; /* never */
	lap = fp_ring_lap(lane, pos);
	fp_ring_put(&to->ns, bpf_ktime_get_ns(), lap);
	passed = c->passed;
	lost = c->lost;
	barrier();
	fp_ring_put(&to->order,
		    fp_ring_number(&c->records) << 33 >> 1 | (__u32)lost, lap);
	fp_ring_cut(&to->passed, passed, lap);
	fp_ring_cut(&to->buf, ev->buf, lap);
	fp_ring_put(&to->event, pack(ev), lap);
	fp_ring_cut(&to->other, other, lap);
	fp_ring_cut(&to->letter, c->judge.letter, lap);
	fp_ring_cut(&to->own, (__u64)own << 32 | flags, lap);
	fp_ring_end(lane);
	return true;
}

/* By a program that nothing of ours can come into. */
static __always_inline void record_main(struct fp_percpu *c,
					const struct fp_event *ev, __u32 own,
					__u64 flags)
{
	if (record(c, &c->lane[FP_LANE_MAIN], ev, c->other, own,
		   flags | c->flags))
		c->flags = 0;
	else
		c->flags &= ~(__u64)FP_REC_LAST; /* it was of this one */
	c->other = 0;
}

/* What the next record of the main lane has in fp_rec.other. */
static __always_inline void tell_stream(struct fp_percpu *c, __u64 other)
{
	if (streaming)
		c->other = other;
}

/* Of an event that the judge does not see, by such a program; or by another. */
static __always_inline void record_only(struct fp_percpu *c,
					const struct fp_event *ev,
					const struct fp_vcpu *v)
{
	if (streaming)
		record_main(c, ev, v ? v->slot : FP_NO_SLOT,
			    FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

static __always_inline void record_in_lane(struct fp_percpu *c,
					   enum fp_lane_nr lane,
					   const struct fp_event *ev,
					   __u64 other, const struct fp_vcpu *v,
					   __u32 flags)
{
	if (streaming)
		record(c, &c->lane[lane], ev, other, v ? v->slot : FP_NO_SLOT,
		       flags);
}

/* Of what happens to a state in memory, whoever is current. */
static __always_inline void record_in_memory(struct fp_percpu *c, __u8 kind,
					     __u64 buf, const struct fp_vcpu *v)
{
	const struct fp_event ev = { .buf = buf, .kind = kind };

	record_only(c, &ev, v);
}

#endif /* FPSTAT_BPF_RECORD_H */
