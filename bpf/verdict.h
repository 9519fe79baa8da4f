/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: runs the judge of a CPU for a step that was counted, and adds what
 * it decides to whose save or load it was.
 */
#ifndef FPSTAT_VERDICT_H
#define FPSTAT_VERDICT_H

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

static __noinline int decide(struct fp_percpu *c, __u32 who, __u32 slot,
			     __u32 verdict)
{
	struct fp_vcpu *v;

	verdict &= FP_VERDICTS - 1;
	if (who == FP_WHO_TASK) {
		ADD(c->task.verdict[verdict], 1);
	} else if (who == FP_WHO_KERNEL) {
		ADD(c->kernel.verdict[verdict], 1);
	} else if (who) {
		v = slot_at(slot);
		if (v && who == FP_WHO_GUEST)
			ADD(v->guest.verdict[verdict], 1);
		else if (v)
			ADD(v->host.verdict[verdict], 1);
	}
	return 0;
}

/* @guest, @kernel: the operations of @ops on their states, saves or loads. */
static __always_inline __u32 whose(__u32 own, __u32 ops, __u32 guest,
				   __u32 kernel)
{
	if (ops & guest)
		return own == FP_NO_SLOT ? FP_WHO_NOBODY : FP_WHO_GUEST;
	if (ops & kernel)
		return FP_WHO_KERNEL;
	return own == FP_NO_SLOT ? FP_WHO_TASK : FP_WHO_HOST;
}

static __always_inline __u32 saved_who(__u32 own, __u32 ops)
{
	return whose(own, ops, FP_OP_GUEST_SAVE, FP_OP_KERNEL_SAVE);
}

static __always_inline __u32 loaded_who(__u32 own, __u32 ops)
{
	return whose(own, ops, FP_OP_GUEST_LOAD, FP_OP_KERNEL_LOAD);
}

/*
 * A step within a step: on preemptible kernels, or by a softirq, where an
 * fentry program can be interrupted. Nothing is known of this CPU then.
 */
static __always_inline void judge_nothing(struct fp_percpu *c, __u32 own,
					  __u32 ops)
{
	c->judge.busy = 2;
	if (ops & (FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE))
		decide(c, saved_who(own, ops), own, FP_VERDICT_UNKNOWN);
}

static __always_inline void judge_again(struct fp_percpu *c)
{
	if (c->judge.pending)
		decide(c, c->judge.who, c->judge.slot, FP_VERDICT_UNKNOWN);
	c->judge.pending = 0;
	fp_judge_hold(&c->judge, FP_HELD_UNKNOWN, 0, 0);
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

static __always_inline void judge_step(struct fp_percpu *c, __u32 own,
				       const struct fp_event *ev, __u32 step)
{
	struct fp_judge *j = &c->judge;
	__u32 who = j->who, slot = j->slot, ops = FP_OPS(step);

	fp_judge(j, ev, step);
	if (j->is.old)
		decide(c, who, slot, j->is.old);
	if (j->is.save == FP_VERDICT_PENDING) {
		j->who = saved_who(own, ops);
		j->slot = own;
	} else if (j->is.save) {
		decide(c, saved_who(own, ops), own, j->is.save);
	}
	if (j->is.load)
		decide(c, loaded_who(own, ops), own, j->is.load);
	if (j->is.resumed)
		decide(c, FP_WHO_KERNEL, own, j->is.resumed);
	if (j->is.impossible)
		ADD(c->impossible, 1);
}

/*
 * Global, and so verified once and not for each path of each program; 5.10 lets
 * it take numbers only. @own: the slot that the event is charged to, @event:
 * the second half of struct fp_event.
 */
__noinline int judge(__u32 cpu, __u32 own, __u64 buf, __u64 event, __u32 step)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = unpack(buf, event);

	if (!c)
		return 0;
	if (c->judge.busy) {
		judge_nothing(c, own, FP_OPS(step));
		return 0;
	}
	c->judge.busy = 1;
	judge_step(c, own, &ev, step);
	if (c->judge.busy == 2)
		judge_again(c);
	c->judge.busy = 0;
	return 0;
}

static __always_inline void judge_on(__u32 cpu, const struct fp_vcpu *v,
				     const struct fp_event *ev, __u32 step)
{
	union fp_event_half half = {
		.gen = ev->gen,
		.kind = ev->kind,
		.foreign = ev->foreign,
		.in_run = ev->in_run,
		.arg = ev->arg,
	};

	judge(cpu, v ? v->slot : FP_NO_SLOT, ev->buf, half.all, step);
}

#endif /* FPSTAT_VERDICT_H */
