/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: runs the judge of a CPU for a step that was counted, and adds what
 * it decides to whose save or load it was.
 */
#ifndef FPSTAT_VERDICT_H
#define FPSTAT_VERDICT_H

#include "maps.h"
#include "record.h"

static __always_inline void add_verdict(struct fp_ops *ops, __u32 verdict)
{
	ADD(ops->verdict[verdict & (FP_VERDICTS - 1)], 1);
}

/* @v: the vcpu that it is charged to, or NULL. */
static __always_inline void decide(struct fp_percpu *c, struct fp_vcpu *v,
				   __u32 who, __u32 verdict)
{
	if (who == FP_WHO_TASK)
		add_verdict(&c->task, verdict);
	else if (who == FP_WHO_KERNEL)
		add_verdict(&c->kernel, verdict);
	else if (who && v)
		add_verdict(who == FP_WHO_GUEST ? &v->guest : &v->host,
			    verdict);
}

/* On the save before, most often of the vcpu @v that this event is of, too. */
static __always_inline void decide_old(struct fp_percpu *c, struct fp_vcpu *v,
				       __u32 verdict)
{
	__u32 who = c->judge.who, slot = c->judge.slot;

	if (v && v->slot == slot)
		add_verdict(who == FP_WHO_GUEST ? &v->guest : &v->host,
			    verdict);
	else
		decide(c, slot == FP_NO_SLOT ? NULL : slot_at(slot), who,
		       verdict);
}

/*
 * A task's load that moved what was there already, after a vcpu_load() that
 * unbound it: that vcpu's doing.
 */
static __always_inline void blame_load(struct fp_percpu *c, __u32 who)
{
	__u32 slot = c->unbound_by;
	struct fp_vcpu *v;

	c->unbound_by = FP_NO_SLOT;
	if (who != FP_WHO_TASK || c->judge.is.load != FP_VERDICT_LOAD_LIVE ||
	    !seen_eager)
		return;
	v = slot_at(slot);
	if (v)
		ADD(v->collateral, 1);
}

/*
 * A step within a step: on preemptible kernels, or by a softirq, where an
 * fentry program can be interrupted. Nothing is known of this CPU then.
 */
static __always_inline void
judge_nothing(struct fp_percpu *c, struct fp_vcpu *v, __u32 own, __u32 ops)
{
	c->judge.busy = 2;
	if (ops & FP_OPS_SAVE)
		decide(c, v, fp_saved_who(own, ops), FP_VERDICT_UNKNOWN);
}

static __always_inline void judge_again(struct fp_percpu *c)
{
	if (c->judge.pending)
		decide_old(c, NULL, FP_VERDICT_UNKNOWN);
	c->judge.pending = 0;
	fp_judge_hold(&c->judge, FP_HELD_UNKNOWN, 0, 0);
}

static __always_inline void judge_step(struct fp_percpu *c, struct fp_vcpu *v,
				       __u32 own, const struct fp_event *ev,
				       __u32 step)
{
	struct fp_judge *j = &c->judge;
	__u32 ops = FP_OPS(step);

	fp_judge_step(j, ev, step);
	barrier(); /* or the verifier goes a way of its own for each verdict */
	if (j->is.old)
		decide_old(c, v, j->is.old);
	if (ops & FP_OPS_SAVE && j->is.save == FP_VERDICT_PENDING) {
		j->who = fp_saved_who(own, ops);
		j->slot = own;
	} else if (ops & FP_OPS_SAVE && j->is.save) {
		decide(c, v, fp_saved_who(own, ops), j->is.save);
	}
	if (ops & FP_OPS_LOAD && j->is.load) {
		decide(c, v, fp_loaded_who(own, ops), j->is.load);
		blame_load(c, fp_loaded_who(own, ops));
	}
	if (j->is.resumed)
		decide(c, NULL, FP_WHO_KERNEL, j->is.resumed);
	if (j->is.impossible)
		ADD(c->impossible, 1);
}

/* Runs of entries that change nothing are one number of the next record. */
static __always_inline void record_step(struct fp_percpu *c, __u32 own,
					const struct fp_event *ev, __u64 event,
					__u32 step)
{
	if (ev->kind == FP_EV_BIND_VCPU && fp_judge_knows(&c->judge, ev, step))
		ADD(c->live, 1);
	else
		record_main(c, ev, event, own, 0);
}

/* @v: the vcpu that the event is charged to, or NULL; @event: as pack() makes it. */
static __always_inline void judge_event(struct fp_percpu *c, struct fp_vcpu *v,
					const struct fp_event *ev, __u64 event,
					__u32 step)
{
	__u32 own = v ? v->slot : FP_NO_SLOT;

	if (c->judge.busy) {
		if (streaming)
			record_main(c, ev, event, own, FP_REC_NESTED);
		judge_nothing(c, v, own, FP_OPS(step));
		return;
	}
	c->judge.busy = 1;
	fp_judge_take_letter(&c->judge);
	if (streaming)
		record_step(c, own, ev, event, step);
	judge_step(c, v, own, ev, step);
	if (c->judge.busy == 2)
		judge_again(c);
	c->judge.busy = 0;
}

/*
 * Global, and so verified once and not for each path of each program; 5.10 lets
 * them take numbers only. @own: the slot that the event is charged to, @event:
 * the second half of struct fp_event.
 */
__noinline int judge(__u32 cpu, __u32 own, __u64 buf, __u64 event, __u32 step)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	const struct fp_event ev = unpack(buf, event);

	if (c)
		judge_event(c, slot_at(own), &ev, event, step);
	return 0;
}

/* The frequent kinds have one of their own, in which there is nothing of the others. */
static __always_inline void judge_on(struct fp_percpu *c, struct fp_vcpu *v,
				     const struct fp_event *ev, __u32 step)
{
	switch (known_kind(ev)) {
	case FP_EV_SAVE:
	case FP_EV_LOAD:
	case FP_EV_BIND_VCPU:
	case FP_EV_VLOAD:
	case FP_EV_SWITCH:
		judge_event(c, v, ev, pack(ev), step);
		break;
	default:
		judge(c->cpu, v ? v->slot : FP_NO_SLOT, ev->buf, pack(ev),
		      step);
	}
}

#endif /* FPSTAT_VERDICT_H */
