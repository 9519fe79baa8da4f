// SPDX-License-Identifier: GPL-2.0-only
#include "rules.h"

#include <strings.h>

#define NOT_ASKED                                                              \
	.how = RULE_NEVER, .needs = "what nobody at EL1 can see, or what no "  \
				    "probe may touch"

/* clang-format off */
const struct rule rules[FP_RULES] = {
	[FP_RULE_I1] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "where the kernel decides by the flag, and it is "
			  "known who owns the registers",
		.needs = "the stream",
		.breaks = "a task or guest runs on another one's registers",
		.mirrors = "fpsimd_restore_current_state(), fpsimd_flush_cpu_state()",
		.bug = "d8ad71fa38a9, 2018; e92bee9f861b, 6.10: dm-crypt corrupted "
		       "data (reverted by b8995a184170)",
	},
	[FP_RULE_I2] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "at the first decision after a switch; not of a task that "
			  "was switched in inside kernel-mode NEON",
		.needs = "the stream",
		.breaks = "a task runs on registers that are older than its state",
		.mirrors = "fpsimd_thread_switch()",
		.bug = "CVE-2024-50275 (751ecf6afd65): an SVE trap after a migration, "
		       "then back to the old CPU; d3eaab3c7090: the same with SME",
	},
	[FP_RULE_I3] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "at the first decision after CPU_PM_ENTER, or on a CPU that "
			  "was offline",
		.needs = "the stream; a machine that powers CPUs down",
		.breaks = "a task runs on what is in the registers after power-up",
		.mirrors = "fpsimd_cpu_pm_notifier(), fpsimd_cpu_dead()",
		.bug = "7c68a9cc0402, 2014; 32365e64a20e, 2015",
	},
	[FP_RULE_I4] = {
		NOT_ASKED,
		.kernels = "all",
		.guards = "a dead task stays bound by design; one that takes over its "
			  "registers breaks I2, a vcpu I22",
		.breaks = "a new task or vcpu inherits the registers of a dead one",
		.mirrors = "fpsimd_flush_task_state() in copy_thread()",
		.bug = "071b6d4a5d34, 2017; cb968afc7898, 2018",
	},
	[FP_RULE_I5] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "a state that was written in memory, or whose owner is gone, "
			  "may be dropped: exec, sigreturn, exit",
		.needs = "the stream",
		.breaks = "a task or guest goes back to an older state",
		.mirrors = "fpsimd_save(), fpsimd_save_user_state()",
		.bug = "CVE-2025-22013 (fbc7e61195e2): KVM dropped the host's SVE "
		       "state; CVE-2025-38169 (01098d893fa8)",
	},
	[FP_RULE_I6] = {
		.how = RULE_STREAM | RULE_KERNEL,
		.kernels = "all",
		.guards = "at a save with the flag clear; fpsimd_flush_task_state() may "
			  "have said \"no CPU\" already",
		.needs = "fpsimd_last_state in /proc/kallsyms; without it only "
			 "thread.fpsimd_cpu is looked at",
		.breaks = "a state is written over another one, or the kernel dies",
		.mirrors = "fpsimd_bind_task_to_cpu(), fpsimd_bind_state_to_cpu()",
		.bug = "d8ad71fa38a9, 2018",
	},
	[FP_RULE_I7] = {
		NOT_ASKED,
		.kernels = "all",
		.guards = "the live vector length can't be read by a probe; what the "
			  "kernel says about it is I23",
		.breaks = "the VMM is killed, or a guest's SVE registers are cut short",
		.mirrors = "fpsimd_save(): the WARN before force_signal_inject()",
		.bug = "59419f10045b: a softirq's NEON killed VMMs; 2e3cf82063a0; "
		       "5.10: a guest that loses its registers to NEON gets the "
		       "ZCR_EL1 of its last vcpu_put(), at first that of a reset",
	},
	[FP_RULE_I8] = {
		.how = RULE_KERNEL,
		.kernels = "all; that the owner is current, from 6.0 on (up to 5.19 "
			   "the hypervisor drops one that is stale)",
		.guards = "at the exit, before the guest's state is bound, and at a "
			  "save of it; that the owner is current, at the tracepoint "
			  "kvm_entry, with --entries",
		.needs = "the owner that KVM recorded: in the vcpu up to 6.9, then in "
			 "kvm_host_data, which must be in /proc/kallsyms",
		.breaks = "a guest reads another one's registers, or loses its own",
		.mirrors = "kvm_arch_vcpu_ctxflush_fp(), update_fp_enabled()",
		.bug = "what af9a0e21d817 and e9ada6c208c1 are there for",
	},
	[FP_RULE_I9] = {
		.how = RULE_STREAM | RULE_KERNEL,
		.kernels = "policy eager-host",
		.guards = "from the first vcpu_load() on that was seen to save the host; "
			  "not between the levels of a nested guest",
		.needs = "the stream; fpsimd_last_state if it can be read",
		.breaks = "the host's state is lost, or a guest reads it",
		.mirrors = "kvm_arch_vcpu_load_fp()",
		.bug = "CVE-2025-22013 is what it was made for",
	},
	[FP_RULE_I10] = {
		NOT_ASKED,
		.kernels = "all",
		.guards = "a probe in a section that interrupts a save is just the one "
			  "that the kernel drops; its BUG_ON() is I23",
		.breaks = "the kernel dies",
		.mirrors = "may_use_simd(), kernel_neon_begin()",
		.bug = "23249dade24e: 5.15, 6.1 and 6.6 died of IPsec, 2025",
	},
	[FP_RULE_I11] = {
		NOT_ASKED,
		.kernels = "all",
		.guards = "it would need a probe in each softirq",
		.breaks = "the kernel locks up",
		.mirrors = "fpsimd_save_and_flush_cpu_state()",
		.bug = "b045e4d0f392, 2018; the fix of I10's bug had to be fixed",
	},
	[FP_RULE_I12] = {
		NOT_ASKED,
		.kernels = "5.13 and newer",
		.guards = "what masks softirqs differs between kernels, and fentry "
			  "doesn't see it",
		.breaks = "a softirq overwrites what is being saved",
		.mirrors = "get_cpu_fpsimd_context()",
		.bug = "13150149aa6d",
	},
	[FP_RULE_I13] = {
		NOT_ASKED,
		.kernels = "6.8 and newer",
		.guards = "TIF_KERNEL_FPSTATE is not calibrated; what the kernel says "
			  "about it is I23",
		.breaks = "a section's state is lost",
		.mirrors = "kernel_neon_end()",
		.bug = "none known",
	},
	[FP_RULE_I14] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "at the exit of a guest that was bound",
		.needs = "the stream",
		.breaks = "two CPUs write one state",
		.mirrors = "kvm_arch_vcpu_put_fp()",
		.bug = "none known; it follows from I16",
	},
	[FP_RULE_I15] = {
		NOT_ASKED,
		.kernels = "all",
		.guards = "there is nothing to probe where user mode goes on; what it "
			  "leads to is I1 or I5",
		.breaks = "a task runs on another one's registers",
		.mirrors = "do_notify_resume(), arch_exit_to_user_mode_work()",
		.bug = "52f73c383b24, e92bee9f861b",
	},
	[FP_RULE_I16] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "at the end of KVM_RUN and at vcpu_load(); not between the "
			  "levels of a nested guest",
		.needs = "the stream",
		.breaks = "the VMM runs on the guest's registers",
		.mirrors = "kvm_arch_vcpu_put_fp()",
		.bug = "none known; the comment there says why it must be so",
	},
	[FP_RULE_I17] = {
		NOT_ASKED,
		.kernels = "4.18 to 5.17",
		.guards = "it is a matter of TIF_SVE, which is not followed into KVM_RUN",
		.breaks = "the host's SVE state is lost",
		.mirrors = "kvm_arch_vcpu_put_fp()",
		.bug = "85acda3b4a27; CVE-2025-22013 names what was left",
	},
	[FP_RULE_I18] = {
		.how = RULE_STREAM | RULE_KERNEL,
		.kernels = "all",
		.guards = "at the tracepoint sched_process_exec, and at the first "
			  "decision after fpsimd_flush_thread()",
		.needs = "nothing more",
		.breaks = "a program reads what another one left",
		.mirrors = "fpsimd_flush_thread()",
		.bug = "674c242c9323, 2015; a90878f297d3: FPMR",
	},
	[FP_RULE_I19] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "at the first decision after a signal handler returned, an "
			  "SVE or SME trap, or a new vector length",
		.needs = "the stream",
		.breaks = "what was written is lost",
		.mirrors = "fpsimd_flush_task_state(), fpsimd_update_current_state()",
		.bug = "929fa99b1215, 49ce484187f7, 398edaa12f9c",
	},
	[FP_RULE_I20] = {
		.how = RULE_KERNEL,
		.kernels = "all",
		.guards = "at a save, kernel-mode NEON, a switch or the next exit, if "
			  "KVM says that the guest owns the registers, and nobody has "
			  "taken them since it ran; with --entries at each exit",
		.needs = "the owner, as I8; that it was bound to the right buffer, "
			 "fpsimd_last_state or, without fentry, --entries",
		.breaks = "the guest's state is lost, or goes to another buffer",
		.mirrors = "kvm_arch_vcpu_ctxsync_fp()",
		.bug = "none known",
	},
	[FP_RULE_I21] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "after kernel_neon_begin(); not of one that is nested in a "
			  "task's section",
		.needs = "the stream",
		.breaks = "a task or guest goes on with what the section left",
		.mirrors = "kernel_neon_begin()",
		.bug = "none known",
	},
	[FP_RULE_I22] = {
		.how = RULE_STREAM | RULE_KERNEL,
		.kernels = "all",
		.guards = "at kvm_arch_vcpu_destroy(), and where its memory is used "
			  "again, at kvm_arch_vcpu_create()",
		.needs = "fpsimd_last_state; without it, what was seen to be bound",
		.breaks = "a save writes to memory that was freed",
		.mirrors = "kvm_arch_vcpu_put_fp()",
		.bug = "none known; the comment there says why it must be so",
	},
	[FP_RULE_I23] = {
		.how = RULE_LOG,
		.kernels = "all",
		.guards = "a WARN or BUG in fpsimd.c, of arch/arm64/kernel/ or kvm/",
		.needs = "/dev/kmsg",
		.breaks = "whatever the kernel says",
		.mirrors = "each WARN_ON() there",
		.bug = "23249dade24e, 59419f10045b",
	},
	[FP_RULE_I24] = {
		.how = RULE_STREAM,
		.kernels = "all",
		.guards = "after fork, and when a signal frame or a debugger wants the "
			  "state; if the registers were in use",
		.needs = "the stream",
		.breaks = "a child, a signal handler or a debugger sees an older state",
		.mirrors = "fpsimd_preserve_current_state()",
		.bug = "none known",
	},
};
/* clang-format on */

static const char *const ids[FP_RULES] = {
#define X(id, says) [FP_RULE_##id] = #id,
	FP_RULE_MAP(X)
#undef X
};

static const struct {
	enum fp_rule rule;
	const char *says;
} breaches[FP_BREACHES] = {
#define X(id, rule, says) [FP_BREACH_##id] = { FP_RULE_##rule, says },
	FP_BREACH_MAP(X)
#undef X
};

const char *rule__id(enum fp_rule rule)
{
	return ids[rule];
}

const char *rule__says(enum fp_rule rule)
{
	static const char *const says[FP_RULES] = {
#define X(id, says) [FP_RULE_##id] = says,
		FP_RULE_MAP(X)
#undef X
	};

	return says[rule];
}

enum fp_rule rule__by_id(const char *id)
{
	int i;

	for (i = 0; i < FP_RULES && strcasecmp(ids[i], id); i++)
		;
	return i;
}

enum fp_rule breach__rule(enum fp_breach breach)
{
	return breaches[breach].rule;
}

const char *breach__says(enum fp_breach breach)
{
	return breaches[breach].says;
}
