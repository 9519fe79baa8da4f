/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_RUN: who runs, from where to where. A vcpu gets its slot when it is loaded
 * for the first time, and loses it when it is destroyed.
 */
#ifndef FPSTAT_ON_KVM_H
#define FPSTAT_ON_KVM_H

#include "account.h"
#include "kernel.h"
#include "maps.h"
#include "step.h"

#include <bpf/bpf_tracing.h>

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
	tell_stream(c, vcpu_buf(vcpu));
	on_event(c, v, &ev);
	c->unbound_by = c->slot;
	return 0;
}

/* Only where each entry and each exit is to be a record of its own. */
SEC("raw_tp/kvm_entry")
int kvm_entered(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(current_task(), FP_EV_ENTER);

	if (c)
		record_only(c, &ev, slot_at(c->slot));
	return 0;
}

static __always_inline struct fp_event
exit_event(const struct task_struct *t, struct bpf_raw_tracepoint_args *ctx)
{
	struct fp_event ev = task_event(t, FP_EV_EXIT);

	ev.arg = (__u8)ctx->args[0];
	ev.gen = (__u32)ctx->args[1];
	return ev;
}

SEC("raw_tp/kvm_exit")
int kvm_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev;
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
	if (streaming)
		ADD(c->exits, 1);
	if (!seen_eager && !seen_martin) {
		ev = exit_event(t, ctx);
		account(c, v, fp_step(&c->model, &ev));
		record_in_lane(c, FP_LANE_EXIT, &ev, 0, v, FP_REC_NO_JUDGE);
	} else if (all_exits) {
		ev = exit_event(t, ctx);
		record_in_lane(c, FP_LANE_EXIT, &ev, 0, v,
			       FP_REC_NO_STEP | FP_REC_NO_JUDGE);
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

/* The vcpu that @t ran, if it got as far as vcpu_load(). */
static __always_inline struct fp_vcpu *ran(struct fp_percpu *c, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);
	__u32 *slot;

	if (v && v->task == t)
		return v;
	/* It moved since vcpu_put(), or it never got to vcpu_load(). */
	slot = bpf_map_lookup_elem(&slot_of_task, &t);
	v = slot ? slot_at(*slot) : NULL;
	if (!v || v->thread != t)
		return NULL;
	c->slot = *slot;
	return v;
}

/*
 * A softirq may use NEON at any point of this. Where v->task goes, what it saves is
 * not the vcpu's any more, and nor is the load after it.
 */
SEC("raw_tp/kvm_userspace_exit")
int kvm_userspace_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = task_event(t, FP_EV_RUN_END);
	struct fp_vcpu *v;

	if (!c)
		return 0;
	account(c, NULL, fp_step(&c->model, &ev));
	v = ran(c, (__u64)t);
	if (v) {
		c->saved_outside = 0;
		barrier();
		v->task = 0;
		barrier();
		ev.foreign = task_flags(t) & foreign_mask && !c->saved_outside;
		ADD(v->runs, 1);
	} else {
		early_run((__u64)t);
	}
	record_in_lane(c, FP_LANE_RUN_END, &ev, ctx->args[0], v,
		       FP_REC_NO_JUDGE);
	if (v && ev.foreign)
		owe(v, (__u64)t);
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
	record_in_memory(c, FP_EV_VCPU_END, v->buf, v);
	owe_no_more(v);
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

#endif /* FPSTAT_ON_KVM_H */
