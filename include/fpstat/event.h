/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabulary: what can happen to the FP registers of a CPU, as the kernel
 * tells it. One list for each vocabulary, so that enum and name never drift.
 *
 * This file compiles as BPF and as user space; whoever includes it has the
 * kernel's fixed-width types (__u8 .. __u64) in scope already.
 */
#ifndef FPSTAT_EVENT_H
#define FPSTAT_EVENT_H

/*
 * BPF has no time for what can't be, and its verifier less. Inline: who calls it knows
 * the kind of event, and what is for others shall not be there. Cold: it is rare.
 */
#define FP_INLINE static inline __attribute__((always_inline))
#define FP_COLD static __attribute__((noinline, unused))

/*
 * X(NAME, "name", "where the kernel does it")
 *
 * The first group moves registers or says who owns them; the model steps on
 * these. The second group are needs that happen in memory: a state is read,
 * edited or dies. They are counted here and judged by whoever judges.
 */
#define FP_EVENT_MAP(X)                                                        \
	X(SAVE, "save", "fpsimd_save*() called")                               \
	X(LOAD, "load", "the user state of current was loaded")                \
	X(BIND_VCPU, "bind-vcpu", "guest exit with the guest's state live")    \
	X(BIND_KERNEL, "bind-kernel", "a kernel NEON state was saved, bound")  \
	X(NEON_NEST, "neon-nest", "softirq NEON over task NEON (7.x)")         \
	X(SWITCH, "switch", "current is about to be switched out")             \
	X(RESUME_KERNEL, "resume-kernel", "next resumes inside its NEON")      \
	X(VLOAD, "vload", "kvm_arch_vcpu_load_fp()")                           \
	X(EXIT, "exit", "tracepoint kvm_exit")                                 \
	X(RUN_END, "run-end", "tracepoint kvm_userspace_exit")                 \
	X(NEON_TASK, "neon-task", "kernel_neon_begin() in task context")       \
	X(NEON_SOFTIRQ, "neon-softirq", "kernel_neon_begin() in a softirq")    \
	X(FORK, "fork", "READ: the parent's state is copied")                  \
	X(PRESERVE, "preserve", "READ: signal frame, ptrace or core dump")     \
	X(RESTORE, "restore", "rt_sigreturn(): the state is about to be edited") \
	X(SIGRETURN, "sigreturn", "INVALIDATE: fpsimd_update_current_state()") \
	X(FLUSH_TASK, "flush-task", "unbound: fpsimd_flush_task_state()")      \
	X(PTRACE, "ptrace", "READ or INVALIDATE: arch_ptrace()")               \
	X(COREDUMP, "coredump", "READ: do_coredump()")                         \
	X(EXEC, "exec", "INVALIDATE: fpsimd_flush_thread()")                   \
	X(TASK_END, "task-end", "END: exit_files()")                           \
	X(SVE_TRAP, "sve-trap", "do_sve_acc()")                                \
	X(SME_TRAP, "sme-trap", "do_sme_acc()")                                \
	X(SET_VL, "vl", "vec_set_vector_length()")                             \
	X(GET_REG, "get-reg", "READ: kvm_arm_get_reg()")                       \
	X(SET_REG, "set-reg", "INVALIDATE: kvm_arm_set_reg()")                 \
	X(VCPU_RESET, "vcpu-reset", "INVALIDATE: kvm_reset_vcpu()")            \
	X(VCPU_END, "vcpu-end", "END: kvm_arch_vcpu_destroy()")                \
	X(EFI_BEGIN, "efi-begin", "__efi_fpsimd_begin()")                      \
	X(EFI_END, "efi-end", "__efi_fpsimd_end()")                            \
	X(CPU_PM, "cpu-pm", "CLOBBER: fpsimd_cpu_pm_notifier()")               \
	X(CPU_DEAD, "cpu-dead", "CLOBBER: fpsimd_cpu_dead()")                  \
	X(ENTER, "enter", "tracepoint kvm_entry")

enum fp_event_kind {
#define X(id, name, where) FP_EV_##id,
	FP_EVENT_MAP(X)
#undef X
	FP_EV_MAX
};

/* What a transfer of a state moves: 32 registers of 16 bytes, FPSR and FPCR .. */
#define FP_FPSIMD_BYTES 520
#define FP_BYTES_UNSEEN 1 /* .. and where its format was not seen */

/* .. and with SVE registers of @vl bytes: 32, 16 predicates and FFR of an eighth. */
static inline __u64 fp_sve_bytes(__u32 vl)
{
	return (__u64)vl / 16 * 546 + 8;
}

/* Why a state left the registers: the path that made the save. */
#define FP_CAUSE_MAP(X)                                                        \
	X(NONE, "other")                                                       \
	X(SOFTIRQ_NEON, "softirq-neon")                                        \
	X(TASK_NEON, "task-neon")                                              \
	X(PREEMPT, "preempt")                                                  \
	X(BLOCK, "block")                                                      \
	X(USER_RETURN, "user-return")                                          \
	X(VCPU_LOAD, "vcpu-load")                                              \
	X(GUEST_TRAP, "guest-trap")                                            \
	X(KVM_RELOAD, "kvm-reload")

enum fp_cause {
#define X(id, name) FP_CAUSE_##id,
	FP_CAUSE_MAP(X)
#undef X
	FP_CAUSE_MAX
};

/* Room for them in an array that BPF indexes: the verifier wants a mask. */
#define FP_CAUSE_SLOTS 16
_Static_assert(FP_CAUSE_MAX <= FP_CAUSE_SLOTS, "too many causes");

/*
 * One event, on the CPU where it happened. @foreign is TIF_FOREIGN_FPSTATE of
 * current when it happened; @buf is the buffer that the event is about (the
 * address that fpsimd_last_state.st would hold), @gen its generation: the
 * kernel recycles the memory of tasks and vcpus.
 */
struct fp_event {
	__u64 buf;
	__u32 gen;
	__u8 kind; /* enum fp_event_kind */
	__u8 foreign;
	__u8 in_run; /* current is inside KVM_RUN */
	__u8 arg; /* depends on the kind: see model.h */
};

_Static_assert(sizeof(struct fp_event) == 16, "events are 16 bytes");

#endif /* FPSTAT_EVENT_H */
