// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cross-check: at each save that moves data, is the buffer that the kernel
 * writes to (fpsimd_last_state.st) the one that our shadow says is bound?
 *
 * An object of its own, since libbpf resolves the variable for the whole
 * object: it can't be found where kallsyms has no data symbols (Debian 5.10 and
 * 6.1), and is static without a BTF entry before that.
 */
#include "shared.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 foreign_mask;

extern const struct cpu_fp_state fpsimd_last_state __ksym;

/* That of the capture object. */
struct cpus_map cpus SEC(".maps");

SEC("fentry")
int xcheck_save(unsigned long long *ctx)
{
	struct cpu_fp_state *last = bpf_this_cpu_ptr(&fpsimd_last_state);
	__u32 cpu = bpf_get_smp_processor_id();
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	if (!c || current_flags() & foreign_mask)
		return 0;
	if (c->model.bound == FP_BOUND_UNKNOWN)
		return 0;
	c->w_last_checked++;
	if ((__u64)last->st != c->model.buf)
		c->w_last_differs++;
	return 0;
}
