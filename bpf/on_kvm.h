/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_RUN: who runs, from where to where. A vcpu gets its slot when it is loaded
 * for the first time, and loses it when it is destroyed.
 */
#ifndef FPSTAT_ON_KVM_H
#define FPSTAT_ON_KVM_H

#include "account.h"
#include "infer.h"
#include "kernel.h"
#include "live_rules.h"
#include "maps.h"
#include "step.h"
#include "usual.h"

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
	v->exits_before = exits_by_kvm ? vcpu_exits(vcpu) : 0;
	v->home = FP_NO_CPU;
	v->gen++;
	if (bpf_map_update_elem(&slot_of_vcpu, &vcpu, slot, BPF_ANY)) {
		v->state = FP_SLOT_DEAD; /* nobody would find it again */
		return NULL;
	}
	v->state = FP_SLOT_LIVE;
	return v;
}

/* @t ran another vcpu before, or none: so v->thread is who ran @v, and nothing else. */
static __always_inline void change_thread(struct fp_vcpu *v, __u64 t,
					  __u32 slot)
{
	__u32 *was = bpf_map_lookup_elem(&slot_of_task, &t);
	struct fp_vcpu *before = was ? slot_at(*was) : NULL;
	__u64 *early;

	if (before && before->thread == t)
		before->thread = 0;
	bpf_map_update_elem(&slot_of_task, &t, &slot, BPF_ANY);
	early = was ? NULL : bpf_map_lookup_elem(&early_runs, &t);
	if (early) {
		ADD(v->runs, *early);
		bpf_map_delete_elem(&early_runs, &t);
	}
	v->thread = t;
	v->tid = current_pid();
}

/* The thread @t begins a KVM_RUN for @v. */
static __always_inline void begin_run(struct fp_vcpu *v, __u64 t, __u32 slot)
{
	if (v->thread != t)
		change_thread(v, t, slot);
	v->task = t;
}

static __always_inline struct fp_vcpu *find_vcpu(struct fp_percpu *c,
						 __u64 vcpu, __u32 *slot)
{
	__u32 *known = bpf_map_lookup_elem(&slot_of_vcpu, &vcpu);
	struct fp_vcpu *v;

	if (known) {
		*slot = *known;
		return slot_at(*slot);
	}
	v = take_slot(c, vcpu, slot);
	if (!v)
		ADD(c->no_slot, 1);
	return v;
}

/*
 * @t has loaded @vcpu on this CPU. NULL: there is no slot for it. @first: for
 * the first time in this KVM_RUN.
 */
static __always_inline struct fp_vcpu *
loaded_here(struct fp_percpu *c, struct task_struct *t, __u64 vcpu, bool *first)
{
	struct fp_vcpu *v = slot_at(c->slot);
	__u32 slot = c->slot;

	if (!v || v->vcpu != vcpu)
		v = find_vcpu(c, vcpu, &slot);
	*first = v && v->task != (__u64)t;
	if (*first)
		begin_run(v, (__u64)t, slot);
	c->slot = v ? slot : FP_NO_SLOT;
	return v;
}

/* One that was inside KVM_RUN already when capture began. It has exited just now. */
static __always_inline struct fp_vcpu *adopt(struct fp_percpu *c,
					     struct task_struct *t)
{
	__u64 vcpu = current_loaded_vcpu();
	struct fp_vcpu *v;
	bool first;

	if (!vcpu)
		return NULL;
	v = loaded_here(c, t, vcpu, &first);
	if (exits_by_kvm && v && first)
		v->exits_before--;
	if (takes_exits && c->running != vcpu)
		begin_exits(c, vcpu, 1);
	return v;
}

/* Those that we know of. @v is loaded here: nobody else adds to them now. */
static __always_inline __u64 known_exits(const struct fp_vcpu *v)
{
	const struct fp_quiet *q = quiet_at(fp_quiet_at(v->quiet_live) - 1);

	return v->exits + fp_quiet_sum(v->quiet_live, q->live) +
	       fp_quiet_sum(v->quiet_away, q->away);
}

/* What KVM had counted when we knew of none; @made: just now, and not known yet. */
static __always_inline void set_exits(struct fp_vcpu *v, __u32 made)
{
	if (settles)
		v->exits_before = vcpu_exits(v->vcpu) - known_exits(v) - made;
}

/*
 * Softirqs are on here. As kprobe it runs with interrupts masked, and the event is
 * made at once. As fentry, one may use NEON at any point of it, and make stale what
 * was read of TIF_FOREIGN_FPSTATE: the event is left to the next hook where nothing
 * can come in between. In load_fp() that is the save, or the softirq's; what comes
 * before it changes nothing that the event depends on, or it would have a hook.
 */
static __always_inline struct fp_vcpu *on_vcpu_load(struct fp_percpu *c,
						    struct task_struct *t,
						    __u64 vcpu, bool checking)
{
	struct fp_vcpu *v;
	bool first;

	v = loaded_here(c, t, vcpu, &first);
	if (takes_exits)
		begin_exits(c, vcpu, 0);
	if (v)
		set_exits(v, 0);
	if (checking)
		rule_load(c, vcpu);
	c->loading = first ? FP_LOADING_FIRST : FP_LOADING_AGAIN;
	return v;
}

static __always_inline int on_load_probe(struct pt_regs *ctx, bool checking)
{
	struct task_struct *t = current_task();
	struct fp_event ev = task_event(t, FP_EV_VLOAD);
	__u64 vcpu = PT_REGS_PARM1(ctx);
	struct fp_percpu *c = this_cpu();
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = on_vcpu_load(c, t, vcpu, checking);
	if (settles && have_put_off(c))
		catch_up(c->cpu);
	else
		take_vload(c, v, &ev, vcpu_buf(vcpu));
	return 0;
}

static __always_inline int on_load_entry(unsigned long long *ctx, bool checking)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		on_vcpu_load(c, current_task(), as_number((const void *)ctx[0]),
			     checking);
	return 0;
}

CHECKED("kprobe", k_vcpu_load, on_load_probe, struct pt_regs)
CHECKED("fentry", f_vcpu_load, on_load_entry, unsigned long long)

/* vcpu_load() on this CPU, the long way: before what softirqs have put off. */
__noinline int infer_vload(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct task_struct *t = current_task();
	__u64 vcpu = current_loaded_vcpu();
	struct fp_event ev = {
		.buf = task_buf(t),
		.gen = current_pid(),
		.kind = FP_EV_VLOAD,
	};
	struct fp_vcpu *v;

	if (!c)
		return 0;
	infer(cpu);
	ev.foreign = c->foreign == FP_FOREIGN_SET;
	v = on_vcpu_load(c, t, vcpu, false);
	take_vload(c, v, &ev, vcpu_buf(vcpu));
	announce(c, t, FP_AHEAD_SAVE);
	return 0;
}

/*
 * Was it vcpu_load() that asked for the map of timers which are not loaded? Others do,
 * too: the switch away from a vcpu that blocks; and KVM puts and loads timers for a
 * register of theirs, and then the guest's state may be live. If it is not, that is as
 * one more vcpu_load(), which moves nothing.
 */
static __always_inline bool is_vcpu_load(const struct fp_percpu *c)
{
	bool set = foreign();

	/* An interrupt in there was before us. What it announced is still to come. */
	if (!set && c->ahead == FP_AHEAD_SAVE && c->foreign == FP_FOREIGN_CLEAR)
		return false;
	return c->judge.switching != task_buf(current_task()) &&
	       (c->model.bound != FP_BOUND_VCPU || set);
}

static __always_inline int on_timer_map(void)
{
	struct fp_percpu *c = this_cpu();
	__u64 vcpu = current_loaded_vcpu();
	struct fp_vcpu *v;

	if (!c || !vcpu || !is_vcpu_load(c))
		return 0;
	c->settling = 1;
	barrier();
	v = slot_at(c->slot);
	if (!v || v->vcpu != vcpu || !usual_vload(c, v, current_task()))
		infer_vload(c->cpu);
	settle_end(c, c->cpu);
	return 0;
}

/*
 * vcpu_load() loads the timers before the FP state. This takes a ninth of what a kprobe
 * in kvm_arch_vcpu_load_fp() takes. Softirqs are on.
 */
SEC("tp_btf/kvm_get_timer_map")
int timer_map(unsigned long long *ctx)
{
	/* Not that it would matter if vcpu_put() asks: it takes longer. */
	return typed_is_loaded((const void *)ctx[1]) ? 0 : on_timer_map();
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

static __always_inline int on_guest_exit(struct bpf_raw_tracepoint_args *ctx,
					 bool checking)
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
		account(c, v, FP_EV_EXIT, fp_step(&c->model, &ev));
		record_in_lane(c, FP_LANE_EXIT, &ev, 0, v, FP_REC_NO_JUDGE);
	} else if (all_exits) {
		ev = exit_event(t, ctx);
		record_in_lane(c, FP_LANE_EXIT, &ev, 0, v,
			       FP_REC_NO_STEP | FP_REC_NO_JUDGE);
	}
	if (checking)
		rule_exit(ctx, c);
	return 0;
}

CHECKED("raw_tp/kvm_exit", kvm_exit, on_guest_exit,
	struct bpf_raw_tracepoint_args)

/* ---- exits, where a kprobe at the bind would cost ten times as much ---- */

/* @v has exited, and its guest does not own the registers: the host may still. */
static __always_inline void show_policy(struct fp_percpu *c, struct fp_vcpu *v)
{
	struct fp_event ev = task_event(current_task(), FP_EV_EXIT);

	if (seen_eager || seen_martin)
		return;
	account(c, v, FP_EV_EXIT, fp_step(&c->model, &ev));
	record_in_lane(c, FP_LANE_MAIN, &ev, 0, v, FP_REC_NO_JUDGE);
}

/*
 * The exit of the vcpu that is loaded here was live if the vcpu says so: from the
 * exit to the next entry nobody writes that. TIF_FOREIGN_FPSTATE at the entry follows
 * from what has come since vcpu_load(): only a save sets it.
 */
__noinline int settle(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_event ev = { .kind = FP_EV_BIND_VCPU, .in_run = 1 };
	struct fp_vcpu *v = c ? slot_at(c->slot) : NULL;

	if (!c || !v)
		return 0;
	if (vcpu_hint(v->vcpu) != FP_HINT_GUEST) {
		if (infers)
			infer(cpu);
		show_policy(c, v);
		return 0;
	}
	if (infers && usual_host_save(c, v) && usual_guest_load(c, v))
		return 0;
	if (infers)
		infer_host(c);
	ev.buf = v->buf;
	ev.gen = v->gen;
	ev.foreign = c->gone &&
		     !(c->model.bound == FP_BOUND_VCPU &&
		       c->model.buf == v->buf && c->model.gen == v->gen);
	on_guest_live(c, v, &ev);
	if (infers)
		c->foreign = FP_FOREIGN_CLEAR;
	return 0;
}

/*
 * One more exit, if nothing changes at it.
 *
 * A softirq that uses NEON in here finds an exit that is not counted, and settles it.
 * Then no vcpu is counted on this CPU any more, and what we add is nobody's. Or it puts
 * its events off, those of @c: then the flag may be what it made of it.
 */
static __always_inline bool count_quiet_exit(__u32 cpu, struct fp_percpu *c)
{
	struct fp_quiet *q = quiet_at(cpu);
	__u64 open;

	barrier_var(q); /* or its address is made twice */
	open = q->open;
	if (open == FP_QUIET_LIVE) {
		barrier();
		q->live++;
		return true;
	}
	barrier_var(open); /* .. and this be asked first */
	if (!open || (open | current_flags()) != ~0ull)
		return false;
	barrier();
	if (c && have_put_off(c))
		return false;
	q->away++;
	return true;
}

/* The same for the stream. Softirqs' events are put off: it is told as it is counted. */
static __always_inline bool tell_quiet_exit(struct fp_percpu *c, __u32 cpu)
{
	c->settling = 1;
	barrier();
	if (!count_quiet_exit(cpu, c))
		return false; /* settle_exit() is next */
	c->exits++;
	settle_end(c, cpu);
	return true;
}

static __always_inline void count_exit(struct fp_percpu *c, struct fp_vcpu *v,
				       __u32 cpu)
{
	v->exits++;
	if (v->exits_before == FP_EXITS_UNKNOWN)
		set_exits(v, 0);
	if (!foreign() || (have_put_off(c) && !was_foreign(c))) {
		settle(cpu);
		return;
	}
	if (infers && usual_host_save(c, v))
		c->flags_then = current_flags();
	else if (infers)
		infer(cpu);
	begin_quiet(c, v, ~foreign_mask);
}

/*
 * One more exit of @v. Softirqs are on in kvm_exit: what one does with NEON while we
 * are at work is put off, and one that came before, right after the exit, has settled
 * it (settle_before()). So there is one at a time who counts. With the flag set, and
 * nothing put off, the guest does not own the registers, nor did it at the exit.
 *
 * @tell: to the stream. It hears of this exit after the record of it.
 */
static __always_inline void settle_exit(struct fp_percpu *c, struct fp_vcpu *v,
					__u32 cpu, bool tell)
{
	if (c->settled == quiet_exits(cpu) + 1) {
		c->settled = 0;
	} else {
		count_exit(c, v, cpu);
		if (tell)
			c->exits++;
	}
	settle_end(c, cpu);
}

/* The first exit of a vcpu that was loaded before capture began. */
__noinline int first_exit(__u32 cpu)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_vcpu *v;

	if (!c)
		return 0;
	v = adopt(c, current_task());
	if (v) {
		set_exits(v, 1);
		settle_exit(c, v, cpu, streaming);
	} else {
		ADD(c->untracked_exits, 1);
		if (infers)
			infer_untracked(c);
		if (streaming)
			c->exits++;
		settle_end(c, cpu);
	}
	return 0;
}

/*
 * Whoever is loaded has been seen by vcpu_load(), once one was on this CPU. There is a
 * program for the stream: to ask whether there is one takes as long as this.
 */
static __always_inline int on_settle(void *ctx, __u32 cpu, bool tell,
				     bool checking)
{
	struct fp_percpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct fp_vcpu *v;

	if (!c)
		return 0;
	if (!tell || !tell_quiet_exit(c, cpu)) {
		if (!is_enabled(c)) { /* no exit is quiet before */
			c->settling = 0;
			return 0;
		}
		c->settling = 1;
		barrier();
		v = slot_at(c->slot);
		if (v)
			settle_exit(c, v, cpu, tell);
		else
			first_exit(cpu);
	}
	if (checking)
		rule_exit_settled(ctx, c);
	return 0;
}

/* The CPU is asked for twice, where more is to do: to keep it takes longer. */
SEC("raw_tp/kvm_exit")
int kvm_exit_settle(void *ctx)
{
	return count_quiet_exit(bpf_get_smp_processor_id(), NULL) ?
		       0 :
		       on_settle(ctx, bpf_get_smp_processor_id(), false, false);
}

static __always_inline int on_exit_tell(void *ctx, bool checking)
{
	return on_settle(ctx, bpf_get_smp_processor_id(), true, checking);
}

CHECKED("raw_tp/kvm_exit", kvm_exit_tell, on_exit_tell, void)

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

/* No other task may come in: it would end them, too, and begin anew. */
static __always_inline void end_exits_here(struct fp_percpu *c)
{
	bool stay = can_stay;

	if (stay)
		bpf_preempt_disable();
	end_exits(c);
	if (stay)
		bpf_preempt_enable();
}

/*
 * On a kernel that saves nothing in vcpu_load(), and nothing has come since: no step,
 * but what another policy would have done there is asked of the stream.
 */
static __always_inline void tell_load(struct fp_percpu *c,
				      const struct fp_event *end)
{
	struct fp_event ev = *end;
	struct fp_vcpu *v;

	ev.kind = FP_EV_VLOAD;
	ev.in_run = c->loading == FP_LOADING_AGAIN;
	c->loading = FP_LOADING_NOT; /* a softirq would tell of it, too */
	v = slot_at(c->slot);
	if (v)
		record_in_lane(c, FP_LANE_RUN_END, &ev, v->buf, v,
			       FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

/* What KVM_RUN has saved, while softirqs put off what they do. */
static __always_inline void infer_run_end(struct fp_percpu *c, __u64 t)
{
	struct fp_vcpu *v = slot_at(c->slot);
	__u64 flags = current_flags();

	if (!usual_nothing(c, flags) &&
	    (!v || v->task != t || !usual_guest_save(c, v, flags)))
		infer(c->cpu);
}

/*
 * A softirq may use NEON at any point of this. Where v->task goes, what it saves is
 * not the vcpu's any more, and nor is the load after it.
 */
static __always_inline int on_run_end(struct bpf_raw_tracepoint_args *ctx,
				      bool checking)
{
	struct task_struct *t = current_task();
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = { .kind = FP_EV_RUN_END };
	struct fp_vcpu *v;

	if (!c)
		return 0;
	if (checking)
		rule_run_end(c);
	if (streaming) {
		ev = task_event(t, FP_EV_RUN_END);
		if (c->loading)
			tell_load(c, &ev);
	}
	if (infers) {
		c->settling = 1;
		barrier();
		infer_run_end(c, (__u64)t);
	}
	c->loading = FP_LOADING_NOT; /* .. and no matter to who counts */
	if (c->running) /* nobody else can have loaded it yet */
		end_exits_here(c);
	account(c, NULL, FP_EV_RUN_END, fp_step(&c->model, &ev));
	v = ran(c, (__u64)t);
	if (v) {
		c->saved_outside = 0;
		barrier();
		v->task = 0;
		barrier();
		ev.foreign = foreign() && !c->saved_outside;
		ADD(v->runs, 1);
	} else {
		early_run((__u64)t);
	}
	record_in_lane(c, FP_LANE_RUN_END, &ev, ctx->args[0], v,
		       FP_REC_NO_JUDGE);
	if (v && ev.foreign)
		owe(v, (__u64)t);
	if (infers)
		settle_end(c, c->cpu);
	return 0;
}

CHECKED("raw_tp/kvm_userspace_exit", kvm_userspace_exit, on_run_end,
	struct bpf_raw_tracepoint_args)

/* KVM's count is lower than it was: somebody has cleared it, and we go on from here. */
static __always_inline void exits_cleared(struct fp_vcpu *v, __u64 n)
{
	struct fp_percpu *c = this_cpu();

	v->exits_before += n - v->exits_read;
	if (c)
		ADD(c->missed, 1);
}

/* By the count of KVM, if @v still is that vcpu after it was read. */
static __always_inline void count_exits(struct fp_vcpu *v, __u64 *exits)
{
	__u64 vcpu = v->vcpu, n;
	__u32 gen = v->gen;

	if (!exits_by_kvm || !vcpu)
		return;
	n = vcpu_exits(vcpu) - v->exits_before;
	barrier();
	if (v->vcpu != vcpu || v->gen != gen)
		return;
	if ((__s64)(n - v->exits_read) < 0)
		exits_cleared(v, n);
	else
		*exits = n;
}

/*
 * Run by the reader, where exits have no hook: @n slots. Hot hooks are fentry there,
 * which no bpf(2) call makes the kernel drop.
 */
struct count_all_exits {
	__u32 n;
};

static long count_one(__u32 slot, void *unused)
{
	struct fp_vcpu *v = slot_at(slot);

	if (v && v->state == FP_SLOT_LIVE)
		count_exits(v, &v->exits_read);
	return 0;
}

SEC("syscall")
int count_all_exits(struct count_all_exits *args)
{
	bpf_loop(args->n, count_one, NULL, 0);
	return 0;
}

/* .. on each CPU, there, and for stream__rest(). */
SEC("raw_tp")
int read_passed(void *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		c->passed_read = passed_now(c, FP_EV_MAX);
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
	count_exits(v, &v->exits);
	v->task = 0;
	v->buf = 0;
	v->vcpu = 0;
	v->state = FP_SLOT_DEAD;
	bpf_map_delete_elem(&slot_of_vcpu, &vcpu);
	return 0;
}

static __always_inline int on_end_probe(struct pt_regs *ctx, bool checking)
{
	if (checking)
		rule_end(ctx, PT_REGS_PARM1(ctx));
	return on_vcpu_end(PT_REGS_PARM1(ctx));
}

CHECKED("kprobe", vcpu_end, on_end_probe, struct pt_regs)

#endif /* FPSTAT_ON_KVM_H */
