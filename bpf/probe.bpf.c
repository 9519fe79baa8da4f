// SPDX-License-Identifier: GPL-2.0-only
/*
 * Learns what is not in BTF, before anything is counted:
 *
 *  - Which bit of thread_info.flags is TIF_FOREIGN_FPSTATE. It is 3 up to 6.12,
 *    4 in 7.3, and about to move again. fpsimd_flush_task_state(t) sets it in
 *    t, fpsimd_restore_current_state() clears it in current; both touch other
 *    bits only by chance. The bit that changes each time is the one.
 *  - Which one is TIF_SVE: do_sve_acc() sets it in current.
 *  - The exception level the kernel runs at: EL2 is VHE.
 *  - Whether vcpu_load() saves the state of current, and flushes it: then
 *    TIF_FOREIGN_FPSTATE is set after it. Some KVM_RUNs of our own show it.
 *  - Whether that asks for the map of the timers before, with none loaded, as
 *    bpf/on_kvm.h has it.
 *  - Where in two functions the state is saved, or loaded: a signal goes there.
 *  - Whether an fentry program can be attached.
 *
 * kprobe and kretprobe, because they work on every kernel that we know.
 */
#include "kernel.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Read by user space when it has forked and executed a few times. */
__u64 flush_and = ~0ULL, flushes;
__u64 restore_and = ~0ULL, restores;
__u64 trap_and = ~0ULL, traps;
__u64 foreign_mask; /* found meanwhile */
__u64 vloads_saved, vloads_kept;
__u64 vloads_told, vloads_untold; /* by the timers */
__u64 copy_from, copy_to, update_from, update_to;
__u64 flushes_own; /* of current: at exec */
__u64 copied_by, updated_by; /* which task, last */
__u64 pstate;

#define FUNCTION 256 /* bytes, none of these is longer */

struct before {
	__u64 task;
	__u64 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct before);
} entered SEC(".maps");

/* do_sve_acc() may call fpsimd_flush_task_state(): @in tells them apart. */
enum { IN_FPSIMD, IN_TRAP, IN_VLOAD, IN_TIMERS };

static __always_inline int enter(__u64 task, __u64 in)
{
	__u64 key = bpf_get_current_task() + in;
	struct before b = {
		.task = task,
		.flags = task_flags((const struct task_struct *)task),
	};

	bpf_map_update_elem(&entered, &key, &b, BPF_ANY);
	return 0;
}

static __always_inline void leave(__u64 *and, __u64 *n, bool set, __u64 in)
{
	__u64 key = bpf_get_current_task() + in, now, changed;
	struct before *b = bpf_map_lookup_elem(&entered, &key);

	if (!b)
		return;
	now = task_flags((const struct task_struct *)b->task);
	changed = set ? now & ~b->flags : b->flags & ~now;
	bpf_map_delete_elem(&entered, &key);
	if (!changed)
		return; /* it was so before */
	*and &= changed;
	*n += 1;
}

SEC("kprobe/fpsimd_flush_task_state")
int flush_enter(struct pt_regs *ctx)
{
	const struct user_pt_regs *regs = (const void *)ctx;

	bpf_probe_read_kernel(&pstate, sizeof(pstate), &regs->pstate);
	if (PT_REGS_PARM1(ctx) == bpf_get_current_task())
		__sync_fetch_and_add(&flushes_own, 1);
	return enter(PT_REGS_PARM1(ctx), IN_FPSIMD);
}

SEC("kretprobe/fpsimd_flush_task_state")
int flush_leave(struct pt_regs *ctx)
{
	leave(&flush_and, &flushes, true, IN_FPSIMD);
	return 0;
}

SEC("kprobe/fpsimd_restore_current_state")
int restore_enter(struct pt_regs *ctx)
{
	return enter(bpf_get_current_task(), IN_FPSIMD);
}

SEC("kretprobe/fpsimd_restore_current_state")
int restore_leave(struct pt_regs *ctx)
{
	leave(&restore_and, &restores, false, IN_FPSIMD);
	return 0;
}

SEC("kprobe/do_sve_acc")
int trap_enter(struct pt_regs *ctx)
{
	return enter(bpf_get_current_task(), IN_TRAP);
}

SEC("kretprobe/do_sve_acc")
int trap_leave(struct pt_regs *ctx)
{
	leave(&trap_and, &traps, true, IN_TRAP);
	return 0;
}

SEC("raw_tp/kvm_get_timer_map")
int timers_asked(struct bpf_raw_tracepoint_args *ctx)
{
	const struct timer_map *map = (const void *)ctx->args[1];

	if (!bpf_core_field_exists(struct timer_map, direct_vtimer) ||
	    !bpf_core_field_exists(struct arch_timer_context, loaded) ||
	    !current_loaded_vcpu() || BPF_CORE_READ(map, direct_vtimer, loaded))
		return 0;
	return enter(bpf_get_current_task(), IN_TIMERS);
}

SEC("kprobe/kvm_arch_vcpu_load_fp")
int vload_enter(struct pt_regs *ctx)
{
	__u64 key = bpf_get_current_task() + IN_TIMERS;

	if (bpf_map_delete_elem(&entered, &key))
		__sync_fetch_and_add(&vloads_untold, 1);
	else
		__sync_fetch_and_add(&vloads_told, 1);
	return enter(bpf_get_current_task(), IN_VLOAD);
}

SEC("kretprobe/kvm_arch_vcpu_load_fp")
int vload_leave(struct pt_regs *ctx)
{
	__u64 key = bpf_get_current_task() + IN_VLOAD;
	struct before *b = bpf_map_lookup_elem(&entered, &key);

	if (!b || b->flags & foreign_mask)
		return 0;
	if (task_flags((const struct task_struct *)b->task) & foreign_mask)
		__sync_fetch_and_add(&vloads_saved, 1);
	else
		__sync_fetch_and_add(&vloads_kept, 1);
	return 0;
}

SEC("kprobe/fpsimd_preserve_current_state")
int copy_enter(struct pt_regs *ctx)
{
	copy_from = PT_REGS_IP(ctx);
	copied_by = (__u32)bpf_get_current_pid_tgid();
	return 0;
}

SEC("kprobe/fpsimd_update_current_state")
int update_enter(struct pt_regs *ctx)
{
	update_from = PT_REGS_IP(ctx);
	updated_by = (__u32)bpf_get_current_pid_tgid();
	return 0;
}

static __always_inline int called_at(__u64 from, __u64 *to, __u64 caller)
{
	if (from && caller - from < FUNCTION)
		*to = caller;
	return 0;
}

SEC("kprobe/fpsimd_save")
int save_enter(struct pt_regs *ctx)
{
	return called_at(copy_from, &copy_to, PT_REGS_RET(ctx));
}

SEC("kprobe/task_fpsimd_load")
int load_enter(struct pt_regs *ctx)
{
	return called_at(update_from, &update_to, PT_REGS_RET(ctx));
}

/* Can fentry programs be attached here at all? */
SEC("fentry/fpsimd_flush_task_state")
int trial(unsigned long long *ctx)
{
	return 0;
}
