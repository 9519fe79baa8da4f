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
 * ---- exits, where they have no hook ----
 *
 * KVM counts those of the vcpu that is loaded here, and from there each record takes
 * them. Softirqs make records, too: at each point of what follows they must see the
 * same number.
 */

static __always_inline __u64 exits_of(__u64 vcpu)
{
	return can_cast ? vcpu_exits_cast(vcpu) : vcpu_exits(vcpu);
}

/*
 * For a record of @kind. That of a guest's bind comes before its exit is told; that of
 * a vcpu_load() before all of that vcpu, though it may be made later.
 */
static __always_inline __u64 passed_now(struct fp_percpu *c, __u8 kind)
{
	__u64 vcpu = c->running, passed, exits;

	if (c->quiet)
		note_quiet(c);
	passed = c->passed + c->passed_quiet;
	if (!vcpu || kind == FP_EV_VLOAD)
		return passed;
	exits = exits_of(vcpu) - c->exits_before;
	if (kind == FP_EV_BIND_VCPU)
		exits--;
	return passed >> 32 << 32 | (__u32)exits;
}

/* No exit comes here any more of the vcpu that was loaded. */
static __always_inline void end_exits(struct fp_percpu *c)
{
	if (!c->running)
		return;
	c->exits = exits_of(c->running) - c->exits_before;
	barrier();
	c->running = 0;
}

/* @vcpu is loaded here, and has made @made exits that are to be told. */
static __always_inline void begin_exits(struct fp_percpu *c, __u64 vcpu,
					__u32 made)
{
	end_exits(c);
	c->exits_before = exits_of(vcpu) - made - c->exits;
	barrier();
	c->running = vcpu;
}

/*
 * ---- a vcpu_load() and the save in it ----
 *
 * One hook tells of both, and nothing comes between. So both records are begun at once,
 * and have one time: to ask for it takes as long as all else.
 */

static __always_inline void record_pair(struct fp_percpu *c)
{
	if (streaming)
		c->pair = FP_PAIR_NEXT;
}

static __always_inline bool is_first(const struct fp_percpu *c,
				     const struct fp_event *ev)
{
	return ev->kind == FP_EV_VLOAD && c->pair == FP_PAIR_NEXT;
}

static __always_inline bool is_second(const struct fp_percpu *c,
				      const struct fp_event *ev)
{
	return ev->kind == FP_EV_SAVE && c->pair == FP_PAIR_BEGUN;
}

/*
 * On the CPU that is @c: of @ev, which is also @event; @own: the slot that pays. What
 * the main lane tells beside that was left in @c. Each word is written as soon as it is
 * known, and what can be is before the time is asked for: few must be kept.
 */
static __always_inline void record(struct fp_percpu *c, enum fp_lane_nr nr,
				   const struct fp_event *ev, __u64 event,
				   __u64 other, __u32 own, __u64 flags)
{
	struct fp_lane *lane = &c->lane[nr];
	bool main = nr == FP_LANE_MAIN;
	bool first = main && is_first(c, ev), second = main && is_second(c, ev);
	__u64 pos = c->pair_pos, lap, ns, passed, lost;
	struct fp_slot *to;
	__u32 at;

	if (first || second)
		c->pair = FP_PAIR_NONE;
	if (!second && !fp_ring_begin(lane, first ? 2 : 1, &pos)) {
		ADD(c->lost, 1);
		if (main)
			c->flags &=
				~(__u64)FP_REC_LAST; /* it was of this one */
		return;
	}
	at = fp_ring_at(lane, pos);
	to = bpf_map_lookup_elem(&rings, &at);
	if (!to)
		return; /* never */
	lap = fp_ring_lap(lane, pos);
	fp_ring_cut(&to->buf, ev->buf, lap);
	fp_ring_put(&to->event, event, lap);
	fp_ring_cut(&to->other, main ? c->other : other, lap);
	fp_ring_cut(&to->letter, c->judge.letter, lap);
	fp_ring_cut(&to->own, (__u64)own << 32 | flags | (main ? c->flags : 0),
		    lap);
	if (main)
		c->flags = 0;
	ns = second ? c->pair_ns : bpf_ktime_get_ns();
	fp_ring_put(&to->ns, ns, lap);
	if (first)
		c->pair_ns = ns;
	passed = passed_now(c, ev->kind);
	lost = c->lost;
	barrier();
	fp_ring_cut(&to->order, fp_ring_number(&c->records) << 32 | (__u32)lost,
		    lap);
	fp_ring_cut(&to->passed, passed, lap);
	if (first) {
		c->pair_pos = pos + 1;
		c->pair = FP_PAIR_BEGUN;
		return;
	}
	fp_ring_end(lane);
}

/* By a program that nothing of ours can come into. @event: @ev, packed. */
static __always_inline void record_main(struct fp_percpu *c,
					const struct fp_event *ev, __u64 event,
					__u32 own, __u64 flags)
{
	record(c, FP_LANE_MAIN, ev, event, 0, own, flags);
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
		record_main(c, ev, pack(ev), v ? v->slot : FP_NO_SLOT,
			    FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

static __always_inline void record_in_lane(struct fp_percpu *c,
					   enum fp_lane_nr lane,
					   const struct fp_event *ev,
					   __u64 other, const struct fp_vcpu *v,
					   __u32 flags)
{
	if (streaming)
		record(c, lane, ev, pack(ev), other, v ? v->slot : FP_NO_SLOT,
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
