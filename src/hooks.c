// SPDX-License-Identifier: GPL-2.0-only
#include "hooks.h"

/*
 * The functions are those of arch/arm64/kernel/fpsimd.c and arch/arm64/kvm/ of
 * Linux 5.10 to 7.3, and a few that tasks go through. None of them is called
 * between the switch to the guest's exception vectors and the switch back.
 */
const struct hook hooks[] = {
	/* what moves registers, or binds them */
	{ { "fpsimd_save_user_state", /* aefbab8e77eb, 6.8 */
	    "fpsimd_save" },
	  "k_save", "f_save", "saves of user and guest state",
	  HOOK_REQUIRED },
	{ { "fpsimd_bind_state_to_cpu" },
	  "k_bind_state", "f_bind_state",
	  "guest exits with live state, kernel NEON saves",
	  HOOK_REQUIRED | HOOK_BINDS },
	{ { "task_fpsimd_load" },
	  "k_load", "f_load", "loads of user state", HOOK_REQUIRED },
	{ { "fpsimd_bind_task_to_cpu" }, /* task_fpsimd_load() is inlined */
	  "k_bind_task", "f_bind_task", "loads of user state",
	  HOOK_REQUIRED | HOOK_INSTEAD },
	{ { "kvm_arch_vcpu_load_fp" },
	  "k_vcpu_load", "f_vcpu_load", "which vcpu a thread runs",
	  HOOK_REQUIRED },
	{ { "kernel_neon_begin" },
	  "neon_begin", NULL, "kernel-mode NEON", HOOK_REQUIRED },
	{ { "kvm_exit" },
	  "kvm_exit", NULL, "guest exits",
	  HOOK_REQUIRED | HOOK_RAW_TP | HOOK_EXITS },
	{ { "kvm_exit" },
	  "kvm_exit_settle", NULL, "guest exits, and whether they were live",
	  HOOK_REQUIRED | HOOK_RAW_TP | HOOK_SETTLES | HOOK_NO_STREAM },
	{ { "kvm_exit" },
	  "kvm_exit_tell", NULL, "guest exits, and whether they were live",
	  HOOK_REQUIRED | HOOK_RAW_TP | HOOK_SETTLES | HOOK_STREAM },
	{ { "kvm_entry" },
	  "kvm_entered", NULL, "guest entries",
	  HOOK_ALL_EXITS | HOOK_RAW_TP },
	{ { "kvm_userspace_exit" },
	  "kvm_userspace_exit", NULL, "the end of KVM_RUN",
	  HOOK_REQUIRED | HOOK_RAW_TP },
	{ { "sched_switch" },
	  "sched_switch", NULL, "preemption and blocking",
	  HOOK_REQUIRED | HOOK_RAW_TP },
	{ { "exit_files" },
	  "task_end", NULL, "the end of a thread", HOOK_REQUIRED },
	{ { "kvm_arch_vcpu_destroy" },
	  "vcpu_end", NULL, "the end of a vcpu", HOOK_REQUIRED },
	{ { "kvm_arch_vcpu_create" }, /* its memory may have been another's */
	  "vcpu_end", NULL, "the begin of a vcpu", HOOK_REQUIRED },

	/* the rules, beside what they ask in the hooks above */
	{ { "sched_process_exec" },
	  "check_exec", NULL, "rules at exec", HOOK_CHECK | HOOK_RAW_TP },
	{ { "kvm_entry" },
	  "check_entry", NULL, "rules at guest entries",
	  HOOK_CHECK | HOOK_ENTRIES | HOOK_RAW_TP },
	{ { "kvm_exit" },
	  "check_exit", NULL, "rules at guest exits",
	  HOOK_CHECK | HOOK_ENTRIES | HOOK_UNHOOKED | HOOK_RAW_TP },
	{ { "fpsimd_bind_state_to_cpu" },
	  "check_bind", NULL, "rules at binds of guests' states",
	  HOOK_CHECK | HOOK_ENTRIES | HOOK_SETTLES },

	/* where a state in memory is read, edited or dies */
	{ { "arch_dup_task_struct" }, "need_fork", NULL, "fork", 0 },
	{ { "fpsimd_preserve_current_state" },
	  "need_preserve", NULL, "signal frame, ptrace, core dump", 0 },
	{ { "fpsimd_save_and_flush_current_state" }, /* 6.16 or so */
	  "need_preserve", NULL, "signal frame, ptrace, core dump", 0 },
	{ { "__arm64_sys_rt_sigreturn" },
	  "need_restore", NULL, "sigreturn begins", 0 },
	{ { "fpsimd_update_current_state" },
	  "need_sigreturn", NULL, "sigreturn", 0 },
	{ { "fpsimd_flush_task_state" },
	  "need_flush_task", NULL, "a task's registers are given up", 0 },
	{ { "arch_ptrace" }, "need_ptrace", NULL, "ptrace", 0 },
	{ { "vfs_coredump", "do_coredump" },
	  "need_coredump", NULL, "core dump", 0 },
	{ { "fpsimd_flush_thread" }, "need_exec", NULL, "exec", 0 },
	{ { "do_sve_acc" }, "need_sve_trap", NULL, "SVE trap", 0 },
	{ { "do_sme_acc" }, "need_sme_trap", NULL, "SME trap", 0 },
	{ { "vec_set_vector_length", /* 5.16 */
	    "sve_set_vector_length" },
	  "need_set_vl", NULL, "vector length change", 0 },
	{ { "kvm_arm_get_reg" }, "need_get_reg", NULL, "KVM_GET_ONE_REG", 0 },
	{ { "kvm_arm_set_reg" }, "need_set_reg", NULL, "KVM_SET_ONE_REG", 0 },
	{ { "kvm_reset_vcpu" }, "need_vcpu_reset", NULL, "vcpu reset", 0 },
	{ { "__efi_fpsimd_begin" }, "need_efi_begin", NULL, "EFI call", 0 },
	{ { "__efi_fpsimd_end" }, "need_efi_end", NULL, "EFI return", 0 },
	{ { "fpsimd_cpu_pm_notifier" },
	  "need_cpu_pm", NULL, "CPU power down", 0 },
	{ { "fpsimd_cpu_dead" }, "need_cpu_dead", NULL, "CPU offline", 0 },

	/* the same facts from elsewhere, for the tests */
	{ { "kvm_entry" },
	  "kvm_entry", NULL, "guest entries", HOOK_WITNESS | HOOK_RAW_TP },
	{ { "fpsimd_thread_switch" },
	  "k_thread_switch", "f_thread_switch", "the FP part of a switch",
	  HOOK_WITNESS },
	{ { "fpsimd_thread_switch" },
	  "thread_switched", NULL, "its end", HOOK_WITNESS | HOOK_RETURN },
	{ { "fpsimd_bind_state_to_cpu" },
	  "bind_witness", NULL, "binds of guests' states", HOOK_WITNESS },
	{ { "kernel_neon_begin" },
	  "neon_witness", NULL, "kernel-mode NEON", HOOK_WITNESS },
	{ { NULL }, NULL, NULL, NULL, 0 },
};
