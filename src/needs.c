// SPDX-License-Identifier: GPL-2.0-only
/* From the stream of one kernel to needs. */
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/model.h"
#include "need.h"

struct cpu {
	uint64_t task; /* current; 0: not seen yet */
	uint64_t vcpu; /* that it has loaded */
	bool live; /* its guest's state, when it was seen last */
	int64_t idle_exits; /* without FP, not told yet */
	bool stays; /* task was seen in a system call since it came here */
	bool begins; /* task is in kernel_neon_begin(), before its save .. */
	bool loads; /* .. but the next save is vcpu_load()'s .. */
	bool reads; /* .. or of who only wants the copy */
	bool softirq; /* one uses NEON, before its save */
	bool edits; /* task is in sigreturn: the next load is of what it wrote */
	bool blind; /* since a gap: whose needs these are is not known */
};

enum { BEGUN = 32 };

struct needs {
	unsigned int nr_cpus;
	struct cpu *cpus;
	uint64_t begun[BEGUN]; /* tasks switched out in kernel_neon_begin() .. */
	unsigned int nr_begun; /* .. nearly always none */
	bool martin; /* evidence that vcpu_load() saves nothing */
	bool gaps; /* tasks may be in kernel_neon_begin(), unseen */
};

struct needs *needs__new(unsigned int cpus)
{
	struct needs *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->nr_cpus = cpus;
	n->cpus = calloc(cpus, sizeof(*n->cpus));
	if (!n->cpus) {
		free(n);
		return NULL;
	}
	return n;
}

void needs__free(struct needs *n)
{
	if (n)
		free(n->cpus);
	free(n);
}

void needs__begin(struct needs *n)
{
	unsigned int i;

	n->gaps = true;
	for (i = 0; i < n->nr_cpus; i++)
		n->cpus[i].blind = true;
}

/* Collects the needs of one record. */
struct list {
	struct needs *needs;
	const struct fp_rec *r;
	struct cpu *cpu;
	struct need *end;
};

static struct need *add(struct list *l, enum need_kind kind)
{
	struct need *need = l->end++;

	need->kind = kind;
	need->use = TRI_NO;
	need->slot = l->r->slot;
	need->cpu = l->r->cpu;
	need->task = l->cpu->task;
	need->vcpu = l->cpu->vcpu;
	need->ns = l->r->ns;
	return need;
}

static void enter(struct list *l, enum tri use, uint64_t count)
{
	struct need *need;

	if (!l->cpu->vcpu || !count)
		return;
	need = add(l, NEED_ENTER);
	need->use = use;
	need->count = count;
}

/*
 * The exits since the last record. Those with live state come first, since they
 * are known at the exit; the tracepoint that counts it follows a little later.
 */
static void exits(struct list *l)
{
	struct cpu *cpu = l->cpu;

	if (!l->r->exits && !l->r->live)
		return; /* nearly always */
	enter(l, TRI_MAYBE, l->r->live);
	cpu->idle_exits += (int64_t)l->r->exits - l->r->live;
	if (cpu->idle_exits <= 0)
		return;
	enter(l, TRI_NO, (uint64_t)cpu->idle_exits);
	cpu->idle_exits = 0;
}

static void user(struct list *l, enum tri sure)
{
	if (l->cpu->task)
		add(l, NEED_USER)->use = sure;
}

/* current has its registers bound: perhaps it was in user mode with them. */
static void perhaps_user(struct list *l)
{
	if (!l->r->ev.foreign)
		user(l, TRI_MAYBE);
}

/*
 * A system call that only user mode can make. It was there since the last one,
 * but perhaps before it came to this CPU, or lost its registers again.
 */
static void from_user(struct list *l)
{
	bool stays = l->cpu->stays;

	if (!l->r->ev.foreign)
		user(l, stays ? TRI_YES : TRI_MAYBE);
	if ((l->r->ev.foreign || !stays) && l->cpu->task)
		add(l, NEED_WAS_USER);
	l->cpu->stays = true;
}

/* The vcpu is taken, but its load is still to come. */
static void running(struct list *l)
{
	if (!l->r->ev.in_run || l->cpu->vcpu || l->r->slot == FP_NO_SLOT)
		return;
	from_user(l);
	add(l, NEED_RUN);
}

/* Whoever is switched out there goes on there. */
static void leave_begin(struct list *l)
{
	unsigned int i;

	for (i = 0; i < BEGUN && l->cpu->begins; i++) {
		if (l->needs->begun[i])
			continue;
		l->needs->begun[i] = l->cpu->task;
		l->needs->nr_begun++;
		l->cpu->begins = false;
	}
	l->cpu->begins = false;
}

static void resume_begin(struct list *l)
{
	unsigned int i;

	for (i = 0; i < BEGUN && l->needs->nr_begun; i++) {
		if (l->needs->begun[i] != l->cpu->task)
			continue;
		l->needs->begun[i] = 0;
		l->needs->nr_begun--;
		l->cpu->begins = true;
	}
}

/* The state of current in memory. */
static void in_memory(struct list *l, enum need_kind kind)
{
	struct need *need = add(l, kind);

	need->task = l->r->ev.buf;
	need->vcpu = 0;
}

static void finish_edit(struct list *l)
{
	if (l->cpu->edits)
		in_memory(l, NEED_FORGET);
	l->cpu->edits = false;
}

static void on_switch(struct list *l)
{
	struct cpu *cpu = l->cpu;
	struct need *need;

	cpu->task = l->r->ev.buf;
	running(l);
	perhaps_user(l);
	need = add(l, NEED_SWITCH);
	need->use = l->r->ev.in_run ? TRI_MAYBE : TRI_NO;
	need->next = l->r->other;
	finish_edit(l);
	if (l->r->flags & FP_REC_LAST)
		in_memory(l, NEED_END);
	leave_begin(l);
	cpu->task = l->r->other;
	cpu->vcpu = 0;
	cpu->live = false;
	cpu->idle_exits = 0;
	cpu->stays = cpu->loads = cpu->reads = cpu->softirq = false;
	if (cpu->task)
		resume_begin(l);
}

/*
 * The tracepoint that counts an exit comes after interrupts are on. One with live
 * state is known already.
 */
static void late_exit(struct list *l)
{
	if (l->cpu->vcpu && l->cpu->softirq && !l->cpu->live)
		add(l, NEED_LATE_EXIT);
}

/*
 * The registers go with the save that follows: a task may be switched out before.
 * In a softirq the save tells whether current was still inside KVM_RUN, for the
 * record of the end of KVM_RUN comes a little late.
 */
static void on_neon(struct list *l)
{
	const struct fp_event *ev = &l->r->ev;

	if (!l->cpu->task)
		return;
	if (l->r->flags & FP_REC_NO_STEP) {
		l->cpu->begins = true; /* it goes on there */
		return;
	}
	running(l);
	if (!ev->in_run)
		perhaps_user(l);
	if (ev->kind == FP_EV_NEON_TASK)
		l->cpu->begins = true;
	else if (ev->kind == FP_EV_NEON_SOFTIRQ)
		l->cpu->softirq = true;
	else
		add(l, NEED_NEON);
}

static void finish_softirq(struct list *l)
{
	late_exit(l);
	add(l, NEED_NEON);
	l->cpu->softirq = false;
}

static void on_run_end(struct list *l)
{
	if (!l->cpu->task)
		return;
	add(l, NEED_RUN_END);
	l->cpu->vcpu = 0;
	l->cpu->stays = true;
}

/* That of a softirq's NEON section. */
static void on_softirq_save(struct list *l)
{
	if (l->cpu->vcpu && !l->r->ev.foreign && !l->r->ev.in_run)
		on_run_end(l);
	finish_softirq(l);
}

/* That of a task: kernel_neon_begin() asked for it, or vcpu_load() did. */
static void on_task_save(struct list *l)
{
	struct cpu *cpu = l->cpu;

	if (l->r->ev.buf != cpu->task)
		return; /* of the task that was switched out */
	if (cpu->loads && !l->needs->martin) {
		cpu->loads = false;
	} else if (cpu->begins) {
		cpu->begins = false;
		add(l, NEED_NEON)->use = TRI_YES;
	} else if (l->needs->gaps && !cpu->reads) {
		add(l, NEED_GAP)->count = 0; /* of NEON that began unseen? */
	}
	cpu->reads = false;
}

static void on_save(struct list *l, uint32_t step)
{
	struct cpu *cpu = l->cpu;
	bool guest = FP_OPS(step) & FP_OP_GUEST_SAVE;

	if (guest && FP_CAUSE(step) == FP_CAUSE_USER_RETURN && cpu->vcpu)
		add(l, NEED_VPUT); /* that is how it can be told */
	if (cpu->softirq)
		on_softirq_save(l);
	else if (!(l->r->flags & FP_REC_REVOKE)) /* or it was told before */
		on_task_save(l);
	if (guest)
		cpu->live = false;
}

static void on_vload(struct list *l)
{
	struct cpu *cpu = l->cpu;

	if (!l->r->ev.in_run)
		from_user(l);
	else if (cpu->vcpu)
		add(l, NEED_VPUT);
	cpu->vcpu = l->r->other;
	cpu->live = false;
	add(l, NEED_VLOAD);
	cpu->loads = true;
}

static void on_guest(struct list *l, uint32_t ops)
{
	if (ops & FP_OP_GUEST_LOAD)
		enter(l, TRI_YES, 1);
	else
		enter(l, TRI_MAYBE, 1);
	l->cpu->idle_exits--;
	l->cpu->live = true;
}

static void of_vcpu(struct list *l, enum need_kind kind)
{
	struct need *need = add(l, kind);

	need->task = 0;
	need->vcpu = l->r->ev.buf;
}

static void on_reset(struct list *l)
{
	if (l->cpu->vcpu == l->r->ev.buf) {
		add(l, NEED_VPUT);
		l->cpu->vcpu = 0;
	}
	of_vcpu(l, NEED_FORGET);
}

/*
 * Those that current makes: it is the one whose buffer they name. Not so a save:
 * those of a switch come after it.
 */
static bool of_current(const struct fp_event *ev)
{
	switch (ev->kind) {
	case FP_EV_LOAD:
	case FP_EV_VLOAD:
	case FP_EV_EXIT:
	case FP_EV_RUN_END:
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
	case FP_EV_RESTORE:
	case FP_EV_SIGRETURN:
	case FP_EV_EXEC:
	case FP_EV_TASK_END:
		return true;
	default:
		return false;
	}
}

bool needs__while_loading(const struct fp_rec *r)
{
	switch (r->ev.kind) {
	case FP_EV_SAVE:
	case FP_EV_NEON_SOFTIRQ:
	case FP_EV_BIND_KERNEL:
	case FP_EV_NEON_NEST:
		return !r->exits && !r->live;
	default:
		return false;
	}
}

/* What shows that current is not in kernel_neon_begin() any more. */
static bool left_begin(const struct fp_rec *r)
{
	switch (r->ev.kind) {
	case FP_EV_LOAD:
	case FP_EV_RUN_END:
	case FP_EV_BIND_VCPU:
		return true;
	case FP_EV_NEON_TASK:
		return !(r->flags & FP_REC_NO_STEP);
	default:
		return r->exits || r->live;
	}
}

/* Its save was taken for another one: better late than never. */
static void late_neon(struct list *l)
{
	if (!l->cpu->begins || !left_begin(l->r))
		return;
	l->cpu->begins = false;
	add(l, NEED_NEON)->use = TRI_YES;
}

static void translate(struct list *l, uint32_t step)
{
	const struct fp_event *ev = &l->r->ev;

	switch (ev->kind) {
	case FP_EV_SWITCH:
		on_switch(l);
		break;
	case FP_EV_LOAD: /* the end of KVM_RUN may have been missed */
		on_run_end(l);
		finish_edit(l);
		user(l, TRI_YES);
		break;
	case FP_EV_VLOAD:
		on_vload(l);
		break;
	case FP_EV_BIND_VCPU:
		on_guest(l, FP_OPS(step));
		break;
	case FP_EV_SAVE:
		on_save(l, step);
		break;
	case FP_EV_RUN_END:
		on_run_end(l);
		break;
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
	case FP_EV_CPU_PM: /* the same: current is saved, the registers go */
		on_neon(l);
		break;
	case FP_EV_RESUME_KERNEL:
		l->cpu->begins = false;
		add(l, NEED_CLOBBER);
		break;
	case FP_EV_CPU_DEAD:
		add(l, NEED_CLOBBER)->task = 0;
		break;
	case FP_EV_FORK:
		from_user(l);
		l->cpu->reads = true;
		break;
	case FP_EV_PRESERVE:
		perhaps_user(l);
		l->cpu->reads = true;
		break;
	case FP_EV_RESTORE:
	case FP_EV_EXEC:
		from_user(l);
		break;
	case FP_EV_SIGRETURN:
		l->cpu->edits = true;
		break;
	case FP_EV_FLUSH_TASK: /* as each kernel does, whatever its policy */
		in_memory(l, NEED_FORGET);
		break;
	case FP_EV_TASK_END:
		perhaps_user(l);
		in_memory(l, NEED_DIES);
		break;
	case FP_EV_SET_REG:
		of_vcpu(l, NEED_FORGET);
		break;
	case FP_EV_VCPU_RESET:
		on_reset(l);
		break;
	case FP_EV_VCPU_END:
		of_vcpu(l, NEED_END);
		break;
	default: /* not a need, or one that moves nothing that a vcpu pays */
		break;
	}
}

/* From here on it is known who is current, and what it has loaded. */
static bool shows_all(const struct fp_event *ev)
{
	return ev->kind == FP_EV_SWITCH || ev->kind == FP_EV_VLOAD ||
	       ev->kind == FP_EV_LOAD || ev->kind == FP_EV_RUN_END;
}

static void begin_blind(struct list *l)
{
	if (l->cpu->softirq)
		finish_softirq(l);
	*l->cpu = (struct cpu){ .blind = true };
	l->needs->gaps = true;
	l->needs->nr_begun = 0;
	memset(l->needs->begun, 0, sizeof(l->needs->begun));
	add(l, NEED_GAP)->count = l->r->lost;
}

static void stay_blind(struct list *l)
{
	uint32_t exits = l->r->exits, live = l->r->live;

	add(l, NEED_UNKNOWN)->count = exits > live ? exits : live;
	l->cpu->blind = !shows_all(&l->r->ev);
}

unsigned int needs__of(struct needs *n, const struct fp_rec *r, uint32_t step,
		       struct need out[NEEDS_MAX])
{
	struct list l = { .needs = n, .r = r, .end = out };

	if (r->cpu >= n->nr_cpus)
		return 0;
	l.cpu = &n->cpus[r->cpu];
	if (r->flags & FP_REC_GAP)
		begin_blind(&l);
	if (l.cpu->blind)
		stay_blind(&l);
	if (step & FP_OP_MARTIN)
		n->martin = true;
	if (l.cpu->loads && !needs__while_loading(r))
		l.cpu->loads = false;
	late_neon(&l);
	if (l.cpu->softirq && r->ev.kind != FP_EV_SAVE)
		finish_softirq(&l);
	exits(&l);
	if (of_current(&r->ev) && r->ev.buf) /* 0: it only tells exits */
		l.cpu->task = r->ev.buf;
	translate(&l, step);
	return (unsigned int)(l.end - out);
}
