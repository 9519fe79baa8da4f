/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a state in memory is read, edited or dies, or must be loaded anew: rare
 * events, which decide whether a save was needed. NEED() is a hook of one line.
 */
#ifndef FPSTAT_NEEDS_H
#define FPSTAT_NEEDS_H

#include "infer.h"
#include "kernel.h"
#include "maps.h"
#include "step.h"
#include "verdict.h"

#include <bpf/bpf_tracing.h>

#define NEED(name, body)                                                       \
	SEC("kprobe")                                                          \
	int need_##name(struct pt_regs *ctx)                                   \
	{                                                                      \
		return body;                                                   \
	}

/* .. and what current will do then, where saves and loads have no hook. */
#define NEED_AHEAD(name, body, ahead) NEED(name, and_announce(ctx, body, ahead))

static __always_inline int and_announce(struct pt_regs *ctx, int done,
					__u32 ahead)
{
	struct fp_percpu *c = this_cpu();

	if (!infers || !c)
		return done;
	c->returns = PT_REGS_RET(ctx);
	announce(c, current_task(), ahead);
	return done;
}

static __always_inline int count(__u8 kind)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		ADD(c->events[kind], 1);
	return 0;
}

NEED(fork, on_current(FP_EV_FORK, FP_NOTE_READ))
NEED_AHEAD(preserve, on_current(FP_EV_PRESERVE, FP_NOTE_READ), FP_AHEAD_COPY)
NEED(restore, on_gone(FP_EV_RESTORE))
NEED_AHEAD(sigreturn, on_current(FP_EV_SIGRETURN, 0), FP_AHEAD_LOAD)
NEED(exec, on_gone(FP_EV_EXEC))
NEED(coredump, count(FP_EV_COREDUMP))
NEED(efi_begin, count(FP_EV_EFI_BEGIN))
NEED(efi_end, count(FP_EV_EFI_END))

#define PTRACE_GETREGSET 0x4204
#define PTRACE_SETREGSET 0x4205
#define NT_PRFPREG 2
#define NT_ARM_VFP 0x400
#define NT_ARM_SVE 0x405
#define NT_ARM_SSVE 0x40b
#define NT_ARM_FPMR 0x40e

static __always_inline bool fp_regset(__u64 note)
{
	return note == NT_PRFPREG || note == NT_ARM_VFP || note == NT_ARM_SVE ||
	       (note >= NT_ARM_SSVE && note <= NT_ARM_FPMR);
}

SEC("kprobe")
int need_ptrace(struct pt_regs *ctx)
{
	__u64 request = PT_REGS_PARM2(ctx);
	bool get = request == PTRACE_GETREGSET;

	if ((!get && request != PTRACE_SETREGSET) ||
	    !fp_regset(PT_REGS_PARM3(ctx)))
		return 0;
	return on_task(PT_REGS_PARM1(ctx), FP_EV_PTRACE,
		       get ? FP_NOTE_READ : FP_NOTE_MOVED);
}

/* Is it a register of struct kvm_one_reg that lies in the FP state? */
static __always_inline bool fp_reg(__u64 reg)
{
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id), (const void *)reg);
	if (KVM_REG_ARM_COPROC(id) == KVM_REG_ARM_CORE)
		return (id & 0xffff) >= KVM_REG_ARM_CORE_FP;
	return KVM_REG_ARM_COPROC(id) == KVM_REG_ARM64_SVE;
}

SEC("kprobe")
int need_get_reg(struct pt_regs *ctx)
{
	return fp_reg(PT_REGS_PARM2(ctx)) ?
		       on_vcpu(PT_REGS_PARM1(ctx), FP_EV_GET_REG,
			       FP_NOTE_READ) :
		       0;
}

SEC("kprobe")
int need_set_reg(struct pt_regs *ctx)
{
	return fp_reg(PT_REGS_PARM2(ctx)) ?
		       on_vcpu(PT_REGS_PARM1(ctx), FP_EV_SET_REG,
			       FP_NOTE_GONE) :
		       0;
}

SEC("kprobe")
int need_vcpu_reset(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = slot_by(&slot_of_vcpu, PT_REGS_PARM1(ctx));
	struct fp_event ev = { .kind = FP_EV_VCPU_RESET };

	if (!c)
		return 0;
	if (infers)
		infer(c->cpu);
	ADD(c->events[FP_EV_VCPU_RESET], 1);
	if (!v)
		return 0;
	ev.buf = v->buf;
	tell_other(c, v->home, v->buf, FP_NOTE_GONE);
	on_event(c, NULL, &ev);
	return 0;
}

static __always_inline int on_trap(__u8 kind)
{
	__u64 t = bpf_get_current_task();
	__u8 one = 1;

	if (loads_by_bind &&
	    !bpf_map_update_elem(&trap_of_task, &t, &one, BPF_NOEXIST))
		ADD(trapped_tasks, 1);
	return on_current(kind, FP_NOTE_MOVED);
}

NEED(sve_trap, on_trap(FP_EV_SVE_TRAP))
NEED(sme_trap, on_trap(FP_EV_SME_TRAP))

SEC("kprobe")
int need_set_vl(struct pt_regs *ctx)
{
	__u64 t = PT_REGS_PARM1(ctx);

	if (t != bpf_get_current_task())
		return on_task(t, FP_EV_SET_VL, FP_NOTE_MOVED);
	return and_announce(ctx, on_current(FP_EV_SET_VL, FP_NOTE_MOVED),
			    FP_AHEAD_EDIT);
}

/* A vector length was not only asked for: the state was saved just now. */
static __always_inline void has_edited(void)
{
	struct fp_percpu *c = this_cpu();

	if (c && c->ahead == FP_AHEAD_EDIT)
		c->ahead = FP_AHEAD_COPY;
}

SEC("kprobe")
int need_flush_task(struct pt_regs *ctx)
{
	__u64 t = PT_REGS_PARM1(ctx);

	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t))
		ADD(trapped_tasks, -1);
	if (t != bpf_get_current_task())
		return on_task(t, FP_EV_FLUSH_TASK, 0);
	if (infers)
		has_edited();
	return and_announce(ctx, on_current(FP_EV_FLUSH_TASK, 0),
			    FP_AHEAD_FLUSH);
}

SEC("kprobe")
int need_cpu_pm(struct pt_regs *ctx)
{
	/* CPU_PM_ENTER, the only command that changes ownership */
	return PT_REGS_PARM2(ctx) == 0 ?
		       and_announce(ctx, on_current(FP_EV_CPU_PM, 0),
				    FP_AHEAD_SAVE) :
		       0;
}

SEC("kprobe")
int need_cpu_dead(struct pt_regs *ctx)
{
	__u32 cpu = PT_REGS_PARM1(ctx);
	struct fp_percpu *dead = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = { .kind = FP_EV_CPU_DEAD };

	if (dead && infers)
		is_flushed(dead);
	if (dead && enabled)
		judge_on(dead, NULL, &ev, fp_step(&dead->model, &ev));
	return count(FP_EV_CPU_DEAD);
}

#endif /* FPSTAT_NEEDS_H */
