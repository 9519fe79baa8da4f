/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting: what a step of the automaton answers, added to the vcpu that it is
 * charged to, or to the CPU. Whether it was needed is for verdict.h.
 */
#ifndef FPSTAT_ACCOUNT_H
#define FPSTAT_ACCOUNT_H

#include "maps.h"

/*
 * The vcpu that operations on the user state of @t are charged to: @t is
 * inside KVM_RUN for it. Between vcpu_load() and vcpu_put() the preempt
 * notifier says so; from there to kvm_userspace_exit only we know. @in_run: it is,
 * and if it is NULL, that vcpu has no slot.
 */
static __always_inline struct fp_vcpu *run_of(struct fp_percpu *c,
					      const struct task_struct *t,
					      __u64 loaded, __u8 *in_run)
{
	struct fp_vcpu *v = slot_at(c->slot);

	*in_run = 1;
	if (loaded)
		return v && v->vcpu == loaded ? v :
						slot_by(&slot_of_vcpu, loaded);
	if (v && v->task == (__u64)t)
		return v;
	*in_run = 0;
	return NULL;
}

/* ---- the first load after KVM_RUN, which its vcpu pays ---- */

static __always_inline void owe(struct fp_vcpu *v, __u64 t)
{
	if (!v->owed)
		ADD(owed_loads, 1);
	v->owed = t;
}

static __always_inline void owe_no_more(struct fp_vcpu *v)
{
	if (v->owed)
		ADD(owed_loads, -1);
	v->owed = 0;
}

/* The vcpu that is owed the next load of @t: it left KVM_RUN with FOREIGN. */
static __always_inline struct fp_vcpu *is_owed(const struct fp_percpu *c,
					       __u64 t)
{
	struct fp_vcpu *v;

	if (!owed_loads)
		return NULL;
	v = slot_at(c->slot);
	if (v && v->owed == t)
		return v;
	v = slot_by(&slot_of_task, t); /* it ran elsewhere */
	return v && v->owed == t ? v : NULL;
}

/*
 * The same at that load. If the vcpu has not even left, as far as we know, then its end
 * was dropped: from 7.0 on or so tracepoint programs can be preempted, and don't run
 * twice at a time.
 */
static __always_inline struct fp_vcpu *owed_by(struct fp_percpu *c, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);

	if (v && v->task == t) {
		ADD(v->runs, 1);
		v->task = 0;
		owe(v, t);
	}
	/* Two threads that share a vcpu can make owed_loads wrong: this first. */
	return v && v->owed == t ? v : is_owed(c, t);
}

/*
 * ---- the format of a user state, on hosts with SVE ----
 *
 * SVCR can't be read: what a thread saves that has used SME is not seen.
 */

static __always_inline bool saves_sve(void)
{
	return !in_syscall() && !saves_fpsimd(last_state, cpu_offsets);
}

/* @sve: in the format of SVE. */
static __always_inline __u64 bytes_by(const struct task_struct *t, bool sve)
{
	if (has_sme && used_sme())
		return FP_BYTES_UNSEEN;
	return sve ? fp_sve_bytes(task_sve_vl(t)) : FP_FPSIMD_BYTES;
}

/* 0: no SVE here, so it is not told. */
static __always_inline __u64 bytes_of(const struct task_struct *t, bool saves)
{
	if (!sve_mask)
		return 0;
	return bytes_by(t, current_flags() & sve_mask &&
				   (saves ? saves_sve() : loads_sve(t)));
}

/* ---- counting ---- */

static __always_inline void
account_guest(struct fp_percpu *c, struct fp_vcpu *v, __u32 ops, __u32 cause)
{
	if (ops & FP_OP_GUEST_SAVE) {
		ADD(*(v ? &v->guest.save : &c->guest.save), 1);
		if (v)
			ADD(v->cause[cause & (FP_CAUSE_SLOTS - 1)], 1);
	}
	if (ops & FP_OP_GUEST_LOAD)
		ADD(*(v ? &v->guest.load : &c->guest.load), 1);
	if (ops & FP_OP_LIVE && v)
		ADD(v->runs_live, 1);
}

/* Of a user state; @v as below. */
static __always_inline void account_format(struct fp_percpu *c,
					   struct fp_vcpu *v, __u32 ops)
{
	__u64 more = c->bytes - FP_FPSIMD_BYTES;

	if (!more)
		return;
	if (c->bytes == FP_BYTES_UNSEEN)
		ADD(*(v ? &v->host.unseen : &c->task.unseen), 1);
	else if (ops & FP_OP_USER_SAVE)
		ADD(*(v ? &v->host.save_more : &c->task.save_more), more);
	else
		ADD(*(v ? &v->host.load_more : &c->task.load_more), more);
}

/* That of @ev, if the compiler knows it: what can't be is not looked for then. */
static __always_inline __u8 known_kind(const struct fp_event *ev)
{
	return __builtin_constant_p(ev->kind) ? ev->kind : FP_EV_MAX;
}

/* @v: the vcpu that this is charged to, or NULL; @kind: of the event. */
static __always_inline void account(struct fp_percpu *c, struct fp_vcpu *v,
				    __u8 kind, __u32 step)
{
	__u32 ops = FP_OPS(step) & fp_ops_of(kind);

	if (!ops)
		return;
	account_guest(c, v, ops, FP_CAUSE(step));
	if (ops & FP_OP_USER_SAVE) {
		ADD(*(v ? &v->host.save : &c->task.save), 1);
		if (witness && kind != FP_EV_BIND_VCPU)
			c->user_saves++;
	}
	if (ops & FP_OP_USER_LOAD)
		ADD(*(v ? &v->host.load : &c->task.load), 1);
	if (kind != FP_EV_BIND_VCPU &&
	    ops & (FP_OP_USER_SAVE | FP_OP_USER_LOAD) && c->bytes)
		account_format(c, v, ops);
	if (ops & FP_OP_KERNEL_SAVE)
		ADD(c->kernel.save, 1);
	if (ops & FP_OP_KERNEL_LOAD)
		ADD(c->kernel.load, 1);
	if (ops & FP_OP_MISSED)
		ADD(c->missed, 1);
	if (ops & FP_OP_UNDECIDED)
		ADD(c->undecided, 1);
	if (ops & FP_OP_EAGER && !seen_eager)
		seen_eager = 1;
	if (ops & FP_OP_MARTIN && !seen_martin)
		seen_martin = 1;
}

#endif /* FPSTAT_ACCOUNT_H */
