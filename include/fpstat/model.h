/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ownership automaton: one struct fp_cpu per CPU, one step per event. It
 * says which register transfers an event stands for.
 *
 * The same text is compiled as BPF (it keeps the counters), as user space, and
 * in the tests. So: no libc, no helper, no loop, no allocation. It is not
 * re-entrant; capture hooks where softirqs can't come in between.
 *
 * Why these few facts are enough, with the kernel source that they mirror
 * (arch/arm64/kernel/fpsimd.c, arch/arm64/kvm/fpsimd.c, 4.18 to 7.3):
 *
 *  - fpsimd_save() (fpsimd_save_user_state() from 6.8) is the only place where
 *    a user's or a guest's state is written to memory at EL1, it runs where no
 *    softirq can use the registers, and it moves data iff
 *    TIF_FOREIGN_FPSTATE of current is clear.
 *  - kvm_arch_vcpu_ctxsync_fp() binds the guest's buffer at each exit at which
 *    the guest owns the registers, with interrupts off since before the entry,
 *    and clears TIF_FOREIGN_FPSTATE only after that. So at the bind the flag
 *    is as it was at guest entry: set, and the guest has loaded its state in
 *    this run; clear, and the registers belonged to current or to this very
 *    guest. Which of the two is all that the automaton must remember.
 *  - A guest's state leaves the registers only through a save.
 *
 * The transfers inside the hypervisor are inferred at that bind, before
 * interrupts are on again: there is nothing left to settle when the next event
 * comes.
 */
#ifndef FPSTAT_MODEL_H
#define FPSTAT_MODEL_H

#include "fpstat/event.h"

/* What was bound last: the kind of buffer in fpsimd_last_state.st. */
enum fp_bound {
	FP_BOUND_UNKNOWN, /* nothing seen on this CPU yet */
	FP_BOUND_NONE,
	FP_BOUND_TASK, /* stays after a flush: TIF_FOREIGN_FPSTATE tells */
	FP_BOUND_VCPU, /* ends with the save */
	FP_BOUND_KERNEL,
};

struct fp_cpu {
	__u64 buf; /* shadow of fpsimd_last_state.st */
	__u32 gen;
	__u8 bound; /* enum fp_bound */
	__u8 cause; /* enum fp_cause: who would make the next save */
	__u8 pad[2];
};

/* What a step answers: a set of these, and the cause of the save. */
#define FP_OP_GUEST_SAVE (1u << 0)
#define FP_OP_GUEST_LOAD (1u << 1)
#define FP_OP_USER_SAVE (1u << 2) /* host if ev->in_run, else task */
#define FP_OP_USER_LOAD (1u << 3)
#define FP_OP_KERNEL_SAVE (1u << 4)
#define FP_OP_KERNEL_LOAD (1u << 5)
#define FP_OP_LIVE (1u << 6) /* the guest was entered with live state */
#define FP_OP_EAGER (1u << 7) /* evidence: vcpu_load saves the host */
#define FP_OP_MARTIN (1u << 8) /* evidence: the host stays live in KVM_RUN */
#define FP_OP_MISSED (1u << 9) /* impossible: a hook was dropped before */
#define FP_OP_UNDECIDED (1u << 10) /* began before we did: not counted */

#define FP_OPS_SAVE (FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE)
#define FP_OPS_LOAD (FP_OP_GUEST_LOAD | FP_OP_USER_LOAD | FP_OP_KERNEL_LOAD)
#define FP_OPS_ALL 0xffffu

#define FP_OPS(step) ((step)&FP_OPS_ALL)
#define FP_CAUSE(step) ((step) >> 16)

/* FP_EV_SAVE, FP_EV_BIND_VCPU: does the vcpu itself say that it owns? */
enum fp_hint { FP_HINT_NONE, FP_HINT_GUEST, FP_HINT_HOST };

FP_INLINE void fp_bind(struct fp_cpu *cpu, __u8 bound,
		       const struct fp_event *ev)
{
	cpu->bound = bound;
	cpu->buf = ev->buf;
	cpu->gen = ev->gen;
}

FP_INLINE __u32 fp_step_guest_save(struct fp_cpu *cpu, __u32 cause)
{
	cpu->bound = FP_BOUND_NONE;
	/* Left over from vcpu_load or unmarked: put_fp() in vcpu_put(). */
	if (cause == FP_CAUSE_NONE || cause == FP_CAUSE_VCPU_LOAD)
		cause = FP_CAUSE_USER_RETURN;
	return FP_OP_GUEST_SAVE | cause << 16;
}

FP_INLINE __u32 fp_step_user_save(struct fp_cpu *cpu, const struct fp_event *ev,
				  __u32 cause)
{
	__u32 ops = FP_OP_USER_SAVE;

	if (cpu->bound != FP_BOUND_UNKNOWN &&
	    (cpu->bound != FP_BOUND_TASK || cpu->buf != ev->buf))
		ops |= FP_OP_MISSED;
	if (cause == FP_CAUSE_VCPU_LOAD)
		ops |= FP_OP_EAGER;
	fp_bind(cpu, FP_BOUND_TASK, ev);
	return ops | cause << 16;
}

/* ev->buf is current's own buffer. */
FP_INLINE __u32 fp_step_save(struct fp_cpu *cpu, const struct fp_event *ev)
{
	__u32 cause = cpu->cause;
	int guest = cpu->bound == FP_BOUND_VCPU;

	cpu->cause = FP_CAUSE_NONE;
	if (ev->foreign)
		return 0; /* a request that was satisfied before */
	if (cpu->bound == FP_BOUND_UNKNOWN && cause != FP_CAUSE_VCPU_LOAD) {
		if (ev->in_run && ev->arg == FP_HINT_NONE)
			return FP_OP_UNDECIDED; /* the host's or the guest's */
		guest = ev->arg == FP_HINT_GUEST;
	}
	if (guest && ev->in_run)
		return fp_step_guest_save(cpu, cause);
	return fp_step_user_save(cpu, ev, cause);
}

/* ev->buf is the vcpu's buffer. */
FP_INLINE __u32 fp_step_bind_vcpu(struct fp_cpu *cpu, const struct fp_event *ev)
{
	__u8 was = cpu->bound;
	int same = cpu->buf == ev->buf && cpu->gen == ev->gen;

	fp_bind(cpu, FP_BOUND_VCPU, ev);
	if (ev->foreign) /* VCPU: its save was not seen */
		return FP_OP_GUEST_LOAD |
		       (was == FP_BOUND_VCPU ? FP_OP_MISSED : 0);
	switch (was) {
	case FP_BOUND_VCPU:
		if (same)
			return FP_OP_LIVE;
		return FP_OP_GUEST_LOAD | FP_OP_MISSED;
	case FP_BOUND_TASK: /* the trap saved the host: up to 6.13 */
		return FP_OP_USER_SAVE | FP_OP_GUEST_LOAD | FP_OP_MARTIN |
		       FP_CAUSE_GUEST_TRAP << 16;
	case FP_BOUND_UNKNOWN:
		return FP_OP_UNDECIDED;
	default: /* its load was not seen */
		return FP_OP_GUEST_LOAD | FP_OP_MISSED;
	}
}

/*
 * A kernel-mode NEON state is saved by the switch away from its task, or
 * (ev->arg) by a softirq that uses NEON itself. The latter puts it back when
 * it is done, which nothing can prevent, so both are counted at once.
 */
FP_INLINE __u32 fp_step_bind_kernel(struct fp_cpu *cpu,
				    const struct fp_event *ev)
{
	cpu->cause = FP_CAUSE_NONE;
	fp_bind(cpu, FP_BOUND_KERNEL, ev);
	return ev->arg ? FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD :
			 FP_OP_KERNEL_SAVE;
}

/*
 * At vcpu_load no guest is bound. With the flag clear it is current; else it
 * may still be another task, whose state nobody flushes up to 6.13.
 */
FP_INLINE __u32 fp_step_vload(struct fp_cpu *cpu, const struct fp_event *ev)
{
	__u32 ops = cpu->bound == FP_BOUND_VCPU ? FP_OP_MISSED : 0;

	/*
	 * In 7.3 a step between the levels of a nested guest keeps the
	 * registers: put_fp() and load_fp() return early.
	 */
	if (ops && !ev->foreign && ev->arg)
		return 0;
	if (!ev->foreign)
		fp_bind(cpu, FP_BOUND_TASK, ev);
	else if (ops)
		cpu->bound = FP_BOUND_NONE;
	cpu->cause = FP_CAUSE_VCPU_LOAD;
	return ops;
}

FP_INLINE __u32 fp_step_exit(struct fp_cpu *cpu, const struct fp_event *ev)
{
	if (cpu->cause == FP_CAUSE_VCPU_LOAD)
		cpu->cause = FP_CAUSE_NONE; /* it did not save */
	return !ev->foreign && cpu->bound == FP_BOUND_TASK ? FP_OP_MARTIN : 0;
}

FP_INLINE __u32 fp_step(struct fp_cpu *cpu, const struct fp_event *ev)
{
	switch (ev->kind) {
	case FP_EV_SAVE:
		return fp_step_save(cpu, ev);
	case FP_EV_LOAD:
		fp_bind(cpu, FP_BOUND_TASK, ev);
		return FP_OP_USER_LOAD;
	case FP_EV_BIND_VCPU:
		return fp_step_bind_vcpu(cpu, ev);
	case FP_EV_BIND_KERNEL:
	case FP_EV_NEON_NEST:
		return fp_step_bind_kernel(cpu, ev);
	case FP_EV_RESUME_KERNEL:
		return FP_OP_KERNEL_LOAD;
	case FP_EV_VLOAD:
		return fp_step_vload(cpu, ev);
	case FP_EV_EXIT:
		return fp_step_exit(cpu, ev);
	case FP_EV_SWITCH:
		cpu->cause = ev->arg ? FP_CAUSE_PREEMPT : FP_CAUSE_BLOCK;
		return 0;
	case FP_EV_NEON_TASK:
		cpu->cause = FP_CAUSE_TASK_NEON;
		return 0;
	case FP_EV_NEON_SOFTIRQ:
		cpu->cause = FP_CAUSE_SOFTIRQ_NEON;
		return 0;
	case FP_EV_RUN_END:
		cpu->cause = FP_CAUSE_NONE;
		return 0;
	case FP_EV_VCPU_RESET: /* inside KVM_RUN, between put and load */
		if (cpu->bound == FP_BOUND_VCPU && cpu->buf == ev->buf)
			cpu->cause = FP_CAUSE_KVM_RELOAD;
		return 0;
	case FP_EV_CPU_DEAD:
		cpu->bound = FP_BOUND_NONE;
		return 0;
	default: /* happens in memory: no register transfer */
		return 0;
	}
}

/* All that it can answer to the kinds that are frequent; BPF wants to know. */
FP_INLINE __u32 fp_ops_of(__u8 kind)
{
	switch (kind) {
	case FP_EV_SAVE:
		return FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_EAGER |
		       FP_OP_MISSED | FP_OP_UNDECIDED;
	case FP_EV_LOAD:
		return FP_OP_USER_LOAD;
	case FP_EV_BIND_VCPU:
		return FP_OP_GUEST_LOAD | FP_OP_USER_SAVE | FP_OP_LIVE |
		       FP_OP_MARTIN | FP_OP_MISSED | FP_OP_UNDECIDED;
	case FP_EV_VLOAD:
		return FP_OP_MISSED;
	case FP_EV_EXIT:
		return FP_OP_MARTIN;
	case FP_EV_SWITCH:
	case FP_EV_RUN_END:
		return 0;
	default:
		return FP_OPS_ALL;
	}
}

#endif /* FPSTAT_MODEL_H */
