/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that want the kernel's own variables: the flag, the owner,
 * fpsimd_last_state, fpsimd_cpu. The hooks of counting ask them, where what they look
 * at is still as it must have been when it mattered. fpstat check loads a twin of these
 * programs, for even a constant that is false would cost the others an instruction.
 *
 * None of it believes the call that it checks. Where fpsimd_last_state can't be read,
 * the shadow that capture keeps stands in for it.
 *
 * What a stale owner does between a guest's entry and its exit leaves no trace, and
 * where KVM counts exits, nobody is called at one that bound nothing. Programs that
 * look at each entry and each exit are called for that alone, and cost accordingly.
 */
#ifndef FPSTAT_LIVE_RULES_H
#define FPSTAT_LIVE_RULES_H

#include "kernel.h"
#include "maps.h"
#include "step.h"

#include <bpf/bpf_tracing.h>

#include "fpstat/look.h"

#define MAX_CPUS 512

const volatile bool all_entries; /* the programs below are loaded, too */
/* kvm_host_data: the table of what to add, which nVHE has of its own, and the variable. */
const volatile __u64 host_data_offsets, host_data;
const volatile bool no_owner; /* EL1 can't read it */
const volatile bool has_ctxflush; /* EL1 drops an owner that is stale */
const volatile __u32 nr_cpus;

/* What the stream has shown: vcpu_load() saves and unbinds the host. */
__u64 eager;
/* All this costs more than it may: see src/budget.h. */
__u64 rest;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1); /* set before load, or not created */
} facts SEC(".maps");

struct kvm_host_data {
	enum { FP_OWNER_FREE } fp_owner;
} __attribute__((preserve_access_index));

/* A hook that asks rules, and without. */
#define CHECKED(section, name, handler, type)         \
	SEC(section)                                  \
	int name(type *ctx)                           \
	{                                             \
		return handler(ctx, false);           \
	}                                             \
	SEC(section)                                  \
	int name##_checked(type *ctx)                 \
	{                                             \
		return handler(ctx, true);            \
	}

/* ---- the kernel's variables ---- */

static __always_inline bool reads_last(void)
{
	return last_state && cpu_offsets;
}

/* Is it known what is bound here? */
static __always_inline bool knows_bound(const struct fp_percpu *c)
{
	return reads_last() ||
	       (c->model.bound != FP_BOUND_UNKNOWN && !is_behind(c));
}

static __always_inline void find_last(struct fp_percpu *c)
{
	if (reads_last() && !c->last_at)
		c->last_at = last_state + cpu_offset(cpu_offsets, c->cpu);
}

static __always_inline __u64 bound_here(struct fp_percpu *c)
{
	if (!reads_last())
		return c->model.bound == FP_BOUND_NONE ? 0 : c->model.buf;
	find_last(c);
	return can_cast ? (__u64)CAST(struct cpu_fp_state, c->last_at)->st :
		       read_u64(c->last_at);
}

/* enum fp_hint: whose the registers are, as KVM recorded it. */
static __always_inline __u8 owner(struct fp_percpu *c, __u64 vcpu)
{
	const struct kvm_host_data *data;
	__u64 base;
	__u32 is;

	if (no_owner)
		return FP_HINT_NONE;
	if (!host_data_offsets)
		return vcpu_hint(vcpu);
	if (!c->owner_at) {
		base = cpu_offset(host_data_offsets, c->cpu);
		if (!base)
			return FP_HINT_NONE;
		c->owner_at = base + host_data;
	}
	data = (const void *)c->owner_at;
	is = can_cast ? CAST(struct kvm_host_data, data)->fp_owner :
		     BPF_CORE_READ(data, fp_owner);
	return is == FP_STATE_GUEST_OWNED ? FP_HINT_GUEST : FP_HINT_HOST;
}

/*
 * ---- has a vcpu run since it was loaded here, or its registers were taken? ----
 *
 * Until then nothing follows from KVM's owner: it may be that of another run, or one
 * that is dropped at the entry. So it is after a switch and after KVM_RUN.
 */

static __always_inline bool has_run(const struct fp_percpu *c, __u64 vcpu)
{
	return c->loaded == vcpu && c->loaded_exits != exits_of(vcpu);
}

/* The same; and from now on it has not. @vcpu: or 0. */
static __always_inline bool ends_run(struct fp_percpu *c, __u64 vcpu)
{
	__u64 exits, before = c->loaded_exits;

	if (!vcpu || c->loaded != vcpu)
		return false;
	exits = exits_of(vcpu);
	c->loaded_exits = exits;
	return exits != before;
}

/* ---- what was found ---- */

/* The rule could be broken now: is it? */
static __always_inline void could(struct fp_percpu *c, enum fp_rule rule)
{
	c->asked[rule]++;
}

/* @vcpu: the one that current has loaded, or 0; @owner: enum fp_hint of it. */
static __always_inline struct fp_look look(const struct fp_percpu *c,
					   __u64 vcpu, __u8 owner)
{
	struct fp_look l = {
		.task = task_buf(current_task()),
		.vcpu = vcpu ? vcpu_buf(vcpu) : 0,
		.cpu = c->cpu,
		.home = current_home(),
		.nr_cpus = nr_cpus,
		.owner = owner,
		.has_ctxflush = has_ctxflush,
		.eager = eager,
	};

	return l;
}

/* A softirq writes fpsimd_last_state first, then the flag: it is read last. */
static __always_inline void look_bound(struct fp_look *l, struct fp_percpu *c)
{
	l->last = bound_here(c);
	barrier();
	l->foreign = foreign();
}

static __noinline int tell_breach(void *ctx, const struct fp_look *l,
				  __u8 breach)
{
	struct fp_fact *f;

	if (breach == FP_BREACHES)
		return 0;
	f = bpf_ringbuf_reserve(&facts, sizeof(*f), 0);
	if (!f)
		return 0; /* the first ones tell */
	__builtin_memset(f, 0, sizeof(*f));
	f->ns = bpf_ktime_get_ns();
	f->last = l->last;
	f->last_read = reads_last();
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
	return 0;
}

/* ---- in the hooks of counting ---- */

/* As fentry, a softirq may come in at any point, and ask whether it has run. */
static __always_inline void rule_load(struct fp_percpu *c, __u64 vcpu)
{
	find_last(c);
	c->loaded = 0;
	barrier();
	c->loaded_exits = exits_of(vcpu);
	barrier();
	c->loaded = vcpu;
}

/* Any request for a save, whether or not there is something to save. */
static __always_inline void rule_save(void *ctx, struct fp_percpu *c,
				      __u8 foreign)
{
	__u64 vcpu = current_loaded_vcpu();
	bool ran = ends_run(c, vcpu);
	struct fp_look l;

	if (rest || (foreign ? !ran : !knows_bound(c)))
		return;
	l = look(c, vcpu, vcpu ? owner(c, vcpu) : FP_HINT_NONE);
	l.last = bound_here(c);
	l.foreign = foreign;
	if (ran && l.owner == FP_HINT_GUEST) {
		could(c, FP_RULE_I20);
		tell_breach(ctx, &l, fp_look_exit(&l));
	}
	if (foreign)
		return;
	could(c, FP_RULE_I6);
	if (l.last == l.vcpu && l.owner != FP_HINT_NONE)
		could(c, FP_RULE_I8);
	tell_breach(ctx, &l, fp_look_save(&l));
}

static __noinline int look_at_bind(void *ctx, struct fp_percpu *c, __u64 buf)
{
	struct fp_look l = look(c, current_loaded_vcpu(), FP_HINT_GUEST);

	l.last = bound_here(c);
	tell_breach(ctx, &l,
		    fp_look_bind(&l, c->model.bound == FP_BOUND_VCPU &&
					     c->model.buf == buf));
	return 0;
}

/* @foreign: as it was at the entry. */
static __always_inline void rule_bind(void *ctx, struct fp_percpu *c, __u64 buf,
				      __u8 foreign)
{
	if (foreign || !knows_bound(c))
		return;
	could(c, FP_RULE_I8);
	if (eager)
		could(c, FP_RULE_I9);
	if (bound_here(c) != buf)
		look_at_bind(ctx, c, buf);
}

/*
 * At a bind, where an exit is quiet: the last one must have been of the same state, by
 * the kernel's own record. Only where there is fentry, and so bpf_rdonly_cast(). False:
 * it is not quiet, as far as we know.
 */
static __always_inline bool rule_quiet(unsigned long long *ctx, __u32 cpu)
{
	const struct cpu_fp_state *state = (const void *)ctx[0];
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 buf = (__u64)state->st;

	if (!c)
		return false;
	if (!c->last_at)
		return c->model.buf == buf;
	could(c, FP_RULE_I20);
	if ((__u64)CAST(struct cpu_fp_state, c->last_at)->st != buf)
		look_at_bind(ctx, c, buf);
	return true;
}

/* After an exit. Interrupts may be on: a softirq may have taken the registers. */
static __noinline int rule_exit(void *ctx, struct fp_percpu *c)
{
	__u64 vcpu = current_loaded_vcpu();
	struct fp_look l;

	if (rest || !vcpu || owner(c, vcpu) != FP_HINT_GUEST)
		return 0;
	l = look(c, vcpu, FP_HINT_GUEST);
	look_bound(&l, c);
	barrier();
	if (!has_run(c, vcpu) || (!l.foreign && !knows_bound(c)))
		return 0;
	could(c, FP_RULE_I20);
	tell_breach(ctx, &l, fp_look_exit(&l));
	return 0;
}

/* Before a section takes the registers, and whether it asks for a save or not. */
static __always_inline void rule_neon(void *ctx, struct fp_percpu *c)
{
	rule_exit(ctx, c);
	ends_run(c, current_loaded_vcpu());
}

/* Whatever is switched out has not been put yet. */
static __always_inline void rule_switch(void *ctx, struct fp_percpu *c)
{
	if (!c->loaded)
		return;
	rule_exit(ctx, c);
	c->loaded = 0;
}

static __always_inline void rule_run_end(struct fp_percpu *c)
{
	c->loaded = 0;
}

/* Where each exit has a hook: of one in 16, if it is not known to be live. */
static __always_inline void rule_exit_settled(void *ctx, struct fp_percpu *c)
{
	if (!(c->exits & 15) && !all_entries &&
	    quiet_at(c->cpu)->open != FP_QUIET_LIVE)
		rule_exit(ctx, c);
}

/* The memory of @vcpu is new, or about to be given up. */
static __always_inline void rule_end(void *ctx, __u64 vcpu)
{
	struct fp_percpu *c = this_cpu();
	struct fp_look l;
	__u32 cpu;

	if (!c || !reads_last())
		return;
	could(c, FP_RULE_I22);
	l = look(c, vcpu, FP_HINT_NONE);
	for (cpu = 0; cpu < MAX_CPUS && cpu < nr_cpus; cpu++) {
		l.last = read_u64(last_state + cpu_offset(cpu_offsets, cpu));
		if (l.last != l.vcpu)
			continue;
		l.cpu = cpu;
		tell_breach(ctx, &l, FP_BREACH_VCPU_BOUND);
		break;
	}
}

/* ---- in hooks of their own ---- */

/* The new program is loaded, and has not run. */
SEC("raw_tp/sched_process_exec")
int check_exec(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct fp_look l;

	if (!c)
		return 0;
	could(c, FP_RULE_I18);
	l = look(c, 0, FP_HINT_NONE);
	l.foreign = foreign();
	if (!l.foreign)
		tell_breach(ctx, &l, FP_BREACH_OLD_IMAGE);
	return 0;
}

SEC("raw_tp/kvm_entry")
int check_entry(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 vcpu = current_loaded_vcpu();
	struct fp_look l;

	if (!c || !vcpu || rest || no_owner || !knows_bound(c))
		return 0;
	could(c, FP_RULE_I8);
	if (eager)
		could(c, FP_RULE_I9);
	l = look(c, vcpu, owner(c, vcpu));
	look_bound(&l, c);
	tell_breach(ctx, &l, fp_look_entry(&l));
	return 0;
}

SEC("raw_tp/kvm_exit")
int check_exit(void *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		rule_exit(ctx, c);
	return 0;
}

/* Where counting has no hook at the bind, and nobody but KVM binds a state there. */
SEC("kprobe")
int check_bind(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 vcpu = current_loaded_vcpu();
	struct fp_look l;

	if (!c || !vcpu || rest)
		return 0;
	could(c, FP_RULE_I20);
	l = look(c, vcpu, FP_HINT_GUEST);
	l.last = bound_buf(PT_REGS_PARM1(ctx));
	tell_breach(ctx, &l, fp_look_exit(&l));
	return 0;
}

#endif /* FPSTAT_LIVE_RULES_H */
