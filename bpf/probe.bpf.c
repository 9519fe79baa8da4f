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
__u64 pstate;

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
enum { IN_FPSIMD, IN_TRAP };

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

/* Can fentry programs be attached here at all? */
SEC("fentry/fpsimd_flush_task_state")
int trial(unsigned long long *ctx)
{
	return 0;
}
