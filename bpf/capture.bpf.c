// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture: translates what the kernel does into events, steps the automaton
 * of that CPU, and adds what it answers to the counters.
 *
 * Hot hooks sit where neither a softirq nor a preemption can come in between
 * (the save function, the bind at a guest exit, the load of a user state), so
 * that no event is ever seen half done. Each of them exists as kprobe and as
 * fentry; user space loads the one that this kernel can attach.
 *
 * Nothing here, and nothing in the allow-list of src/hooks.c, touches
 * hypervisor code: an exception there panics the host.
 */
#include "kernel.h"

#include <bpf/bpf_tracing.h>

#include "fpstat/counters.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 foreign_mask; /* TIF_FOREIGN_FPSTATE, calibrated */
/* Loads are seen by their bind: mind those of do_sve_acc(), do_sme_acc(). */
const volatile bool loads_by_bind;
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
__u64 end_of_bss LINE;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FP_MAX_VCPUS);
	__type(key, __u32);
	__type(value, struct fp_vcpu);
} vcpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before load */
	__type(key, __u32);
	__type(value, struct fp_percpu);
} cpus SEC(".maps");

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

static __always_inline struct fp_percpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return enabled ? bpf_map_lookup_elem(&cpus, &cpu) : NULL;
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

/*
 * The vcpu that operations on the user state of @t are charged to: @t is
 * inside KVM_RUN for it. Between vcpu_load() and vcpu_put() the preempt
 * notifier says so; from there to kvm_userspace_exit only we know.
 */
static __always_inline struct fp_vcpu *run_of(struct fp_percpu *c,
					      const struct task_struct *t,
					      __u64 loaded)
{
	struct fp_vcpu *v = slot_at(c->slot);

	if (!loaded)
		return v && v->task == (__u64)t ? v : NULL;
	if (v && v->vcpu == loaded)
		return v;
	return slot_by(&slot_of_vcpu, loaded);
}

static __always_inline void account_guest(struct fp_percpu *c,
					  struct fp_vcpu *v, __u32 step)
{
	__u32 ops = FP_OPS(step), cause = FP_CAUSE(step);

	if (ops & FP_OP_GUEST_SAVE) {
		ADD(*(v ? &v->guest.save : &c->guest.save), 1);
		if (v)
			ADD(v->cause[cause & (FP_CAUSE_SLOTS - 1)], 1);
	}
	if (ops & FP_OP_GUEST_LOAD)
		ADD(*(v ? &v->guest.load : &c->guest.load), 1);
	if (ops & FP_OP_LIVE && v)
		ADD(v->runs_live, 1);
}

/* @v: the vcpu that this is charged to, or NULL. */
static __always_inline void account(struct fp_percpu *c, struct fp_vcpu *v,
				    __u32 step)
{
	__u32 ops = FP_OPS(step);

	if (!ops)
		return;
	account_guest(c, v, step);
	if (ops & FP_OP_USER_SAVE) {
		ADD(*(v ? &v->host.save : &c->task.save), 1);
		if (witness && FP_CAUSE(step) != FP_CAUSE_GUEST_TRAP)
			c->user_saves++;
	}
	if (ops & FP_OP_USER_LOAD)
		ADD(*(v ? &v->host.load : &c->task.load), 1);
	if (ops & FP_OP_KERNEL_SAVE)
		ADD(c->kernel.save, 1);
	if (ops & FP_OP_KERNEL_LOAD)
		ADD(c->kernel.load, 1);
	if (ops & FP_OP_MISSED)
		ADD(c->missed, 1);
	if (ops & FP_OP_UNDECIDED)
		ADD(c->undecided, 1);
	if (ops & FP_OP_EAGER && !seen_eager)
		seen_eager = 1;
	if (ops & FP_OP_MARTIN && !seen_martin)
		seen_martin = 1;
}

/* ---- verdicts ---- */

/* The second half of struct fp_event, as a number. */
union fp_event_half {
	__u64 all;
	struct {
		__u32 gen;
		__u8 kind;
		__u8 foreign;
		__u8 in_run;
		__u8 arg;
	};
};

static __noinline int decide(struct fp_percpu *c, __u32 who, __u32 slot,
			     __u32 verdict)
{
	struct fp_vcpu *v;

	verdict &= FP_VERDICTS - 1;
	if (who == FP_WHO_TASK) {
		ADD(c->task.verdict[verdict], 1);
	} else if (who == FP_WHO_KERNEL) {
		ADD(c->kernel.verdict[verdict], 1);
	} else if (who) {
		v = slot_at(slot);
		if (v && who == FP_WHO_GUEST)
			ADD(v->guest.verdict[verdict], 1);
		else if (v)
			ADD(v->host.verdict[verdict], 1);
	}
	return 0;
}

/* @guest, @kernel: the operations of @ops on their states, saves or loads. */
static __always_inline __u32 whose(__u32 own, __u32 ops, __u32 guest,
				   __u32 kernel)
{
	if (ops & guest)
		return own == FP_NO_SLOT ? FP_WHO_NOBODY : FP_WHO_GUEST;
	if (ops & kernel)
		return FP_WHO_KERNEL;
	return own == FP_NO_SLOT ? FP_WHO_TASK : FP_WHO_HOST;
}

static __always_inline __u32 saved_who(__u32 own, __u32 ops)
{
	return whose(own, ops, FP_OP_GUEST_SAVE, FP_OP_KERNEL_SAVE);
}

static __always_inline __u32 loaded_who(__u32 own, __u32 ops)
{
	return whose(own, ops, FP_OP_GUEST_LOAD, FP_OP_KERNEL_LOAD);
}

/*
 * A step within a step: on preemptible kernels, or by a softirq, where an
 * fentry program can be interrupted. Nothing is known of this CPU then.
 */
static __always_inline void judge_nothing(struct fp_percpu *c, __u32 own,
					  __u32 ops)
{
	c->judge.busy = 2;
	if (ops & (FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE))
		decide(c, saved_who(own, ops), own, FP_VERDICT_UNKNOWN);
}

static __always_inline void judge_again(struct fp_percpu *c)
{
	if (c->judge.pending)
		decide(c, c->judge.who, c->judge.slot, FP_VERDICT_UNKNOWN);
	c->judge.pending = 0;
	fp_judge_hold(&c->judge, FP_HELD_UNKNOWN, 0, 0);
}

static __always_inline struct fp_event unpack(__u64 buf, __u64 event)
{
	union fp_event_half half = { .all = event };
	struct fp_event ev = {
		.buf = buf,
		.gen = half.gen,
		.kind = half.kind,
		.foreign = half.foreign,
		.in_run = half.in_run,
		.arg = half.arg,
	};

	return ev;
}

static __always_inline void judge_step(struct fp_percpu *c, __u32 own,
				       const struct fp_event *ev, __u32 step)
{
	struct fp_judge *j = &c->judge;
	__u32 who = j->who, slot = j->slot, ops = FP_OPS(step);

	fp_judge(j, ev, step);
	if (j->is.old)
		decide(c, who, slot, j->is.old);
	if (j->is.save == FP_VERDICT_PENDING) {
		j->who = saved_who(own, ops);
		j->slot = own;
	} else if (j->is.save) {
		decide(c, saved_who(own, ops), own, j->is.save);
	}
	if (j->is.load)
		decide(c, loaded_who(own, ops), own, j->is.load);
	if (j->is.resumed)
		decide(c, FP_WHO_KERNEL, own, j->is.resumed);
	if (j->is.impossible)
		ADD(c->impossible, 1);
}

/*
 * Global, and so verified once and not for each path of each program; 5.10 lets
 * it take numbers only. @own: the slot that the event is charged to, @event:
 * the second half of struct fp_event.
 */
__noinline int judge(__u32 cpu, __u32 own, __u64 buf, __u64 event, __u32 step)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = unpack(buf, event);

	if (!c)
		return 0;
	if (c->judge.busy) {
		judge_nothing(c, own, FP_OPS(step));
		return 0;
	}
	c->judge.busy = 1;
	judge_step(c, own, &ev, step);
	if (c->judge.busy == 2)
		judge_again(c);
	c->judge.busy = 0;
	return 0;
}

static __always_inline void judge_on(__u32 cpu, const struct fp_vcpu *v,
				     const struct fp_event *ev, __u32 step)
{
	union fp_event_half half = {
		.gen = ev->gen,
		.kind = ev->kind,
		.foreign = ev->foreign,
		.in_run = ev->in_run,
		.arg = ev->arg,
	};

	judge(cpu, v ? v->slot : FP_NO_SLOT, ev->buf, half.all, step);
}

/* One event, all of it. Counted first: what is decided is never more. */
static __always_inline void on_event(struct fp_percpu *c, struct fp_vcpu *v,
				     const struct fp_event *ev)
{
	__u32 step = fp_step(&c->model, ev);

	account(c, v, step);
	judge_on(bpf_get_smp_processor_id(), v, ev, step);
}

/* Something happens to the state in @buf, which CPU @nr may hold. */
static __always_inline void tell(__u32 nr, __u64 buf, __u64 why)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &nr);

	if (c)
		fp_judge_tell(&c->judge, buf, why);
}

/* This CPU knows: it hears of the event itself. */
static __always_inline void tell_other(__u32 nr, __u64 buf, __u64 why)
{
	if (nr != bpf_get_smp_processor_id())
		tell(nr, buf, why);
}

/* An event about the user state of @t, which is current. */
static __always_inline struct fp_event task_event(const struct task_struct *t,
						  __u8 kind)
{
	struct fp_event ev = {
		.buf = task_buf(t),
		.gen = (__u32)bpf_get_current_pid_tgid(),
		.kind = kind,
		.foreign = !!(task_flags(t) & foreign_mask),
	};

	return ev;
}

/* ---- the save function: fpsimd_save(), fpsimd_save_user_state() ---- */

/*
 * A softirq's kernel_neon_begin() does not get here if its section is nested in
 * a task's. From 6.19 on it looks nested to us for a moment too long, since
 * kernel_neon_end() clears TIF_KERNEL_FPSTATE before the pointer that we see.
 */
static __always_inline void revoke_nested(struct fp_percpu *c)
{
	c->nested = 0;
	ADD(c->kernel.verdict[FP_VERDICT_NEEDED], -1);
	ADD(c->kernel.verdict[FP_VERDICT_LOAD_NEEDED], -1);
	ADD(c->kernel.save, -1);
	ADD(c->kernel.load, -1);
	ADD(c->events[FP_EV_NEON_NEST], -1);
}

static __always_inline int on_save(void)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_SAVE);
	struct fp_vcpu *v = NULL;
	__u64 loaded, charged;

	if (!c)
		return 0;
	if (c->nested && in_serving_softirq(t))
		revoke_nested(c);
	if (!ev.foreign) {
		loaded = task_loaded_vcpu(t);
		v = run_of(c, t, loaded);
		charged = v != NULL;
		barrier_var(charged); /* else clang ors a pointer */
		ev.in_run = loaded || charged;
		if (c->model.bound == FP_BOUND_UNKNOWN)
			ev.arg = loaded ? vcpu_hint(loaded) : FP_HINT_HOST;
	}
	on_event(c, v, &ev);
	return 0;
}

/* ---- the load of a user state ---- */

/*
 * The vcpu that is owed the next load of @t: it left KVM_RUN with FOREIGN. If
 * it has not even left, as far as we know, then its end was dropped: from 7.0 on
 * or so tracepoint programs can be preempted, and don't run twice at a time.
 */
static __always_inline struct fp_vcpu *owed_by(struct fp_percpu *c, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);

	if (v && v->task == t) {
		ADD(v->runs, 1);
		v->task = 0;
		if (v->owed != t) {
			v->owed = t;
			ADD(owed_loads, 1);
		}
	}
	if (v && v->owed == t)
		return v;
	if (!owed_loads)
		return NULL;
	v = slot_by(&slot_of_task, t);
	return v && v->owed == t ? v : NULL;
}

static __always_inline int on_load(void)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_LOAD);
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = owed_by(c, (__u64)t);
	if (v) {
		v->owed = 0;
		ADD(owed_loads, -1);
	}
	tell_other(task_home(t), ev.buf, FP_NOTE_MOVED);
	on_event(c, v, &ev);
	return 0;
}

/*
 * Where task_fpsimd_load() is inlined: each bind of a task follows a load,
 * save those of do_sve_acc() and do_sme_acc(), which bind what the registers
 * hold already. They do so unless they took the way through memory, and then
 * they call fpsimd_flush_task_state() first.
 */
static __always_inline int on_bind_task(void)
{
	__u64 t = bpf_get_current_task();

	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t)) {
		ADD(trapped_tasks, -1);
		return 0;
	}
	return on_load();
}

/* ---- binds: a guest exit with live state, a kernel NEON state ---- */

static __always_inline int on_bind_kernel(struct fp_percpu *c,
					  struct task_struct *t, __u64 buf)
{
	__u64 key = (__u64)t;
	__u32 cpu = bpf_get_smp_processor_id();
	struct fp_event ev = {
		.buf = buf,
		.kind = FP_EV_BIND_KERNEL,
		.arg = in_serving_softirq(t),
	};

	ADD(c->events[FP_EV_BIND_KERNEL], 1);
	if (!ev.arg) {
		if (bpf_map_update_elem(&neon_of_task, &key, &cpu, BPF_ANY))
			ADD(c->missed, 1);
		else
			ADD(saved_neon, 1);
	}
	on_event(c, NULL, &ev);
	return 0;
}

/* Where @v has its state live now. */
static __always_inline void move_home(struct fp_vcpu *v)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (v->home == cpu)
		return;
	tell(v->home, v->buf, FP_NOTE_MOVED);
	v->home = cpu;
}

static __always_inline int on_bind_state(__u64 arg)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	__u64 buf = bound_buf(arg), loaded;
	struct fp_event ev = {
		.buf = buf,
		.kind = FP_EV_BIND_VCPU,
		.foreign = !!(task_flags(t) & foreign_mask),
		.in_run = 1,
	};
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = slot_at(c->slot);
	if (!v || v->buf != buf) {
		if (buf == neon_buf(t))
			return on_bind_kernel(c, t, buf);
		loaded = task_loaded_vcpu(t);
		v = loaded ? slot_by(&slot_of_vcpu, loaded) : NULL;
		if (!loaded || vcpu_buf(loaded) != buf) {
			ADD(c->missed, 1);
			return 0;
		}
	}
	if (v) {
		ev.gen = v->gen;
		move_home(v);
	}
	on_event(c, v, &ev);
	return 0;
}

/* ---- KVM_RUN: who runs, from where to where ---- */

/* Takes a free slot from this CPU's ring; the reader keeps it filled. */
static __always_inline struct fp_vcpu *take_slot(struct fp_percpu *c,
						 __u64 vcpu, __u32 *slot)
{
	const struct kvm_vcpu *kv = (const void *)vcpu;
	struct task_struct *t = current_task();
	struct fp_vcpu *v;

	if (c->free_head == c->free_tail)
		return NULL;
	*slot = c->free[c->free_head & (FP_FREE_RING - 1)];
	c->free_head++;
	v = slot_at(*slot);
	if (!v)
		return NULL;
	v->vcpu = vcpu;
	v->buf = vcpu_buf(vcpu);
	v->vcpu_id = BPF_CORE_READ(kv, vcpu_id);
	v->vm_pid = BPF_CORE_READ(kv, kvm, userspace_pid);
	v->sve_vl = BPF_CORE_READ(kv, arch.sve_max_vl);
	bpf_probe_read_kernel_str(v->comm, sizeof(v->comm),
				  BPF_CORE_READ(t, group_leader, comm));
	v->slot = *slot;
	v->home = FP_NO_CPU;
	v->gen++;
	if (bpf_map_update_elem(&slot_of_vcpu, &vcpu, slot, BPF_ANY)) {
		v->state = FP_SLOT_DEAD; /* nobody would find it again */
		return NULL;
	}
	v->state = FP_SLOT_LIVE;
	return v;
}

/* The thread @t begins a KVM_RUN for @v. */
static __always_inline void begin_run(struct fp_vcpu *v, __u64 t, __u32 slot)
{
	__u32 *was = bpf_map_lookup_elem(&slot_of_task, &t);
	__u64 *early;

	if (!was || *was != slot)
		bpf_map_update_elem(&slot_of_task, &t, &slot, BPF_ANY);
	early = was ? NULL : bpf_map_lookup_elem(&early_runs, &t);
	if (early) {
		ADD(v->runs, *early);
		bpf_map_delete_elem(&early_runs, &t);
	}
	v->thread = t;
	v->tid = (__u32)bpf_get_current_pid_tgid();
	v->task = t;
}

/*
 * @t has loaded @vcpu on this CPU. NULL: there is no slot for it. @first: for
 * the first time in this KVM_RUN.
 */
static __always_inline struct fp_vcpu *
loaded_here(struct fp_percpu *c, struct task_struct *t, __u64 vcpu, bool *first)
{
	__u32 *known = bpf_map_lookup_elem(&slot_of_vcpu, &vcpu);
	__u32 slot = FP_NO_SLOT;
	struct fp_vcpu *v;

	if (known) {
		slot = *known;
		v = slot_at(slot);
	} else {
		v = take_slot(c, vcpu, &slot);
		if (!v)
			ADD(c->no_slot, 1);
	}
	*first = v && v->task != (__u64)t;
	if (*first)
		begin_run(v, (__u64)t, slot);
	c->slot = v ? slot : FP_NO_SLOT;
	return v;
}

/* One that was inside KVM_RUN already when capture began. */
static __always_inline struct fp_vcpu *adopt(struct fp_percpu *c,
					     struct task_struct *t)
{
	__u64 vcpu = task_loaded_vcpu(t);
	bool first;

	return vcpu ? loaded_here(c, t, vcpu, &first) : NULL;
}

/*
 * A kprobe everywhere, as kernel_neon_begin(): softirqs are on here, and one that
 * uses NEON after TIF_FOREIGN_FPSTATE was read would leave it stale.
 */
SEC("kprobe")
int vcpu_load(struct pt_regs *ctx)
{
	__u64 vcpu = PT_REGS_PARM1(ctx);
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_VLOAD);
	struct fp_vcpu *v;
	bool first;

	if (!c)
		return 0;
	v = loaded_here(c, t, vcpu, &first);
	ev.in_run = !first;
	ev.arg = c->model.buf == vcpu_buf(vcpu);
	on_event(c, v, &ev);
	return 0;
}

SEC("raw_tp/kvm_exit")
int kvm_exit(void *ctx)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = slot_at(c->slot);
	if (!v || v->task != (__u64)t)
		v = adopt(c, t);
	if (v)
		ADD(v->exits, 1);
	else
		ADD(c->untracked_exits, 1);
	if (!seen_eager && !seen_martin) {
		struct fp_event ev = task_event(t, FP_EV_EXIT);

		account(c, v, fp_step(&c->model, &ev));
	}
	return 0;
}

static __always_inline int early_run(__u64 t)
{
	__u64 *runs = bpf_map_lookup_elem(&early_runs, &t), one = 1;

	if (runs)
		ADD(*runs, 1);
	else
		bpf_map_update_elem(&early_runs, &t, &one, BPF_NOEXIST);
	return 0;
}

SEC("raw_tp/kvm_userspace_exit")
int kvm_userspace_exit(void *ctx)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_RUN_END);
	struct fp_vcpu *v;
	__u64 key = (__u64)t;
	__u32 *slot;

	if (!c)
		return 0;
	account(c, NULL, fp_step(&c->model, &ev));
	v = slot_at(c->slot);
	if (!v || v->task != key) {
		/* It moved since vcpu_put(), or it never got to vcpu_load(). */
		slot = bpf_map_lookup_elem(&slot_of_task, &key);
		v = slot ? slot_at(*slot) : NULL;
		if (!v || v->thread != key)
			return early_run(key);
		c->slot = *slot;
	}
	ADD(v->runs, 1);
	v->task = 0;
	if (ev.foreign) {
		if (!v->owed)
			ADD(owed_loads, 1);
		v->owed = key;
	}
	return 0;
}

/* Its memory will be used again: nothing may be charged to it any more. */
static __always_inline int on_vcpu_end(__u64 vcpu)
{
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = slot_by(&slot_of_vcpu, vcpu);

	if (!c || !v)
		return 0; /* it never ran */
	ADD(c->events[FP_EV_VCPU_END], 1);
	tell(v->home, v->buf, FP_NOTE_GONE);
	if (v->owed)
		ADD(owed_loads, -1);
	v->owed = 0;
	v->task = 0;
	v->buf = 0;
	v->vcpu = 0;
	v->state = FP_SLOT_DEAD;
	bpf_map_delete_elem(&slot_of_vcpu, &vcpu);
	return 0;
}

SEC("kprobe")
int vcpu_end(struct pt_regs *ctx)
{
	return on_vcpu_end(PT_REGS_PARM1(ctx));
}

/* ---- what happens to a state in memory ---- */

/* @why: what it means to another CPU that may hold the state of current. */
static __always_inline int on_current(__u8 kind, __u64 why)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, kind);

	if (!c)
		return 0;
	ADD(c->events[kind], 1);
	if (why)
		tell_other(task_home(t), ev.buf, why);
	on_event(c, NULL, &ev);
	return 0;
}

static __always_inline int on_gone(__u8 kind)
{
	return on_current(kind, FP_NOTE_GONE);
}

static __always_inline int on_task(__u64 t, __u8 kind, __u64 why)
{
	const struct task_struct *task = (const void *)t;
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	ADD(c->events[kind], 1);
	tell(task_home(task), task_buf(task), why);
	return 0;
}

static __always_inline int on_vcpu(__u64 vcpu, __u8 kind, __u64 why)
{
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = slot_by(&slot_of_vcpu, vcpu);

	if (!c)
		return 0;
	ADD(c->events[kind], 1);
	if (v)
		tell(v->home, v->buf, why);
	return 0;
}

/* ---- the scheduler ---- */

/* Between the hook in kernel_neon_begin() and the save there. */
static __always_inline void leave_begin(struct fp_percpu *c, __u64 t)
{
	__u8 one = 1;

	if (c->judge.after == FP_AFTER_CLOBBER &&
	    !bpf_map_update_elem(&begin_of_task, &t, &one, BPF_NOEXIST))
		ADD(begun_neon, 1);
}

static __always_inline void resume_begin(struct fp_percpu *c, __u64 t)
{
	struct fp_event ev = { .kind = FP_EV_NEON_TASK };

	if (!begun_neon || bpf_map_delete_elem(&begin_of_task, &t))
		return;
	ADD(begun_neon, -1);
	judge_on(bpf_get_smp_processor_id(), NULL, &ev, 0);
}

static __always_inline void resume_kernel(struct fp_percpu *c, __u64 t)
{
	struct fp_event ev = { .kind = FP_EV_RESUME_KERNEL };
	__u32 *cpu;

	cpu = saved_neon ? bpf_map_lookup_elem(&neon_of_task, &t) : NULL;
	if (!cpu)
		return;
	ev.buf = neon_buf((const struct task_struct *)t);
	tell_other(*cpu, ev.buf, FP_NOTE_MOVED);
	bpf_map_delete_elem(&neon_of_task, &t);
	ADD(saved_neon, -1);
	ADD(c->events[FP_EV_RESUME_KERNEL], 1);
	on_event(c, NULL, &ev);
}

SEC("raw_tp/sched_switch")
int sched_switch(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *prev = (void *)ctx->args[1];
	__u64 next = ctx->args[2];
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = { .kind = FP_EV_SWITCH };

	if (!c)
		return 0;
	ADD(c->events[FP_EV_SWITCH], 1);
	ev.buf = task_buf(prev);
	if (task_loaded_vcpu(prev))
		ev.arg = ctx->args[0] || task_running(prev);
	leave_begin(c, (__u64)prev);
	on_event(c, NULL, &ev);
	resume_begin(c, next);
	resume_kernel(c, next);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int task_end(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 t = ctx->args[0];
	struct fp_vcpu *v = slot_by(&slot_of_task, t);

	on_gone(FP_EV_TASK_END);
	bpf_map_delete_elem(&early_runs, &t);
	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t))
		ADD(trapped_tasks, -1);
	if (!v)
		return 0;
	if (v->owed == t) {
		v->owed = 0;
		ADD(owed_loads, -1);
	}
	if (v->thread == t)
		v->thread = 0;
	bpf_map_delete_elem(&slot_of_task, &t);
	return 0;
}

/* ---- kernel-mode NEON ---- */

static __always_inline int on_neon_begin(void)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	bool softirq = in_serving_softirq(t);
	struct fp_event ev = {
		.kind = softirq ? FP_EV_NEON_SOFTIRQ : FP_EV_NEON_TASK,
	};

	if (!c)
		return 0;
	ADD(c->events[ev.kind], 1);
	on_event(c, NULL, &ev);
	c->nested = softirq && neon_buf_is_pointer() && neon_buf(t);
	/* Up to 6.18 a nested section is seen by its bind. */
	if (c->nested) {
		ADD(c->events[FP_EV_NEON_NEST], 1);
		ev.kind = FP_EV_NEON_NEST;
		ev.arg = 1;
		on_event(c, NULL, &ev);
	}
	return 0;
}

/*
 * A kprobe everywhere: it runs with interrupts masked. An fentry program can be
 * preempted in task context, and then drops all sections of that CPU.
 */
SEC("kprobe")
int neon_begin(struct pt_regs *ctx)
{
	return on_neon_begin();
}

/* ---- where a state in memory is read, edited or dies: rare ---- */

#define NEED(name, body)                     \
	SEC("kprobe")                        \
	int need_##name(struct pt_regs *ctx) \
	{                                    \
		return body;                 \
	}

static __always_inline int count(__u8 kind)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		ADD(c->events[kind], 1);
	return 0;
}

NEED(fork, on_current(FP_EV_FORK, FP_NOTE_READ))
NEED(preserve, on_current(FP_EV_PRESERVE, FP_NOTE_READ))
NEED(restore, on_gone(FP_EV_RESTORE))
NEED(sigreturn, on_current(FP_EV_SIGRETURN, 0))
NEED(exec, on_gone(FP_EV_EXEC))
NEED(coredump, count(FP_EV_COREDUMP))
NEED(efi_begin, count(FP_EV_EFI_BEGIN))
NEED(efi_end, count(FP_EV_EFI_END))

#define PTRACE_GETREGSET 0x4204
#define PTRACE_SETREGSET 0x4205
#define NT_PRFPREG 2
#define NT_ARM_VFP 0x400
#define NT_ARM_SVE 0x405
#define NT_ARM_SSVE 0x40b
#define NT_ARM_FPMR 0x40e

static __always_inline bool fp_regset(__u64 note)
{
	return note == NT_PRFPREG || note == NT_ARM_VFP || note == NT_ARM_SVE ||
	       (note >= NT_ARM_SSVE && note <= NT_ARM_FPMR);
}

SEC("kprobe")
int need_ptrace(struct pt_regs *ctx)
{
	__u64 request = PT_REGS_PARM2(ctx);
	bool get = request == PTRACE_GETREGSET;

	if ((!get && request != PTRACE_SETREGSET) ||
	    !fp_regset(PT_REGS_PARM3(ctx)))
		return 0;
	return on_task(PT_REGS_PARM1(ctx), FP_EV_PTRACE,
		       get ? FP_NOTE_READ : FP_NOTE_MOVED);
}

/* Is it a register of struct kvm_one_reg that lies in the FP state? */
static __always_inline bool fp_reg(__u64 reg)
{
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id), (const void *)reg);
	if (KVM_REG_ARM_COPROC(id) == KVM_REG_ARM_CORE)
		return (id & 0xffff) >= KVM_REG_ARM_CORE_FP;
	return KVM_REG_ARM_COPROC(id) == KVM_REG_ARM64_SVE;
}

SEC("kprobe")
int need_get_reg(struct pt_regs *ctx)
{
	return fp_reg(PT_REGS_PARM2(ctx)) ?
		       on_vcpu(PT_REGS_PARM1(ctx), FP_EV_GET_REG,
			       FP_NOTE_READ) :
		       0;
}

SEC("kprobe")
int need_set_reg(struct pt_regs *ctx)
{
	return fp_reg(PT_REGS_PARM2(ctx)) ?
		       on_vcpu(PT_REGS_PARM1(ctx), FP_EV_SET_REG,
			       FP_NOTE_GONE) :
		       0;
}

SEC("kprobe")
int need_vcpu_reset(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = slot_by(&slot_of_vcpu, PT_REGS_PARM1(ctx));
	struct fp_event ev = { .kind = FP_EV_VCPU_RESET };

	if (!c)
		return 0;
	ADD(c->events[FP_EV_VCPU_RESET], 1);
	if (!v)
		return 0;
	ev.buf = v->buf;
	tell_other(v->home, v->buf, FP_NOTE_GONE);
	on_event(c, NULL, &ev);
	return 0;
}

static __always_inline int on_trap(__u8 kind)
{
	__u64 t = bpf_get_current_task();
	__u8 one = 1;

	if (loads_by_bind &&
	    !bpf_map_update_elem(&trap_of_task, &t, &one, BPF_NOEXIST))
		ADD(trapped_tasks, 1);
	return on_current(kind, FP_NOTE_MOVED);
}

NEED(sve_trap, on_trap(FP_EV_SVE_TRAP))
NEED(sme_trap, on_trap(FP_EV_SME_TRAP))

SEC("kprobe")
int need_set_vl(struct pt_regs *ctx)
{
	__u64 t = PT_REGS_PARM1(ctx);

	return t == bpf_get_current_task() ?
		       on_current(FP_EV_SET_VL, FP_NOTE_MOVED) :
		       on_task(t, FP_EV_SET_VL, FP_NOTE_MOVED);
}

SEC("kprobe")
int need_flush_task(struct pt_regs *ctx)
{
	__u64 t = PT_REGS_PARM1(ctx);

	if (trapped_tasks && !bpf_map_delete_elem(&trap_of_task, &t))
		ADD(trapped_tasks, -1);
	return t == bpf_get_current_task() ? on_current(FP_EV_FLUSH_TASK, 0) :
					     count(FP_EV_FLUSH_TASK);
}

SEC("kprobe")
int need_cpu_pm(struct pt_regs *ctx)
{
	/* CPU_PM_ENTER, the only command that changes ownership */
	return PT_REGS_PARM2(ctx) == 0 ? on_current(FP_EV_CPU_PM, 0) : 0;
}

SEC("kprobe")
int need_cpu_dead(struct pt_regs *ctx)
{
	__u32 cpu = PT_REGS_PARM1(ctx);
	struct fp_percpu *dead = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = { .kind = FP_EV_CPU_DEAD };

	if (dead && enabled)
		judge_on(cpu, NULL, &ev, fp_step(&dead->model, &ev));
	return count(FP_EV_CPU_DEAD);
}

/* ---- twins ---- */

#define TWINS(name, handler)                      \
	SEC("kprobe")                             \
	int k_##name(struct pt_regs *ctx)         \
	{                                         \
		return handler();                 \
	}                                         \
	SEC("fentry")                             \
	int f_##name(unsigned long long *ctx)     \
	{                                         \
		return handler();                 \
	}

#define TWINS_ARG(name, handler)                    \
	SEC("kprobe")                               \
	int k_##name(struct pt_regs *ctx)           \
	{                                           \
		return handler(PT_REGS_PARM1(ctx)); \
	}                                           \
	SEC("fentry")                               \
	int f_##name(unsigned long long *ctx)       \
	{                                           \
		return handler(ctx[0]);             \
	}

TWINS(save, on_save)
TWINS(load, on_load)
TWINS(bind_task, on_bind_task)
TWINS_ARG(bind_state, on_bind_state)

/*
 * ---- witnesses: the same facts from other points, to compare with ----
 *
 * They count again, on their own, what the counting set counts; nothing that
 * is shown to the user comes from here.
 */

SEC("raw_tp/kvm_entry")
int kvm_entry(void *ctx)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	__u64 loaded = task_loaded_vcpu(t);

	if (!c)
		return 0;
	c->w_entries++;
	if (!(task_flags(t) & foreign_mask) &&
	    vcpu_hint(loaded) != FP_HINT_HOST)
		c->w_live++;
	return 0;
}

static __always_inline int on_thread_switch(void)
{
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	c->w_before = c->user_saves;
	if (!(task_flags(current_task()) & foreign_mask))
		c->w_switch_saves++;
	return 0;
}

TWINS(thread_switch, on_thread_switch)

SEC("kretprobe")
int thread_switched(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		c->w_switch_counted += c->user_saves - c->w_before;
	return 0;
}

SEC("kprobe")
int neon_witness(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		ADD(c->w_neon, 1);
	return 0;
}
