/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One world of tasks, vcpus and softirqs, each step chosen at random, and machines
 * that live in it, each with a kernel of another policy: seven, and some of which
 * the policy has a parameter. They keep the books that such a kernel would keep
 * (fpsimd_last_state.st, fpsimd_cpu, TIF_FOREIGN_FPSTATE, who owns) and know nothing
 * of src/policy.c and src/sweep.c; values move along, so that one that loses a state
 * gives itself away. That of dall loses some: it counts them.
 *
 * Machines can be observed: what our hooks would record there goes to feed(), and
 * where the kernel's variables would be looked at, look() is called. Whoever includes
 * this has them.
 *
 * And a machine can have a fault, once, and then goes on with what is left.
 */
#ifndef FPSTAT_TEST_RANDOM_WORLD_H
#define FPSTAT_TEST_RANDOM_WORLD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fpstat/charge.h"
#include "fpstat/judge.h"
#include "fpstat/stream.h"
#include "param.h"
#include "policy.h"
#include "test.h"
#include "util.h"

enum {
	CPUS = 2,
	TASKS = 6,
	IDLES = TASKS, /* one for each CPU: the last tasks */
	THREADS = TASKS + CPUS,
	VCPUS = 3,
	STATES = THREADS + VCPUS, /* a task's, or a vcpu's */
	SLOTS = 256,
	OTHER = SLOTS, /* who pays if no vcpu does */
	NOBODY = -1,
	NOWHERE = -1,
};

/* ---- the world: what happens whatever the kernel does ---- */

enum op {
	USER, /* return to user mode, and run there */
	TAKE, /* vcpu_load() has taken the vcpu .. */
	VLOAD, /* .. and is at our hook in kvm_arch_vcpu_load_fp() */
	LOAD_FP,
	ENTER,
	EXIT_TP, /* tracepoint kvm_exit */
	PUT_FP,
	VCPU_PUT, /* vcpu_put() ends */
	RESET, /* inside KVM_RUN: put, write, and a load to come */
	RUN_TP, /* tracepoint kvm_userspace_exit */
	NEON_HOOK, /* our hook in kernel_neon_begin() */
	NEON_BEGIN,
	NEON_END,
	SLEEP,
	FORK,
	SIGNAL,
	SIGRETURN,
	EXEC,
	DIE,
	SET_REG, /* of a vcpu that does not run */
	NEW_VCPU, /* in the memory of an old one */
	NOTHING,
};

struct thread {
	enum { VMM, BYSTANDER, KTHREAD, IDLE } kind;
	int cpu; /* where it is current, or NOWHERE */
	int loaded; /* the vcpu that its preempt notifier is for */
	int run; /* the one that it is inside KVM_RUN for */
	int sched_in; /* steps of kvm_sched_in() that are left */
	int preempt_off;
	bool in_neon;
	bool softirq_off; /* for the NEON of softirqs */
	bool dead; /* it is about to be switched out for the last time */
	enum op op[40];
	int ops, next;
};

struct vcpu {
	int slot; /* or OTHER until the first vcpu_load() */
	bool busy; /* its mutex is taken, from vcpu_load() to KVM_RUN's end */
};

static struct {
	struct thread thread[THREADS];
	struct vcpu vcpu[VCPUS];
	int current[CPUS];
	int slots; /* taken so far */
	unsigned int seed, step;
	uint64_t rng;
	/* How this world is, of 100 */
	bool neon_switch; /* task NEON is preemptible, softirqs nest */
	bool nest_unbound; /* .. and are bound to nothing (6.19) */
	unsigned int softirq, preempt, guest_fp;
	unsigned int overtaken; /* softirqs between VLOAD and LOAD_FP */
} w;

static const char *machine_name;

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			fail_msg("%s, seed %u, step %u: not %s (line %d)",     \
				 machine_name, w.seed, w.step, #cond,          \
				 __LINE__);                                    \
	} while (0)

static unsigned int below(unsigned int n)
{
	w.rng = w.rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(w.rng >> 33) % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

/* ---- the machines ---- */

struct xfer {
	uint64_t done;
	uint64_t irqoff;
};

/* What one vcpu pays, or what nobody does. */
struct truth {
	struct xfer host_save, host_load, guest_save, guest_load;
	uint64_t unsafe, refused;
	uint64_t exits, live;
};

struct state {
	unsigned int mem; /* the value in memory .. */
	unsigned int newest; /* .. and the one that its owner wrote last */
	int cpu; /* fpsimd_cpu, or the same of a vcpu */
};

/*
 * X(NAME, "what goes wrong", "rules of which one says so first, on martin", "and on
 * eager-host"). None: nobody at EL1 can tell. Of a function that is not called our
 * hooks hear nothing, but of load_fp(), where they are before it.
 */
#define FAULT_MAP(X)                                                           \
	X(SKIP_SAVE, "the save is not called",                                 \
	  "I5 I14 I16 I21 I24", "I5 I14 I16 I21 I24")                          \
	X(EMPTY_SAVE, "the save saves nothing",                                \
	  "", "")                                                              \
	X(SKIP_FLUSH, "the flush of a CPU is not called",                      \
	  "I1 I6 I8 I21", "I1 I6 I8 I9 I16 I21")                               \
	X(SKIP_FLUSH_TASK, "the flush of a task is not called",                \
	  "I18", "I18")                                                        \
	X(SKIP_LOAD, "the load of a task is not called",                       \
	  "I1 I2 I3 I6 I18 I19 I21", "I1 I2 I3 I6 I18 I19 I21")                \
	X(EMPTY_LOAD, "the load of a task loads nothing",                      \
	  "", "")                                                              \
	X(ADOPT, "a switch does not ask where it ran",                         \
	  "I2", "I2")                                                          \
	X(SET_FLAG, "the flag is set",                                         \
	  "I5", "I5")                                                          \
	X(CLEAR_FLAG, "the flag is cleared",                                   \
	  "I1 I2 I3 I6 I8 I18 I19 I21", "I1 I2 I3 I6 I8 I18 I19 I21")          \
	X(SKIP_CTXFLUSH, "a stale owner is not dropped",                       \
	  "", "I8")                                                            \
	X(SKIP_CTXSYNC, "ctxsync_fp() is not called",                          \
	  "I20", "I20")                                                        \
	X(WRONG_BUFFER, "another vcpu's buffer is bound",                      \
	  "I6 I20", "I6 I20")                                                  \
	X(SKIP_PUT, "put_fp() is not called",                                  \
	  "I6 I8 I16", "I1 I6 I8 I16")                                         \
	X(SKIP_LOAD_FP, "load_fp() is not called",                             \
	  "", "I1 I5 I9 I21")                                                  \
	X(SKIP_PRESERVE, "who reads a state does not save it",                 \
	  "I24", "I24")                                                        \
	X(SKIP_PM, "the power goes without a save",                            \
	  "I3", "I3")                                                          \
	X(WRONG_HOME, "fpsimd_cpu is that of another CPU",                     \
	  "I6", "I6")                                                          \
	X(SKIP_RESTORE, "sigreturn does not load",                             \
	  "I2 I19 I21", "I2 I19 I21")                                          \
	X(CLOBBER, "registers are used without kernel_neon_begin()",           \
	  "", "")

enum fault {
#define X(name, what, martin, eager) FAULT_##name,
	FAULT_MAP(X)
#undef X
	FAULTS /* none */
};

/* The kernel's record of one task. */
struct record {
	bool foreign; /* TIF_FOREIGN_FPSTATE .. */
	int state; /* .. of which state: dall's may be a vcpu's */
	bool in_neon; /* TIF_KERNEL_FPSTATE */
	int owed; /* slot that pays for its next load, or OTHER */
};

struct regs {
	int of;
	unsigned int value;
};

/* What capture keeps of a CPU. */
struct side {
	struct fp_cpu model;
	struct fp_judge judge;
	uint32_t step; /* what the last event was to the model */
	uint8_t decided; /* the last verdict on a save that waited */
	uint32_t exits, live;
};

struct observer {
	struct side side[CPUS];
	int home[VCPUS]; /* fp_vcpu.home */
	bool ran[VCPUS]; /* since its vcpu_load(), and since a save there */
	unsigned int gen[STATES];
	bool silent[THREADS]; /* went to user mode, and no record says so */
	bool begins[THREADS]; /* switched out inside kernel_neon_begin() */
	uint32_t gap[CPUS]; /* records lost since the last one */
	unsigned int lose; /* of 1000 .. */
	unsigned int burst; /* .. and so many after it .. */
	unsigned int left; /* .. of which these are left */
	bool evidence; /* of martin or eager-host */
	struct replay *replay;
	struct prove *prove;
	struct needs *needs;
	struct policies *policies;
	struct sweep *sweep;
};

/* Times are in steps. */
static const struct params params = {
	.nr = 6,
	.param = {
		{ PARAM_FLUSH_AFTER, 0 },
		{ PARAM_FLUSH_AFTER, 1 },
		{ PARAM_FLUSH_AFTER, 2 },
		{ PARAM_KEEP, 4 },
		{ PARAM_KEEP, 8 },
		{ PARAM_KEEP, PARAM_INF },
	},
};

enum { MACHINES = POLICY_MAX + 6 };

struct machine {
	char name[PARAM_TEXT];
	enum policy policy;
	const struct param *param; /* NULL, or martin with this one */
	struct state state[STATES];
	struct record task[THREADS];
	struct {
		int last; /* fpsimd_last_state.st */
		struct regs regs;
	} cpu[CPUS];
	struct {
		bool owns; /* FP_STATE_GUEST_OWNED */
		bool host; /* FP_STATE_HOST_OWNED */
		uint64_t exits; /* with what it owns */
		uint64_t left; /* when its thread was switched out, or 0 */
	} vcpu[VCPUS];
	struct truth truth[SLOTS + 1];
	uint64_t reads; /* saves that only wanted the copy */
	uint64_t neon_saves, neon_loads;
	struct observer *seen_by; /* or NULL */
	enum fault fault;
	unsigned int after; /* how often it could happen before it does .. */
	bool hit; /* .. it did .. */
	unsigned int corrupt; /* .. and so many states were wrong since */
};

static struct machine machine[MACHINES];

static int vstate(int vcpu)
{
	return THREADS + vcpu;
}

static __u64 addr(int state)
{
	return state < 0 ? 0 : 0x1000u * (__u64)(state + 1);
}

static __u64 neon_addr(int task)
{
	return addr(task) + 0x800;
}

/* Its limit if it is of @kind, or @none. */
static uint64_t limit(const struct machine *m, enum param_kind kind,
		      uint64_t none)
{
	return m->param && m->param->kind == kind ? m->param->value : none;
}

static bool keeps_guest(const struct machine *m)
{
	return m->policy == POLICY_DALL || m->policy == POLICY_BLOCK_NEON;
}

/* ---- faults ---- */

/* Does it happen now? Once. */
static bool fails(struct machine *m, enum fault fault)
{
	if (m->fault != fault || m->hit || m->after-- > 0)
		return false;
	m->hit = true;
	return true;
}

/* So it must be, but on a machine that had its fault. */
static bool holds(struct machine *m, bool so)
{
	m->corrupt += !so && m->hit;
	return so || m->hit;
}

/* ---- what capture does: see bpf/ ---- */

static int slot_of_run(int task)
{
	int run = w.thread[task].run;

	if (run == NOBODY) /* taken, but its hook is still to come */
		run = w.thread[task].loaded;
	return run == NOBODY ? OTHER : w.vcpu[run].slot;
}

static __u32 fp_slot(int slot)
{
	return slot == OTHER ? FP_NO_SLOT : (__u32)slot;
}

static void feed(struct observer *o, const struct fp_rec *rec);

enum where {
	AT_LOAD,
	AT_ENTRY,
	AT_BIND,
	AT_EXIT,
	AT_NEON,
	AT_SAVE,
	AT_EXEC
};
static void look(struct machine *m, int c, enum where where);

static void record(struct observer *o, int c, const struct fp_event *ev,
		   int slot, __u64 other, __u32 flags)
{
	struct side *side = &o->side[c];
	struct fp_rec rec = {
		.ns = w.step,
		.ev = *ev,
		.other = other,
		.letter = side->judge.letter,
		.slot = fp_slot(slot),
		.cpu = (__u32)c,
		.exits = side->exits,
		.live = side->live,
		.flags = flags | (o->gap[c] ? FP_REC_GAP : 0),
		.lost = o->gap[c],
	};

	if (!o->left && o->lose && below(1000) < o->lose)
		o->left = 1 + o->burst;
	if (o->left) {
		o->left--;
		o->gap[c]++;
		return;
	}
	o->gap[c] = 0;
	side->exits = side->live = 0;
	feed(o, &rec);
}

static bool tells_user(__u8 kind)
{
	switch (kind) {
	case FP_EV_SWITCH:
	case FP_EV_LOAD:
	case FP_EV_VLOAD:
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
	case FP_EV_RESTORE:
	case FP_EV_EXEC:
	case FP_EV_TASK_END:
		return true;
	default:
		return false;
	}
}

static void hear_with(struct machine *m, int c, struct fp_event ev, int slot,
		      __u64 other, __u32 flags)
{
	struct observer *o = m->seen_by;
	struct side *side;
	__u32 step = 0;

	if (!o)
		return;
	side = &o->side[c];
	if (tells_user(ev.kind))
		o->silent[w.current[c]] = false;
	if (!(flags & FP_REC_NO_STEP))
		step = fp_step(&side->model, &ev);
	side->step = step;
	o->evidence |= !!(step & (FP_OP_EAGER | FP_OP_MARTIN));
	if (flags & FP_REC_NO_JUDGE) {
		record(o, c, &ev, slot, other, flags);
		return;
	}
	fp_judge_take_letter(&side->judge);
	if (fp_judge_knows(&side->judge, &ev, step)) {
		side->live++;
		fp_judge_step(&side->judge, &ev, step);
		return;
	}
	record(o, c, &ev, slot, other, flags);
	fp_judge_step(&side->judge, &ev, step);
	if (side->judge.is.old)
		side->decided = side->judge.is.old;
}

static struct fp_event of_task(const struct machine *m, int t, __u8 kind)
{
	struct fp_event ev = {
		.buf = addr(t),
		.kind = kind,
		.foreign = m->task[t].foreign,
	};

	if (m->seen_by)
		ev.gen = m->seen_by->gen[t];
	return ev;
}

/* on_current() */
static void hear(struct machine *m, int c, __u8 kind)
{
	int t = w.current[c];

	hear_with(m, c, of_task(m, t, kind), OTHER, 0, 0);
}

static void hear_in_memory(struct machine *m, int c, __u8 kind, int vcpu)
{
	struct fp_event ev = { .buf = addr(vstate(vcpu)), .kind = kind };

	hear_with(m, c, ev, w.vcpu[vcpu].slot, 0,
		  FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

/* kernel_neon_begin() */
static void hear_neon(struct machine *m, int c, __u8 kind)
{
	int t = w.current[c], slot = slot_of_run(t);
	struct fp_event ev = { .kind = kind,
			       .foreign = m->task[t].foreign,
			       .in_run = w.thread[t].loaded != NOBODY &&
					 slot != OTHER };

	look(m, c, AT_NEON);
	hear_with(m, c, ev, ev.in_run ? slot : OTHER, 0, 0);
}

static void tell(struct machine *m, int here, int there, int state, __u64 why)
{
	if (m->seen_by && there != NOWHERE && there != here)
		fp_judge_tell(&m->seen_by->side[there].judge, addr(state), why);
}

/* ---- registers ---- */

static void count(struct xfer *x, bool irqoff)
{
	x->done++;
	x->irqoff += irqoff;
}

/* @state is saved or loaded while @t is current: who pays? */
static struct truth *payer(struct machine *m, int t, int state)
{
	if (state >= THREADS)
		return &m->truth[w.vcpu[state - THREADS].slot];
	return &m->truth[slot_of_run(t)];
}

static void reg_save(struct machine *m, int c, int state, bool irqoff)
{
	struct truth *truth = payer(m, w.current[c], state);

	CHECK(holds(m, m->cpu[c].regs.of == state &&
			       m->cpu[c].regs.value == m->state[state].newest));
	m->state[state].mem = m->cpu[c].regs.value;
	count(state < THREADS ? &truth->host_save : &truth->guest_save, irqoff);
}

static void reg_load(struct machine *m, int c, int state)
{
	CHECK(holds(m, m->state[state].mem == m->state[state].newest));
	m->cpu[c].regs = (struct regs){ state, m->state[state].mem };
}

static void guest_load(struct machine *m, int c, int state)
{
	reg_load(m, c, state);
	count(&payer(m, w.current[c], state)->guest_load, true);
}

static void reg_use(struct machine *m, int c, int state)
{
	CHECK(holds(m, m->cpu[c].regs.of == state &&
			       m->cpu[c].regs.value == m->state[state].newest));
	m->cpu[c].regs = (struct regs){ state, ++m->state[state].newest };
}

static void reg_lose(struct machine *m, int c)
{
	m->cpu[c].regs.of = NOBODY;
}

/* The copy in memory is written. */
static void edit(struct machine *m, int state)
{
	m->state[state].mem = ++m->state[state].newest;
}

/* ---- fpsimd.c ---- */

static void hear_save(struct machine *m, int c)
{
	int t = w.current[c], slot = OTHER;
	struct fp_event ev = of_task(m, t, FP_EV_SAVE);

	if (!ev.foreign) {
		slot = slot_of_run(t);
		ev.in_run = w.thread[t].loaded != NOBODY || slot != OTHER;
		ev.arg = w.thread[t].loaded == NOBODY ||
					 !m->vcpu[w.thread[t].loaded].owns ?
				 FP_HINT_HOST :
				 FP_HINT_GUEST;
	}
	hear_with(m, c, ev, slot, 0, 0);
}

static void fpsimd_save(struct machine *m, int c, bool irqoff)
{
	int t = w.current[c];

	if (!m->task[t].foreign && fails(m, FAULT_SKIP_SAVE))
		return;
	look(m, c, AT_SAVE);
	hear_save(m, c);
	if (m->task[t].foreign)
		return;
	CHECK(holds(m, m->cpu[c].last != NOBODY));
	if (m->cpu[c].last != NOBODY && !fails(m, FAULT_EMPTY_SAVE))
		reg_save(m, c, m->cpu[c].last, irqoff);
}

static void flush_cpu(struct machine *m, int c)
{
	if (!m->task[w.current[c]].foreign && fails(m, FAULT_SKIP_FLUSH))
		return;
	m->cpu[c].last = NOBODY;
	m->task[w.current[c]].foreign = true;
}

static void bind(struct machine *m, int c, int state)
{
	m->cpu[c].last = state;
	m->state[state].cpu = c;
	if (state < THREADS && fails(m, FAULT_WRONG_HOME))
		m->state[state].cpu = !c;
	m->task[w.current[c]].foreign = false;
}

static void flush_task(struct machine *m, int c, int t)
{
	if (!m->task[t].foreign && fails(m, FAULT_SKIP_FLUSH_TASK))
		return;
	hear(m, c, FP_EV_FLUSH_TASK);
	m->state[t].cpu = NOWHERE;
	m->task[t].foreign = true;
}

static void task_load(struct machine *m, int c)
{
	int t = w.current[c], owed = m->task[t].owed;

	if (fails(m, FAULT_SKIP_LOAD)) {
		bind(m, c, t);
		return;
	}
	tell(m, c, m->state[t].cpu, t, FP_NOTE_MOVED);
	hear_with(m, c, of_task(m, t, FP_EV_LOAD), owed, 0, 0);
	if (!fails(m, FAULT_EMPTY_LOAD))
		reg_load(m, c, t);
	count(&m->truth[owed].host_load, false);
	m->task[t].owed = OTHER;
	bind(m, c, t);
}

/* May a section begin, and does it? Then the registers are its own. */
static bool neon_take(struct machine *m, int c)
{
	int t = w.current[c], state = m->task[t].state;
	struct truth *truth = payer(m, t, state);
	bool live = keeps_guest(m) && state != t && !m->task[t].foreign;

	if (live && m->policy == POLICY_BLOCK_NEON) {
		truth->refused++;
		return false;
	}
	if (live && m->state[state].mem != m->state[state].newest) {
		/* Saved is what the softirq made of it: forget what was. */
		truth->unsafe++;
		m->state[state].newest = m->state[state].mem;
		count(&truth->guest_save, false);
	} else {
		fpsimd_save(m, c, false);
	}
	flush_cpu(m, c);
	reg_lose(m, c);
	return true;
}

static void bind_kernel(struct machine *m, int c, bool nested)
{
	int t = w.current[c];
	bool unbound = nested && w.nest_unbound;
	struct fp_event ev = { .buf = neon_addr(t),
			       .kind = unbound ? FP_EV_NEON_NEST :
						 FP_EV_BIND_KERNEL,
			       .foreign = m->task[t].foreign,
			       .arg = nested };

	hear_with(m, c, ev, OTHER, 0, 0);
	m->neon_saves++;
	m->neon_loads += nested;
	if (!unbound)
		m->cpu[c].last = NOBODY; /* matches no task */
}

static void softirq_neon(struct machine *m, int c)
{
	hear_neon(m, c, FP_EV_NEON_SOFTIRQ);
	if (m->task[w.current[c]].in_neon)
		bind_kernel(m, c, true);
	else
		neon_take(m, c);
}

/* fpsimd_thread_switch(), and what the hooks hear before it */
static void thread_switch(struct machine *m, int c, int next)
{
	struct record *to = &m->task[next];

	if (!m->task[w.current[c]].foreign && fails(m, FAULT_SET_FLAG))
		m->task[w.current[c]].foreign = true;
	if (m->task[w.current[c]].in_neon)
		bind_kernel(m, c, false);
	else
		fpsimd_save(m, c, true);
	if (to->in_neon) {
		m->neon_loads++;
		m->cpu[c].last = NOBODY;
		to->foreign = true;
		reg_lose(m, c);
	} else {
		to->foreign = m->cpu[c].last != to->state ||
			      (m->state[to->state].cpu != c &&
			       !fails(m, FAULT_ADOPT));
	}
}

/* ---- kvm: what is different from policy to policy ---- */

static void load_fp(struct machine *m, int c)
{
	int v = w.thread[w.current[c]].loaded;

	if (fails(m, FAULT_SKIP_LOAD_FP))
		return;
	if (m->policy == POLICY_EAGER_HOST) {
		fpsimd_save(m, c, true);
		flush_cpu(m, c);
	}
	m->vcpu[v].host = m->policy == POLICY_MARTIN;
	m->vcpu[v].owns = false;
}

static void put_fp(struct machine *m, int c)
{
	int v = w.thread[w.current[c]].loaded, last = m->cpu[c].last;

	if ((m->policy != POLICY_MARTIN && m->policy != POLICY_EAGER_HOST) ||
	    !m->vcpu[v].owns || fails(m, FAULT_SKIP_PUT))
		return;
	fpsimd_save(m, c, true);
	flush_cpu(m, c);
	m->vcpu[v].owns = false;
	if (limit(m, PARAM_KEEP, 0))
		m->cpu[c].last = last; /* nobody else's, but saved */
}

/* All out, all in, and back: the hypervisor asks nobody whose it is. */
static void enter_swapping(struct machine *m, int c, int state, bool use)
{
	struct truth *truth = payer(m, w.current[c], state);
	struct regs host = m->cpu[c].regs;

	if (!use && m->policy != POLICY_UNCOND)
		return;
	count(&truth->host_save, true);
	guest_load(m, c, state);
	if (use)
		reg_use(m, c, state);
	reg_save(m, c, state, true);
	m->cpu[c].regs = host;
	count(&truth->host_load, true);
}

/* The guest is live if it is bound here: clean whenever interrupts are on. */
static void enter_saving(struct machine *m, int c, int state, bool use)
{
	bool live = m->cpu[c].last == state && m->state[state].cpu == c;
	int t = w.current[c];

	if (!live && !use)
		return;
	if (!live) {
		if (!m->task[t].foreign)
			reg_save(m, c, t, true);
		guest_load(m, c, state);
		bind(m, c, state);
		m->task[t].foreign = true; /* that flag is the host's */
	}
	if (use)
		reg_use(m, c, state);
	reg_save(m, c, state, true);
}

/* The guest is live if it is what TIF_FOREIGN_FPSTATE speaks of. */
static void enter_keeping(struct machine *m, int c, int state, bool use)
{
	struct record *t = &m->task[w.current[c]];

	if (use && (t->state != state || t->foreign)) {
		if (!t->foreign)
			reg_save(m, c, t->state, true);
		guest_load(m, c, state);
		t->state = state;
		bind(m, c, state);
	}
	if (use)
		reg_use(m, c, state);
}

static void hear_guest(struct machine *m, int c, int v)
{
	struct fp_event ev = { .buf = addr(vstate(v)),
			       .kind = FP_EV_BIND_VCPU,
			       .foreign = m->task[w.current[c]].foreign,
			       .in_run = 1 };

	if (!m->seen_by)
		return;
	ev.gen = m->seen_by->gen[vstate(v)];
	if (m->seen_by->home[v] != c)
		tell(m, c, m->seen_by->home[v], vstate(v), FP_NOTE_MOVED);
	m->seen_by->home[v] = c;
	look(m, c, AT_BIND);
	hear_with(m, c, ev, w.vcpu[v].slot, 0, 0);
}

static void own(struct machine *m, int c, int v)
{
	int state = vstate(v);

	if (m->vcpu[v].host)
		reg_save(m, c, w.current[c], true);
	m->vcpu[v].host = false;
	m->vcpu[v].owns = true;
	m->vcpu[v].exits = 0;
	if (m->cpu[c].last != state || m->state[state].cpu != c)
		guest_load(m, c, state);
}

static void flush_old(struct machine *m, int c, int v)
{
	if (m->vcpu[v].exits++ != limit(m, PARAM_FLUSH_AFTER, PARAM_INF))
		return;
	fpsimd_save(m, c, true);
	flush_cpu(m, c);
	m->vcpu[v].owns = false;
}

/* The hypervisor's trap, and kvm_arch_vcpu_ctxsync_fp() */
static void enter_owning(struct machine *m, int c, int v, bool use)
{
	int t = w.current[c], state = vstate(v);

	if (m->policy == POLICY_MARTIN)
		look(m, c, AT_ENTRY);
	if (m->task[t].foreign &&
	    !(m->vcpu[v].owns && fails(m, FAULT_SKIP_CTXFLUSH)))
		m->vcpu[v].owns = m->vcpu[v].host = false;
	if (m->policy != POLICY_MARTIN)
		look(m, c, AT_ENTRY);
	m->truth[w.vcpu[v].slot].live += m->vcpu[v].owns;
	if (use && !m->vcpu[v].owns)
		own(m, c, v);
	if (!m->vcpu[v].owns)
		return;
	if (use)
		reg_use(m, c, state);
	if (fails(m, FAULT_CLOBBER))
		reg_lose(m, c);
	if (fails(m, FAULT_SKIP_CTXSYNC))
		return;
	hear_guest(m, c, v);
	bind(m, c, state);
	if (fails(m, FAULT_WRONG_BUFFER))
		m->cpu[c].last = vstate((v + 1) % VCPUS);
	flush_old(m, c, v);
}

static void enter(struct machine *m, int c, bool use)
{
	int v = w.thread[w.current[c]].loaded, state = vstate(v);

	switch (m->policy) {
	case POLICY_UNCOND:
	case POLICY_DEFENSIVE:
		enter_swapping(m, c, state, use);
		break;
	case POLICY_MARTIN_RFC:
		enter_saving(m, c, state, use);
		break;
	case POLICY_DALL:
	case POLICY_BLOCK_NEON:
		enter_keeping(m, c, state, use);
		break;
	default:
		enter_owning(m, c, v, use);
		break;
	}
}

/* The guest's state was written, or is not to be found by the next KVM_RUN. */
static void forget_guest(struct machine *m, int c, int v)
{
	int state = vstate(v), t = w.current[c];

	m->state[state].cpu = NOWHERE;
	if (m->cpu[c].last == state)
		m->cpu[c].last = NOBODY;
	if (m->task[t].state == state)
		m->task[t].foreign = true;
}

static void reset(struct machine *m, int c)
{
	int v = w.thread[w.current[c]].loaded;
	struct fp_event ev = { .buf = addr(vstate(v)),
			       .kind = FP_EV_VCPU_RESET };

	if (m->seen_by)
		tell(m, c, m->seen_by->home[v], vstate(v), FP_NOTE_GONE);
	hear_with(m, c, ev, OTHER, 0, 0);
	put_fp(m, c);
	forget_guest(m, c, v);
	edit(m, vstate(v));
}

static void run_end(struct machine *m, int c)
{
	int t = w.current[c], v = w.thread[t].run;

	hear_with(m, c, of_task(m, t, FP_EV_RUN_END), OTHER, 0,
		  FP_REC_NO_JUDGE);
	if (v == NOBODY)
		return;
	if (m->task[t].state != t) {
		if (!m->task[t].foreign)
			fpsimd_save(m, c, false);
		/* As a switch to the task's own state. */
		m->task[t].state = t;
		m->task[t].foreign = m->cpu[c].last != t ||
				     m->state[t].cpu != c;
	}
	if (m->policy == POLICY_MARTIN_RFC || keeps_guest(m) || m->param)
		forget_guest(m, c, v);
	if (m->task[t].foreign)
		m->task[t].owed = w.vcpu[v].slot;
}

static void come_back(struct machine *m, int v)
{
	if (m->vcpu[v].left &&
	    w.step - m->vcpu[v].left >= limit(m, PARAM_KEEP, PARAM_INF))
		m->state[vstate(v)].cpu = NOWHERE;
	m->vcpu[v].left = 0;
}

static void vload(struct machine *m, int c, bool first)
{
	int t = w.current[c], v = w.thread[t].loaded;
	struct fp_event ev = of_task(m, t, FP_EV_VLOAD);

	look(m, c, AT_LOAD);
	come_back(m, v);
	ev.in_run = !first;
	if (first)
		m->task[t].owed = OTHER; /* never made, now or later */
	if (m->seen_by)
		ev.arg = m->seen_by->side[c].model.buf == addr(vstate(v));
	hear_with(m, c, ev, w.vcpu[v].slot, addr(vstate(v)), 0);
}

static void exit_tp(struct machine *m, int c)
{
	int v = w.thread[w.current[c]].loaded;

	m->truth[w.vcpu[v].slot].exits++;
	if (!m->seen_by)
		return;
	look(m, c, AT_EXIT);
	m->seen_by->side[c].exits++;
	if (!m->seen_by->evidence)
		hear_with(m, c, of_task(m, w.current[c], FP_EV_EXIT),
			  w.vcpu[v].slot, 0, FP_REC_NO_JUDGE);
}

/* ---- the scheduler ---- */

#define EACH(m) for (m = machine; m < machine + MACHINES; m++)
#define NAMED(m) (machine_name = (m)->name, (m))

static void leave_begin(struct machine *m, int c, int t)
{
	if (m->seen_by && m->seen_by->side[c].judge.after == FP_AFTER_CLOBBER)
		m->seen_by->begins[t] = true;
}

static void switch_one(struct machine *m, int c, int next, bool runnable)
{
	int prev = w.current[c], slot = slot_of_run(prev);
	struct fp_event ev = of_task(m, prev, FP_EV_SWITCH);
	struct fp_event neon = { .kind = FP_EV_NEON_TASK };
	struct fp_event resume = { .kind = FP_EV_RESUME_KERNEL,
				   .buf = neon_addr(next) };

	leave_begin(m, c, prev);
	ev.gen = 0;
	ev.arg = w.thread[prev].loaded != NOBODY && runnable;
	ev.in_run = w.thread[prev].loaded != NOBODY && slot != OTHER;
	hear_with(m, c, ev, ev.in_run ? slot : OTHER, addr(next),
		  w.thread[prev].dead ? FP_REC_LAST : 0);
	if (m->seen_by && m->seen_by->begins[next]) {
		m->seen_by->begins[next] = false;
		hear_with(m, c, neon, OTHER, 0, FP_REC_NO_STEP);
	}
	if (m->task[next].in_neon)
		hear_with(m, c, resume, OTHER, 0, 0);
	if (w.thread[prev].loaded != NOBODY) {
		m->vcpu[w.thread[prev].loaded].left = w.step;
		put_fp(m, c);
	}
	thread_switch(m, c, next);
}

static void switch_to(int c, int next, bool runnable)
{
	struct thread *from = &w.thread[w.current[c]], *to = &w.thread[next];
	struct machine *m;

	EACH(m)
		switch_one(NAMED(m), c, next, runnable);
	from->cpu = NOWHERE;
	to->cpu = c;
	to->sched_in = to->loaded == NOBODY ? 0 : 2;
	w.current[c] = next;
}

static void schedule(int c, bool runnable)
{
	int next = (int)below(TASKS);

	if (w.thread[next].cpu != NOWHERE)
		next = IDLES + c;
	if (next != w.current[c])
		switch_to(c, next, runnable);
}

/* ---- what tasks do ---- */

static void push(struct thread *t, enum op op)
{
	assert_true((size_t)t->ops < ARRAY_SIZE(t->op));
	t->op[t->ops++] = op;
}

static void push_neon(struct thread *t)
{
	push(t, NEON_HOOK);
	push(t, NEON_BEGIN);
	push(t, NOTHING);
	push(t, NOTHING);
	push(t, NEON_END);
}

static void push_run(struct thread *t)
{
	int turns = (int)below(5);

	push(t, TAKE);
	push(t, VLOAD);
	push(t, LOAD_FP);
	while (turns-- > 0) {
		push(t, ENTER);
		push(t, EXIT_TP);
		if (percent(10))
			push(t, SLEEP);
		if (percent(8) && t->ops < 14)
			push_neon(t);
		if (percent(6) && t->ops < 20) {
			push(t, percent(50) ? RESET : PUT_FP);
			push(t, VLOAD);
			push(t, LOAD_FP);
		}
	}
	push(t, PUT_FP);
	push(t, VCPU_PUT);
	if (percent(5))
		push_neon(t);
	push(t, RUN_TP);
	if (percent(5))
		push(t, SLEEP);
	if (percent(5))
		push_neon(t);
	if (percent(5))
		push(t, SIGNAL);
	if (percent(3))
		push(t, DIE);
}

static void plan_other(struct thread *t)
{
	static const enum op some[] = { FORK,	 SIGNAL,  SIGRETURN, SLEEP,
					NOTHING, SET_REG, NEW_VCPU,  RUN_TP,
					EXEC,	 DIE };
	enum op op = some[below(ARRAY_SIZE(some))];

	if (percent(15))
		push_neon(t);
	else
		push(t, op);
}

static void plan(struct thread *t)
{
	t->ops = t->next = 0;
	if (t->kind == KTHREAD) {
		push_neon(t);
		push(t, SLEEP);
		return;
	}
	if (t->kind == VMM && percent(75))
		push_run(t);
	else
		plan_other(t);
	push(t, USER);
}

static void take(struct thread *t)
{
	int v = (int)below(VCPUS);

	if (w.vcpu[v].busy) {
		plan(t); /* the ioctl would wait: do something else */
		return;
	}
	w.vcpu[v].busy = true;
	t->loaded = v;
	t->preempt_off++;
}

static void do_vload(struct thread *t, int c)
{
	struct vcpu *v = &w.vcpu[t->loaded];
	bool first = t->run == NOBODY;
	struct machine *m;

	if (v->slot == OTHER) {
		v->slot = w.slots++;
		assert_true(w.slots <= SLOTS);
	}
	EACH(m)
		vload(NAMED(m), c, first);
	t->run = t->loaded;
}

static void do_user(struct machine *m, int c)
{
	int t = w.current[c];

	if (m->task[t].foreign && fails(m, FAULT_CLEAR_FLAG))
		m->task[t].foreign = false;
	if (m->task[t].foreign)
		task_load(m, c);
	else if (m->seen_by)
		m->seen_by->silent[t] = true;
	reg_use(m, c, t);
}

static void do_read(struct machine *m, int c, __u8 kind)
{
	int t = w.current[c];

	hear(m, c, kind);
	if (m->task[t].foreign)
		tell(m, c, m->state[t].cpu, t, FP_NOTE_READ);
	if (!m->task[t].foreign) {
		payer(m, t, t)->host_save.done--;
		m->reads++;
	}
	if (m->task[t].foreign || !fails(m, FAULT_SKIP_PRESERVE))
		fpsimd_save(m, c, false);
	CHECK(holds(m, m->state[t].mem == m->state[t].newest));
}

static void do_sigreturn(struct machine *m, int c)
{
	int t = w.current[c];

	hear(m, c, FP_EV_RESTORE);
	tell(m, c, m->state[t].cpu, t, FP_NOTE_GONE);
	hear(m, c, FP_EV_SIGRETURN);
	edit(m, t);
	if (m->task[t].foreign || !fails(m, FAULT_SKIP_RESTORE))
		task_load(m, c);
}

static void do_exec(struct machine *m, int c)
{
	int t = w.current[c];

	hear(m, c, FP_EV_EXEC);
	tell(m, c, m->state[t].cpu, t, FP_NOTE_GONE);
	flush_task(m, c, t);
	edit(m, t);
	look(m, c, AT_EXEC);
}

static void begin_to_die(struct machine *m, int c)
{
	int t = w.current[c];

	hear(m, c, FP_EV_TASK_END);
	tell(m, c, m->state[t].cpu, t, FP_NOTE_GONE);
	m->task[t].owed = OTHER;
}

/* The next task gets its memory, as fork leaves it. */
static void recycle(struct machine *m, int t)
{
	edit(m, t);
	m->state[t].cpu = NOWHERE;
	m->task[t].foreign = true;
	if (m->seen_by)
		m->seen_by->gen[t]++;
}

static void die(int c)
{
	int t = w.current[c];
	struct machine *m;

	EACH(m)
		begin_to_die(NAMED(m), c);
	w.thread[t].ops = w.thread[t].next = 0;
	if (below(2)) { /* it is not so fast */
		switch_to(c, IDLES + c, true);
		switch_to(c, t, true);
	}
	w.thread[t].dead = true;
	switch_to(c, IDLES + c, false);
	w.thread[t].dead = false;
	EACH(m)
		recycle(m, t);
}

/* An ioctl on a vcpu that does not run. */
static void do_ioctl(int c, bool new)
{
	int v = (int)below(VCPUS);
	__u8 kind = new ? FP_EV_VCPU_END : FP_EV_SET_REG;
	struct machine *m;

	if (w.vcpu[v].busy || w.vcpu[v].slot == OTHER)
		return;
	EACH(m)
	{
		if (m->seen_by)
			tell(m, NOWHERE, m->seen_by->home[v], vstate(v),
			     FP_NOTE_GONE);
		hear_in_memory(NAMED(m), c, kind, v);
		edit(m, vstate(v));
		if (new && m->seen_by) {
			m->seen_by->gen[vstate(v)]++;
			m->seen_by->home[v] = NOWHERE;
		}
	}
	if (new)
		w.vcpu[v].slot = OTHER;
}

static void neon_begin(struct thread *t, int c)
{
	struct machine *m;
	bool took;

	EACH(m)
	{
		took = neon_take(NAMED(m), c);
		m->task[w.current[c]].in_neon = took && w.neon_switch;
	}
	if (w.neon_switch) {
		t->in_neon = true;
	} else {
		t->preempt_off++;
		t->softirq_off = true;
	}
}

static void neon_end(struct thread *t, int c)
{
	struct machine *m;

	EACH(m)
		m->task[w.current[c]].in_neon = false;
	if (w.neon_switch) {
		t->in_neon = false;
	} else {
		t->preempt_off--;
		t->softirq_off = false;
	}
}

static void power_down(int c)
{
	struct machine *m;

	EACH(m)
	{
		hear(NAMED(m), c, FP_EV_CPU_PM);
		if (m->cpu[c].last == NOBODY || !fails(m, FAULT_SKIP_PM)) {
			fpsimd_save(m, c, true);
			flush_cpu(m, c);
		}
		reg_lose(m, c);
	}
}

static void do_enter(struct thread *t, int c)
{
	bool use = percent(w.guest_fp);
	struct machine *m;

	t->preempt_off++;
	EACH(m)
		enter(NAMED(m), c, use);
}

static void act(struct thread *t, int c)
{
	struct machine *m;

	if (t->next == t->ops)
		plan(t);
	switch (t->op[t->next++]) {
	case USER:
		EACH(m)
			do_user(NAMED(m), c);
		break;
	case TAKE:
		take(t);
		break;
	case VLOAD:
		do_vload(t, c);
		break;
	case LOAD_FP:
		EACH(m)
			load_fp(NAMED(m), c);
		t->preempt_off--;
		break;
	case ENTER:
		do_enter(t, c);
		break;
	case EXIT_TP:
		EACH(m)
			exit_tp(NAMED(m), c);
		t->preempt_off--;
		break;
	case PUT_FP:
		EACH(m)
			put_fp(NAMED(m), c);
		t->preempt_off++;
		break;
	case VCPU_PUT:
		t->loaded = NOBODY;
		t->preempt_off--;
		break;
	case RESET:
		EACH(m)
			reset(NAMED(m), c);
		t->preempt_off++;
		break;
	case RUN_TP:
		EACH(m)
			run_end(NAMED(m), c);
		if (t->run != NOBODY)
			w.vcpu[t->run].busy = false;
		t->run = NOBODY;
		break;
	case NEON_HOOK:
		EACH(m)
			hear_neon(NAMED(m), c, FP_EV_NEON_TASK);
		break;
	case NEON_BEGIN:
		neon_begin(t, c);
		break;
	case NEON_END:
		neon_end(t, c);
		break;
	case SLEEP:
		schedule(c, false);
		break;
	case FORK:
		EACH(m)
			do_read(NAMED(m), c, FP_EV_FORK);
		break;
	case SIGNAL:
		EACH(m)
			do_read(NAMED(m), c, FP_EV_PRESERVE);
		break;
	case SIGRETURN:
		EACH(m)
			do_sigreturn(NAMED(m), c);
		break;
	case EXEC:
		EACH(m)
			do_exec(NAMED(m), c);
		break;
	case DIE:
		die(c);
		break;
	case SET_REG:
		do_ioctl(c, false);
		break;
	case NEW_VCPU:
		do_ioctl(c, true);
		break;
	case NOTHING:
		break;
	}
}

static void softirq(int c)
{
	const struct thread *t = &w.thread[w.current[c]];
	struct machine *m;

	w.overtaken += t->sched_in == 1 ||
		       (t->next < t->ops && t->op[t->next] == LOAD_FP);
	EACH(m)
		softirq_neon(NAMED(m), c);
}

static void sched_in(struct thread *t, int c)
{
	struct machine *m;

	EACH(m)
	{
		if (t->sched_in == 2)
			vload(NAMED(m), c, false);
		else
			load_fp(NAMED(m), c);
	}
	t->sched_in--;
}

static void step(int c)
{
	struct thread *t = &w.thread[w.current[c]];

	w.step++;
	if (!t->softirq_off && percent(w.softirq)) {
		softirq(c);
	} else if (t->kind == IDLE) {
		if (percent(5))
			power_down(c);
		schedule(c, true);
	} else if (t->sched_in) {
		sched_in(t, c);
	} else if (!t->preempt_off && percent(w.preempt)) {
		schedule(c, true);
	} else {
		act(t, c);
	}
}

/* ---- a run ---- */

static void begin_machine(struct machine *m)
{
	int i = (int)(m - machine);

	*m = (struct machine){ .policy = (enum policy)i, .fault = FAULTS };
	if (i >= POLICY_MAX) {
		m->policy = POLICY_MARTIN;
		m->param = &params.param[i - POLICY_MAX];
		param__text(m->param, m->name, sizeof(m->name));
	} else {
		snprintf(m->name, sizeof(m->name), "%s", policy__name(i));
	}
	for (i = 0; i < STATES; i++)
		m->state[i].cpu = NOWHERE;
	for (i = 0; i < THREADS; i++)
		m->task[i] = (struct record){ true, i, false, OTHER };
	for (i = 0; i < CPUS; i++) {
		m->cpu[i].last = NOBODY;
		m->cpu[i].regs.of = NOBODY;
	}
}

static void begin_world(unsigned int seed)
{
	struct machine *m;
	int i;

	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.rng = seed * 2654435761u + 1;
	w.softirq = (unsigned int[]){ 0, 2, 10, 30 }[below(4)];
	w.preempt = (unsigned int[]){ 0, 3, 15, 40 }[below(4)];
	w.guest_fp = (unsigned int[]){ 0, 20, 60, 100 }[below(4)];
	w.neon_switch = below(2);
	w.nest_unbound = below(2);
	for (i = 0; i < THREADS; i++) {
		w.thread[i].kind = i < 3     ? VMM :
				   i < 5     ? BYSTANDER :
				   i < TASKS ? KTHREAD :
					       IDLE;
		w.thread[i].cpu = NOWHERE;
		w.thread[i].loaded = w.thread[i].run = NOBODY;
	}
	for (i = 0; i < VCPUS; i++)
		w.vcpu[i].slot = OTHER;
	for (i = 0; i < CPUS; i++)
		w.current[i] = IDLES + i;
	EACH(m)
		begin_machine(m);
}

#endif /* FPSTAT_TEST_RANDOM_WORLD_H */
