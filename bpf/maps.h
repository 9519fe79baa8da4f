/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hooks remember and share with user space: calibrated constants,
 * switches and filters, the counters of vcpus and CPUs, and who runs what. And
 * how a hook finds its CPU and a vcpu's slot.
 */
#ifndef FPSTAT_MAPS_H
#define FPSTAT_MAPS_H

#include "shared.h"

#include "fpstat/ring.h"

const volatile __u64 foreign_mask; /* TIF_FOREIGN_FPSTATE, calibrated */
const volatile __u64 sve_mask; /* TIF_SVE, calibrated; 0: no SVE, or not found */
const volatile bool has_sme;
/* fpsimd_last_state and __per_cpu_offset[], where kallsyms has variables; or 0 */
const volatile __u64 last_state, cpu_offsets;
/* Loads are seen by their bind: mind those of do_sve_acc(), do_sme_acc(). */
const volatile bool loads_by_bind;
const volatile bool streaming; /* each step goes to user space, too */
const volatile bool all_exits; /* and so does each guest entry and exit */
const volatile bool exits_by_kvm; /* guest exits are taken from KVM's count */
const volatile bool takes_exits; /* .. and records tell what it is by then */
const volatile bool can_cast; /* there is bpf_rdonly_cast(), since 6.2 */
/* .. and bpf_preempt_disable(), since 6.10: before, tracepoints can't be preempted */
const volatile bool can_stay;
const volatile bool settles; /* exits are bound by kvm_exit, not by a bind */
const volatile bool infers; /* saves and loads have no hook: see infer.h */
/* What announces, up to where it has happened, and its end: see comes_first(). */
const volatile struct fp_code code_neon, code_copy, code_update, code_flush;
/* The way into an interrupt; what is called when softirqs may come again. */
const volatile struct fp_code code_irq, code_put, code_enable;
const volatile bool witness; /* keep what the witness programs compare with */

/* Set when everything is attached: half a set of hooks would count wrong. */
__u64 enabled;
/* Policy, as seen in behaviour. */
__u64 seen_eager, seen_martin;
/*
 * Filters: when 0, a look-up can't find anything. Each has a cache line of its
 * own, for the first one is written at each exit to user space.
 */
#define LINE __attribute__((aligned(128)))
__u64 owed_loads LINE;
__u64 saved_neon LINE, begun_neon, trapped_tasks;
struct fp_quiet quiet[FP_MAX_CPUS];
__u64 end_of_bss LINE;

struct vcpus_map vcpus SEC(".maps");
struct cpus_map cpus SEC(".maps");

/* By CPU and lane, see fpstat/ring.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set before load */
	__type(key, __u32);
	__type(value, struct fp_slot);
} rings SEC(".maps");

/* struct kvm_vcpu * -> slot */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FP_MAX_VCPUS);
	__type(key, __u64);
	__type(value, __u32);
} slot_of_vcpu SEC(".maps");

/* struct task_struct * of a vcpu thread -> slot it ran last */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FP_MAX_VCPUS);
	__type(key, __u64);
	__type(value, __u32);
} slot_of_task SEC(".maps");

/*
 * KVM_RUNs of a thread that never got to vcpu_load(): in 5.10 one with
 * immediate_exit. They are its vcpu's as soon as we know which that is.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FP_MAX_VCPUS);
	__type(key, __u64);
	__type(value, __u64);
} early_runs SEC(".maps");

/* tasks that were switched out inside a kernel-mode NEON section -> CPU */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} neon_of_task SEC(".maps");

/* tasks that were switched out at the very begin of kernel_neon_begin() */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} begin_of_task SEC(".maps");

/* tasks inside do_sve_acc() or do_sme_acc(): see on_bind_task() */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} trap_of_task SEC(".maps");

#define ADD(counter, n) ((void)__sync_fetch_and_add(&(counter), (n)))

/* The row is at hand, and what is elsewhere is asked once. */
static __always_inline bool is_enabled(struct fp_percpu *c)
{
	if (!c->enabled)
		c->enabled = !!enabled;
	return c->enabled;
}

static __always_inline struct fp_percpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	return c && is_enabled(c) ? c : NULL;
}

static __always_inline struct fp_vcpu *slot_at(__u32 slot)
{
	return bpf_map_lookup_elem(&vcpus, &slot);
}

static __always_inline struct fp_vcpu *slot_by(void *map, __u64 key)
{
	__u32 *slot = bpf_map_lookup_elem(map, &key);

	return slot ? slot_at(*slot) : NULL;
}

static __always_inline struct fp_quiet *quiet_at(__u32 cpu)
{
	return &quiet[cpu & (FP_MAX_CPUS - 1)];
}

/* For the stream, which has no time to find the row. */
static __always_inline void note_quiet(struct fp_percpu *c)
{
	c->passed_quiet = quiet_at(c->cpu)->live << 32;
}

static __always_inline __u64 quiet_exits(__u32 cpu)
{
	return quiet_at(cpu)->live + quiet_at(cpu)->away;
}

#endif /* FPSTAT_MAPS_H */
