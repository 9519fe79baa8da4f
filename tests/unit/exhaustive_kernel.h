/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For t_exhaustive.c: the kernel's own books on FP state, and the steps that it
 * takes: all that can happen on a CPU between two points at which interrupts are
 * on. Written after arch/arm64/kernel/fpsimd.c and arch/arm64/kvm/fpsimd.c.
 */
#ifndef EXHAUSTIVE_KERNEL_H
#define EXHAUSTIVE_KERNEL_H

#include "exhaustive_machines.h"

/* ---- the kernel: fpsimd.c ---- */

static int current(int c)
{
	int t;

	for (t = 0; t < TASKS; t++)
		if (now.w.task[t].cpu == c)
			return t;
	return NOBODY;
}

static bool in_run(int t)
{
	return t != NOBODY && now.w.task[t].phase != OUT;
}

static bool foreign(int t)
{
	return t == NOBODY || now.w.task[t].foreign;
}

static struct vcpu *vcpu_of(int t)
{
	return &now.w.vcpu[now.w.task[t].vcpu];
}

static struct fp_event about(int t, __u8 what, __u8 arg)
{
	return (struct fp_event){ .buf = addr(t),
				  .gen = 1,
				  .kind = what,
				  .foreign = foreign(t),
				  .in_run = in_run(t),
				  .arg = arg };
}

static void hear_about(int c, int t, __u8 what)
{
	hear(c, about(t, what, 0), NOBODY, NOBODY);
}

/* By definition: a task that was current while bound has run since. */
static void presume_run(int c)
{
	int t = current(c);

	if (!foreign(t) && !in_run(t) && !now.dying)
		use(c, t);
}

static void move_to_mem(int c, int b)
{
	CHECK(now.dying || holds(&now.w.real, c, b));
	now.w.real.mem[b] = now.w.real.regs[c].value;
}

static void move_to_regs(int c, int b)
{
	CHECK(now.w.real.mem[b] == newest[b]);
	if (!holds(&now.w.real, c, b))
		happens(c, NOBODY, FP_VERDICT_NEEDED);
	now.w.real.regs[c].owner = (__u8)b;
	now.w.real.regs[c].value = newest[b];
}

static void fpsimd_save(int c)
{
	int t = current(c), b = foreign(t) ? NOBODY : now.w.core[c].last;
	__u8 hint = FP_HINT_HOST;

	if (in_run(t) && now.w.task[t].phase != LEFT && vcpu_of(t)->owns)
		hint = FP_HINT_GUEST;
	CHECK(foreign(t) || b == t || is_vcpu((__u8)b));
	presume_run(c);
	hear(c, about(t, FP_EV_SAVE, hint), b, NOBODY);
	if (b != NOBODY)
		move_to_mem(c, b);
}

static void flush_cpu(int c)
{
	int t = current(c);

	now.w.core[c].last = NOBODY;
	if (t != NOBODY)
		now.w.task[t].foreign = 1;
}

static void forget_home(int t)
{
	now.w.task[t].home = NOWHERE;
	now.w.task[t].foreign = 1;
}

static void flush_task(int c, int t)
{
	hear_about(c, t, FP_EV_FLUSH_TASK);
	forget_home(t);
}

static void bind_task(int c, int t)
{
	now.w.core[c].last = (__u8)t;
	now.w.task[t].home = (__u8)c;
	now.w.task[t].foreign = 0;
}

static void task_load(int c, int t)
{
	tell(now.w.task[t].home, c, t, FP_NOTE_MOVED);
	hear(c, about(t, FP_EV_LOAD, 0), NOBODY, t);
	move_to_regs(c, t);
	bind_task(c, t);
	use(c, t);
}

static void neon(int c)
{
	fpsimd_save(c);
	flush_cpu(c);
	clobber(c);
}

static void softirq_neon(int c)
{
	static const struct fp_event begins = { .kind = FP_EV_NEON_SOFTIRQ };

	hear(c, begins, NOBODY, NOBODY);
	neon(c);
}

/* ---- the kernel: kvm/fpsimd.c, reset.c, and the hypervisor's trap ---- */

static void vcpu_load_hook(int c, int t)
{
	struct fp_event ev = about(t, FP_EV_VLOAD, 0);

	ev.arg = now.mind[c].model.buf == addr(TASKS + now.w.task[t].vcpu);
	hear(c, ev, NOBODY, NOBODY);
}

static void load_fp(int c, int t)
{
	if (kind->eager) {
		fpsimd_save(c);
		flush_cpu(c);
	} else {
		vcpu_of(t)->host = 1;
	}
	vcpu_of(t)->owns = 0;
}

static void put_fp(int c, int t)
{
	if (!vcpu_of(t)->owns)
		return;
	fpsimd_save(c);
	flush_cpu(c);
}

/* From the flush before the entry to the sync after the exit: no interrupts. */
static void enter(int c, int t, bool guest_fp)
{
	struct vcpu *v = vcpu_of(t);
	int b = TASKS + now.w.task[t].vcpu;
	struct fp_event ev = { .buf = addr(b), .gen = 1, .in_run = 1 };
	bool trap, host;

	if (foreign(t))
		v->owns = v->host = 0;
	trap = !v->owns && guest_fp;
	host = trap && !kind->eager && v->host;
	if (v->owns || trap) {
		ev.kind = FP_EV_BIND_VCPU;
		ev.foreign = foreign(t);
		tell(v->home, c, b, FP_NOTE_MOVED);
		hear(c, ev, host ? t : NOBODY, trap ? b : NOBODY);
		if (host)
			move_to_mem(c, t);
		if (trap)
			move_to_regs(c, b);
		use(c, b);
		v->host = host ? 0 : v->host;
		v->owns = 1;
		v->home = (__u8)c;
		now.w.core[c].last = (__u8)b;
		now.w.task[t].foreign = 0;
	}
	hear_about(c, t, FP_EV_EXIT);
}

static void reset_hook(int c, int b)
{
	struct fp_event ev = { .buf = addr(b), .kind = FP_EV_VCPU_RESET };

	tell(now.w.vcpu[b - TASKS].home, c, b, FP_NOTE_GONE);
	hear(c, ev, NOBODY, NOBODY);
}

static void reset_in_run(int c, int t)
{
	int b = TASKS + now.w.task[t].vcpu;

	reset_hook(c, b);
	put_fp(c, t);
	edit(b);
	vcpu_load_hook(c, t);
	load_fp(c, t);
}

/* What comes next without fail does so at once, unless we look closely. */
static void enter_phase(int c, int t, enum phase phase)
{
	struct task *task = &now.w.task[t];

	task->phase = (__u8)phase;
	if (kind->fine)
		return;
	if (task->phase == SCHED_IN) {
		vcpu_load_hook(c, t);
		task->phase = LOADING;
	}
	if (task->phase == LOADING) {
		load_fp(c, t);
		task->phase = LOOP;
	}
	if (task->phase == LEFT) {
		hear_about(c, t, FP_EV_RUN_END);
		task->phase = OUT;
		task->vcpu = 0;
	}
}

/* ---- the scheduler ---- */

static void switch_to(int c, int next)
{
	static const struct fp_event begins = { .kind = FP_EV_NEON_TASK };
	int prev = current(c);

	hear(c, about(prev, FP_EV_SWITCH, 1), NOBODY, NOBODY);
	if (next != NOBODY && now.w.task[next].begun)
		judge(c, &begins, 0, NOBODY, NOBODY);
	if (prev != NOBODY && now.w.task[prev].phase == LOOP) {
		put_fp(c, prev);
		vcpu_of(prev)->owns = vcpu_of(prev)->host = 0;
	}
	fpsimd_save(c);
	if (prev != NOBODY)
		now.w.task[prev].cpu = NOWHERE;
	if (next == NOBODY)
		return;
	now.w.task[next].cpu = (__u8)c;
	now.w.task[next].foreign = now.w.core[c].last != next ||
				   now.w.task[next].home != c;
	if (now.w.task[next].phase == LOOP)
		enter_phase(c, next, SCHED_IN);
}

/* The kernel uses the memory of @b for another. */
static void recycle(int b)
{
	int c;

	for (c = 0; c < CPUS; c++) {
		now.heard[c] = true;
		if (now.mind[c].model.buf == addr(b))
			now.mind[c].model.gen = 2;
		if (now.mind[c].judge.buf == addr(b))
			now.mind[c].judge.gen = 2;
	}
	edit(b);
}

/* ---- what can happen ---- */

#define STEPS(X)                                                               \
	X(SOFTIRQ_NEON)                                                        \
	X(SWITCH_TO_0)                                                         \
	X(SWITCH_TO_1)                                                         \
	X(SWITCH_TO_IDLE)                                                      \
	X(CPU_PM)                                                              \
	X(USER)                                                                \
	X(FORK)                                                                \
	X(SIGRETURN)                                                           \
	X(SIGRETURN_SVE)                                                       \
	X(SIGRETURN_STRUCK)                                                    \
	X(SIGRETURN_SVE_STRUCK)                                                \
	X(EXEC)                                                                \
	X(SVE_TRAP)                                                            \
	X(DIE)                                                                 \
	X(NEON_HOOK)                                                           \
	X(NEON_BEGIN)                                                          \
	X(RUN_0)                                                               \
	X(RUN_1)                                                               \
	X(VLOAD)                                                               \
	X(LOAD_FP)                                                             \
	X(ENTER)                                                               \
	X(ENTER_FP)                                                            \
	X(RESET)                                                               \
	X(PUT)                                                                 \
	X(RUN_END)                                                             \
	X(GET_REG_0)                                                           \
	X(GET_REG_1)                                                           \
	X(SET_REG_0)                                                           \
	X(SET_REG_1)                                                           \
	X(VCPU_INIT_0)                                                         \
	X(VCPU_INIT_1)                                                         \
	X(NEW_VCPU_0)                                                          \
	X(NEW_VCPU_1)

enum step {
#define X(name) name,
	STEPS(X)
#undef X
		STEP_MAX
};

static const char *const step_names[] = {
#define X(name) #name,
	STEPS(X)
#undef X
};

/* ---- what tasks do in the kernel, outside of KVM_RUN ---- */

static void die(int c, int t)
{
	hear_about(c, t, FP_EV_TASK_END);
	edit(t); /* nobody will want it */
	now.dying = true;
	switch_to(c, NOBODY);
	now.dying = false;
	recycle(t);
	forget_home(t);
}

static void sve_trap(int c, int t)
{
	hear_about(c, t, FP_EV_SVE_TRAP);
	if (kind->eager && !foreign(t)) {
		bind_task(c, t); /* the registers have it in the new format */
		return;
	}
	if (!kind->eager)
		fpsimd_save(c);
	read_copy(t);
	flush_task(c, t);
	edit(t);
}

static void need(int c, int t, __u8 what, __u64 why)
{
	presume_run(c);
	tell(now.w.task[t].home, c, t, why);
	if (why == FP_NOTE_READ)
		hear_about(c, t, what);
}

static void read_by_kernel(int c, int t, __u8 what)
{
	need(c, t, what, FP_NOTE_READ);
	fpsimd_save(c);
	if (kind->read_flushes)
		flush_task(c, t);
	read_copy(t);
}

/* From the call on, nobody wants the state that sigreturn will overwrite. */
static void strike_sigreturn(int c, int t)
{
	edit(t);
	now.dying = true;
	softirq_neon(c);
	now.dying = false;
}

static void sigreturn(int c, int t, enum step step)
{
	need(c, t, 0, FP_NOTE_GONE);
	hear_about(c, t, FP_EV_RESTORE);
	if (step == SIGRETURN_STRUCK)
		strike_sigreturn(c, t);
	if (kind->read_flushes) {
		hear_about(c, t, FP_EV_PRESERVE);
		fpsimd_save(c);
		flush_task(c, t);
	} else if (step == SIGRETURN_SVE || step == SIGRETURN_SVE_STRUCK) {
		flush_task(c, t);
	}
	if (step == SIGRETURN_SVE_STRUCK)
		strike_sigreturn(c, t);
	hear_about(c, t, FP_EV_SIGRETURN);
	edit(t);
	if (!kind->read_flushes)
		task_load(c, t);
}

static void exec(int c, int t)
{
	need(c, t, 0, FP_NOTE_GONE);
	hear_about(c, t, FP_EV_EXEC);
	flush_task(c, t);
	edit(t);
}

/* ---- the transitions ---- */

static bool busy(int v)
{
	int t;

	for (t = 0; t < TASKS; t++)
		if (in_run(t) && now.w.task[t].vcpu == v)
			return true;
	return false;
}

/* KVM_GET_ONE_REG and the like, for a vcpu that no thread runs. */
static bool ioctl(int c, enum step step)
{
	int v = (step - GET_REG_0) & 1, b = TASKS + v,
	    home = now.w.vcpu[v].home;

	if (v >= kind->vcpus || busy(v))
		return false;
	if (c && step - v != VCPU_INIT_0)
		return false; /* the same on each CPU: not an event there */
	switch (step - v) {
	case GET_REG_0:
		tell(home, NOWHERE, b, FP_NOTE_READ);
		read_copy(b);
		break;
	case SET_REG_0:
		tell(home, NOWHERE, b, FP_NOTE_GONE);
		edit(b);
		break;
	case VCPU_INIT_0:
		reset_hook(c, b);
		edit(b);
		break;
	default: /* destroyed; the next one gets its memory */
		tell(home, NOWHERE, b, FP_NOTE_GONE);
		recycle(b);
		now.w.vcpu[v] = (struct vcpu){ .home = NOWHERE };
	}
	return true;
}

static bool schedule(int c, enum step step)
{
	int t = current(c),
	    next = step == SWITCH_TO_IDLE ? NOBODY : step - SWITCH_TO_0;

	if (next == t || (next != NOBODY && now.w.task[next].cpu != NOWHERE))
		return false;
	if (t != NOBODY &&
	    (now.w.task[t].phase == SCHED_IN || now.w.task[t].phase == LOADING))
		return false;
	switch_to(c, next);
	return true;
}

static bool vcpu_get(int c, int t, int v)
{
	if (v >= kind->vcpus || busy(v))
		return false;
	now.w.task[t].vcpu = (__u8)v;
	presume_run(c);
	vcpu_load_hook(c, t);
	enter_phase(c, t, LOADING);
	return true;
}

static bool outside(int c, int t, enum step step)
{
	switch (step) {
	case USER:
		if (foreign(t))
			task_load(c, t);
		else
			use(c, t);
		return true;
	case FORK:
		read_by_kernel(c, t, FP_EV_FORK);
		return true;
	case SIGRETURN:
	case SIGRETURN_SVE:
	case SIGRETURN_STRUCK:
	case SIGRETURN_SVE_STRUCK:
		sigreturn(c, t, step);
		return true;
	case EXEC:
		exec(c, t);
		return true;
	case SVE_TRAP:
		need(c, t, 0, FP_NOTE_MOVED);
		sve_trap(c, t);
		return true;
	case DIE:
		need(c, t, 0, FP_NOTE_GONE);
		die(c, t);
		return true;
	case RUN_0:
	case RUN_1:
		return vcpu_get(c, t, step - RUN_0);
	default:
		return false;
	}
}

static bool in_loop(int c, int t, enum step step)
{
	switch (step) {
	case ENTER:
	case ENTER_FP:
		if (step == ENTER_FP && vcpu_of(t)->owns && !foreign(t))
			return false; /* it has them */
		enter(c, t, step == ENTER_FP);
		return true;
	case RESET:
		reset_in_run(c, t);
		return true;
	case PUT:
		put_fp(c, t);
		vcpu_of(t)->owns = vcpu_of(t)->host = 0;
		enter_phase(c, t, LEFT);
		return true;
	default:
		return false;
	}
}

static bool neon_hook(int c, int t)
{
	static const struct fp_event ev = { .kind = FP_EV_NEON_TASK };

	hear(c, ev, NOBODY, NOBODY);
	if (kind->fine)
		now.w.task[t].begun = 1;
	else
		neon(c);
	return true;
}

static bool go_on(int c, int t, enum step step)
{
	struct task *task = &now.w.task[t];

	/* First the vcpu of who was switched out there is loaded. */
	if (task->begun && task->phase != SCHED_IN && task->phase != LOADING) {
		if (step != NEON_BEGIN)
			return false;
		neon(c);
		task->begun = 0;
		return true;
	}
	if (step == NEON_HOOK && task->phase != SCHED_IN &&
	    task->phase != LOADING)
		return neon_hook(c, t);
	switch (task->phase) {
	case OUT:
		return outside(c, t, step);
	case SCHED_IN:
		if (step == VLOAD) {
			vcpu_load_hook(c, t);
			task->phase = LOADING;
		}
		return step == VLOAD;
	case LOADING:
		if (step == LOAD_FP) {
			load_fp(c, t);
			task->phase = LOOP;
		}
		return step == LOAD_FP;
	case LOOP:
		return in_loop(c, t, step);
	default:
		if (step == RUN_END) {
			hear_about(c, t, FP_EV_RUN_END);
			task->phase = OUT;
			task->vcpu = 0;
		}
		return step == RUN_END;
	}
}

/* Whatever is not possible here leaves all as it is. */
static bool act(int c, enum step step)
{
	int t = current(c);

	switch (step) {
	case SOFTIRQ_NEON:
		softirq_neon(c);
		return true;
	case SWITCH_TO_0:
	case SWITCH_TO_1:
	case SWITCH_TO_IDLE:
		return schedule(c, step);
	case CPU_PM:
		if (t != NOBODY)
			return false;
		hear_about(c, t, FP_EV_CPU_PM);
		neon(c);
		return true;
	default:
		if (step >= GET_REG_0)
			return ioctl(c, step);
		return t != NOBODY && go_on(c, t, step);
	}
}

#endif /* EXHAUSTIVE_KERNEL_H */
