// SPDX-License-Identifier: GPL-2.0-only
/*
 * The automaton against a small kernel.
 *
 * The simulator keeps the kernel's own books (fpsimd_last_state.st,
 * TIF_FOREIGN_FPSTATE, fpsimd_cpu, TIF_KERNEL_FPSTATE, the owner that KVM
 * records) and obeys them as the kernels named below do, on two CPUs, with two
 * VMM threads, bystanders and a kernel thread, each step chosen at random. It
 * counts the transfers that it makes. The automaton hears only what our hooks
 * hear, and must come to the same numbers.
 *
 * Values move along, so that a simulator that loses one gives itself away:
 * what user mode and guests find in the registers is checked at each step. And
 * the judge has to answer for its verdicts: see the lazy machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "fpstat/judge.h"

/* What differs between the kernels, as far as FP state goes. */
struct kernel {
	const char *name;
	bool eager; /* vcpu_load saves and unbinds the host */
	enum { OWNER_FLAGS, OWNER_VCPU, OWNER_CPU } owner;
	bool neon_switch; /* task NEON is preemptible, softirqs nest (6.8) */
	bool neon_on_stack; /* the nested save binds nothing (6.19) */
	bool read_flushes; /* fork, signal, sigreturn: save, flush (6.16) */
};

static const struct kernel kernels[] = {
	{ "5.10", false, OWNER_FLAGS, false, false, false },
	{ "6.1", true, OWNER_VCPU, false, false, false },
	{ "6.12", true, OWNER_CPU, true, false, false },
	{ "7.3", true, OWNER_CPU, true, true, true },
};

enum { CPUS = 2, TASKS = 6, VCPUS = 3, NOWHERE = 99 };

/* Memory that holds a state: a task's, a vcpu's, a kernel section's. */
struct buf {
	__u64 addr;
	__u32 gen;
	unsigned int mem; /* the value in memory .. */
	unsigned int newest; /* .. and the one that its owner wrote last */
	unsigned int lazy; /* the value in memory on the lazy machine */
	unsigned int cpu; /* where a vcpu ran, a kernel section was saved */
};

struct vcpu {
	struct buf buf;
	bool busy; /* a thread is in KVM_RUN for it */
	bool owns; /* KVM_ARM64_FP_ENABLED, FP_STATE_GUEST_OWNED */
	bool host; /* KVM_ARM64_FP_HOST */
};

enum op {
	USER, /* return to user mode, and run there */
	VCPU_GET, /* vcpu_load() up to our hook in kvm_arch_vcpu_load_fp() */
	LOAD_FP,
	ENTER,
	EXIT_TP, /* tracepoint kvm_exit */
	PUT_FP,
	VCPU_PUT, /* vcpu_put() ends */
	RUN_TP, /* tracepoint kvm_userspace_exit */
	NEON_HOOK, /* our hook in kernel_neon_begin() */
	NEON_BEGIN,
	NEON_USE,
	NEON_END,
	SLEEP,
	READ, /* fork, signal frame */
	SIGRETURN,
	EXEC,
	SVE_TRAP,
	DIE,
};

struct task {
	struct buf buf;
	struct buf neon;
	enum { VMM, BYSTANDER, KTHREAD, IDLE } kind;
	bool foreign; /* TIF_FOREIGN_FPSTATE */
	bool in_neon; /* TIF_KERNEL_FPSTATE */
	bool dead;
	unsigned int fpsimd_cpu;
	int cpu; /* where it is current, or -1 */
	struct vcpu *loaded;
	struct vcpu *run;
	int sched_in; /* steps of kvm_sched_in() that are left */
	int preempt_off;
	bool softirq_off; /* for the NEON of softirqs */
	enum op op[32];
	int ops, next;
};

struct counts {
	unsigned int guest_save[VCPUS], guest_load[VCPUS];
	unsigned int live[VCPUS];
	unsigned int cause[FP_CAUSE_MAX]; /* of guest saves */
	unsigned int host_save, trap_save, task_save, load;
	unsigned int neon_save, neon_load;
};

struct cpu {
	__u64 last; /* fpsimd_last_state.st */
	bool guest_owns; /* host_data fp_owner, from 6.10 */
	struct buf *regs; /* whose value the registers hold, or NULL .. */
	unsigned int value; /* .. and which */
	struct task *current;
	struct task idle;
	struct fp_cpu model;

	struct fp_judge judge;
	struct buf *pending; /* whose save is not decided */
	enum fp_verdict settled; /* what the judge has yet to notice */
	struct buf *resume; /* the kernel state that this switch loads */
	struct buf *lazy_regs; /* as above, on the lazy machine */
	unsigned int lazy_value;
};

static struct sim {
	const struct kernel *kernel;
	struct cpu cpu[CPUS];
	struct task task[TASKS];
	struct vcpu vcpu[VCPUS];
	struct counts truth, seen;
	unsigned int missed, undecided, eager, martin;
	unsigned int saves, loads, verdict[FP_VERDICTS], impossible;
	unsigned int step, seed;
	uint64_t rng;
	bool capture;
	/* of 100 */
	unsigned int softirq, preempt, guest_fp, guest_habit;
} s;

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			fail_msg("%s, seed %u, step %u: not %s (line %d)",     \
				 s.kernel->name, s.seed, s.step, #cond,        \
				 __LINE__);                                    \
	} while (0)

static unsigned int below(unsigned int n)
{
	s.rng = s.rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(s.rng >> 33) % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

static struct vcpu *vcpu_at(__u64 addr)
{
	int i;

	for (i = 0; i < VCPUS; i++)
		if (s.vcpu[i].buf.addr == addr)
			return &s.vcpu[i];
	return NULL;
}

static int vcpu_nr(const struct vcpu *v)
{
	return (int)(v - s.vcpu);
}

/*
 * ---- the lazy machine ----
 *
 * Runs along, does what was judged needed, at the moment when that is decided,
 * and nothing else. Each owner must still find its value there: then all that
 * was judged redundant could have been left out together. And what it does must
 * change something: then it was needed.
 */

static struct buf *saved_buf(struct cpu *c, __u32 ops, struct vcpu *bound)
{
	if (ops & FP_OP_GUEST_SAVE)
		return &bound->buf;
	if (ops & FP_OP_KERNEL_SAVE)
		return &c->current->neon;
	return ops & FP_OP_USER_SAVE ? &c->current->buf : NULL;
}

static void lazy_save(struct cpu *c, struct buf *b, __u8 verdict)
{
	if (verdict != FP_VERDICT_NEEDED && verdict != FP_VERDICT_UNKNOWN)
		return;
	CHECK(c->lazy_regs == b);
	CHECK(verdict == FP_VERDICT_UNKNOWN || b->lazy != c->lazy_value);
	b->lazy = c->lazy_value;
}

static void lazy_load(struct cpu *c, struct buf *b, __u8 verdict)
{
	bool live = c->lazy_regs == b && c->lazy_value == b->newest;

	if (verdict == FP_VERDICT_LOAD_LIVE) {
		CHECK(live);
		return;
	}
	CHECK(!live || verdict != FP_VERDICT_LOAD_NEEDED);
	c->lazy_regs = b;
	c->lazy_value = b->lazy;
}

/* Something was moved that began before the capture. */
static void lazy_sync(struct cpu *c, struct vcpu *entered)
{
	if (!entered) {
		c->regs->lazy = c->lazy_value;
		return;
	}
	c->current->buf.lazy = c->current->buf.mem;
	c->lazy_regs = &entered->buf;
	c->lazy_value = entered->buf.newest;
}

static void judge(struct cpu *c, const struct fp_event *ev, __u32 step,
		  struct vcpu *bound)
{
	struct buf *saved = saved_buf(c, FP_OPS(step), bound);
	struct vcpu *about = vcpu_at(ev->buf);
	bool resuming = c->judge.resume;
	struct fp_verdicts v;

	fp_judge(&c->judge, ev, step);
	v = c->judge.is;
	if (FP_OPS(step) & FP_OP_USER_SAVE && c->current->dead)
		CHECK(v.save == FP_VERDICT_DEAD);
	s.saves += saved != NULL;
	s.impossible += v.impossible;
	if (v.old && c->settled)
		CHECK(v.old == c->settled || v.old == FP_VERDICT_UNKNOWN);
	else if (v.old)
		lazy_save(c, c->pending, v.old);
	if (v.old)
		c->settled = FP_VERDICT_NONE;
	if (v.save)
		lazy_save(c, saved, v.save);
	if (v.save == FP_VERDICT_PENDING)
		c->pending = saved;
	else
		s.verdict[v.save]++;
	s.verdict[v.old]++;
	s.verdict[v.load]++;
	if (resuming && !c->judge.resume) {
		lazy_load(c, c->resume, v.resumed);
		s.verdict[v.resumed]++;
	}
	if (FP_OPS(step) & FP_OP_GUEST_LOAD)
		lazy_load(c, &about->buf, v.load);
	else if (FP_OPS(step) & FP_OP_USER_LOAD)
		lazy_load(c, &c->current->buf, v.load);
	if (FP_OPS(step) & FP_OP_UNDECIDED)
		lazy_sync(c, about);
	s.loads += !!(FP_OPS(step) & (FP_OP_GUEST_LOAD | FP_OP_USER_LOAD |
				      FP_OP_KERNEL_LOAD));
}

/* What happens to the copy in memory, told to the CPU that may hold the state. */
static void tell(unsigned int nr, const struct cpu *here, struct buf *b,
		 __u64 why)
{
	struct cpu *c = &s.cpu[nr % CPUS];

	if (!s.capture || nr >= CPUS || c == here)
		return;
	fp_judge_tell(&c->judge, b->addr, why);
	if (!c->judge.pending || c->pending != b || c->settled)
		return;
	if (why & FP_NOTE_READ)
		lazy_save(c, b, FP_VERDICT_NEEDED);
	c->settled = why & FP_NOTE_READ ? FP_VERDICT_NEEDED : FP_VERDICT_DEAD;
}

static void begin_capture(void)
{
	int i;

	s.capture = true;
	for (i = 0; i < TASKS; i++) {
		s.task[i].buf.lazy = s.task[i].buf.mem;
		s.task[i].neon.lazy = s.task[i].neon.mem;
	}
	for (i = 0; i < VCPUS; i++)
		s.vcpu[i].buf.lazy = s.vcpu[i].buf.mem;
	for (i = 0; i < CPUS; i++) {
		s.cpu[i].lazy_regs = s.cpu[i].regs;
		s.cpu[i].lazy_value = s.cpu[i].value;
	}
}

/* ---- what the hooks hear, and what the automaton makes of it ---- */

static void hear(struct cpu *c, struct fp_event ev)
{
	struct vcpu *bound = vcpu_at(c->model.buf), *about = vcpu_at(ev.buf);
	__u32 step, ops;

	if (!s.capture)
		return;
	/* Who goes on in kernel_neon_begin() was counted when it began. */
	step = ev.kind == FP_EV_NEON_TASK && ev.arg ? 0 :
						      fp_step(&c->model, &ev);
	ops = FP_OPS(step);
	/* Without a bind seen, it can only be the one that is loaded. */
	if (!bound)
		bound = c->current->loaded;
	judge(c, &ev, step, bound);
	if (ops & FP_OP_GUEST_SAVE) {
		CHECK(bound);
		s.seen.guest_save[vcpu_nr(bound)]++;
		s.seen.cause[FP_CAUSE(step)]++;
	}
	if (ops & FP_OP_GUEST_LOAD)
		s.seen.guest_load[vcpu_nr(about)]++;
	if (ops & FP_OP_LIVE)
		s.seen.live[vcpu_nr(about)]++;
	if (ops & FP_OP_USER_SAVE) {
		if (FP_CAUSE(step) == FP_CAUSE_GUEST_TRAP)
			s.seen.trap_save++;
		else if (ev.in_run)
			s.seen.host_save++;
		else
			s.seen.task_save++;
	}
	s.seen.load += !!(ops & FP_OP_USER_LOAD);
	s.seen.neon_save += !!(ops & FP_OP_KERNEL_SAVE);
	s.seen.neon_load += !!(ops & FP_OP_KERNEL_LOAD);
	s.missed += !!(ops & FP_OP_MISSED);
	s.undecided += !!(ops & FP_OP_UNDECIDED);
	s.eager += !!(ops & FP_OP_EAGER);
	s.martin += !!(ops & FP_OP_MARTIN);
}

static void hear_about_current(struct cpu *c, enum fp_event_kind kind, __u8 arg)
{
	const struct task *t = c->current;

	hear(c, (struct fp_event){ .buf = t->buf.addr,
				   .gen = t->buf.gen,
				   .kind = kind,
				   .foreign = t->foreign,
				   .in_run = t->run != NULL,
				   .arg = arg });
}

/* ---- registers ---- */

static void reg_save(struct cpu *c, struct buf *b)
{
	CHECK(c->regs == b);
	b->mem = c->value;
}

static void reg_load(struct cpu *c, struct buf *b)
{
	CHECK(b->mem == b->newest);
	c->regs = b;
	c->value = b->mem;
}

static void reg_use(struct cpu *c, struct buf *b)
{
	CHECK(c->regs == b);
	CHECK(c->value == b->newest);
	c->value = ++b->newest;
}

/* The same on the lazy machine, as soon as what led here was judged. */
static void lazy_use(struct cpu *c, struct buf *b, unsigned int found)
{
	if (!s.capture)
		return;
	CHECK(c->lazy_regs == b);
	CHECK(c->lazy_value == found);
	c->lazy_value = c->value;
}

static void use(struct cpu *c, struct buf *b)
{
	reg_use(c, b);
	lazy_use(c, b, b->newest - 1);
}

static void reg_clobber(struct cpu *c, struct buf *b)
{
	c->regs = c->lazy_regs = b;
	if (b)
		c->value = c->lazy_value = ++b->newest;
}

/* The copy in memory is written. */
static void edit(struct buf *b)
{
	b->mem = b->lazy = ++b->newest;
}

/* ---- fpsimd.c ---- */

static __u8 hint(const struct cpu *c)
{
	const struct vcpu *v = c->current->loaded;

	if (!v)
		return FP_HINT_HOST;
	if (s.kernel->owner == OWNER_CPU)
		return FP_HINT_NONE;
	return v->owns ? FP_HINT_GUEST : FP_HINT_HOST;
}

/*
 * By definition a task that was current while bound has run since, unless it is
 * in KVM_RUN or dead: nobody can see that it has not.
 */
static void presume_run(struct cpu *c)
{
	struct task *t = c->current;

	if (!t->foreign && !t->run && !t->dead)
		use(c, &t->buf);
}

static void fpsimd_save(struct cpu *c, enum fp_cause cause)
{
	struct task *t = c->current;
	struct vcpu *v = vcpu_at(c->last);

	presume_run(c);
	hear_about_current(c, FP_EV_SAVE, hint(c));
	if (t->foreign)
		return;
	if (v) {
		reg_save(c, &v->buf);
		s.truth.guest_save[vcpu_nr(v)]++;
		s.truth.cause[cause]++;
		return;
	}
	CHECK(c->last == t->buf.addr);
	reg_save(c, &t->buf);
	if (t->run)
		s.truth.host_save++;
	else
		s.truth.task_save++;
}

static void flush_cpu(struct cpu *c)
{
	c->last = 0;
	c->current->foreign = true;
}

static void forget_cpu(struct task *t)
{
	t->fpsimd_cpu = NOWHERE;
	t->foreign = true;
}

static void flush_current(struct cpu *c)
{
	hear_about_current(c, FP_EV_FLUSH_TASK, 0);
	forget_cpu(c->current);
}

static void bind_task(struct cpu *c)
{
	c->last = c->current->buf.addr;
	c->current->fpsimd_cpu = (unsigned int)(c - s.cpu);
	c->current->foreign = false;
}

static void task_load(struct cpu *c)
{
	tell(c->current->fpsimd_cpu, c, &c->current->buf, FP_NOTE_MOVED);
	hear_about_current(c, FP_EV_LOAD, 0);
	reg_load(c, &c->current->buf);
	s.truth.load++;
	bind_task(c);
}

static void neon_save(struct cpu *c, bool nested)
{
	struct task *t = c->current;
	bool binds = !nested || !s.kernel->neon_on_stack;

	use(c, &t->neon);
	hear(c, (struct fp_event){ .buf = t->neon.addr,
				   .kind = binds ? FP_EV_BIND_KERNEL :
						   FP_EV_NEON_NEST,
				   .foreign = t->foreign,
				   .arg = nested });
	reg_save(c, &t->neon);
	t->neon.cpu = (unsigned int)(c - s.cpu);
	s.truth.neon_save++;
	if (binds)
		c->last = t->neon.addr;
}

static void neon_load(struct cpu *c, struct task *t)
{
	reg_load(c, &t->neon);
	s.truth.neon_load++;
}

static void thread_switch(struct cpu *c, struct task *next, enum fp_cause cause)
{
	if (c->current->in_neon)
		neon_save(c, false);
	else
		fpsimd_save(c, cause);
	if (next->in_neon) {
		flush_cpu(c);
		neon_load(c, next);
	} else {
		next->foreign = c->last != next->buf.addr ||
				next->fpsimd_cpu != (unsigned int)(c - s.cpu);
	}
}

static void softirq_neon(struct cpu *c)
{
	struct task *t = c->current;
	bool nested = t->in_neon;

	hear(c, (struct fp_event){ .kind = FP_EV_NEON_SOFTIRQ });
	if (nested)
		neon_save(c, true);
	else
		fpsimd_save(c, FP_CAUSE_SOFTIRQ_NEON);
	flush_cpu(c);
	if (nested)
		neon_load(c, t); /* the lazy machine has done so before */
	else
		reg_clobber(c, NULL);
}

/* ---- kvm/fpsimd.c and the hypervisor's trap ---- */

static bool guest_owns(const struct cpu *c)
{
	return s.kernel->owner == OWNER_CPU ? c->guest_owns :
					      c->current->loaded->owns;
}

static void set_guest_owns(struct cpu *c, bool yes)
{
	if (s.kernel->owner == OWNER_CPU)
		c->guest_owns = yes;
	else
		c->current->loaded->owns = yes;
}

static void load_fp(struct cpu *c)
{
	if (s.kernel->eager) {
		fpsimd_save(c, FP_CAUSE_VCPU_LOAD);
		flush_cpu(c);
	} else {
		c->current->loaded->host = true;
	}
	set_guest_owns(c, false);
}

static void put_fp(struct cpu *c, enum fp_cause cause)
{
	if (!guest_owns(c))
		return;
	fpsimd_save(c, cause);
	flush_cpu(c);
}

static void fp_trap(struct cpu *c, struct task *t, struct vcpu *v)
{
	if (!s.kernel->eager && v->host) {
		reg_save(c, &t->buf);
		s.truth.trap_save++;
		v->host = false;
	}
	reg_load(c, &v->buf);
	s.truth.guest_load[vcpu_nr(v)]++;
	set_guest_owns(c, true);
}

/* From the flush before the entry to the sync after the exit: no interrupts. */
static void enter(struct cpu *c)
{
	struct task *t = c->current;
	struct vcpu *v = t->loaded;
	bool use = percent(s.guest_fp);
	unsigned int found;

	if (t->foreign) {
		set_guest_owns(c, false);
		v->host = false;
	}
	if (guest_owns(c))
		s.truth.live[vcpu_nr(v)]++;
	else if (use)
		fp_trap(c, t, v);
	if (!guest_owns(c))
		return;
	found = v->buf.newest;
	reg_use(c, &v->buf);
	v->buf.newest = found; /* its load is judged after it ran */
	tell(v->buf.cpu, c, &v->buf, FP_NOTE_MOVED);
	hear(c, (struct fp_event){ .buf = v->buf.addr,
				   .gen = v->buf.gen,
				   .kind = FP_EV_BIND_VCPU,
				   .foreign = t->foreign,
				   .in_run = 1 });
	v->buf.newest = found + 1;
	lazy_use(c, &v->buf, found);
	v->buf.cpu = (unsigned int)(c - s.cpu);
	c->last = v->buf.addr;
	t->foreign = false;
}

/* ---- the scheduler ---- */

static void switch_to(struct cpu *c, struct task *next, bool runnable)
{
	struct task *prev = c->current;
	enum fp_cause cause = runnable ? FP_CAUSE_PREEMPT : FP_CAUSE_BLOCK;

	hear_about_current(c, FP_EV_SWITCH, runnable);
	if (next->next && next->op[next->next] == NEON_BEGIN)
		hear(c, (struct fp_event){ .kind = FP_EV_NEON_TASK, .arg = 1 });
	if (next->in_neon) {
		c->resume = s.capture ? &next->neon : NULL;
		tell(next->neon.cpu, c, &next->neon, FP_NOTE_MOVED);
		hear(c, (struct fp_event){ .buf = next->neon.addr,
					   .kind = FP_EV_RESUME_KERNEL });
	}
	if (prev->loaded)
		put_fp(c, cause);
	thread_switch(c, next, cause);
	prev->cpu = -1;
	next->cpu = (int)(c - s.cpu);
	c->current = next;
	next->sched_in = next->loaded ? 2 : 0;
	/* A kernel state was loaded: let that be judged. */
	hear(c, (struct fp_event){ .kind = FP_EV_GET_REG });
	c->resume = NULL;
}

static void schedule(struct cpu *c, bool runnable)
{
	struct task *next = &s.task[below(TASKS)];

	if (next->cpu >= 0)
		next = &c->idle;
	if (next != c->current)
		switch_to(c, next, runnable);
}

/* ---- what tasks do ---- */

static void push(struct task *t, enum op op)
{
	CHECK(t->ops < (int)(sizeof(t->op) / sizeof(t->op[0])));
	t->op[t->ops++] = op;
}

static void push_neon(struct task *t)
{
	push(t, NEON_HOOK);
	push(t, NEON_BEGIN);
	push(t, NEON_USE);
	push(t, NEON_USE);
	push(t, NEON_END);
}

static void push_run(struct task *t)
{
	int turns = (int)below(4);

	push(t, VCPU_GET);
	push(t, LOAD_FP);
	while (turns-- > 0) {
		push(t, ENTER);
		push(t, EXIT_TP);
		if (percent(10))
			push(t, SLEEP);
		if (percent(5) && t->ops < 12)
			push_neon(t);
		if (percent(5)) { /* reset: put and load in the loop */
			push(t, PUT_FP);
			push(t, LOAD_FP);
		}
	}
	push(t, PUT_FP);
	push(t, VCPU_PUT);
	if (percent(5))
		push_neon(t);
	push(t, RUN_TP);
}

static void plan(struct task *t)
{
	t->ops = t->next = 0;
	if (t->kind == KTHREAD) {
		push_neon(t);
		push(t, SLEEP);
		return;
	}
	if (t->kind == VMM && percent(70)) {
		push_run(t);
	} else {
		switch (below(t->kind == BYSTANDER ? 8 : 6)) {
		case 0:
			push_neon(t);
			break;
		case 1:
			push(t, READ);
			break;
		case 2:
			push(t, SIGRETURN);
			break;
		case 3:
			push(t, SVE_TRAP);
			break;
		case 4:
			push(t, SLEEP);
			break;
		case 5:
			break; /* an interrupt */
		case 6:
			push(t, EXEC);
			break;
		case 7:
			push(t, DIE);
			break;
		}
	}
	push(t, USER);
}

static void vcpu_get(struct cpu *c, struct task *t)
{
	struct vcpu *v = &s.vcpu[below(VCPUS)];

	if (v->busy) {
		plan(t); /* the ioctl would wait: do something else */
		return;
	}
	if (percent(2)) { /* a new vcpu in the memory of an old one */
		tell(v->buf.cpu, NULL, &v->buf, FP_NOTE_GONE);
		v->buf.gen++;
		edit(&v->buf);
	}
	v->busy = true;
	t->loaded = v;
	t->preempt_off++;
	presume_run(c);
	hear_about_current(c, FP_EV_VLOAD, 0); /* the first of this run */
	t->run = v;
}

/* A letter is read when something happens on its CPU: let it. */
static void settle(void)
{
	int i;

	for (i = 0; i < CPUS && s.capture; i++)
		hear(&s.cpu[i], (struct fp_event){ .kind = FP_EV_GET_REG });
}

static void do_read(struct cpu *c, struct task *t)
{
	presume_run(c);
	hear_about_current(c, FP_EV_PRESERVE, 0);
	if (t->foreign)
		tell(t->fpsimd_cpu, c, &t->buf, FP_NOTE_READ);
	if (!s.kernel->read_flushes) {
		fpsimd_save(c, FP_CAUSE_NONE);
	} else if (!t->foreign) {
		fpsimd_save(c, FP_CAUSE_NONE);
		flush_current(c);
	}
	CHECK(t->buf.mem == t->buf.newest);
	settle();
	CHECK(!s.capture || t->buf.lazy == t->buf.newest);
}

static void do_sigreturn(struct cpu *c, struct task *t)
{
	presume_run(c);
	hear_about_current(c, FP_EV_RESTORE, 0);
	tell(t->fpsimd_cpu, c, &t->buf, FP_NOTE_GONE);
	if (s.kernel->read_flushes && !t->foreign) {
		hear_about_current(c, FP_EV_PRESERVE, 0);
		fpsimd_save(c, FP_CAUSE_NONE);
		flush_current(c);
	} else if (percent(30)) {
		flush_current(c); /* an SVE frame */
	}
	hear_about_current(c, FP_EV_SIGRETURN, 0);
	edit(&t->buf);
	if (!s.kernel->read_flushes) {
		task_load(c);
		use(c, &t->buf); /* what is loaded counts as used */
	}
}

static void do_sve_trap(struct cpu *c, struct task *t)
{
	presume_run(c);
	hear_about_current(c, FP_EV_SVE_TRAP, 0);
	if (t->foreign)
		tell(t->fpsimd_cpu, c, &t->buf, FP_NOTE_READ | FP_NOTE_GONE);
	if (!s.kernel->eager) {
		fpsimd_save(c, FP_CAUSE_NONE);
		flush_current(c);
		edit(&t->buf); /* another format */
	} else if (t->foreign) {
		flush_current(c);
		edit(&t->buf);
	} else {
		bind_task(c);
	}
}

static void neon_begin(struct cpu *c, struct task *t)
{
	fpsimd_save(c, FP_CAUSE_TASK_NEON);
	flush_cpu(c);
	reg_clobber(c, &t->neon);
	if (s.kernel->neon_switch) {
		t->in_neon = true;
	} else {
		t->preempt_off++;
		t->softirq_off = true;
	}
}

static void neon_end(struct task *t)
{
	if (s.kernel->neon_switch) {
		t->in_neon = false;
	} else {
		t->preempt_off--;
		t->softirq_off = false;
	}
}

static void act(struct cpu *c)
{
	struct task *t = c->current;

	if (t->next == t->ops)
		plan(t);
	switch (t->op[t->next++]) {
	case USER:
		if (t->foreign)
			task_load(c);
		use(c, &t->buf);
		break;
	case VCPU_GET:
		vcpu_get(c, t);
		break;
	case LOAD_FP:
		/* A reload hears vcpu_load here, its first load did before. */
		if (t->next >= 2 && t->op[t->next - 2] == PUT_FP)
			hear_about_current(c, FP_EV_VLOAD, 0);
		load_fp(c);
		t->preempt_off--;
		break;
	case ENTER:
		t->preempt_off++;
		enter(c);
		break;
	case EXIT_TP:
		hear_about_current(c, FP_EV_EXIT, 0);
		t->preempt_off--;
		break;
	case PUT_FP:
		t->preempt_off++;
		put_fp(c, FP_CAUSE_USER_RETURN);
		break;
	case VCPU_PUT:
		t->loaded = NULL;
		t->run->busy = false;
		t->preempt_off--;
		break;
	case RUN_TP:
		hear_about_current(c, FP_EV_RUN_END, 0);
		t->run = NULL;
		break;
	case NEON_HOOK:
		hear(c, (struct fp_event){ .kind = FP_EV_NEON_TASK });
		break;
	case NEON_BEGIN:
		neon_begin(c, t);
		break;
	case NEON_USE:
		use(c, &t->neon);
		break;
	case NEON_END:
		neon_end(t);
		break;
	case SLEEP:
		schedule(c, false);
		break;
	case READ:
		do_read(c, t);
		break;
	case SIGRETURN:
		do_sigreturn(c, t);
		break;
	case EXEC:
		presume_run(c);
		hear_about_current(c, FP_EV_EXEC, 0);
		tell(t->fpsimd_cpu, c, &t->buf, FP_NOTE_GONE);
		flush_current(c);
		edit(&t->buf);
		break;
	case SVE_TRAP:
		do_sve_trap(c, t);
		break;
	case DIE: /* the next task gets its memory; it starts with a fork */
		presume_run(c);
		hear_about_current(c, FP_EV_TASK_END, 0);
		tell(t->fpsimd_cpu, c, &t->buf, FP_NOTE_GONE);
		t->dead = true;
		switch_to(c, &c->idle, false);
		t->dead = false;
		t->buf.gen++;
		edit(&t->buf);
		forget_cpu(t);
		break;
	}
}

static void idle_step(struct cpu *c)
{
	if (percent(5)) { /* CPU_PM_ENTER: the power goes */
		hear(c, (struct fp_event){ .kind = FP_EV_CPU_PM });
		fpsimd_save(c, FP_CAUSE_NONE);
		flush_cpu(c);
		reg_clobber(c, NULL);
	}
	schedule(c, true);
}

static void step(struct cpu *c)
{
	struct task *t = c->current;

	if (!t->softirq_off && percent(s.softirq)) {
		softirq_neon(c);
		return;
	}
	if (t->kind == IDLE) {
		idle_step(c);
		return;
	}
	if (t->sched_in == 2) {
		t->sched_in = 1;
		hear_about_current(c, FP_EV_VLOAD, 0);
		return;
	}
	if (t->sched_in == 1) {
		t->sched_in = 0;
		load_fp(c);
		return;
	}
	if (!t->preempt_off && percent(s.preempt)) {
		schedule(c, true);
		return;
	}
	act(c);
}

/* ---- runs ---- */

static void begin(const struct kernel *k, unsigned int seed)
{
	int i;

	memset(&s, 0, sizeof(s));
	s.kernel = k;
	s.seed = seed;
	s.rng = seed * 2654435761u + 1;
	s.softirq = (unsigned int[]){ 0, 2, 10, 30 }[below(4)];
	s.preempt = (unsigned int[]){ 0, 3, 15, 40 }[below(4)];
	s.guest_fp = (unsigned int[]){ 0, 20, 60, 100 }[below(4)];
	for (i = 0; i < TASKS; i++) {
		s.task[i].buf.addr = 0x1000u * (unsigned int)(i + 1);
		s.task[i].neon.addr = s.task[i].buf.addr + 0x800;
		s.task[i].buf.gen = 1;
		s.task[i].kind = i < 3 ? VMM : i < 5 ? BYSTANDER : KTHREAD;
		s.task[i].cpu = -1;
		forget_cpu(&s.task[i]);
	}
	for (i = 0; i < VCPUS; i++) {
		s.vcpu[i].buf.addr = 0x100000u * (unsigned int)(i + 1);
		s.vcpu[i].buf.gen = 1;
	}
	for (i = 0; i < CPUS; i++) {
		s.cpu[i].idle.kind = IDLE;
		s.cpu[i].idle.buf.addr = 0x10u * (unsigned int)(i + 1);
		forget_cpu(&s.cpu[i].idle);
		s.cpu[i].current = &s.cpu[i].idle;
	}
}

static void run(unsigned int steps)
{
	while (steps-- > 0) {
		s.step++;
		step(&s.cpu[below(CPUS)]);
	}
}

#define EQUAL(what)                                                            \
	do {                                                                   \
		if (s.truth.what != s.seen.what)                               \
			fail_msg("%s, seed %u: %s: the kernel did %u, "        \
				 "the automaton says %u",                      \
				 s.kernel->name, s.seed, #what, s.truth.what,  \
				 s.seen.what);                                 \
	} while (0)

/*
 * Evidence of the host that stays live in KVM_RUN is never wrong. That of a
 * save in vcpu_load() is, if a KVM_RUN that never entered the guest is switched
 * out after vcpu_put(): so the former counts for more.
 */
static void check_policy(void)
{
	if (s.kernel->eager)
		CHECK(s.martin == 0);
	else
		CHECK(s.eager == 0 || s.martin > 0);
}

static unsigned int verdicts[FP_VERDICTS];

/* Nothing is judged twice, nothing is forgotten. */
static void check_verdicts(void)
{
	unsigned int pending = 0, judged = 0;
	int i;

	for (i = 0; i < CPUS; i++)
		pending += s.cpu[i].judge.pending;
	for (i = FP_VERDICT_NEEDED; i <= FP_VERDICT_UNKNOWN; i++)
		judged += s.verdict[i];
	CHECK(judged + pending == s.saves);
	CHECK(s.verdict[FP_VERDICT_LOAD_NEEDED] +
	      s.verdict[FP_VERDICT_LOAD_LIVE] <= s.loads);
	CHECK(s.impossible == 0);
	for (i = 0; i < FP_VERDICTS; i++)
		verdicts[i] += s.verdict[i];
}

static void compare_all(void)
{
	int i;

	for (i = 0; i < VCPUS; i++) {
		EQUAL(guest_save[i]);
		EQUAL(guest_load[i]);
		EQUAL(live[i]);
	}
	for (i = 0; i < FP_CAUSE_MAX; i++)
		EQUAL(cause[i]);
	EQUAL(host_save);
	EQUAL(trap_save);
	EQUAL(task_save);
	EQUAL(load);
	EQUAL(neon_save);
	EQUAL(neon_load);
	CHECK(s.missed == 0);
	CHECK(s.undecided == 0);
	check_policy();
	check_verdicts();
}

enum { SEEDS = 400, STEPS = 4000 };

static void from_the_start(void **state)
{
	static const char *const what[] = { "guest saves", "guest loads" };
	unsigned int seed, saves = 0, loads = 0;
	int i;

	for (seed = 1; seed <= SEEDS; seed++) {
		begin(*state, seed);
		begin_capture();
		run(STEPS);
		compare_all();
		for (i = 0; i < VCPUS; i++) {
			saves += s.truth.guest_save[i];
			loads += s.truth.guest_load[i];
		}
	}
	/* A simulator in which nothing happens would agree with anything. */
	if (saves < 10000 || loads < 10000)
		fail_msg("only %u %s, %u %s", saves, what[0], loads, what[1]);
	for (i = FP_VERDICT_NEEDED; i < FP_VERDICTS; i++) {
		if (!verdicts[i])
			fail_msg("verdict %d came up %u times", i, verdicts[i]);
	}
	print_message("# needed %u, clean %u, unclobbered %u, dead %u, unknown %u; loads needed %u, live %u\n",
		      verdicts[1], verdicts[2], verdicts[3], verdicts[4],
		      verdicts[5], verdicts[6], verdicts[7]);
	memset(verdicts, 0, sizeof(verdicts));
}

/* Is something half done, that is, did our hook in it pass already? */
static bool amid(enum op op)
{
	int i;

	for (i = 0; i < TASKS; i++) {
		const struct task *t = &s.task[i];

		if (t->sched_in || (t->next < t->ops && t->op[t->next] == op))
			return true;
	}
	return false;
}

#define WITHIN(what, slack)                                                    \
	do {                                                                   \
		if (s.seen.what > s.truth.what ||                              \
		    s.seen.what + (slack) < s.truth.what)                      \
			fail_msg("%s, seed %u: %s: the kernel did %u, "        \
				 "the automaton says %u, undecided %u",        \
				 s.kernel->name, s.seed, #what, s.truth.what,  \
				 s.seen.what, slack);                          \
	} while (0)

/*
 * The capture begins when guests are running. Nothing may be counted that did
 * not happen, nothing may be left out but what is called undecided, and that
 * can be one thing a CPU.
 */
static void from_the_middle(void **state)
{
	unsigned int seed, undecided = 0;
	int i;

	for (seed = 1; seed <= SEEDS; seed++) {
		begin(*state, seed);
		run(STEPS / 4 + seed);
		while (amid(LOAD_FP) || amid(NEON_BEGIN))
			run(1);
		memset(&s.truth, 0, sizeof(s.truth));
		begin_capture();
		run(STEPS / 4);
		CHECK(s.missed == 0);
		CHECK(s.undecided <= CPUS);
		for (i = 0; i < VCPUS; i++) {
			WITHIN(guest_save[i], s.undecided);
			WITHIN(guest_load[i], s.undecided);
			WITHIN(live[i], s.undecided);
		}
		WITHIN(host_save, s.undecided);
		WITHIN(trap_save, s.undecided);
		EQUAL(task_save);
		EQUAL(load);
		EQUAL(neon_load);
		EQUAL(neon_save);
		undecided += s.undecided;
	}
	CHECK(undecided > 0);
}

/* A stream that can't be: two tasks are loaded, the first was never saved. */
static void notices_a_lost_state(void **state)
{
	struct fp_event a = { .buf = 0x1000, .gen = 1, .kind = FP_EV_LOAD };
	struct fp_event b = { .buf = 0x2000, .gen = 2, .kind = FP_EV_LOAD };
	struct fp_judge j = {};

	(void)state;
	fp_judge(&j, &a, FP_OP_USER_LOAD);
	assert_false(j.is.impossible);
	fp_judge(&j, &b, FP_OP_USER_LOAD);
	assert_true(j.is.impossible);
	assert_int_equal(j.is.load, FP_VERDICT_NONE);
	assert_int_equal(j.held, FP_HELD_UNKNOWN);
}

/* Older memory over newer registers. */
static void notices_a_lost_value(void **state)
{
	struct fp_event a = { .buf = 0x1000, .gen = 1, .kind = FP_EV_LOAD };
	struct fp_judge j = {};

	(void)state;
	fp_judge(&j, &a, FP_OP_USER_LOAD);
	fp_judge(&j, &a, FP_OP_USER_LOAD);
	assert_true(j.is.impossible);
	assert_int_equal(j.is.load, FP_VERDICT_NONE);
}

/* One vcpu is loaded here, while the other CPU has not saved it. */
static void notices_two_newest_values(void **state)
{
	struct fp_event guest = {
		.buf = 0x1000, .gen = 1, .kind = FP_EV_BIND_VCPU, .foreign = 1
	};
	struct fp_event end = { .buf = 0x2000, .kind = FP_EV_RUN_END };
	struct fp_judge j = {};

	(void)state;
	fp_judge(&j, &guest, FP_OP_GUEST_LOAD);
	fp_judge_tell(&j, 0x1000, FP_NOTE_MOVED);
	fp_judge(&j, &end, 0);
	assert_true(j.is.impossible);
	assert_int_equal(j.held, FP_HELD_UNKNOWN);
}

int main(void)
{
	enum { N = sizeof(kernels) / sizeof(kernels[0]) };
	struct CMUnitTest tests[2 * N + 3];
	static char names[2 * N][64];
	size_t i, n = 0;

	for (i = 0; i < N; i++, n++) {
		snprintf(names[n], sizeof(names[n]), "%s, seen from its start",
			 kernels[i].name);
		tests[n] = (struct CMUnitTest){
			.name = names[n],
			.test_func = from_the_start,
			.initial_state = (void *)&kernels[i],
		};
	}
	for (i = 0; i < N; i++, n++) {
		snprintf(names[n], sizeof(names[n]), "%s, seen from the middle",
			 kernels[i].name);
		tests[n] = (struct CMUnitTest){
			.name = names[n],
			.test_func = from_the_middle,
			.initial_state = (void *)&kernels[i],
		};
	}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(notices_a_lost_state);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(notices_a_lost_value);
	tests[n++] =
		(struct CMUnitTest)cmocka_unit_test(notices_two_newest_values);
	return _cmocka_run_group_tests("model_random", tests, n, NULL, NULL);
}
