/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hot hooks in arch/arm64/kernel/fpsimd.c: the save function, the load of a
 * user state, and the bind of a guest's state, at its exit.
 */
#ifndef FPSTAT_ON_FPSIMD_H
#define FPSTAT_ON_FPSIMD_H

#include "account.h"
#include "kernel.h"
#include "live_rules.h"
#include "maps.h"
#include "on_kvm.h"
#include "on_neon.h"
#include "step.h"
#include "twins.h"
#include "usual.h"

/* ---- the save function: fpsimd_save(), fpsimd_save_user_state() ---- */

static __always_inline int on_save(void *ctx, bool checking)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_SAVE);
	struct fp_vcpu *v;
	__u64 bytes = 0;

	if (!c)
		return 0;
	if (checking)
		rule_save(ctx, c, ev.foreign);
	else if (usual_call(c, &ev, (__u64)t))
		return 0;
	pass_begin(c, t);
	if (c->nested && current_in_softirq())
		revoke_nested(c);
	v = saved_for(c, t, &ev, &bytes);
	on_telling_event(c, v, &ev, bytes);
	return 0;
}

CHECKED("kprobe", k_save, on_save, struct pt_regs)
CHECKED("fentry", f_save, on_save, unsigned long long)

/* ---- the load of a user state ---- */

static __always_inline int on_load(void)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_LOAD);
	struct fp_vcpu *v;

	if (!c || plain_load(c, &ev, (__u64)t))
		return 0;
	v = owed_by(c, (__u64)t);
	if (v)
		owe_no_more(v);
	tell_other(c, current_home(), ev.buf, FP_NOTE_MOVED);
	on_telling_event(c, v, &ev, bytes_of(t, false));
	return 0;
}

/*
 * Where task_fpsimd_load() is inlined: each bind of a task follows a load,
 * save those of do_sve_acc() and do_sme_acc(), which bind what the registers
 * hold already. They do so unless they took the way through memory, and then
 * they call fpsimd_flush_task_state() first.
 */
static __always_inline int on_bind_task(void)
{
	__u64 t = bpf_get_current_task();

	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t)) {
		ADD(trapped_tasks, -1);
		return 0;
	}
	return on_load();
}

/* ---- binds: a guest exit with live state; kernel NEON is in on_neon.h ---- */

static __always_inline int on_bind_state(void *ctx, struct fp_percpu *c,
					 __u64 buf, bool checking)
{
	struct task_struct *t = current_task();
	__u64 loaded;
	struct fp_event ev = {
		.buf = buf,
		.kind = FP_EV_BIND_VCPU,
		.foreign = foreign(),
		.in_run = 1,
	};
	struct fp_vcpu *v = slot_at(c->slot);

	if (!v || v->buf != buf) {
		if (buf == neon_buf(t))
			return on_bind_kernel(c, t, buf);
		loaded = current_loaded_vcpu();
		v = adopt(c, t);
		if (!loaded || vcpu_buf(loaded) != buf) {
			ADD(c->missed, 1);
			return 0;
		}
	}
	if (v)
		ev.gen = v->gen;
	if (c->loading) /* nothing else is put off where this is attached */
		catch_up(c->cpu);
	if (checking)
		rule_bind(ctx, c, buf, ev.foreign);
	else if (v && plain_bind(c, v, &ev))
		return 0;
	on_guest_live(c, v, &ev);
	return 0;
}

static __always_inline int on_bind_probe(struct pt_regs *ctx, bool checking)
{
	struct fp_percpu *c = this_cpu();

	return c ? on_bind_state(ctx, c, bound_buf(PT_REGS_PARM1(ctx)),
				 checking) :
		   0;
}

/* Only where it is given a struct: fentry programs came later. */
static __always_inline int on_bind_struct(unsigned long long *ctx, __u32 cpu,
					  bool checking)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	const struct cpu_fp_state *state = (const void *)ctx[0];

	if (!c || !is_enabled(c))
		return 0;
	return on_bind_state(ctx, c, as_number(state->st), checking);
}

/* Functions of their own: what they need on the stack, a quiet exit must not pay. */
FP_COLD int bind_struct(unsigned long long *ctx, __u32 cpu)
{
	return on_bind_struct(ctx, cpu, false);
}

FP_COLD int bind_struct_checked(unsigned long long *ctx, __u32 cpu)
{
	return on_bind_struct(ctx, cpu, true);
}

/*
 * While an exit is quiet, whose bind this is need not be asked: all that moves or
 * unbinds a state is an event, and so what comes before the bind of another. Nor is
 * TIF_FOREIGN_FPSTATE, for what sets it does that. The twin that checks asks the kernel.
 */
static __always_inline int on_bind_entry(unsigned long long *ctx, bool checking)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fp_quiet *q = quiet_at(cpu);

	if (!q->open || (checking && !rule_quiet(ctx, cpu)))
		return checking ? bind_struct_checked(ctx, cpu) :
				  bind_struct(ctx, cpu);
	q->live++; /* with interrupts off */
	return 0;
}

CHECKED("kprobe", k_bind_state, on_bind_probe, struct pt_regs)
CHECKED("fentry", f_bind_state, on_bind_entry, unsigned long long)

TWINS(load, on_load)
TWINS(bind_task, on_bind_task)

#endif /* FPSTAT_ON_FPSIMD_H */
