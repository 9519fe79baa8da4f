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

/* Counted first: what is decided is never more. */
static __always_inline void count_step(struct fp_percpu *c, struct fp_vcpu *v,
				       const struct fp_event *ev, __u32 step)
{
	account(c, v, known_kind(ev), step);
	judge_on(c, v, ev, step);
}

/* The usual answers are asked for once, and not at each point of it. */
static __always_inline void count_save(struct fp_percpu *c, struct fp_vcpu *v,
				       const struct fp_event *ev, __u32 step)
{
	__u32 cause = step & ~FP_OPS_ALL, eager = step & FP_OP_EAGER;

	if (FP_OPS(step) == FP_OP_GUEST_SAVE)
		count_step(c, v, ev, FP_OP_GUEST_SAVE | cause);
	else if ((FP_OPS(step) & ~FP_OP_EAGER) == FP_OP_USER_SAVE)
		count_step(c, v, ev, FP_OP_USER_SAVE | eager | cause);
	else
		count_step(c, v, ev, step);
}

/* ---- exits at which nothing changes: see struct fp_quiet ---- */

/* Those of the vcpu in @slot are counted on this CPU from now on, and no others. */
__noinline int count_quiet(__u32 cpu, __u32 slot)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	const struct fp_quiet *q = quiet_at(cpu);
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = slot_at(c->quiet_slot - 1);
	if (v && fp_quiet_at(v->quiet_live) == cpu + 1) {
		v->quiet_live = fp_quiet_end(v->quiet_live, q->live);
		v->quiet_away = fp_quiet_end(v->quiet_away, q->away);
	}
	c->quiet_slot = 0;
	v = slot_at(slot);
	/* Another thread ran it elsewhere, and is there still: not before it goes. */
	if (!v || fp_quiet_at(v->quiet_live))
		return 0;
	v->quiet_live = fp_quiet_begin(v->quiet_live, cpu, q->live);
	v->quiet_away = fp_quiet_begin(v->quiet_away, cpu, q->away);
	c->quiet_slot = slot + 1;
	return 0;
}

/* @open: what makes the next exit of @v one of these. */
static __always_inline void begin_quiet(struct fp_percpu *c,
					const struct fp_vcpu *v, __u64 open)
{
	if (fp_quiet_at(v->quiet_live) != c->cpu + 1) {
		count_quiet(c->cpu, v->slot);
		if (fp_quiet_at(v->quiet_live) != c->cpu + 1)
			return;
	}
	c->quiet = 1;
	quiet_at(c->cpu)->open = open;
}

static __always_inline void end_quiet(struct fp_percpu *c)
{
	if (!c->quiet)
		return;
	c->quiet = 0;
	note_quiet(c);
	quiet_at(c->cpu)->open = 0;
}

/* ---- events ---- */

__noinline int infer(__u32 cpu);

/* The registers of this CPU are nobody's, for the kernel: see infer.h. */
static __always_inline void is_flushed(struct fp_percpu *c)
{
	c->foreign = FP_FOREIGN_SET;
	c->last = 0;
}

/* One event, all of it. */
static __always_inline void take_step(struct fp_percpu *c, struct fp_vcpu *v,
				      const struct fp_event *ev)
{
	__u32 step = fp_step(&c->model, ev);

	end_quiet(c);
	if (ev->kind == FP_EV_VLOAD)
		c->gone = ev->foreign;
	else if (ev->kind == FP_EV_SAVE)
		c->gone = 1;
	if (ev->kind == FP_EV_NEON_SOFTIRQ && infers)
		is_flushed(c); /* its save comes at once */
	if (known_kind(ev) == FP_EV_SAVE)
		count_save(c, v, ev, step);
	else if (known_kind(ev) == FP_EV_BIND_VCPU &&
		 FP_OPS(step) == FP_OP_GUEST_LOAD)
		count_step(c, v, ev, FP_OP_GUEST_LOAD);
	else
		count_step(c, v, ev, step);
}

/*
 * The same of one that has more to tell: @other is what its record has in
 * fp_rec.other. Of a user state these are the bytes that it moves, which are counted.
 */
static __always_inline void take_telling_step(struct fp_percpu *c,
					      struct fp_vcpu *v,
					      const struct fp_event *ev,
					      __u64 other)
{
	bool moves = ev->kind == FP_EV_SAVE || ev->kind == FP_EV_LOAD;

	if (moves)
		c->bytes = other;
	tell_stream(c, other);
	take_step(c, v, ev);
	if (moves)
		c->bytes = 0;
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
		.gen = current_pid(),
		.kind = kind,
		.foreign = foreign(),
	};

	return ev;
}

/*
 * The event of a vcpu_load(), from where no softirq can come in: see on_kvm.h. @v: the
 * vcpu, if it has a slot, @task: an event about the state of current, @buf: the vcpu's.
 */
static __always_inline void take_vload(struct fp_percpu *c, struct fp_vcpu *v,
				       const struct fp_event *task, __u64 buf)
{
	struct fp_event ev = {
		.buf = task->buf,
		.gen = task->gen,
		.kind = FP_EV_VLOAD,
		.foreign = task->foreign,
		.in_run = c->loading == FP_LOADING_AGAIN,
		.arg = c->model.buf == buf,
	};

	c->loading = FP_LOADING_NOT;
	take_telling_step(c, v, &ev, buf);
	c->unbound_by = c->slot;
}

/*
 * The save function was called, by @t: what is to be known if it had something to
 * save; and @bytes, if asked for, that it wrote. Returns who pays.
 */
static __always_inline struct fp_vcpu *saved_for(struct fp_percpu *c,
						 const struct task_struct *t,
						 struct fp_event *ev,
						 __u64 *bytes)
{
	struct fp_vcpu *v;
	__u64 loaded;

	if (ev->foreign)
		return NULL;
	loaded = current_loaded_vcpu();
	v = run_of(c, t, loaded, &ev->in_run);
	if (!ev->in_run)
		c->saved_outside = 1;
	if (c->loading && !settles && v) {
		record_pair(c);
		take_vload(c, v, ev, v->buf);
	}
	if (c->model.bound == FP_BOUND_UNKNOWN)
		ev->arg = loaded ? vcpu_hint(loaded) : FP_HINT_HOST;
	if (bytes && c->model.bound != FP_BOUND_VCPU)
		*bytes = bytes_of(t, true);
	return v;
}

__noinline int vload(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = task_event(current_task(), FP_EV_VLOAD);

	if (c)
		take_vload(c, slot_at(c->slot), &ev,
			   vcpu_buf(current_loaded_vcpu()));
	return 0;
}

/* Something happens to the state in @buf, which CPU @nr may hold. */
static __always_inline void tell(__u32 nr, __u64 buf, __u64 why)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &nr);

	if (c)
		fp_judge_tell(&c->judge, buf, why);
}

/* This CPU knows: it hears of the event itself. */
static __always_inline void tell_other(const struct fp_percpu *c, __u32 nr,
				       __u64 buf, __u64 why)
{
	if (nr != c->cpu)
		tell(nr, buf, why);
}

/* Where @v has its state live now. */
static __always_inline void move_home(const struct fp_percpu *c,
				      struct fp_vcpu *v)
{
	if (v->home == c->cpu)
		return;
	tell(v->home, v->buf, FP_NOTE_MOVED);
	v->home = c->cpu;
}

/* The guest of @v, if it has a slot, has exited with its state live. */
static __always_inline void
on_guest_live(struct fp_percpu *c, struct fp_vcpu *v, const struct fp_event *ev)
{
	if (v)
		move_home(c, v);
	take_step(c, v, ev);
	/* The registers hold the state, and nothing is undecided: fp_judge_knows(). */
	if (v && c->judge.held == FP_HELD_STATE && !c->judge.busy)
		begin_quiet(c, v, FP_QUIET_LIVE);
}

/* ---- events that wait for their turn ---- */

/*
 * Puts off what a softirq does while a program is at work below it. It uses NEON,
 * once or many times: after the first save there is nothing left to save, and one
 * more section changes nothing that one of these had not. What finds no room is lost
 * to the stream alone.
 */
__noinline int put_off(__u32 cpu, __u32 slot, __u64 buf, __u64 event,
		       __u64 other)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_later *l;
	__u32 room;

	if (!c)
		return 0;
	room = FP_LATER - (c->later_tail - c->later_head);
	if (unpack(buf, event).kind == FP_EV_NEON_SOFTIRQ)
		c->later_full = room < 2;
	if (c->later_full) {
		if (streaming)
			ADD(c->lost, 1);
		return 0;
	}
	l = &c->later[c->later_tail & (FP_LATER - 1)];
	l->buf = buf;
	l->event = event;
	l->other = other;
	l->slot = slot;
	barrier();
	c->later_tail++;
	return 0;
}

/* Takes the step that is due first. */
__noinline int take_later(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_later *l;
	struct fp_event ev;
	__u64 other;

	if (!c)
		return 0;
	l = &c->later[c->later_head & (FP_LATER - 1)];
	ev = unpack(l->buf, l->event);
	other = l->other;
	if (ev.kind == FP_EV_SAVE && c->model.bound == FP_BOUND_VCPU)
		other = 0; /* it was not known yet to be the guest's */
	take_telling_step(c, slot_at(l->slot), &ev, other);
	c->later_head++;
	return 0;
}

/* Takes the steps that are due on this CPU, in their order. */
__noinline int catch_up(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	int i;

	if (!c)
		return 0;
	for (i = 0; settles && i < FP_LATER; i++) {
		if (c->later_head == c->later_tail)
			break;
		take_later(cpu);
	}
	if (c->loading)
		vload(cpu);
	return 0;
}

static __always_inline bool have_put_off(const struct fp_percpu *c)
{
	return c->later_head != c->later_tail;
}

/* The flag of current, as the first softirq found it that has put off what it did .. */
static __always_inline bool was_foreign(const struct fp_percpu *c)
{
	const struct fp_later *l = &c->later[c->later_head & (FP_LATER - 1)];

	return unpack(l->buf, l->event).foreign;
}

/* .. or as it was read just now, if none has. */
static __always_inline bool is_foreign(const struct fp_percpu *c, __u64 flags)
{
	barrier();
	return have_put_off(c) ? was_foreign(c) : !!(flags & foreign_mask);
}

/*
 * Takes the steps that were put off, while others are put off. Who looks before he
 * lets them in again may miss the last one, and then the next exit comes first.
 */
__noinline int settle_later(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	int i;

	if (!c)
		return 0;
	for (i = 0; i < FP_LATER && have_put_off(c); i++) {
		c->settling = 1;
		barrier();
		catch_up(cpu);
		barrier();
		c->settling = 0;
		barrier();
	}
	return 0;
}

/* Lets softirqs in again. */
static __always_inline void settle_end(struct fp_percpu *c, __u32 cpu)
{
	barrier();
	c->settling = 0;
	barrier();
	if (have_put_off(c))
		settle_later(cpu);
}

/* Something must come before the next event, or it is not its time yet. */
static __always_inline bool is_behind(const struct fp_percpu *c)
{
	return c->loading || (settles && (c->settling || have_put_off(c)));
}

/* Is it the turn of @ev? It comes after all that happened before on this CPU. */
static __always_inline bool is_due(struct fp_percpu *c, const struct fp_vcpu *v,
				   const struct fp_event *ev, __u64 other)
{
	if (is_behind(c)) {
		if (settles && c->settling) {
			put_off(c->cpu, v ? v->slot : FP_NO_SLOT, ev->buf,
				pack(ev), other);
			return false;
		}
		catch_up(c->cpu);
	}
	return true;
}

/* What is so in all of a step is asked once: whether it is charged to a vcpu. */
static __always_inline void on_event(struct fp_percpu *c, struct fp_vcpu *v,
				     const struct fp_event *ev)
{
	if (!is_due(c, v, ev, 0))
		return;
	if (v)
		take_step(c, v, ev);
	else
		take_step(c, NULL, ev);
}

static __always_inline void on_telling_event(struct fp_percpu *c,
					     struct fp_vcpu *v,
					     const struct fp_event *ev,
					     __u64 other)
{
	if (!is_due(c, v, ev, other))
		return;
	if (v)
		take_telling_step(c, v, ev, other);
	else
		take_telling_step(c, NULL, ev, other);
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

/* @why: what it means to another CPU that may hold it. */
static __always_inline int on_task(__u64 t, __u8 kind, __u64 why)
{
	const struct task_struct *task = (const void *)t;
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	ADD(c->events[kind], 1);
	if (why)
		tell(task_home(task), task_buf(task), why);
	record_in_memory(c, kind, task_buf(task), NULL);
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
		record_in_memory(c, kind, v->buf, v);
	}
	return 0;
}

#endif /* FPSTAT_STEP_H */
