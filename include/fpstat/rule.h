/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that a kernel's handling of FP state obeys, by the names that the
 * capture, the checker and the reader know them by. src/rules.c says more of each.
 */
#ifndef FPSTAT_RULE_H
#define FPSTAT_RULE_H

/* X(NAME, "what must be so") */
#define FP_RULE_MAP(X)                                                         \
	X(I1, "TIF_FOREIGN_FPSTATE of current is clear only while the "        \
	      "registers are its own, or those of the vcpu that it runs")      \
	X(I2, "a task that is switched in finds TIF_FOREIGN_FPSTATE clear "    \
	      "only if it ran nowhere else since its state was bound here, "   \
	      "and nobody wrote that state in memory")                         \
	X(I3,                                                                  \
	  "what was bound on a CPU that lost its power is not bound there "    \
	  "any more")                                                          \
	X(I4,                                                                  \
	  "no CPU has a state bound whose memory another task or vcpu has")    \
	X(I5,                                                                  \
	  "registers that are newer than memory are saved before they get "    \
	  "other contents, or are given up")                                   \
	X(I6, "a save goes to the buffer of who owns the registers")           \
	X(I7, "a save has the vector length of the state that is bound")       \
	X(I8, "a guest is entered with its own registers, or with a trap on "  \
	      "their first use")                                               \
	X(I9, "on kernels that save the host in vcpu_load(), it is not bound " \
	      "after that")                                                    \
	X(I10,                                                                 \
	  "no section of kernel-mode NEON begins inside a save, or inside "    \
	  "another section that it does not save")                             \
	X(I11, "no softirq runs inside the vcpu_put() of a switch")            \
	X(I12, "no softirq can come into a save")                              \
	X(I13,                                                                 \
	  "the end of a section of kernel-mode NEON is that of its begin")     \
	X(I14, "the state of a vcpu is bound on one CPU at most")              \
	X(I15, "user mode does not go on while TIF_FOREIGN_FPSTATE is set")    \
	X(I16, "after vcpu_put() the state of the vcpu is not bound")          \
	X(I17, "vcpu_put() gives the host back its TIF_SVE")                   \
	X(I18, "after exec, nothing of the old program is in the registers")   \
	X(I19,                                                                 \
	  "a state that was written in memory is not overwritten by what "     \
	  "the registers had before")                                          \
	X(I20, "a guest that has used FP has its state bound when it exits")   \
	X(I21, "a section of kernel-mode NEON saves what it will overwrite, "  \
	       "and leaves nothing bound")                                     \
	X(I22, "no CPU has the state of a vcpu bound that is destroyed")       \
	X(I23, "the kernel itself has nothing to complain about")              \
	X(I24, "a state is read in memory only when it is as new there as in " \
	       "the registers")

enum fp_rule {
#define X(id, says) FP_RULE_##id,
	FP_RULE_MAP(X)
#undef X
		FP_RULES
};

/* X(NAME, RULE, "what was found instead"): the ways to break them. */
#define FP_BREACH_MAP(X)                                                       \
	X(FLAG_CLEARED, I1,                                                    \
	  "the flag is clear, and nobody has loaded or bound "                 \
	  "a state")                                                           \
	X(ADOPTED, I2, "the task took over registers that are not its own")    \
	X(SURVIVED, I3,                                                        \
	  "the registers of a CPU that was off count as somebody's")           \
	X(STATE_LOST, I5, "registers that were newer than memory are gone")    \
	X(GIVEN_UP, I5,                                                        \
	  "the flag is set, and the registers, which are newer "               \
	  "than memory, were not saved")                                       \
	X(SWITCH_NO_SAVE, I5, "the switch did not ask for a save")             \
	X(GUEST_LOST, I5,                                                      \
	  "the guest loaded its state once more, and the one "                 \
	  "in the registers was not saved")                                    \
	X(WRONG_BUFFER, I6, "the save writes to the buffer of somebody else")  \
	X(NO_BUFFER, I6, "the save has no buffer to write to")                 \
	X(WRONG_HOME, I6, "the state is not bound to this CPU")                \
	X(OTHERS_REGS, I8, "the guest runs on the registers of somebody else") \
	X(OWNER_STALE, I8,                                                     \
	  "KVM says that the guest owns the registers, and "                   \
	  "they were taken away")                                              \
	X(OWNER_FORGOT, I8,                                                    \
	  "the guest's state is live, and KVM says that it "                   \
	  "is not: it will be overwritten by an older one")                    \
	X(HOST_BOUND, I9, "the host's registers are bound inside KVM_RUN")     \
	X(TWO_CPUS, I14, "the vcpu's state is bound on another CPU, too")      \
	X(STILL_BOUND, I16,                                                    \
	  "the guest's registers are bound outside of KVM_RUN")                \
	X(OLD_IMAGE, I18, "the new program has the registers of the old one")  \
	X(EDIT_LOST, I19,                                                      \
	  "the registers are in use, and memory had a newer state")            \
	X(NOT_BOUND, I20,                                                      \
	  "the guest's state is in the registers, and bound "                  \
	  "is another")                                                        \
	X(NOT_SYNCED, I20,                                                     \
	  "the guest has used FP, and nobody has bound its state")             \
	X(NEON_NO_SAVE, I21, "the section did not ask for a save")             \
	X(NEON_BOUND, I21,                                                     \
	  "the flag is clear after a section of kernel-mode NEON")             \
	X(VCPU_BOUND, I22, "the state of a destroyed vcpu is bound")           \
	X(KERNEL_SAYS, I23, "the kernel said so")                              \
	X(OLD_COPY, I24, "the copy in memory is older than the registers")

enum fp_breach {
#define X(id, rule, says) FP_BREACH_##id,
	FP_BREACH_MAP(X)
#undef X
		FP_BREACHES
};

#define FP_STACK 8

/* The variables of the kernel at a breach that was seen where it happened. */
struct fp_fact {
	__u64 ns; /* CLOCK_MONOTONIC */
	__u64 last; /* fpsimd_last_state.st, or of our shadow */
	__u64 task; /* buffer of current */
	__u64 vcpu; /* buffer of the vcpu that current has loaded, or 0 */
	__u64 stack[FP_STACK]; /* return addresses; 0 ends it */
	__u32 cpu;
	__u32 pid; /* thread */
	__u32 home; /* thread.fpsimd_cpu of current */
	__u8 breach; /* enum fp_breach */
	__u8 foreign;
	__u8 owner; /* enum fp_hint */
	__u8 last_read; /* it is fpsimd_last_state.st */
	char comm[16];
};

#endif /* FPSTAT_RULE_H */
