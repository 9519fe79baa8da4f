/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hook calls: makes an event, steps the automaton with it, counts and
 * judges; and tells other CPUs what happens to a state that they may hold.
 */
#ifndef FPSTAT_STEP_H
#define FPSTAT_STEP_H

#include "account.h"
#include "kernel.h"
#include "maps.h"
#include "record.h"
#include "verdict.h"

/* One event, all of it. Counted first: what is decided is never more. */
static __always_inline void take_step(struct fp_percpu *c, struct fp_vcpu *v,
				      const struct fp_event *ev)
{
	__u32 step = fp_step(&c->model, ev);

	c->again = 0;
	account(c, v, step);
	judge_on(bpf_get_smp_processor_id(), v, ev, step);
}

/* TIF_FOREIGN_FPSTATE of current. */
static __always_inline __u8 foreign(void)
{
	return !!(current_flags() & foreign_mask);
}

/* An event about the user state of @t, which is current. */
static __always_inline struct fp_event task_event(const struct task_struct *t,
						  __u8 kind)
{
	struct fp_event ev = {
		.buf = task_buf(t),
		.gen = (__u32)bpf_get_current_pid_tgid(),
		.kind = kind,
		.foreign = foreign(),
	};

	return ev;
}

/* The event of a vcpu_load(), from where no softirq can come in: see on_kvm.h. */
__noinline int vload(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = task_event(current_task(), FP_EV_VLOAD);
	__u64 buf = vcpu_buf(current_loaded_vcpu());

	if (!c)
		return 0;
	ev.in_run = c->loading == FP_LOADING_AGAIN;
	ev.arg = c->model.buf == buf;
	c->loading = FP_LOADING_NOT;
	tell_stream(c, buf);
	take_step(c, slot_at(c->slot), &ev);
	c->unbound_by = c->slot;
	return 0;
}

/* @ev comes after all that happened before on this CPU. */
static __always_inline void on_event(struct fp_percpu *c, struct fp_vcpu *v,
				     const struct fp_event *ev)
{
	if (c->loading)
		vload(bpf_get_smp_processor_id());
	take_step(c, v, ev);
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

/*
 * Whom current runs, for the stream: between vcpu_load() taking the vcpu and our
 * hook there, nothing else tells.
 */
static __always_inline struct fp_vcpu *runs_now(void)
{
	__u64 loaded = streaming ? current_loaded_vcpu() : 0;

	return loaded ? slot_by(&slot_of_vcpu, loaded) : NULL;
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
		tell_other(current_home(), ev.buf, why);
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
	record_in_memory(kind, task_buf(task), NULL);
	return 0;
}

static __always_inline int on_vcpu(__u64 vcpu, __u8 kind, __u64 why)
{
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v = slot_by(&slot_of_vcpu, vcpu);

	if (!c)
		return 0;
	ADD(c->events[kind], 1);
	if (v) {
		tell(v->home, v->buf, why);
		record_in_memory(kind, v->buf, v);
	}
	return 0;
}

#endif /* FPSTAT_STEP_H */
