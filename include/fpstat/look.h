/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that are asked where they must hold, of what the kernel has written
 * down: the flag, the owner, fpsimd_last_state, fpsimd_cpu. As model.h: compiled as
 * BPF, as user space and in the tests. No libc, no helper, no loop.
 */
#ifndef FPSTAT_LOOK_H
#define FPSTAT_LOOK_H

#include "fpstat/model.h"
#include "fpstat/rule.h"

struct fp_look {
	__u64 last; /* buffer that is bound, 0: none */
	__u64 task; /* buffer of current */
	__u64 vcpu; /* of the vcpu that it has loaded, or 0 */
	__u32 cpu;
	__u32 home; /* thread.fpsimd_cpu of current .. */
	__u32 nr_cpus; /* .. this or more: no CPU */
	__u8 foreign; /* TIF_FOREIGN_FPSTATE */
	__u8 owner; /* enum fp_hint */
	__u8 has_ctxflush; /* EL1 drops an owner that is stale */
	__u8 eager; /* vcpu_load() saves and unbinds the host */
};

/* All of these: FP_BREACHES if all is well. At the entry, with interrupts off. */
static inline __u8 fp_look_entry(const struct fp_look *l)
{
	if (l->foreign)
		return l->has_ctxflush && l->owner == FP_HINT_GUEST ?
			       FP_BREACH_OWNER_STALE :
			       FP_BREACHES;
	if (l->last == l->vcpu)
		return l->owner == FP_HINT_HOST ? FP_BREACH_OWNER_FORGOT :
						  FP_BREACHES;
	if (l->last != l->task || l->owner == FP_HINT_GUEST)
		return FP_BREACH_OTHERS_REGS;
	return l->eager ? FP_BREACH_HOST_BOUND : FP_BREACHES;
}

/*
 * At the bind of a guest's state, before it is done: all is as it was at the entry.
 * @bound: the last bind that was seen here was that of its buffer.
 */
static inline __u8 fp_look_bind(const struct fp_look *l, int bound)
{
	if (l->foreign || l->last == l->vcpu)
		return FP_BREACHES;
	if (bound)
		return FP_BREACH_NOT_BOUND;
	if (l->last != l->task)
		return FP_BREACH_OTHERS_REGS;
	return l->eager ? FP_BREACH_HOST_BOUND : FP_BREACHES;
}

/* After the exit of a guest that owns the registers, which nobody has taken since. */
static inline __u8 fp_look_exit(const struct fp_look *l)
{
	if (l->last == l->vcpu)
		return FP_BREACHES;
	return l->foreign ? FP_BREACH_NOT_SYNCED : FP_BREACH_NOT_BOUND;
}

/* At a save with the flag clear; no softirq can come in. */
static inline __u8 fp_look_save(const struct fp_look *l)
{
	if (!l->last)
		return FP_BREACH_NO_BUFFER;
	if (l->last != l->task) {
		if (!l->vcpu || l->last != l->vcpu)
			return FP_BREACH_WRONG_BUFFER;
		return l->owner == FP_HINT_HOST ? FP_BREACH_OWNER_FORGOT :
						  FP_BREACHES;
	}
	/* fpsimd_flush_task_state() says "no CPU" before it sets the flag. */
	return l->home == l->cpu || l->home >= l->nr_cpus ?
		       FP_BREACHES :
		       FP_BREACH_WRONG_HOME;
}

#endif /* FPSTAT_LOOK_H */
