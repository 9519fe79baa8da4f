/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel-mode NEON: where a section begins, where its state is bound to be
 * saved, and what the scheduler must know of it.
 */
#ifndef FPSTAT_ON_NEON_H
#define FPSTAT_ON_NEON_H

#include "kernel.h"
#include "live_rules.h"
#include "maps.h"
#include "on_kvm.h"
#include "step.h"
#include "verdict.h"

#include <bpf/bpf_tracing.h>

/* ---- the begin of a section ---- */

/*
 * Has it come between a guest's exit and kvm_exit? KVM has counted that exit then, and
 * we have not. Nothing but a softirq gets in there.
 */
static __always_inline void settle_before(struct fp_percpu *c)
{
	__u64 vcpu = current_loaded_vcpu(), made;
	struct fp_vcpu *v = slot_at(c->slot);

	if (c->settling || !vcpu || !v || v->vcpu != vcpu ||
	    v->exits_before == FP_EXITS_UNKNOWN)
		return;
	made = vcpu_exits(vcpu) - v->exits_before - known_exits(v);
	if (made > 1) { /* KVM's count was cleared, before this exit or after */
		v->exits_before = FP_EXITS_UNKNOWN;
		ADD(c->missed, 1);
	}
	if (made != 1)
		return;
	c->settled = quiet_exits(c->cpu) + 1;
	v->exits++;
	if (is_behind(c))
		catch_up(c->cpu);
	settle(c->cpu);
	count_quiet(c->cpu, FP_NO_SLOT); /* see count_quiet_exit() */
	if (streaming)
		c->exits++; /* after its own record: see settle_exit() */
}

static __always_inline int on_neon_begin(struct pt_regs *ctx, bool checking)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = runs_now();
	bool softirq = current_in_softirq();
	struct fp_event ev = {
		.kind = softirq ? FP_EV_NEON_SOFTIRQ : FP_EV_NEON_TASK,
		.foreign = (streaming || settles) && foreign(),
		.in_run = !!v,
	};

	if (!c)
		return 0;
	if (settles && softirq)
		settle_before(c);
	if (infers)
		infer_neon(ctx, c, softirq);
	if (checking)
		rule_neon(ctx, c);
	/* Two constants: 5.10 forgets the range of a number that was spilled. */
	if (softirq)
		ADD(c->events[FP_EV_NEON_SOFTIRQ], 1);
	else
		ADD(c->events[FP_EV_NEON_TASK], 1);
	on_telling_event(c, v, &ev, PT_REGS_RET(ctx));
	if (!softirq)
		c->begins = (__u64)t;
	if (infers)
		infer_neon_save(c, t, PT_REGS_RET(ctx), softirq, ev.foreign);
	c->nested = softirq && neon_buf_is_pointer() && neon_buf(t);
	/* Up to 6.18 a nested section is seen by its bind. */
	if (c->nested) {
		ADD(c->events[FP_EV_NEON_NEST], 1);
		ev.kind = FP_EV_NEON_NEST;
		ev.arg = 1;
		on_event(c, NULL, &ev);
	}
	return 0;
}

/*
 * A kprobe everywhere: it runs with interrupts masked. An fentry program can be
 * preempted in task context, and then drops all sections of that CPU.
 */
CHECKED("kprobe", neon_begin, on_neon_begin, struct pt_regs)

/*
 * A softirq's kernel_neon_begin() does not get here if its section is nested in
 * a task's. From 6.19 on it looks nested to us for a moment too long, since
 * kernel_neon_end() clears TIF_KERNEL_FPSTATE before the pointer that we see.
 */
static __always_inline void revoke_nested(struct fp_percpu *c)
{
	c->nested = 0;
	ADD(c->kernel.verdict[FP_VERDICT_NEEDED], -1);
	ADD(c->kernel.verdict[FP_VERDICT_LOAD_NEEDED], -1);
	ADD(c->kernel.save, -1);
	ADD(c->kernel.load, -1);
	ADD(c->events[FP_EV_NEON_NEST], -1);
	c->flags |= FP_REC_REVOKE;
}

/* ---- its state is saved: fpsimd_bind_state_to_cpu() ---- */

static __always_inline int on_bind_kernel(struct fp_percpu *c,
					  struct task_struct *t, __u64 buf)
{
	__u64 key = (__u64)t;
	__u32 cpu = c->cpu;
	struct fp_event ev = {
		.buf = buf,
		.kind = FP_EV_BIND_KERNEL,
		.arg = current_in_softirq(),
	};

	ADD(c->events[FP_EV_BIND_KERNEL], 1);
	if (!ev.arg) {
		if (bpf_map_update_elem(&neon_of_task, &key, &cpu, BPF_ANY))
			ADD(c->missed, 1);
		else
			ADD(saved_neon, 1);
	}
	on_event(c, NULL, &ev);
	return 0;
}

/* ---- switched out and in: see sched_switch() ---- */

/* Between the hook in kernel_neon_begin() and the save there. */
static __always_inline void leave_begin(struct fp_percpu *c, __u64 t)
{
	__u8 one = 1;

	if (c->begins != t)
		return;
	c->begins = 0;
	if (!bpf_map_update_elem(&begin_of_task, &t, &one, BPF_NOEXIST))
		ADD(begun_neon, 1);
}

/* The save that kernel_neon_begin() asks for, and not that of a softirq in it. */
static __always_inline void pass_begin(struct fp_percpu *c,
				       struct task_struct *t)
{
	if (c->begins == (__u64)t && !current_in_softirq())
		c->begins = 0;
}

static __always_inline void resume_begin(struct fp_percpu *c, __u64 t)
{
	struct fp_event ev = { .kind = FP_EV_NEON_TASK };

	if (!begun_neon || bpf_map_delete_elem(&begin_of_task, &t))
		return;
	ADD(begun_neon, -1);
	c->begins = t;
	c->flags |= FP_REC_NO_STEP;
	judge_on(c, NULL, &ev, 0);
	c->flags &= ~(__u64)FP_REC_NO_STEP; /* nothing was recorded */
}

static __always_inline void resume_kernel(struct fp_percpu *c, __u64 t)
{
	struct fp_event ev = { .kind = FP_EV_RESUME_KERNEL };
	__u32 *cpu;

	cpu = saved_neon ? bpf_map_lookup_elem(&neon_of_task, &t) : NULL;
	if (!cpu)
		return;
	ev.buf = neon_buf((const struct task_struct *)t);
	tell_other(c, *cpu, ev.buf, FP_NOTE_MOVED);
	bpf_map_delete_elem(&neon_of_task, &t);
	ADD(saved_neon, -1);
	ADD(c->events[FP_EV_RESUME_KERNEL], 1);
	on_event(c, NULL, &ev);
}

#endif /* FPSTAT_ON_NEON_H */
