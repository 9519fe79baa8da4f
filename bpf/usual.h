/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The usual ways, while only counting: tasks run one after the other, or one runs its
 * vcpu again and again, and nothing comes in between. From where automaton and judge are
 * then, they have one way to go for what comes next; these are its ends. They ask whether
 * it is so, and say if not; then the long way is taken, that of step.h, which ends in the
 * same state with the same counters.
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

static __always_inline void set_dirty(struct fp_judge *j)
{
	j->dirty = 1;
	j->pending = 0;
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

/* ---- tasks ---- */

/* The load of a task, which overwrites what is held. */
static __always_inline void usual_load(struct fp_percpu *c, __u64 buf,
				       __u32 gen)
{
	ADD(c->task.load, 1);
	ADD(c->task.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	c->unbound_by = FP_NO_SLOT;
	hold(c, FP_BOUND_TASK, buf, gen);
}

static __always_inline void task_is_saved(struct fp_percpu *c)
{
	ADD(c->task.save, 1);
	if (witness)
		c->user_saves++;
	c->saved_outside = 1;
}

/* Its save, and what has become of that before. */
static __always_inline void usual_save(struct fp_percpu *c, __u32 verdict)
{
	ADD(c->task.verdict[verdict], 1);
	task_is_saved(c);
}

/* ---- a switch, where the rest is inferred; with interrupts off ---- */

/* A task that has used its state is switched out. */
static __always_inline bool
usual_user(struct fp_percpu *c, const struct task_struct *prev, __u64 buf)
{
	__u32 gen = typed_pid(prev);

	if (judge_word(&c->judge) != held_word(FP_WHO_TASK, false))
		return false;
	if (c->foreign == FP_FOREIGN_CLEAR) {
		if (!holds(c, FP_BOUND_TASK, buf, gen))
			return false;
		usual_save(c, FP_VERDICT_UNCLOBBERED);
		return true;
	}
	if (c->foreign != FP_FOREIGN_SET || c->judge.buf == buf ||
	    c->home != c->cpu || is_owed(c, (__u64)prev))
		return false;
	usual_load(c, buf, gen);
	c->last = buf;
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
	} else if (uses_sve(c, flags) || !usual_user(c, prev, buf)) {
		return false;
	}
	ADD(c->events[FP_EV_SWITCH], 1);
	c->model.cause = FP_CAUSE_NONE;
	c->judge.switching = buf;
	c->gone = 1;
	foreign_after(c, next, typed_home(next), typed_flags(next));
	return true;
}

/* ---- KVM_RUN, where the rest is inferred ---- */

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
	const struct fp_event ev = { .buf = c->model.buf,
				     .gen = c->model.gen,
				     .kind = FP_EV_SAVE,
				     .in_run = 1 };

	keep_save(c, v->slot, &ev, sve_mask ? FP_FPSIMD_BYTES : 0);
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
	set_dirty(&c->judge);
	plan_host_save(c, v);
	return true;
}

/* That of the thread of @v, in vcpu_load(). */
static __always_inline void host_is_saved(struct fp_percpu *c,
					  struct fp_vcpu *v)
{
	ADD(v->host.save, 1);
	if (witness)
		c->user_saves++;
	set_pending(&c->judge, FP_WHO_HOST);
	c->judge.slot = v->slot;
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
	host_is_saved(c, v);
	c->model.cause = FP_CAUSE_NONE;
	c->ahead = FP_AHEAD_NOTHING;
	c->gone = 1;
	is_flushed(c);
	return true;
}

/* The guest of @v exits with a state that it has loaded, after the save of the host's. */
static __always_inline void guest_has_loaded(struct fp_percpu *c,
					     struct fp_vcpu *v)
{
	ADD(v->host.verdict[FP_VERDICT_NEEDED], 1);
	ADD(v->guest.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	ADD(v->guest.load, 1);
	hold(c, FP_BOUND_VCPU, v->buf, v->gen);
	set_dirty(&c->judge);
	c->unbound_by = FP_NO_SLOT;
	begin_quiet(c, v, FP_QUIET_LIVE);
}

/* Right after usual_host_save(). */
static __always_inline bool usual_guest_load(struct fp_percpu *c,
					     struct fp_vcpu *v)
{
	if (v->home != c->cpu)
		return false;
	guest_has_loaded(c, v);
	c->foreign = FP_FOREIGN_CLEAR;
	return true;
}

/* KVM_RUN ends, and nothing was in the registers that it had to save. */
static __always_inline bool usual_nothing(const struct fp_percpu *c,
					  __u64 flags)
{
	return c->foreign == FP_FOREIGN_SET && flags & foreign_mask &&
	       !c->ahead && !have_put_off(c);
}

/* It returns to user mode, or to who runs it. */
static __always_inline void guest_is_saved(struct fp_percpu *c,
					   struct fp_vcpu *v)
{
	ADD(v->guest.save, 1);
	ADD(v->cause[FP_CAUSE_USER_RETURN], 1);
	end_quiet(c);
	set_pending(&c->judge, FP_WHO_GUEST);
	c->judge.slot = v->slot;
	c->model.bound = FP_BOUND_NONE;
	c->gone = 1;
}

/* That in vcpu_put() has, of the guest; see infer(). @flags: those of current. */
static __always_inline bool usual_guest_save(struct fp_percpu *c,
					     struct fp_vcpu *v, __u64 flags)
{
	if (c->foreign != FP_FOREIGN_CLEAR || !(flags & foreign_mask) ||
	    c->ahead || have_put_off(c) || c->judge.note || c->model.cause ||
	    !runs_dirty(&c->judge) || !holds(c, FP_BOUND_VCPU, v->buf, v->gen))
		return false;
	guest_is_saved(c, v);
	c->flags_then = flags;
	is_flushed(c);
	return true;
}

/* ---- where switches, saves and loads have hooks ---- */

/* As a hook finds it. */
static __always_inline bool is_calm(const struct fp_percpu *c)
{
	return !streaming && is_alone(c) && !c->judge.resume &&
	       !is_announced(&c->judge);
}

static __always_inline bool plain_format(void)
{
	return !(has_sme && used_sme()) && !(current_flags() & sve_mask);
}

static __always_inline bool plain_switch(struct fp_percpu *c, __u64 buf)
{
	if (!is_calm(c) || c->under_way || begun_neon || saved_neon ||
	    current_loaded_vcpu())
		return false;
	ADD(c->events[FP_EV_SWITCH], 1);
	c->model.cause = FP_CAUSE_BLOCK;
	c->judge.switching = buf;
	return true;
}

/* The save of a task, of what it has loaded, or has found here. @v ran here last. */
static __always_inline bool plain_save(struct fp_percpu *c,
				       const struct fp_vcpu *v,
				       const struct fp_event *ev, __u64 t)
{
	bool dirty = runs_dirty(&c->judge);

	if (c->under_way || (v && v->task == t) ||
	    c->model.cause == FP_CAUSE_VCPU_LOAD ||
	    !holds(c, FP_BOUND_TASK, ev->buf, ev->gen) || !plain_format())
		return false;
	if (!dirty) {
		if (judge_word(&c->judge) != held_word(FP_WHO_TASK, false))
			return false;
		ADD(c->task.verdict[FP_VERDICT_UNCLOBBERED], 1);
	}
	task_is_saved(c);
	set_pending(&c->judge, FP_WHO_TASK);
	c->judge.slot = FP_NO_SLOT;
	return true;
}

/* In a KVM_RUN: of the host's state in vcpu_load(), or of the guest's in vcpu_put(). */
static __always_inline bool plain_run_save(struct fp_percpu *c,
					   struct fp_vcpu *v,
					   const struct fp_event *ev, __u64 t,
					   __u64 loaded)
{
	if (!v || v->task != t || v->vcpu != loaded || c->settling ||
	    !runs_dirty(&c->judge))
		return false;
	if (c->loading == FP_LOADING_NOT && !c->model.cause &&
	    holds(c, FP_BOUND_VCPU, v->buf, v->gen)) {
		guest_is_saved(c, v);
		return true;
	}
	if (c->loading != FP_LOADING_FIRST || !seen_eager || c->quiet ||
	    !holds(c, FP_BOUND_TASK, ev->buf, ev->gen) || !plain_format())
		return false;
	host_is_saved(c, v);
	c->loading = FP_LOADING_NOT;
	c->unbound_by = v->slot;
	return true;
}

/* The save function, which current has called: something is saved, .. */
static __always_inline bool plain_state_save(struct fp_percpu *c,
					     const struct fp_event *ev, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);
	__u64 loaded = current_loaded_vcpu();

	return loaded ? plain_run_save(c, v, ev, t, loaded) :
			plain_save(c, v, ev, t);
}

/* .. or nothing. */
static __always_inline bool usual_call(struct fp_percpu *c,
				       const struct fp_event *ev, __u64 t)
{
	if (!is_calm(c) || c->nested)
		return false;
	if (ev->foreign ? c->loading || c->settling || c->quiet :
			  !plain_state_save(c, ev, t))
		return false;
	c->model.cause = FP_CAUSE_NONE;
	c->gone = 1;
	return true;
}

/* A load, of a task or of the thread of a vcpu after its KVM_RUN. */
static __always_inline bool plain_load(struct fp_percpu *c,
				       const struct fp_event *ev, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);

	if (!is_calm(c) || c->loading || c->settling || c->quiet ||
	    current_home() != c->cpu || (v && v->task == t) || !plain_format())
		return false;
	if (v && v->owed == t) {
		if (!usual_owed(c, v, ev->buf, ev->gen))
			return false;
		c->unbound_by = FP_NO_SLOT;
	} else {
		if (c->judge.buf == ev->buf || is_owed(c, t) ||
		    judge_word(&c->judge) != held_word(FP_WHO_TASK, false))
			return false;
		ADD(c->task.verdict[FP_VERDICT_NEEDED], 1);
		usual_load(c, ev->buf, ev->gen);
	}
	set_dirty(&c->judge);
	return true;
}

/* A guest's exit with a state that it has loaded. */
static __always_inline bool plain_bind(struct fp_percpu *c, struct fp_vcpu *v,
				       const struct fp_event *ev)
{
	if (!is_calm(c) || !ev->foreign || c->loading ||
	    c->judge.slot != v->slot || v->home != c->cpu ||
	    c->model.bound != FP_BOUND_TASK || c->judge.buf == v->buf ||
	    judge_word(&c->judge) != held_word(FP_WHO_HOST, false))
		return false;
	guest_has_loaded(c, v);
	return true;
}

#endif /* FPSTAT_USUAL_H */
