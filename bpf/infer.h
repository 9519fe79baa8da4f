/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Saves and loads of user states where they have no hook, since a kprobe would cost
 * ten times as much: on kernels without fentry, while only counting. They follow from
 * TIF_FOREIGN_FPSTATE of current, as the hooks find it that are left.
 *
 * The flag is clear while the registers are current's, or its guest's. A load clears
 * it, on the way to user mode. A save moves data if it is clear; then it is set, or
 * current is switched out, or the save is announced by a hook. So a change of the flag
 * from one hook of a CPU to the next is one transfer; and where it went forth and back
 * in between, a hook has announced that (enum fp_ahead), for the end of KVM_RUN and
 * each switch are hooks, too.
 *
 * What is announced in a task happens after its hook, and a softirq that uses NEON may
 * be first. Then it is its save that moves data. Where it came in tells the stack.
 *
 * It wants kernels that save the host's state in each vcpu_load(), where nothing but
 * tasks and guests is ever bound: that is tried out, see src/calibrate.c.
 */
#ifndef FPSTAT_INFER_H
#define FPSTAT_INFER_H

#include "account.h"
#include "kernel.h"
#include "maps.h"
#include "step.h"

#include <bpf/bpf_tracing.h>

#define FP_LAST_UNKNOWN (~0ull)

/* A save by the save function of current; @slot: who pays for it. */
static __always_inline void keep_save(struct fp_percpu *c, __u32 slot,
				      const struct fp_event *ev, __u64 bytes)
{
	c->save = *ev;
	c->save_slot = slot;
	c->save_bytes = bytes;
}

/* The save function of current is to be called, with what is known of that now. */
static __always_inline void plan_save(struct fp_percpu *c,
				      const struct task_struct *t)
{
	struct fp_event ev = {
		.buf = task_buf(t),
		.gen = current_pid(),
		.kind = FP_EV_SAVE,
		.foreign = c->foreign == FP_FOREIGN_SET,
	};
	__u64 bytes = 0;
	struct fp_vcpu *v = saved_for(c, t, &ev, &bytes);

	keep_save(c, v ? v->slot : FP_NO_SLOT, &ev, bytes);
}

/* .. and was. */
__noinline int infer_save(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = { .kind = FP_EV_SAVE };

	if (!c)
		return 0;
	ev.buf = c->save.buf;
	ev.gen = c->save.gen;
	ev.foreign = c->save.foreign;
	ev.in_run = c->save.in_run;
	ev.arg = c->save.arg;
	take_telling_step(c, slot_at(c->save_slot), &ev, c->save_bytes);
	return 0;
}

/* What current has loaded, in the format of SVE? A softirq may come in and save it anew. */
static __always_inline bool loaded_sve(const struct fp_percpu *c)
{
	bool sve = loads_sve(current_task());

	barrier();
	return have_put_off(c) ? c->was_sve : sve;
}

/* @flags: those of current before. */
__noinline int infer_load(__u32 cpu, __u64 flags)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct task_struct *t = current_task();
	struct fp_event ev = {
		.buf = task_buf(t),
		.gen = current_pid(),
		.kind = FP_EV_LOAD,
		.foreign = 1,
	};
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = owed_by(c, (__u64)t);
	if (v)
		owe_no_more(v);
	tell_other(c, c->home, ev.buf, FP_NOTE_MOVED);
	take_telling_step(
		c, v, &ev,
		sve_mask ? bytes_by(t, flags & sve_mask && loaded_sve(c)) : 0);
	c->last = ev.buf;
	c->home = cpu;
	return 0;
}

/* Nothing was seen on this CPU yet. */
static __always_inline void infer_begin(struct fp_percpu *c, bool set)
{
	c->foreign = set ? FP_FOREIGN_SET : FP_FOREIGN_CLEAR;
	c->last = set || current_loaded_vcpu() ? FP_LAST_UNKNOWN :
						 task_buf(current_task());
	c->home = current_home();
}

/* What was announced has happened. */
static __always_inline void infer_ahead(struct fp_percpu *c)
{
	__u32 ahead = c->ahead;

	c->ahead = FP_AHEAD_NOTHING;
	if (ahead == FP_AHEAD_SAVE && c->foreign == FP_FOREIGN_SET)
		c->save.foreign = 1; /* a softirq was first */
	if (ahead == FP_AHEAD_NEON || ahead == FP_AHEAD_SAVE ||
	    ahead == FP_AHEAD_COPY)
		infer_save(c->cpu);
	switch (ahead) {
	case FP_AHEAD_NEON:
		c->begins = 0;
		is_flushed(c);
		break;
	case FP_AHEAD_SAVE:
		is_flushed(c);
		break;
	case FP_AHEAD_FLUSH:
		c->foreign = FP_FOREIGN_SET;
		c->home = FP_NO_CPU;
		break;
	case FP_AHEAD_LOAD:
		infer_load(c->cpu, c->flags_then);
		c->foreign = FP_FOREIGN_CLEAR;
		break;
	default:
		break;
	}
}

/*
 * What has come on this CPU since its last hook. Before the hook's own event, where no
 * softirq can come in, or puts off what it does.
 */
__noinline int infer(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 flags = current_flags();
	bool set;

	if (!c)
		return 0;
	set = is_foreign(c, flags);
	if (!c->foreign)
		infer_begin(c, set);
	if (c->foreign == FP_FOREIGN_MAYBE && !set)
		ADD(c->undecided, 1); /* or it was loaded */
	if (c->foreign == FP_FOREIGN_MAYBE)
		infer_begin(c, set);
	infer_ahead(c);
	if (c->foreign == FP_FOREIGN_CLEAR && set) {
		plan_save(c, current_task());
		if (c->model.bound == FP_BOUND_VCPU)
			c->save.in_run = 1; /* though vcpu_put() is over */
		infer_save(cpu);
		is_flushed(c);
	} else if (c->foreign == FP_FOREIGN_SET && !set) {
		infer_load(cpu, c->flags_then);
		c->foreign = FP_FOREIGN_CLEAR;
	}
	c->flags_then = flags;
	return 0;
}

/* The guest of current has exited, and was bound: all of the host's comes before. */
static __always_inline void infer_host(struct fp_percpu *c)
{
	if (!c->foreign)
		infer_begin(c, true);
	infer_ahead(c);
}

/* .. and it has no slot: what was bound is not known. */
static __always_inline void infer_untracked(struct fp_percpu *c)
{
	infer_host(c);
	if (foreign() || c->foreign == FP_FOREIGN_CLEAR)
		return;
	c->foreign = FP_FOREIGN_CLEAR;
	ADD(c->missed, 1);
}

/* ---- what a hook announces ---- */

/* By a hook of @t, which is current, after its event. */
static __always_inline void announce(struct fp_percpu *c,
				     const struct task_struct *t, __u32 ahead)
{
	plan_save(c, t);
	c->ahead = ahead;
}

/* What fpsimd_thread_switch() makes of the flag of @next, which was bound at @home. */
static __always_inline void foreign_after(struct fp_percpu *c,
					  const struct task_struct *next,
					  __u32 home, __u64 flags)
{
	c->home = home;
	c->foreign = FP_FOREIGN_SET;
	if (c->home == c->cpu && c->last == task_buf(next))
		c->foreign = FP_FOREIGN_CLEAR;
	if (c->home == c->cpu && c->last == FP_LAST_UNKNOWN)
		c->foreign = FP_FOREIGN_MAYBE;
	if (sve_mask)
		c->flags_then = flags;
}

/* The save in fpsimd_thread_switch(), or that in vcpu_put() before. */
static __always_inline void infer_switch(struct fp_percpu *c,
					 const struct task_struct *prev,
					 const struct task_struct *next)
{
	plan_save(c, prev);
	if (witness)
		c->w_before = c->user_saves;
	infer_save(c->cpu);
	foreign_after(c, next, task_home(next),
		      sve_mask ? task_flags(next) : 0);
}

/* ---- what comes between a hook and what it announces ---- */

static __always_inline bool is_in(__u64 address, __u64 from, __u64 end)
{
	return address - from < end - from;
}

/*
 * A function that was interrupted before it has a frame, or that needs none, hides who
 * called it: what follows on the stack is where the caller returns to. That function is
 * called before softirqs are off, if it is none of those that let them in again.
 */
static __always_inline bool is_called_first(__u64 address, __u64 from,
					    __u64 end)
{
	return !is_in(address, from, end) &&
	       !is_in(address, code_put.from, code_put.end) &&
	       !is_in(address, code_enable.from, code_enable.end);
}

/* In the @n callers of c->callers: is current before @to in the function that announced? */
__noinline int is_before(__u32 cpu, __u64 from, __u64 to, __u64 end, __u32 n)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 address, called = 0, interrupt = 0;
	__u32 i;

	if (!c)
		return 0;
	for (i = 1; i < FP_CALLERS && i < n; i++) {
		address = c->callers[i];
		if (is_in(address, from, to))
			return 1;
		if (address == c->returns &&
		    is_in(interrupt, code_irq.from, code_irq.end) &&
		    is_called_first(called, from, end))
			return 1;
		interrupt = called;
		called = address;
	}
	return 0;
}

static __always_inline bool is_inside(void *ctx, struct fp_percpu *c,
				      const volatile struct fp_code *code)
{
	long bytes = bpf_get_stack(ctx, c->callers, sizeof(c->callers), 0);
	__u32 n = bytes > 0 ? (__u64)bytes / sizeof(*c->callers) : 0;

	if (is_before(c->cpu, code->from, code->to, code->end, n))
		return true;
	if (!n || n == FP_CALLERS)
		ADD(c->missed, 1); /* not all of them were seen */
	return false;
}

/*
 * We come before what is announced, and it matters. @set: the flag of current. The kernel
 * tells no stack while a vcpu is loaded; but then current does not come to user mode, so
 * a flag that is clear still is.
 */
static __always_inline bool comes_first(void *ctx, struct fp_percpu *c,
					bool set)
{
	bool nothing = set || c->foreign == FP_FOREIGN_SET; /* to save */

	if (current_loaded_vcpu())
		return !nothing && c->save.in_run &&
		       (c->ahead == FP_AHEAD_SAVE || c->ahead == FP_AHEAD_NEON);
	if (c->ahead == FP_AHEAD_LOAD)
		return is_inside(ctx, c, &code_update);
	if (nothing)
		return false;
	switch (c->ahead) {
	case FP_AHEAD_NEON:
		return is_inside(ctx, c, &code_neon);
	case FP_AHEAD_COPY:
		return is_inside(ctx, c, &code_copy);
	case FP_AHEAD_FLUSH:
		return is_inside(ctx, c, &code_flush);
	default:
		return false;
	}
}

/* A section of NEON, before its event. In a softirq, its save may be that which moves data. */
static __always_inline void infer_neon(struct pt_regs *ctx, struct fp_percpu *c,
				       bool softirq)
{
	if (c->settling) {
		if (sve_mask && !have_put_off(c))
			c->was_sve = loads_sve(current_task());
		return;
	}
	if (is_behind(c)) /* what was put off is not taken yet: settle_end() */
		catch_up(c->cpu);
	if (!softirq || !comes_first(ctx, c, foreign())) {
		infer(c->cpu);
	} else {
		c->ahead = FP_AHEAD_NOTHING; /* it will find the flag set */
		c->begins = 0;
	}
}

/* .. and after it: in a softirq nothing can come in between. */
static __always_inline void infer_neon_save(struct fp_percpu *c,
					    const struct task_struct *t,
					    __u64 returns, bool softirq,
					    bool foreign)
{
	struct fp_event ev = task_event(t, FP_EV_SAVE);
	struct fp_vcpu *v;
	__u64 bytes = 0;

	if (!softirq) {
		c->returns = returns;
		announce(c, t, FP_AHEAD_NEON);
		return;
	}
	ev.foreign = foreign; /* as its own event has it */
	v = saved_for(c, t, &ev, &bytes);
	if (!is_due(c, v, &ev, bytes))
		return;
	keep_save(c, v ? v->slot : FP_NO_SLOT, &ev, bytes);
	infer_save(c->cpu);
}

/*
 * Run on each CPU by the reader, at any point of what current does there: it may have
 * been loaded since its last hook. What is not certain waits for the next one.
 */
SEC("raw_tp")
int infer_now(void *ctx)
{
	struct fp_percpu *c = this_cpu();

	/* What a softirq's section has announced is not done yet, either. */
	if (!c || c->settling || c->ahead || have_put_off(c) ||
	    current_in_softirq() || current_loaded_vcpu())
		return 0;
	c->settling = 1;
	barrier();
	if (!is_foreign(c, current_flags()))
		infer(c->cpu);
	settle_end(c, c->cpu);
	return 0;
}

#endif /* FPSTAT_INFER_H */
