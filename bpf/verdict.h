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

static __always_inline void decide(struct fp_percpu *c, __u32 who, __u32 slot,
				   __u32 verdict)
{
	struct fp_vcpu *v;

	if (who == FP_WHO_TASK) {
		add_verdict(&c->task, verdict);
	} else if (who == FP_WHO_KERNEL) {
		add_verdict(&c->kernel, verdict);
	} else if (who) {
		v = slot_at(slot);
		if (v)
			add_verdict(who == FP_WHO_GUEST ? &v->guest : &v->host,
				    verdict);
	}
}

/*
 * A task's load that moved what was there already, after a vcpu_load() that
 * unbound it: that vcpu's doing.
 */
static __always_inline void blame_load(struct fp_percpu *c, __u32 who)
{
	struct fp_vcpu *v = slot_at(c->unbound_by);

	c->unbound_by = FP_NO_SLOT;
	if (v && who == FP_WHO_TASK && seen_eager &&
	    c->judge.is.load == FP_VERDICT_LOAD_LIVE)
		ADD(v->collateral, 1);
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
		decide(c, fp_saved_who(own, ops), own, FP_VERDICT_UNKNOWN);
}

static __always_inline void judge_again(struct fp_percpu *c)
{
	if (c->judge.pending)
		decide(c, c->judge.who, c->judge.slot, FP_VERDICT_UNKNOWN);
	c->judge.pending = 0;
	fp_judge_hold(&c->judge, FP_HELD_UNKNOWN, 0, 0);
}

static __always_inline void judge_step(struct fp_percpu *c, __u32 own,
				       const struct fp_event *ev, __u32 step)
{
	struct fp_judge *j = &c->judge;
	__u32 who = j->who, slot = j->slot, ops = FP_OPS(step);

	fp_judge_step(j, ev, step);
	barrier(); /* or the verifier goes a way of its own for each verdict */
	if (j->is.old)
		decide(c, who, slot, j->is.old);
	if (j->is.save == FP_VERDICT_PENDING) {
		j->who = fp_saved_who(own, ops);
		j->slot = own;
	} else if (j->is.save) {
		decide(c, fp_saved_who(own, ops), own, j->is.save);
	}
	if (j->is.load) {
		decide(c, fp_loaded_who(own, ops), own, j->is.load);
		blame_load(c, fp_loaded_who(own, ops));
	}
	if (j->is.resumed)
		decide(c, FP_WHO_KERNEL, own, j->is.resumed);
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

static __always_inline int judge_event(__u32 cpu, __u32 own,
				       const struct fp_event *ev, __u64 event,
				       __u32 step)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	if (!c)
		return 0;
	if (c->judge.busy) {
		if (streaming)
			record_main(c, ev, event, own, FP_REC_NESTED);
		judge_nothing(c, own, FP_OPS(step));
		return 0;
	}
	c->judge.busy = 1;
	fp_judge_take_letter(&c->judge);
	if (streaming)
		record_step(c, own, ev, event, step);
	judge_step(c, own, ev, step);
	if (c->judge.busy == 2)
		judge_again(c);
	c->judge.busy = 0;
	return 0;
}

/*
 * Global, and so verified once and not for each path of each program; 5.10 lets
 * them take numbers only. @own: the slot that the event is charged to, @event:
 * the second half of struct fp_event. The frequent kinds have one of their own, in
 * which there is nothing of the others.
 */
__noinline int judge(__u32 cpu, __u32 own, __u64 buf, __u64 event, __u32 step)
{
	const struct fp_event ev = unpack(buf, event);

	return judge_event(cpu, own, &ev, event, step);
}

#define JUDGE(name, what)                                                      \
	__noinline int judge_##name(__u32 cpu, __u32 own, __u64 buf,           \
				    __u64 event, __u32 step)                   \
	{                                                                      \
		struct fp_event ev = unpack(buf, event);                       \
                                                                               \
		ev.kind = what;                                                \
		return judge_event(cpu, own, &ev, event, step);                \
	}

JUDGE(save, FP_EV_SAVE)
JUDGE(load, FP_EV_LOAD)
JUDGE(bind, FP_EV_BIND_VCPU)
JUDGE(vload, FP_EV_VLOAD)
JUDGE(switch, FP_EV_SWITCH)

static __always_inline void judge_on(__u32 cpu, const struct fp_vcpu *v,
				     const struct fp_event *ev, __u32 step)
{
	__u32 own = v ? v->slot : FP_NO_SLOT;
	__u8 kind = __builtin_constant_p(ev->kind) ? ev->kind : FP_EV_MAX;

	switch (kind) {
	case FP_EV_SAVE:
		judge_save(cpu, own, ev->buf, pack(ev), step);
		break;
	case FP_EV_LOAD:
		judge_load(cpu, own, ev->buf, pack(ev), step);
		break;
	case FP_EV_BIND_VCPU:
		judge_bind(cpu, own, ev->buf, pack(ev), step);
		break;
	case FP_EV_VLOAD:
		judge_vload(cpu, own, ev->buf, pack(ev), step);
		break;
	case FP_EV_SWITCH:
		judge_switch(cpu, own, ev->buf, pack(ev), step);
		break;
	default:
		judge(cpu, own, ev->buf, pack(ev), step);
	}
}

#endif /* FPSTAT_VERDICT_H */
