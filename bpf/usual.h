/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The usual ways, where saves and loads are inferred: tasks run one after the other, or
 * one runs its vcpu again and again, and nothing comes in between. From where automaton
 * and judge are then, they have one way to go for what comes next; these are its ends.
 * They ask whether it is so, and say if not; then the long way is taken, that of step.h,
 * which ends in the same state with the same counters.
 */
#ifndef FPSTAT_USUAL_H
#define FPSTAT_USUAL_H

#include "account.h"
#include "infer.h"
#include "kernel.h"
#include "maps.h"

/* Eight bytes of the judge: all of it but whose state it is. */
static __always_inline __u64 judge_word(const struct fp_judge *j)
{
	__u64 word;

	__builtin_memcpy(&word, &j->who, sizeof(word));
	return word;
}

/* The registers hold a state, and nothing is announced. @dirty: its owner has run .. */
static __always_inline __u64 held_word(__u8 who, bool dirty)
{
	/* .. and if not, it was saved, and nobody has needed that yet. */
	const struct fp_judge j = { .who = who,
				    .held = FP_HELD_STATE,
				    .dirty = dirty,
				    .pending = !dirty };

	return judge_word(&j);
}

/* The same, whoever paid for the save before. */
static __always_inline bool runs_dirty(const struct fp_judge *j)
{
	return judge_word(j) >> 8 == held_word(0, true) >> 8;
}

/* What comes next is, or whose record is gone, or a step is under way. */
static __always_inline bool is_announced(const struct fp_judge *j)
{
	return judge_word(j) >> 32;
}

/* Automaton and judge agree on whose state it is. */
static __always_inline bool holds(const struct fp_percpu *c, __u8 bound,
				  __u64 buf, __u32 gen)
{
	return c->model.bound == bound && c->model.buf == buf &&
	       c->model.gen == gen && c->judge.buf == buf &&
	       c->judge.gen == gen;
}

static __always_inline void hold(struct fp_percpu *c, __u8 bound, __u64 buf,
				 __u32 gen)
{
	c->model.bound = bound;
	c->model.buf = c->judge.buf = buf;
	c->model.gen = c->judge.gen = gen;
}

static __always_inline void set_pending(struct fp_judge *j, __u8 who)
{
	j->who = who;
	j->dirty = 0;
	j->pending = 1;
}

/* Nothing was put off, and no other CPU has written. */
static __always_inline bool is_alone(const struct fp_percpu *c)
{
	return !((c->later_head ^ c->later_tail) | c->begins | c->judge.note);
}

static __always_inline bool uses_sve(const struct fp_percpu *c, __u64 flags)
{
	return (flags | c->flags_then) & sve_mask;
}

/* ---- a switch, with interrupts off ---- */

/* The load of a task, which overwrites what is held. */
static __always_inline void usual_load(struct fp_percpu *c, __u64 buf,
				       __u32 gen)
{
	ADD(c->task.load, 1);
	ADD(c->task.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	c->unbound_by = FP_NO_SLOT;
	c->last = buf;
	hold(c, FP_BOUND_TASK, buf, gen);
}

/* Its save, and what has become of that before. */
static __always_inline void usual_save(struct fp_percpu *c, __u32 verdict)
{
	if (witness)
		c->user_saves++;
	ADD(c->task.verdict[verdict], 1);
	ADD(c->task.save, 1);
	c->saved_outside = 1;
}

/* A task that has used its state is switched out. */
static __always_inline bool usual_user(struct fp_percpu *c, __u64 buf,
				       __u32 gen)
{
	if (judge_word(&c->judge) != held_word(FP_WHO_TASK, false))
		return false;
	if (c->foreign == FP_FOREIGN_CLEAR) {
		if (!holds(c, FP_BOUND_TASK, buf, gen))
			return false;
		usual_save(c, FP_VERDICT_UNCLOBBERED);
		return true;
	}
	if (c->foreign != FP_FOREIGN_SET || c->judge.buf == buf || owed_loads ||
	    c->home != c->cpu)
		return false;
	usual_load(c, buf, gen);
	usual_save(c, FP_VERDICT_NEEDED);
	return true;
}

/*
 * @prev, which is current, has no vcpu loaded, and so it is not inside of KVM_RUN: there
 * the flag is set without one.
 */
static __always_inline bool usual_switch(struct fp_percpu *c,
					 const struct task_struct *prev,
					 const struct task_struct *next)
{
	__u64 flags = typed_flags(prev), buf = task_buf(prev);

	if (witness)
		c->w_before = c->user_saves;
	if (!is_alone(c) || c->under_way || begun_neon || typed_has_vcpu(prev))
		return false;
	if (flags & foreign_mask) { /* nothing moves */
		if (c->foreign != FP_FOREIGN_SET || is_announced(&c->judge))
			return false;
	} else if (uses_sve(c, flags) || !usual_user(c, buf, typed_pid(prev))) {
		return false;
	}
	ADD(c->events[FP_EV_SWITCH], 1);
	c->model.cause = FP_CAUSE_NONE;
	c->judge.switching = buf;
	c->gone = 1;
	foreign_after(c, next, typed_home(next), typed_flags(next));
	return true;
}

/* ---- KVM_RUN ---- */

/* Current has loaded its state since its KVM_RUN of @v. What was in the registers? */
static __always_inline bool usual_owed(struct fp_percpu *c, struct fp_vcpu *v,
				       __u64 buf, __u32 gen)
{
	__u64 word = judge_word(&c->judge);

	if (c->judge.slot != v->slot)
		return false;
	if (word == held_word(FP_WHO_GUEST, false) && c->judge.buf == v->buf) {
		ADD(v->guest.verdict[FP_VERDICT_NEEDED], 1);
		ADD(v->host.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	} else if (word == held_word(FP_WHO_HOST, false) &&
		   c->judge.buf == buf && c->judge.gen == gen) {
		ADD(v->host.verdict[FP_VERDICT_UNCLOBBERED], 1);
		ADD(v->host.verdict[FP_VERDICT_LOAD_LIVE], 1);
	} else {
		return false;
	}
	ADD(v->host.load, 1);
	owe_no_more(v);
	hold(c, FP_BOUND_TASK, buf, gen);
	return true;
}

/* What vcpu_load() will save: the state of current, in the run of @v. */
static __always_inline void plan_host_save(struct fp_percpu *c,
					   const struct fp_vcpu *v)
{
	c->save = (struct fp_event){ .buf = c->model.buf,
				     .gen = c->model.gen,
				     .kind = FP_EV_SAVE,
				     .in_run = 1 };
	c->save_slot = v->slot;
	c->save_bytes = sve_mask ? FP_FPSIMD_BYTES : 0;
	c->ahead = FP_AHEAD_SAVE;
}

/* The first vcpu_load() of a KVM_RUN, of which softirqs put off what they do. @t: current. */
static __always_inline bool usual_vload(struct fp_percpu *c, struct fp_vcpu *v,
					const struct task_struct *t)
{
	__u64 flags = current_flags();

	if (v->thread != (__u64)t || v->owed != (__u64)t || v->task ||
	    flags & foreign_mask || uses_sve(c, flags) || c->ahead ||
	    !is_alone(c) || c->foreign != FP_FOREIGN_SET || c->home != c->cpu ||
	    !usual_owed(c, v, task_buf(t), current_pid()))
		return false;
	v->task = (__u64)t;
	end_quiet(c);
	c->foreign = FP_FOREIGN_CLEAR;
	c->flags_then = flags;
	c->last = c->model.buf;
	c->gone = 0;
	c->unbound_by = v->slot;
	c->model.cause = FP_CAUSE_VCPU_LOAD;
	c->judge.dirty = 1;
	c->judge.pending = 0;
	plan_host_save(c, v);
	return true;
}

/* The save in vcpu_load() has come; see infer_ahead(). */
static __always_inline bool usual_host_save(struct fp_percpu *c,
					    struct fp_vcpu *v)
{
	if (c->ahead != FP_AHEAD_SAVE || c->save_slot != v->slot ||
	    (c->save_bytes && c->save_bytes != FP_FPSIMD_BYTES) ||
	    c->foreign != FP_FOREIGN_CLEAR || c->save.foreign ||
	    c->judge.note || !runs_dirty(&c->judge) ||
	    !holds(c, FP_BOUND_TASK, c->save.buf, c->save.gen))
		return false;
	ADD(v->host.save, 1);
	set_pending(&c->judge, FP_WHO_HOST);
	c->judge.slot = v->slot;
	c->model.cause = FP_CAUSE_NONE;
	c->ahead = FP_AHEAD_NOTHING;
	c->gone = 1;
	is_flushed(c);
	return true;
}

/* Right after that, the guest exits with a state that it has loaded. */
static __always_inline bool usual_guest_load(struct fp_percpu *c,
					     struct fp_vcpu *v)
{
	if (v->home != c->cpu)
		return false;
	ADD(v->host.verdict[FP_VERDICT_NEEDED], 1);
	ADD(v->guest.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	ADD(v->guest.load, 1);
	hold(c, FP_BOUND_VCPU, v->buf, v->gen);
	c->judge.dirty = 1;
	c->judge.pending = 0;
	c->unbound_by = FP_NO_SLOT;
	c->foreign = FP_FOREIGN_CLEAR;
	begin_quiet(c, v, FP_QUIET_LIVE);
	return true;
}

/* That in vcpu_put() has, of the guest; see infer(). @flags: those of current. */
static __always_inline bool usual_guest_save(struct fp_percpu *c,
					     struct fp_vcpu *v, __u64 flags)
{
	if (c->foreign != FP_FOREIGN_CLEAR || !(flags & foreign_mask) ||
	    c->ahead || have_put_off(c) || c->judge.note || c->model.cause ||
	    !runs_dirty(&c->judge) || !holds(c, FP_BOUND_VCPU, v->buf, v->gen))
		return false;
	ADD(v->guest.save, 1);
	ADD(v->cause[FP_CAUSE_USER_RETURN], 1);
	end_quiet(c);
	set_pending(&c->judge, FP_WHO_GUEST);
	c->judge.slot = v->slot;
	c->model.bound = FP_BOUND_NONE;
	c->flags_then = flags;
	c->gone = 1;
	is_flushed(c);
	return true;
}

#endif /* FPSTAT_USUAL_H */
