/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as far as we read it: a few fields, relocated by CO-RE, and one
 * accessor for each field that moved, with the commit that moved it.
 *
 * The ledger (arm64; Debian 5.10, 6.1, 6.12 and 7.3 are checked by the lab):
 *
 *   vcpu_buf()      arch.ctxt.gp_regs.fp_regs up to 5.9, arch.ctxt.fp_regs
 *                   since e47c2055c68e ("KVM: arm64: Make struct
 *                   kvm_regs userspace-only"), 5.10
 *   vcpu_hint()     arch.flags & KVM_ARM64_FP_ENABLED up to 5.19, arch.fp_state
 *                   since f8077b0d5923 ("KVM: arm64: Move FP state ownership
 *                   from flag to a tristate"), 6.0; per CPU and out of reach
 *                   since 5294afdbf45a, 6.10
 *   task_state()    task_struct.state up to 5.13, .__state since 2f064a59a11f
 *                   ("sched: Change task_struct::state"), 5.14
 *   task_sve_vl()   thread.sve_vl up to 5.15, thread.vl[] since 5.16
 *   loads_sve()     TIF_SVE decides up to 6.1; since 6.2 thread.fp_type does, and
 *                   TIF_SVE follows when it is loaded. Stable 6.1 has both, and
 *                   they agree at a load, but not after the next save
 *   used_sme()      thread.za_state since 5.19, thread.sme_state since 6.3
 *   neon_buf()      none up to 6.7; embedded since aefbab8e77eb ("arm64:
 *                   fpsimd: Preserve/restore kernel mode NEON at context
 *                   switch"), 6.8; a pointer since 4fa617cc6851 ("arm64/fpsimd:
 *                   Allocate kernel mode FP/SIMD buffers on the stack"), 6.19
 *   bound_buf()     argument of fpsimd_bind_state_to_cpu(): the buffer up to
 *                   6.1, struct cpu_fp_state whose first member is the buffer
 *                   since 1192b93ba352 ("arm64/fp: Use a struct to pass data to
 *                   fpsimd_bind_state_to_cpu()"), 6.2
 */
#ifndef FPSTAT_KERNEL_H
#define FPSTAT_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "fpstat/model.h"

/* What kprobes hand us; libbpf's PT_REGS macros ask for this name. */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

struct pt_regs;

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct preempt_notifier {
	struct hlist_node link;
};

struct thread_info {
	unsigned long flags;
	__u64 preempt_count;
};

struct user_fpsimd_state {
	__u32 fpsr;
};

struct thread_struct {
	struct {
		struct user_fpsimd_state fpsimd_state;
	} uw;
	unsigned int fpsimd_cpu;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
	struct hlist_head preempt_notifiers;
	struct thread_struct thread;
};

struct task_struct___5_13 {
	long state;
};

struct thread_struct___5_15 {
	unsigned int sve_vl;
};

struct task_struct___5_15 {
	struct thread_struct___5_15 thread;
};

struct thread_struct___5_16 {
	unsigned int vl[2];
};

struct task_struct___5_16 {
	struct thread_struct___5_16 thread;
};

struct thread_struct___6_2 {
	void *za_state;
};

struct task_struct___6_2 {
	struct thread_struct___6_2 thread;
};

enum fp_type {
	FP_STATE_FPSIMD = 1,
};

struct thread_struct___6_3 {
	enum fp_type fp_type;
	void *sme_state;
};

struct task_struct___6_3 {
	struct thread_struct___6_3 thread;
};

struct cpu_fp_state___6_2 {
	enum fp_type to_save;
};

struct pt_regs___any {
	int syscallno;
};

struct thread_struct___6_8 {
	struct user_fpsimd_state kernel_fpsimd_state;
};

struct task_struct___6_8 {
	struct thread_struct___6_8 thread;
};

struct thread_struct___6_19 {
	struct user_fpsimd_state *kernel_fpsimd_state;
};

struct task_struct___6_19 {
	struct thread_struct___6_19 thread;
};

struct kvm {
	int userspace_pid;
};

struct kvm_cpu_context {
	struct user_fpsimd_state fp_regs;
};

struct kvm_vcpu_arch {
	struct kvm_cpu_context ctxt;
	unsigned int sve_max_vl;
};

struct kvm_vcpu_arch___5_19 {
	__u64 flags;
};

/* An enum to CO-RE: an int would not match. */
enum fp_state___6_9 {
	FP_STATE_FREE___6_9,
};

struct kvm_vcpu_arch___6_9 {
	enum fp_state___6_9 fp_state;
};

struct kvm_vcpu_stat {
	__u64 exits;
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int vcpu_id;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
};

struct arch_timer_context {
	bool loaded;
};

struct timer_map {
	struct arch_timer_context *direct_vtimer;
};

struct kvm_regs___5_9 {
	struct user_fpsimd_state fp_regs;
};

struct kvm_cpu_context___5_9 {
	struct kvm_regs___5_9 gp_regs;
};

struct kvm_vcpu_arch___5_9 {
	struct kvm_cpu_context___5_9 ctxt;
};

struct kvm_vcpu___5_9 {
	struct kvm_vcpu_arch___5_9 arch;
};

struct kvm_vcpu___5_19 {
	struct kvm_vcpu_arch___5_19 arch;
};

struct kvm_vcpu___6_9 {
	struct kvm_vcpu_arch___6_9 arch;
};

struct cpu_fp_state {
	struct user_fpsimd_state *st;
};

#pragma clang attribute pop

#define KVM_ARM64_FP_ENABLED (1 << 1) /* asm/kvm_host.h, up to 5.19 */
#define FP_STATE_GUEST_OWNED 2 /* asm/kvm_host.h, from 6.0 */
#define KVM_REG_ARM_COPROC(id) ((id) >> 16 & 0xfff) /* asm/kvm.h */
#define KVM_REG_ARM_CORE 0x10
#define KVM_REG_ARM64_SVE 0x15
#define KVM_REG_ARM_CORE_FP 84 /* fp_regs of struct kvm_regs, in words */
#define SOFTIRQ_OFFSET (1 << 8) /* linux/preempt.h */
#define TASK_RUNNING 0x00 /* linux/sched.h */
#define TASK_DEAD 0x80

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline __u64 task_flags(const struct task_struct *t)
{
	return BPF_CORE_READ(t, thread_info.flags);
}

/*
 * The fields of current can be read where they lie since 3ca1032ab7ab ("bpf:
 * Implement get_current_task_btf and RET_PTR_TO_BTF_ID"), 5.11, for a tenth of
 * what bpf_probe_read_kernel() takes.
 */
static __always_inline bool current_is_typed(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id,
					  BPF_FUNC_get_current_task_btf);
}

/* ---- of a task that BTF knows as one: a tp_btf program is given such ---- */

static __always_inline __u64 typed_flags(const struct task_struct *t)
{
	return t->thread_info.flags;
}

static __always_inline __u32 typed_pid(const struct task_struct *t)
{
	return (__u32)t->pid;
}

static __always_inline __u32 typed_home(const struct task_struct *t)
{
	return t->thread.fpsimd_cpu;
}

/* Is a vcpu loaded? See task_loaded_vcpu(). */
static __always_inline bool typed_has_vcpu(const struct task_struct *t)
{
	return t->preempt_notifiers.first;
}

/* Has the guest's virtual timer the hardware? */
static __always_inline bool typed_is_loaded(const struct timer_map *map)
{
	return map->direct_vtimer->loaded;
}

static __always_inline __u64 current_flags(void)
{
	if (!current_is_typed())
		return task_flags(current_task());
	return typed_flags(bpf_get_current_task_btf());
}

static __always_inline __u32 current_pid(void)
{
	return current_is_typed() ? typed_pid(bpf_get_current_task_btf()) :
				    (__u32)bpf_get_current_pid_tgid();
}

static __always_inline bool current_in_softirq(void)
{
	__u64 count;

	if (current_is_typed())
		count = bpf_get_current_task_btf()->thread_info.preempt_count;
	else
		count = BPF_CORE_READ(current_task(),
				      thread_info.preempt_count);
	return count & SOFTIRQ_OFFSET;
}

static __always_inline __u64 task_buf(const struct task_struct *t)
{
	return (__u64)t + bpf_core_field_offset(struct task_struct,
						thread.uw.fpsimd_state);
}

/* Where the user state of @t was bound last; no CPU if that was given up. */
static __always_inline __u32 task_home(const struct task_struct *t)
{
	return BPF_CORE_READ(t, thread.fpsimd_cpu);
}

/* The vector length of @t, in bytes. */
static __always_inline __u32 task_sve_vl(const struct task_struct *t)
{
	const struct task_struct___5_15 *old = (const void *)t;
	const struct task_struct___5_16 *new = (const void *)t;

	if (bpf_core_field_exists(new->thread.vl))
		return BPF_CORE_READ(new, thread.vl[0]);
	return BPF_CORE_READ(old, thread.sve_vl);
}

/* Has current memory for ZA and streaming mode? From its first SME instruction on. */
static __always_inline bool used_sme(void)
{
	if (bpf_core_field_exists(struct task_struct___6_3, thread.sme_state)) {
		const struct task_struct___6_3 *t =
			(const void *)bpf_get_current_task_btf();

		return t->thread.sme_state;
	}
	if (bpf_core_field_exists(struct task_struct___6_2, thread.za_state)) {
		const struct task_struct___6_2 *t =
			(const void *)bpf_get_current_task_btf();

		return t->thread.za_state;
	}
	return false;
}

/*
 * Up to 6.1 a system call begins with TIF_SVE cleared. Since 8c845e273104
 * ("arm64/sve: Leave SVE enabled on syscall if we don't context switch"), 6.2, it
 * stays, and the save function looks where current is; then there is the helper.
 */
static __always_inline bool in_syscall(void)
{
	const struct pt_regs___any *regs;

	if (!bpf_core_enum_value_exists(enum bpf_func_id,
					BPF_FUNC_task_pt_regs))
		return false;
	regs = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return BPF_CORE_READ(regs, syscallno) >= 0;
}

/*
 * A variable or structure of the kernel, by its address, to be read where it lies: since
 * a35b9af4ec2c ("bpf: Add a kfunc for generic type cast"), 6.2. A call, to the verifier,
 * and no instruction in the end.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 type) __ksym __weak;

#define CAST(type, addr)                                    \
	((const type *)bpf_rdonly_cast((const void *)(addr), \
				       bpf_core_type_id_kernel(type)))

static __always_inline __u64 read_u64(__u64 addr)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (const void *)addr);
	return value;
}

/* What is added to the address of a per-CPU variable; @offsets: the table. */
static __always_inline __u64 cpu_offset(__u64 offsets, __u32 cpu)
{
	return read_u64(offsets + cpu * sizeof(__u64));
}

/*
 * Does this CPU save its task's state as FPSIMD, whatever TIF_SVE says? Since
 * fpsimd_syscall_enter(), 6.16 and stable, the first instructions of a system call
 * are known here only. @last, @offsets: addresses, of this for CPU 0 and of the
 * table of what to add; or 0.
 */
static __always_inline bool saves_fpsimd(__u64 last, __u64 offsets)
{
	const struct cpu_fp_state___6_2 *state = (const void *)last;

	if (!last || !offsets || !bpf_core_field_exists(state->to_save))
		return false;
	state = (const void *)(last +
			       cpu_offset(offsets, bpf_get_smp_processor_id()));
	return BPF_CORE_READ(state, to_save) == FP_STATE_FPSIMD;
}

/* With TIF_SVE set: is the state of @t in memory in the format of SVE? */
static __always_inline bool loads_sve(const struct task_struct *t)
{
	const struct task_struct___6_3 *new = (const void *)t;

	return !bpf_core_field_exists(new->thread.fp_type) ||
	       BPF_CORE_READ(new, thread.fp_type) != FP_STATE_FPSIMD;
}

static __always_inline __u32 current_home(void)
{
	return current_is_typed() ? typed_home(bpf_get_current_task_btf()) :
				    task_home(current_task());
}

static __always_inline __u64 task_state(const struct task_struct *t)
{
	const struct task_struct___5_13 *old = (const void *)t;

	if (bpf_core_field_exists(t->__state))
		return BPF_CORE_READ(t, __state);
	return BPF_CORE_READ(old, state);
}

/* From 6.19 on a task in a NEON section has a buffer, given by its caller. */
static __always_inline bool neon_buf_is_pointer(void)
{
	return bpf_core_field_exists(struct task_struct___6_19,
				     thread.kernel_fpsimd_state);
}

/* Where @t keeps its kernel-mode NEON state; 0 if there is none. */
static __always_inline __u64 neon_buf(const struct task_struct *t)
{
	const struct task_struct___6_19 *pointer = (const void *)t;

	if (neon_buf_is_pointer())
		return (__u64)BPF_CORE_READ(pointer,
					    thread.kernel_fpsimd_state);
	if (bpf_core_field_exists(struct task_struct___6_8,
				  thread.kernel_fpsimd_state))
		return (__u64)t +
		       bpf_core_field_offset(struct task_struct___6_8,
					     thread.kernel_fpsimd_state);
	return 0;
}

static __always_inline __u64 bound_buf(__u64 arg)
{
	__u64 st = 0;

	if (!bpf_core_type_exists(struct cpu_fp_state))
		return arg;
	bpf_probe_read_kernel(&st, sizeof(st), (const void *)arg);
	return st;
}

static __always_inline __u64 vcpu_buf(__u64 vcpu)
{
	const struct kvm_vcpu *v = (const void *)vcpu;

	if (bpf_core_field_exists(v->arch.ctxt.fp_regs))
		return vcpu + bpf_core_field_offset(struct kvm_vcpu,
						    arch.ctxt.fp_regs);
	return vcpu + bpf_core_field_offset(struct kvm_vcpu___5_9,
					    arch.ctxt.gp_regs.fp_regs);
}

/* enum fp_hint: whose the registers are, as the vcpu itself recorded it. */
static __always_inline __u8 vcpu_hint(__u64 vcpu)
{
	const struct kvm_vcpu___5_19 *flags = (const void *)vcpu;
	const struct kvm_vcpu___6_9 *state = (const void *)vcpu;

	if (bpf_core_field_exists(state->arch.fp_state))
		return BPF_CORE_READ(state, arch.fp_state) ==
				       FP_STATE_GUEST_OWNED ?
			       FP_HINT_GUEST :
			       FP_HINT_HOST;
	if (bpf_core_field_exists(flags->arch.flags))
		return BPF_CORE_READ(flags, arch.flags) & KVM_ARM64_FP_ENABLED ?
			       FP_HINT_GUEST :
			       FP_HINT_HOST;
	return FP_HINT_NONE;
}

/* Guest exits, as KVM counts them: with interrupts off, before it binds. */
static __always_inline __u64 vcpu_exits(__u64 vcpu)
{
	return BPF_CORE_READ((const struct kvm_vcpu *)vcpu, stat.exits);
}

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

/* vcpu_exits(), for a tenth of the time. */
static __always_inline __u64 vcpu_exits_cast(__u64 vcpu)
{
	return CAST(struct kvm_vcpu, vcpu)->stat.exits;
}

/*
 * The vcpu that is loaded by @t, that is from vcpu_load() to vcpu_put(), also
 * while @t is preempted: only KVM registers preempt notifiers.
 */
static __always_inline __u64 task_loaded_vcpu(const struct task_struct *t)
{
	__u64 node = (__u64)BPF_CORE_READ(t, preempt_notifiers.first);

	if (!node)
		return 0;
	return node -
	       bpf_core_field_offset(struct kvm_vcpu, preempt_notifier.link);
}

/* The difference of two pointers is a number, which a pointer is not. @t: current. */
static __always_inline __u64 number_by(const struct task_struct *t,
				       const void *p)
{
	__u64 distance = (__u64)p - (__u64)t;

	barrier_var(distance);
	return distance + bpf_get_current_task();
}

static __always_inline __u64 as_number(const void *p)
{
	return number_by(bpf_get_current_task_btf(), p);
}

static __always_inline __u64 current_loaded_vcpu(void)
{
	const struct hlist_node *node;
	const struct task_struct *t;

	if (!current_is_typed())
		return task_loaded_vcpu(current_task());
	t = bpf_get_current_task_btf();
	node = t->preempt_notifiers.first;
	if (!node)
		return 0;
	return number_by(t, node) -
	       bpf_core_field_offset(struct kvm_vcpu, preempt_notifier.link);
}

#endif /* FPSTAT_KERNEL_H */
