// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that want the kernel's own variables, looked at where they must hold.
 * An object of its own, which only fpstat check loads: counting pays nothing.
 *
 * Each program compares what the kernel has written down (the flag, the owner,
 * fpsimd_last_state, fpsimd_cpu) with what other hooks have seen. None of it
 * believes the call that it checks.
 *
 * Where a variable can't be read, its address is 0, and the shadow that capture
 * keeps stands in for fpsimd_last_state.st.
 */
#include "shared.h"

#include <bpf/bpf_tracing.h>

#include "fpstat/look.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_CPUS 512

const volatile __u64 foreign_mask;
const volatile __u64 per_cpu_offset; /* address of __per_cpu_offset[] */
const volatile __u64 last_state; /* .. of fpsimd_last_state, for CPU 0 */
/* The same of kvm_host_data: in nVHE it has a table of its own, and may be at 0. */
const volatile __u64 host_data_offset;
const volatile __u64 host_data;
const volatile __u32 nr_cpus;
const volatile bool has_ctxflush; /* EL1 drops an owner that is stale */

/* What the stream has shown: vcpu_load() saves and unbinds the host. */
__u64 eager;
/* All this costs more than it may: see src/budget.h. */
__u64 rest;

/* Those of the capture object. */
struct cpus_map cpus SEC(".maps");
struct vcpus_map vcpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before load */
	__type(key, __u32);
	__type(value, struct fp_checked);
} checked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1); /* set before load */
} facts SEC(".maps");

struct here { /* on this CPU */
	__u64 vcpu; /* whose guest was entered */
	__u64 binds; /* .. and how often its state had been bound */
	__u64 last; /* address of fpsimd_last_state, or 0: not looked for yet */
	__u64 owner; /* .. of kvm_host_data.fp_owner */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct here);
} heres SEC(".maps");

struct kvm_host_data {
	enum { FP_OWNER_FREE } fp_owner;
} __attribute__((preserve_access_index));

static __always_inline __u64 last_of(__u32 cpu)
{
	return read_u64(last_state + cpu_offset(per_cpu_offset, cpu));
}

static __always_inline struct here *here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&heres, &zero);
}

/* What is bound here. */
static __always_inline __u64 bound_here(const struct fp_percpu *c,
					struct here *h)
{
	if (!last_state)
		return c->model.bound == FP_BOUND_NONE ? 0 : c->model.buf;
	if (!h->last)
		h->last = last_state + cpu_offset(per_cpu_offset,
						  bpf_get_smp_processor_id());
	return read_u64(h->last);
}

static __always_inline bool known(const struct fp_percpu *c)
{
	return last_state ||
	       (c->model.bound != FP_BOUND_UNKNOWN && !c->settling);
}

/* enum fp_hint: whose the registers are, as KVM recorded it. */
static __always_inline __u8 owner(struct here *h, __u64 vcpu)
{
	__u64 base;
	__u32 is = 0;

	if (!host_data_offset)
		return vcpu_hint(vcpu);
	if (!h->owner) {
		base = cpu_offset(host_data_offset, bpf_get_smp_processor_id());
		if (!base)
			return FP_HINT_NONE;
		h->owner =
			base + host_data +
			bpf_core_field_offset(struct kvm_host_data, fp_owner);
	}
	bpf_probe_read_kernel(&is, sizeof(is), (const void *)h->owner);
	return is == FP_STATE_GUEST_OWNED ? FP_HINT_GUEST : FP_HINT_HOST;
}

static __always_inline struct fp_percpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* The rule could be broken now: is it? */
static __always_inline void could(enum fp_rule rule)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fp_checked *k = bpf_map_lookup_elem(&checked, &cpu);

	if (k)
		k->n[rule]++;
}

/* @vcpu: the one that current has loaded, or 0; @owner: enum fp_hint of it. */
static __always_inline struct fp_look look(__u64 vcpu, __u8 owner)
{
	struct fp_look l = {
		.task = task_buf(current_task()),
		.vcpu = vcpu ? vcpu_buf(vcpu) : 0,
		.cpu = bpf_get_smp_processor_id(),
		.home = current_home(),
		.nr_cpus = nr_cpus,
		.owner = owner,
		.has_ctxflush = has_ctxflush,
		.eager = eager,
	};

	return l;
}

/* A softirq writes fpsimd_last_state first, then the flag: it is read last. */
static __always_inline void look_bound(struct fp_look *l, struct here *h,
				       const struct fp_percpu *c)
{
	l->last = bound_here(c, h);
	barrier();
	l->foreign = !!(current_flags() & foreign_mask);
}

static __always_inline void tell(void *ctx, const struct fp_look *l,
				 __u8 breach)
{
	struct fp_fact *f;

	if (breach == FP_BREACHES)
		return;
	f = bpf_ringbuf_reserve(&facts, sizeof(*f), 0);
	if (!f)
		return; /* the first ones tell */
	__builtin_memset(f, 0, sizeof(*f));
	f->ns = bpf_ktime_get_ns();
	f->last = l->last;
	f->last_read = last_state != 0;
	f->task = l->task;
	f->vcpu = l->vcpu;
	f->cpu = l->cpu;
	f->pid = (__u32)bpf_get_current_pid_tgid();
	f->home = l->home;
	f->breach = breach;
	f->foreign = l->foreign;
	f->owner = l->owner;
	bpf_get_current_comm(f->comm, sizeof(f->comm));
	bpf_get_stack(ctx, f->stack, sizeof(f->stack), 0);
	bpf_ringbuf_submit(f, BPF_RB_NO_WAKEUP);
}

/* How often the state of the vcpu that runs here was bound, ever. */
static __always_inline __u64 binds(const struct fp_percpu *c, __u64 vcpu)
{
	__u32 slot = c->slot;
	struct fp_vcpu *v = bpf_map_lookup_elem(&vcpus, &slot);

	if (!v || v->vcpu != vcpu)
		return 0;
	return v->guest.load + v->runs_live + c->undecided + 1;
}

SEC("raw_tp/kvm_entry")
int check_entry(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 vcpu = current_loaded_vcpu();
	struct here *h = here();
	struct fp_look l;

	if (!c || !h || !vcpu)
		return 0;
	h->vcpu = rest ? 0 : vcpu;
	if (rest)
		return 0;
	h->binds = binds(c, vcpu);
	if (!known(c))
		return 0;
	could(FP_RULE_I8);
	if (eager)
		could(FP_RULE_I9);
	l = look(vcpu, owner(h, vcpu));
	l.foreign = !!(current_flags() & foreign_mask);
	if (!l.foreign || l.owner == FP_HINT_GUEST) /* else it is not asked */
		l.last = bound_here(c, h);
	tell(ctx, &l, fp_look_entry(&l));
	return 0;
}

/* Interrupts are on: a softirq may have taken the registers. */
SEC("raw_tp/kvm_exit")
int check_exit(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 vcpu = current_loaded_vcpu();
	struct here *h = here();
	struct fp_look l;

	if (!c || !h || !vcpu || h->vcpu != vcpu || !h->binds ||
	    owner(h, vcpu) != FP_HINT_GUEST)
		return 0;
	could(FP_RULE_I20);
	l = look(vcpu, FP_HINT_GUEST);
	look_bound(&l, h, c);
	tell(ctx, &l, fp_look_exit(&l, binds(c, vcpu) != h->binds));
	return 0;
}

static __always_inline int on_save(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct here *h = here();
	struct fp_look l;
	__u64 vcpu;

	if (rest || !c || !h || !known(c) || current_flags() & foreign_mask)
		return 0;
	could(FP_RULE_I6);
	vcpu = current_loaded_vcpu();
	l = look(vcpu, vcpu ? owner(h, vcpu) : FP_HINT_NONE);
	look_bound(&l, h, c);
	tell(ctx, &l, fp_look_save(&l));
	return 0;
}

SEC("kprobe")
int k_check_save(struct pt_regs *ctx)
{
	return on_save(ctx);
}

SEC("fentry")
int f_check_save(unsigned long long *ctx)
{
	return on_save(ctx);
}

/* The new program is loaded, and has not run. */
SEC("raw_tp/sched_process_exec")
int check_exec(void *ctx)
{
	struct fp_look l = look(0, FP_HINT_NONE);

	could(FP_RULE_I18);
	l.foreign = !!(current_flags() & foreign_mask);
	if (!l.foreign)
		tell(ctx, &l, FP_BREACH_OLD_IMAGE);
	return 0;
}

SEC("kprobe/kvm_arch_vcpu_destroy")
int check_destroy(struct pt_regs *ctx)
{
	struct fp_look l = look(0, FP_HINT_NONE);
	__u32 cpu;

	if (!last_state)
		return 0;
	could(FP_RULE_I22);
	l.vcpu = vcpu_buf(PT_REGS_PARM1(ctx));
	for (cpu = 0; cpu < MAX_CPUS && cpu < nr_cpus; cpu++) {
		l.last = last_of(cpu);
		if (l.last != l.vcpu)
			continue;
		l.cpu = cpu;
		tell(ctx, &l, FP_BREACH_VCPU_BOUND);
		break;
	}
	return 0;
}
