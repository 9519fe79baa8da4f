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

/* @t, which is current, ends. */
static __always_inline void forget_task(__u64 t)
{
	struct fp_vcpu *v = slot_by(&slot_of_task, t);

	bpf_map_delete_elem(&early_runs, &t);
	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t))
		ADD(trapped_tasks, -1);
	if (!v)
		return;
	if (v->owed == t)
		owe_no_more(v);
	if (v->thread == t)
		v->thread = 0;
	bpf_map_delete_elem(&slot_of_task, &t);
}

/* Of whom, and where it was live last; false: of a vcpu that has no slot. */
static __always_inline bool need_of(struct pt_regs *ctx, __u8 kind,
				    struct fp_event *ev, __u32 *home)
{
	struct fp_vcpu *v;

	if (kind != FP_EV_VCPU_RESET) {
		*ev = task_event(current_task(), kind);
		*home = current_home();
		return true;
	}
	v = slot_by(&slot_of_vcpu, PT_REGS_PARM1(ctx));
	*ev = (struct fp_event){ .buf = v ? v->buf : 0, .kind = kind };
	*home = v ? v->home : FP_NO_CPU;
	return v;
}

/*
 * Something happens to a state that this CPU may hold: see go_on(). All these hooks go
 * on with this program, so that the verifier goes through it once, and not for each.
 */
SEC("kprobe")
int need_step(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct fp_event ev;
	__u32 home;
	bool known;

	if (!c)
		return 0;
	known = need_of(ctx, c->need_kind, &ev, &home);
	if (infers)
		infer(c->cpu);
	ADD(c->events[ev.kind], 1);
	if (!known)
		return 0;
	if (c->need_why)
		tell_other(c, home, ev.buf, c->need_why);
	on_event(c, NULL, &ev);
	if (ev.kind == FP_EV_TASK_END)
		forget_task(bpf_get_current_task());
	if (infers && c->need_ahead) {
		c->returns = PT_REGS_RET(ctx);
		announce(c, current_task(), c->need_ahead);
	}
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} need_rest SEC(".maps") = {
	.values = { (void *)need_step },
};

/*
 * @why: what another CPU is told that may hold the state, @ahead: what current will do
 * then, where saves and loads have no hook.
 */
static __always_inline int go_on(struct pt_regs *ctx, __u8 kind, __u8 why,
				 __u8 ahead)
{
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	c->need_kind = kind;
	c->need_why = why;
	c->need_ahead = ahead;
	bpf_tail_call(ctx, &need_rest, 0);
	ADD(c->missed, 1); /* it came back: there is none */
	return 0;
}

static __always_inline int count(__u8 kind)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		ADD(c->events[kind], 1);
	return 0;
}

NEED(fork, go_on(ctx, FP_EV_FORK, FP_NOTE_READ, 0))
NEED(preserve, go_on(ctx, FP_EV_PRESERVE, FP_NOTE_READ, FP_AHEAD_COPY))
NEED(restore, go_on(ctx, FP_EV_RESTORE, FP_NOTE_GONE, 0))
NEED(sigreturn, go_on(ctx, FP_EV_SIGRETURN, 0, FP_AHEAD_LOAD))
NEED(exec, go_on(ctx, FP_EV_EXEC, FP_NOTE_GONE, 0))
NEED(vcpu_reset, go_on(ctx, FP_EV_VCPU_RESET, FP_NOTE_GONE, 0))
NEED(coredump, count(FP_EV_COREDUMP))
NEED(efi_begin, count(FP_EV_EFI_BEGIN))
NEED(efi_end, count(FP_EV_EFI_END))

/*
 * exit_files(), which comes after a core dump was written; it is called for a fork
 * that failed, too. A kprobe, and not the tracepoint before it: there a softirq may
 * use NEON after TIF_FOREIGN_FPSTATE was read.
 */
SEC("kprobe")
int task_end(struct pt_regs *ctx)
{
	return PT_REGS_PARM1(ctx) == bpf_get_current_task() ?
		       go_on(ctx, FP_EV_TASK_END, FP_NOTE_GONE, 0) :
		       0;
}

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

static __always_inline int on_trap(struct pt_regs *ctx, __u8 kind)
{
	__u64 t = bpf_get_current_task();
	__u8 one = 1;

	if (loads_by_bind &&
	    !bpf_map_update_elem(&trap_of_task, &t, &one, BPF_NOEXIST))
		ADD(trapped_tasks, 1);
	return go_on(ctx, kind, FP_NOTE_MOVED, 0);
}

NEED(sve_trap, on_trap(ctx, FP_EV_SVE_TRAP))
NEED(sme_trap, on_trap(ctx, FP_EV_SME_TRAP))

SEC("kprobe")
int need_set_vl(struct pt_regs *ctx)
{
	__u64 t = PT_REGS_PARM1(ctx);

	if (t != bpf_get_current_task())
		return on_task(t, FP_EV_SET_VL, FP_NOTE_MOVED);
	return go_on(ctx, FP_EV_SET_VL, FP_NOTE_MOVED, FP_AHEAD_EDIT);
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
	return go_on(ctx, FP_EV_FLUSH_TASK, 0, FP_AHEAD_FLUSH);
}

SEC("kprobe")
int need_cpu_pm(struct pt_regs *ctx)
{
	/* CPU_PM_ENTER, the only command that changes ownership */
	return PT_REGS_PARM2(ctx) == 0 ?
		       go_on(ctx, FP_EV_CPU_PM, 0, FP_AHEAD_SAVE) :
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
