/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be asked about this kernel from user space, without a probe. */
#ifndef FPSTAT_KERNEL_FACTS_H
#define FPSTAT_KERNEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>

struct bpf_program;

struct ksyms;

/*
 * Which of @names (NULL at the end) are functions or variables of this kernel,
 * by one pass over /proc/kallsyms. NULL: errno.
 */
struct ksyms *ksyms__find(const char *const *names);
void ksyms__free(struct ksyms *k);
/* @name must be one of those that were asked for. */
bool ksyms__have(const struct ksyms *k, const char *name);
/* The same; 0 if there is none, or addresses are hidden (kptr_restrict). */
uint64_t ksyms__address(const struct ksyms *k, const char *name);
/* Where the next one begins: not all kernels tell how long a function is. */
uint64_t ksyms__end(const struct ksyms *k, const char *name);

/*
 * Why live capture is impossible here, in one sentence with what to do, or 0.
 * Returns -ENOTSUP.
 */
int kernel__can_capture(char *why, size_t len);

/*
 * "vhe", "nvhe", "hvhe", "pkvm" or "unknown". @pstate is that of the running
 * kernel, whose exception level tells VHE from the rest; protected mode is
 * only in the kernel's log or on its command line.
 */
const char *kernel__mode(uint64_t pstate);

/* Default SVE vector length in bytes, 0 without SVE. */
uint32_t kernel__sve_vl(void);
bool kernel__has_sme(void);

/* NUMA node of a CPU, 0 if there are none. */
uint32_t kernel__cpu_node(unsigned int cpu);

/* What the kernel knows of a program; zeroes if it is not loaded. */
struct bpf_prog_info kernel__prog_info(const struct bpf_program *prog);

/* Which of @cpus CPUs are online; where that can't be told, all of them. */
void kernel__online(bool *online, unsigned int cpus);

/*
 * Whether EL1 sees the guest's use of FP. It does not where protected KVM keeps
 * a vcpu of its own at EL2 and the owner is per CPU (5294afdbf45a, 6.10).
 */
bool kernel__guest_visible(const char *mode);

/* Whether KVM records for each CPU who owns its registers (5294afdbf45a, 6.10). */
bool kernel__owner_is_per_cpu(void);

/*
 * Whether the owner is a state that EL1 writes, there or in the vcpu (f8077b0d5923,
 * 6.0). Before, it was a flag that the hypervisor dropped.
 */
bool kernel__owner_is_state(void);

/* What BTF knows of a vcpu. */
struct kernel_vcpu {
	bool counts_exits; /* where its count of exits is */
	/*
	 * It says itself that its guest owns the registers (6.0 to 6.9), and nothing
	 * else is bound by fpsimd_bind_state_to_cpu() (up to 6.7).
	 */
	bool alone_is_bound;
	/* And what reads it: are there bpf_rdonly_cast() and bpf_preempt_disable()? */
	bool can_cast;
	bool can_stay;
};
void kernel__vcpu(struct kernel_vcpu *kv);

#endif /* FPSTAT_KERNEL_FACTS_H */
