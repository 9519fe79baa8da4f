/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For t_exhaustive.c: the three machines, the fate of each save, and between them
 * the thing under test. Nothing here is shared with judge.h: fates follow from
 * what happens to values.
 */
#ifndef EXHAUSTIVE_MACHINES_H
#define EXHAUSTIVE_MACHINES_H

#include "fpstat/judge.h"

enum { CPUS = 2, TASKS = 2, VCPUS = 2, BUFS = TASKS + VCPUS };
enum { NOBODY = BUFS, NOWHERE = CPUS };

/* One set of registers and memory: who wrote what they hold, and which value. */
struct machine {
	struct {
		__u8 owner, value;
	} regs[CPUS];
	__u8 mem[BUFS];
};

enum phase {
	OUT, /* of KVM_RUN */
	SCHED_IN, /* switched in: its vcpu is about to be loaded */
	LOADING, /* our hook in vcpu_load() has passed, load_fp() not yet */
	LOOP,
	LEFT, /* after vcpu_put() */
};

struct task {
	__u8 cpu; /* where it is current */
	__u8 home; /* thread.fpsimd_cpu */
	__u8 foreign; /* TIF_FOREIGN_FPSTATE */
	__u8 phase;
	__u8 vcpu;
	__u8 begun; /* between our hook in kernel_neon_begin() and its save */
};

struct vcpu {
	__u8 home; /* where it was live last */
	__u8 owns; /* KVM_ARM64_FP_ENABLED, FP_STATE_GUEST_OWNED */
	__u8 host; /* KVM_ARM64_FP_HOST */
};

struct core {
	__u8 last; /* fpsimd_last_state.st */
	__u8 pending; /* whose save is not decided */
	__u8 fate; /* the verdict that it must get, once that has happened */
	__u8 early; /* the lazy machine has acted by a letter already */
	__u16 mind; /* what the automaton and the judge know: see minds[] */
};

/* Bytes without holes: states are compared as such. */
struct world {
	struct core core[CPUS];
	struct task task[TASKS];
	struct vcpu vcpu[VCPUS];
	struct machine real, lazy;
	__u8 newest[BUFS];
	__u8 pad[6];
};

_Static_assert(sizeof(struct world) % 8 == 0, "it is hashed by words");

struct mind {
	struct fp_cpu model;
	struct fp_judge judge;
};

struct kind {
	const char *name;
	bool eager; /* vcpu_load() saves and unbinds the host */
	bool read_flushes; /* fork, signal, sigreturn: save, flush (6.16) */
	int vcpus;
	__u32 depth; /* 0: until there is nothing new */
	bool fine; /* whoever comes strikes in the small windows, too */
};

/* What one transition does. */
static struct {
	struct world w;
	struct mind mind[CPUS];
	struct machine best;
	__u8 said[CPUS]; /* a verdict on what has yet to happen */
	bool heard[CPUS]; /* its mind may have changed */
	bool dying;
	int needs, omit; /* operations that were needed, one left out */
	__u8 omitted;
	bool wrong;
	int unknown;
	int needed[2][BUFS], did[2][BUFS]; /* saves, loads: judge and best */
} now;

enum { SAVES, LOADS };

static const struct kind *kind;
static __u8 *newest = now.w.newest;

static bool showing;
static void show_way(void);
static void boot(void);

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			show_way();                                            \
			fail_msg("%s: not %s (line %d)", kind->name, #cond,    \
				 __LINE__);                                    \
		}                                                              \
	} while (0)

/* What must hold on the lazy machine, unless it was told to leave out a step. */
#define EXPECT(cond)                                                           \
	do {                                                                   \
		if (now.omit >= 0)                                             \
			now.wrong |= !(cond);                                  \
		else                                                           \
			CHECK(cond);                                           \
	} while (0)

static bool is_vcpu(__u8 b)
{
	return b >= TASKS && b < BUFS;
}

static __u64 addr(int b)
{
	if (b == NOBODY)
		return 0x10; /* the idle task's */
	return is_vcpu((__u8)b) ? 0x100000ull * (__u64)b :
				  0x1000ull * (__u64)(b + 1);
}

static bool holds(const struct machine *m, int c, int b)
{
	return m->regs[c].owner == b && m->regs[c].value == newest[b];
}

/* ---- the best machine: needs in, transfers out ---- */

static void best_save(int c, int b)
{
	now.best.mem[b] = newest[b];
	now.did[SAVES][b]++;
	CHECK(holds(&now.best, c, b));
}

/* The registers are about to be lost. */
static void best_evict(int c)
{
	__u8 b = now.best.regs[c].owner;

	if (b != NOBODY && holds(&now.best, c, b) &&
	    now.best.mem[b] != newest[b])
		best_save(c, b);
}

static void best_fetch(int b)
{
	int c;

	for (c = 0; c < CPUS && now.best.mem[b] != newest[b]; c++)
		if (holds(&now.best, c, b))
			best_save(c, b);
	CHECK(now.best.mem[b] == newest[b]);
}

static void best_use(int c, int b)
{
	if (holds(&now.best, c, b))
		return;
	best_evict(c);
	best_fetch(b);
	now.best.regs[c].owner = (__u8)b;
	now.best.regs[c].value = newest[b];
	now.did[LOADS][b]++;
}

/* ---- the lazy machine: verdicts in, transfers out ---- */

static bool left_out(int b)
{
	if (now.needs++ != now.omit)
		return false;
	now.omitted = (__u8)b;
	return true;
}

static void lazy_save(int c, int b, __u8 verdict)
{
	struct machine *m = &now.w.lazy;

	if (verdict == FP_VERDICT_UNKNOWN)
		now.unknown++;
	else if (verdict != FP_VERDICT_NEEDED)
		return;
	EXPECT(m->regs[c].owner == b);
	if (verdict == FP_VERDICT_NEEDED) {
		EXPECT(m->mem[b] != m->regs[c].value);
		now.needed[SAVES][b]++;
		if (left_out(b))
			return;
	}
	m->mem[b] = m->regs[c].value;
}

static void lazy_load(int c, int b, __u8 verdict)
{
	struct machine *m = &now.w.lazy;

	if (verdict == FP_VERDICT_LOAD_LIVE) {
		EXPECT(holds(m, c, b));
		return;
	}
	if (verdict == FP_VERDICT_LOAD_NEEDED) {
		EXPECT(!holds(m, c, b));
		now.needed[LOADS][b]++;
		if (left_out(b))
			return;
	} else {
		now.unknown++;
	}
	m->regs[c].owner = (__u8)b;
	m->regs[c].value = m->mem[b];
}

/* ---- the fate of a save: what happened first, whatever anybody says ---- */

static void settle(int c)
{
	struct core *k = &now.w.core[c];

	if (now.said[c] == FP_VERDICT_NONE)
		return;
	CHECK(k->pending != NOBODY);
	if (now.said[c] != FP_VERDICT_UNKNOWN) {
		if (k->fate == FP_VERDICT_NONE)
			return;
		CHECK(now.said[c] == k->fate);
	}
	k->pending = NOBODY;
	k->fate = now.said[c] = FP_VERDICT_NONE;
}

/* To the state of @b that was saved on @c, or on any but @c. */
static void happens(int c, int b, __u8 fate)
{
	struct core *k = &now.w.core[c];

	if (k->pending == NOBODY || (b != NOBODY && k->pending != b) || k->fate)
		return;
	k->fate = fate;
	settle(c);
}

static void happens_elsewhere(int here, int b, __u8 fate)
{
	int c;

	for (c = 0; c < CPUS; c++)
		if (c != here)
			happens(c, b, fate);
}

/* ---- what happens to states: needs, the same on each machine ---- */

static void set_all(int c, int b, __u8 value)
{
	struct machine *all[] = { &now.w.real, &now.w.lazy, &now.best };
	int i;

	for (i = 0; i < 3; i++) {
		all[i]->regs[c].owner = (__u8)b;
		all[i]->regs[c].value = value;
	}
}

static void use(int c, int b)
{
	CHECK(holds(&now.w.real, c, b));
	EXPECT(holds(&now.w.lazy, c, b));
	best_use(c, b);
	happens(c, b, FP_VERDICT_UNCLOBBERED);
	happens_elsewhere(c, b, FP_VERDICT_NEEDED);
	set_all(c, b, ++newest[b]);
}

static void clobber(int c)
{
	best_evict(c);
	happens(c, NOBODY, FP_VERDICT_NEEDED);
	set_all(c, NOBODY, 0);
}

static void read_copy(int b)
{
	CHECK(now.w.real.mem[b] == newest[b]);
	EXPECT(now.w.lazy.mem[b] == newest[b]);
	best_fetch(b);
	happens_elsewhere(NOWHERE, b, FP_VERDICT_NEEDED);
}

/* Memory gets a value that no register holds; also that of a new owner. */
static void edit(int b)
{
	happens_elsewhere(NOWHERE, b, FP_VERDICT_DEAD);
	newest[b]++;
	now.w.real.mem[b] = now.w.lazy.mem[b] = now.best.mem[b] = newest[b];
}

/* ---- the thing under test: events in, verdicts out ---- */

static void judge_old(int c, __u8 verdict)
{
	struct core *k = &now.w.core[c];

	if (verdict == FP_VERDICT_NONE)
		return;
	CHECK(!k->early || verdict == FP_VERDICT_NEEDED);
	CHECK(k->pending != NOBODY && !now.said[c]);
	if (!k->early)
		lazy_save(c, k->pending, verdict);
	k->early = 0;
	now.said[c] = verdict;
	settle(c);
}

static void judge_save(int c, int b, __u8 verdict)
{
	const struct machine *m = &now.w.real;
	bool clean = m->mem[b] == m->regs[c].value;

	if (now.dying) {
		CHECK(verdict == FP_VERDICT_DEAD);
		return;
	}
	/* Seen from boot, what is saved was loaded or ran: it is known. */
	CHECK(verdict != FP_VERDICT_UNKNOWN);
	lazy_save(c, b, verdict);
	CHECK(m->regs[c].owner == b);
	CHECK(clean == (verdict == FP_VERDICT_CLEAN));
	if (clean)
		return;
	CHECK(now.w.core[c].pending == NOBODY);
	now.w.core[c].pending = (__u8)b;
	now.said[c] = verdict == FP_VERDICT_PENDING ? FP_VERDICT_NONE : verdict;
}

static void judge_load(int c, int b, __u8 verdict)
{
	bool live = holds(&now.w.real, c, b);

	lazy_load(c, b, verdict);
	CHECK(verdict != FP_VERDICT_LOAD_LIVE || live);
	CHECK(verdict != FP_VERDICT_LOAD_NEEDED || !live);
}

/* Nothing is judged twice, nothing is forgotten, nothing was lost. */
static void conserve(const struct fp_verdicts *v, bool saved, bool loaded,
		     int pending)
{
	CHECK(pending ==
	      (v->save == FP_VERDICT_PENDING) - (v->old != FP_VERDICT_NONE));
	CHECK(v->old < FP_VERDICTS && saved == !!v->save);
	CHECK(v->save <= FP_VERDICT_UNKNOWN || v->save == FP_VERDICT_PENDING);
	CHECK(v->old <= FP_VERDICT_UNKNOWN);
	CHECK(loaded || !v->load);
	CHECK(!v->load || v->load == FP_VERDICT_LOAD_NEEDED ||
	      v->load == FP_VERDICT_LOAD_LIVE);
	CHECK(!v->resumed && !v->impossible);
}

static void judge(int c, const struct fp_event *ev, __u32 step, int saved,
		  int loaded)
{
	struct fp_judge *j = &now.mind[c].judge;
	int pending = j->pending;
	struct fp_verdicts v;

	now.heard[c] = true;
	fp_judge(j, ev, step);
	if (ev->kind == FP_EV_BIND_VCPU) /* on_guest_live() in bpf/step.h */
		CHECK(fp_judge_knows(j, ev, FP_OP_LIVE) ==
		      (j->held == FP_HELD_STATE));
	v = j->is;
	conserve(&v, saved != NOBODY, loaded != NOBODY, j->pending - pending);
	judge_old(c, v.old);
	if (saved != NOBODY)
		judge_save(c, saved, v.save);
	if (loaded != NOBODY)
		judge_load(c, loaded, v.load);
}

#define FP_OPS_SEEN                                                            \
	(FP_OP_GUEST_SAVE | FP_OP_GUEST_LOAD | FP_OP_USER_SAVE |               \
	 FP_OP_USER_LOAD | FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD |             \
	 FP_OP_LIVE | FP_OP_MISSED | FP_OP_UNDECIDED)

/* @saved, @loaded: what the kernel is about to move, which nobody hears. */
static void hear(int c, struct fp_event ev, int saved, int loaded)
{
	__u32 step = fp_step(&now.mind[c].model, &ev), ops = 0;

	if (saved != NOBODY)
		ops |= is_vcpu((__u8)saved) ? FP_OP_GUEST_SAVE :
					      FP_OP_USER_SAVE;
	if (loaded != NOBODY)
		ops |= is_vcpu((__u8)loaded) ? FP_OP_GUEST_LOAD :
					       FP_OP_USER_LOAD;
	if (ev.kind == FP_EV_BIND_VCPU && loaded == NOBODY)
		ops |= FP_OP_LIVE;
	CHECK((FP_OPS(step) & FP_OPS_SEEN) == ops);
	judge(c, &ev, step, saved, loaded);
}

/* A letter acts when it is written, but is read with the next event there. */
static void tell(int nr, int here, int b, __u64 why)
{
	struct fp_judge *j, copy;

	if (nr >= CPUS || nr == here)
		return;
	j = &now.mind[nr].judge;
	now.heard[nr] = true;
	fp_judge_tell(j, addr(b), why);
	copy = *j;
	copy.is = (struct fp_verdicts){};
	fp_judge_take_letter(&copy);
	fp_judge_letter(&copy);
	if (copy.is.old != FP_VERDICT_NEEDED || now.w.core[nr].early)
		return;
	lazy_save(nr, b, FP_VERDICT_NEEDED);
	now.w.core[nr].early = 1;
}

#endif /* EXHAUSTIVE_MACHINES_H */
