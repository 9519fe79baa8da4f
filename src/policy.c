// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of each CPU a policy knows one thing: whose state is in the registers. That
 * may be in doubt; then what follows from it is counted in the upper bound only.
 */
#include <errno.h>
#include <stdlib.h>
#include <linux/types.h>
#include <string.h>

#include "fpstat/counters.h"
#include "policy.h"
#include "util.h"

/* What becomes of the guest's state after a run in which it was live. */
enum guest_rule {
	GUEST_SWAPPED, /* the host's is back before interrupts are on */
	GUEST_CLEAN, /* saved at each exit, may stay; dropped by KVM_RUN's end */
	GUEST_TASK, /* the thread's own: saved by a switch, NEON, KVM_RUN's end */
	GUEST_PUT, /* kept until vcpu_put, which saves and drops it */
};

static const struct rules {
	enum guest_rule guest;
	bool each_run; /* even if the guest uses no FP */
	bool eager; /* vcpu_load saves and drops the host's state */
	bool blocks; /* NEON is refused while a guest is live */
	bool unsafe; /* NEON may strike while nobody knows whose state it is */
	bool no_sve; /* never defined for a host with SVE */
} rules[POLICY_MAX] = {
	[POLICY_UNCOND] = { .guest = GUEST_SWAPPED, .each_run = true },
	[POLICY_DEFENSIVE] = { .guest = GUEST_SWAPPED },
	[POLICY_MARTIN_RFC] = { .guest = GUEST_CLEAN, .no_sve = true },
	[POLICY_DALL] = { .guest = GUEST_TASK, .unsafe = true, .no_sve = true },
	[POLICY_BLOCK_NEON] = { .guest = GUEST_TASK,
				.blocks = true,
				.no_sve = true },
	[POLICY_MARTIN] = { .guest = GUEST_PUT },
	[POLICY_EAGER_HOST] = { .guest = GUEST_PUT, .eager = true },
};

/* Owns a state: a task, or a vcpu. */
struct ctx {
	uint64_t buf;
	struct ctx *next; /* in its bucket, or in the list of free ones */
	struct ctx *vcpu; /* of a task: the one it has loaded .. */
	struct ctx *guest; /* .. and loaded last, until KVM_RUN ends */
	uint32_t slot; /* of a task: the vcpu that it runs, or ran last */
	uint32_t owes; /* bit per policy: its next load is that vcpu's .. */
	uint32_t perhaps_paid; /* .. and may have been made already .. */
	uint32_t perhaps_held; /* .. but it may have returned without one */
	uint32_t is_guest; /* what switches and NEON save of it is its guest's */
	uint32_t home[POLICY_MAX]; /* CPU that may hold its newest value */
	enum tri refused; /* of a task: its last NEON section */
	bool in_run;
	bool known; /* of a task: whether it is in KVM_RUN */
	bool dead;
};

/* Whose value the registers hold; in doubt: of that one, or of nobody. */
struct held {
	const struct ctx *ctx;
	bool doubt;
	enum tri newer; /* of a guest's: than what was saved last */
};

struct cpu {
	uint64_t task; /* current */
	struct held held[POLICY_MAX];
};

enum { BUCKETS = 4096, NOWHERE = UINT32_MAX };

struct policies {
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct ctx *bucket[BUCKETS];
	struct ctx *free;
	size_t nr_slots;
	struct policy_row (*row)[POLICY_MAX]; /* by slot */
	struct policy_row ended[POLICY_MAX];
	struct policy_row other[POLICY_MAX];
};

/* Somebody, or nobody: nothing is known of the registers. */
static const struct ctx anybody;

/* ---- contexts ---- */

static struct ctx **bucket(struct policies *p, uint64_t buf)
{
	return &p->bucket[(buf * 0x9e3779b97f4a7c15ull) >> 52];
}

static struct ctx *new_ctx(struct policies *p, uint64_t buf)
{
	struct ctx *x = p->free, **head = bucket(p, buf);
	int i;

	if (x)
		p->free = x->next;
	else
		x = malloc(sizeof(*x));
	if (!x)
		return NULL;
	*x = (struct ctx){ .buf = buf, .next = *head, .slot = FP_NO_SLOT };
	for (i = 0; i < POLICY_MAX; i++)
		x->home[i] = NOWHERE;
	*head = x;
	return x;
}

static struct ctx *find_ctx(const struct policies *p, uint64_t buf)
{
	struct ctx *x;

	for (x = *bucket((struct policies *)p, buf); x; x = x->next) {
		if (x->buf == buf)
			break;
	}
	return x;
}

static struct ctx *ctx_of(struct policies *p, uint64_t buf)
{
	struct ctx *x = find_ctx(p, buf);

	return x ? x : new_ctx(p, buf);
}

static void free_ctx(struct policies *p, struct ctx *x)
{
	struct ctx **at = bucket(p, x->buf);

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->next = p->free;
	p->free = x;
}

/* Nothing that any CPU holds is its newest value. */
static void forget(struct ctx *x)
{
	int i;

	for (i = 0; i < POLICY_MAX; i++)
		x->home[i] = NOWHERE;
}

/* ---- rows ---- */

static int want_slot(struct policies *p, uint32_t slot)
{
	size_t n = p->nr_slots ? p->nr_slots : 64;
	void *row;

	if (slot >= FP_MAX_VCPUS || slot < p->nr_slots)
		return 0;
	while (n <= slot)
		n *= 2;
	row = reallocarray(p->row, n, sizeof(*p->row));
	if (!row)
		return -ENOMEM;
	p->row = row;
	memset(&p->row[p->nr_slots], 0, (n - p->nr_slots) * sizeof(*p->row));
	p->nr_slots = n;
	return 0;
}

static struct policy_row *row_of(struct policies *p, int policy, uint32_t slot)
{
	return slot < p->nr_slots ? &p->row[slot][policy] : &p->other[policy];
}

static void tally(struct range *r, enum tri sure, uint64_t n)
{
	if (sure == TRI_YES)
		r->lo += n;
	if (sure != TRI_NO)
		r->hi += n;
}

static void move(struct policy_xfer *x, enum tri sure, uint64_t n, bool irqoff)
{
	tally(&x->done, sure, n);
	if (irqoff)
		tally(&x->irqoff, sure, n);
}

/* ---- one policy on one CPU ---- */

struct at {
	struct policies *all;
	int policy;
	const struct rules *rules;
	uint32_t cpu;
	struct held *held;
};

static enum tri holds(const struct at *at, const struct ctx *x)
{
	if (at->held->ctx == &anybody)
		return TRI_MAYBE;
	if (!x || at->held->ctx != x || x->home[at->policy] != at->cpu)
		return TRI_NO;
	return at->held->doubt ? TRI_MAYBE : TRI_YES;
}

static void hold(const struct at *at, struct ctx *x)
{
	*at->held = (struct held){ .ctx = x, .newer = TRI_YES };
	if (x)
		x->home[at->policy] = at->cpu;
}

/* It may have been loaded, and it may not. */
static void perhaps_hold(const struct at *at, struct ctx *x)
{
	struct held *held = at->held;

	if (held->ctx && held->ctx != x)
		held->ctx = &anybody; /* more than we keep apart */
	else
		*held = (struct held){ .ctx = x, .doubt = true };
	held->newer = TRI_YES;
	x->home[at->policy] = at->cpu;
}

/* The user state of @t pays here: with its vcpu, or with all others. */
static struct policy_ops *host_of(const struct at *at, const struct ctx *t)
{
	return &row_of(at->all, at->policy, t->in_run ? t->slot : FP_NO_SLOT)
			->host;
}

static struct policy_row *guest_row(const struct at *at, const struct ctx *t)
{
	return row_of(at->all, at->policy, t->slot);
}

/* Is what a save finds here the user state of @t? */
static enum tri own_state(const struct at *at, const struct ctx *t)
{
	return t->is_guest & 1u << at->policy ? TRI_NO : holds(at, t);
}

static void save_user(const struct at *at, struct ctx *t, bool irqoff)
{
	move(&host_of(at, t)->save, own_state(at, t), 1, irqoff);
}

static void save_guest(const struct at *at, struct ctx *t, struct ctx *guest,
		       bool irqoff)
{
	move(&guest_row(at, t)->guest.save, holds(at, guest), 1, irqoff);
}

static enum tri negated(enum tri t)
{
	return TRI_YES - t;
}

/* If the answer is yes only if both are. */
static enum tri both(enum tri a, enum tri b)
{
	return a < b ? a : b;
}

static enum tri either(enum tri a, enum tri b)
{
	return a > b ? a : b;
}

/* The registers of this CPU don't hold @x any more, if they did. */
static void drop(const struct at *at, const struct ctx *x)
{
	if (holds(at, x) != TRI_NO && at->held->ctx != &anybody)
		hold(at, NULL);
}

/* KVM_RUN of @t ends: nobody finds what is left of its guest, on any CPU. */
static void drop_guest(const struct at *at, struct ctx *t)
{
	drop(at, t->guest);
	t->guest->home[at->policy] = NOWHERE;
}

/* @t puts its vcpu: a switch, the end of KVM_RUN, or within KVM_RUN. */
static void put(const struct at *at, struct ctx *t, enum need_kind why)
{
	if (!t->guest)
		return;
	switch (at->rules->guest) {
	case GUEST_SWAPPED:
		break;
	case GUEST_CLEAN:
		if (why == NEED_RUN_END)
			drop_guest(at, t);
		break;
	case GUEST_TASK:
		if (why == NEED_VPUT)
			break;
		save_guest(at, t, t->guest, why == NEED_SWITCH);
		if (holds(at, t->guest) != TRI_NO)
			at->held->newer = TRI_NO;
		if (why == NEED_RUN_END)
			drop_guest(at, t);
		break;
	case GUEST_PUT:
		if (!t->vcpu)
			break;
		save_guest(at, t, t->vcpu, true);
		drop(at, t->vcpu);
		break;
	}
}

static void on_switch(const struct at *at, struct ctx *t)
{
	put(at, t, NEED_SWITCH);
	save_user(at, t, true);
}

static void on_vload(const struct at *at, struct ctx *t)
{
	if (!at->rules->eager)
		return;
	save_user(at, t, true);
	hold(at, NULL);
}

static void load_other(const struct at *at, enum tri sure)
{
	move(&at->all->other[at->policy].host.load, sure, 1, false);
}

/* The load that @t owed was made: if it may have been before, then by now. */
static void settle(const struct at *at, struct ctx *t, struct range *done)
{
	uint32_t bit = 1u << at->policy;

	done->lo += !!(t->perhaps_paid & bit);
	t->owes &= ~bit;
	t->perhaps_paid &= ~bit;
	t->perhaps_held &= ~bit;
}

/*
 * The first load after KVM_RUN is paid by the vcpu, and once: whether it was made
 * when @t may have returned to user mode, or is made when it surely does. If it
 * was made before, then this one is another one, and nobody's.
 */
static void pay(const struct at *at, struct ctx *t, enum tri load,
		enum tri sure)
{
	struct range *done =
		&row_of(at->all, at->policy, t->slot)->host.load.done;
	uint32_t bit = 1u << at->policy;
	bool paid = t->perhaps_paid & bit;
	/* Held if it was paid, and else it is paid now. */
	bool now = paid && load == TRI_MAYBE && at->held->ctx == t;

	if (!paid)
		tally(done, both(load, sure), 1);
	else if (load != TRI_NO && !now)
		load_other(at, TRI_MAYBE);
	if (sure == TRI_YES && (load == TRI_YES || now)) {
		settle(at, t, done);
		return;
	}
	if (load != TRI_NO)
		t->perhaps_paid |= bit;
	if (load != TRI_YES && !now)
		t->perhaps_held |= bit;
}

/* The user state must be in the registers now; @sure: if it returns at all. */
static void on_user(const struct at *at, struct ctx *t, enum tri sure)
{
	enum tri load = negated(holds(at, t));

	if (t->in_run || t->dead)
		return; /* it does not leave the kernel */
	if (!t->known)
		sure = TRI_MAYBE;
	if (t->owes & 1u << at->policy)
		pay(at, t, load, sure);
	else
		load_other(at, both(load, sure));
	if (load == TRI_NO)
		return;
	if (sure == TRI_YES)
		hold(at, t);
	else
		perhaps_hold(at, t);
}

/* It did return to user mode: with a load, unless it may have been held then. */
static void on_was_user(const struct at *at, struct ctx *t)
{
	uint32_t bit = 1u << at->policy;

	if (!t->in_run && t->known && t->perhaps_paid & bit &&
	    !(t->perhaps_held & bit))
		settle(at, t,
		       &row_of(at->all, at->policy, t->slot)->host.load.done);
}

static void on_run_end(const struct at *at, struct ctx *t)
{
	put(at, t, NEED_RUN_END);
	if (holds(at, t) != TRI_YES)
		t->owes |= 1u << at->policy;
}

/* Host out, guest in, guest out, host in. */
static void swap(const struct at *at, struct ctx *t, enum tri use, uint64_t n)
{
	struct policy_row *row = guest_row(at, t);

	if (at->rules->each_run)
		use = TRI_YES;
	move(&row->host.save, use, n, true);
	move(&row->host.load, use, n, true);
	move(&row->guest.save, use, n, true);
	move(&row->guest.load, use, n, true);
}

/* The guest touches FP: the trap loads its state. */
static void trap(const struct at *at, struct ctx *t, enum tri use)
{
	enum tri load = both(use, negated(holds(at, t->vcpu)));

	move(&host_of(at, t)->save, both(load, own_state(at, t)), 1, true);
	move(&guest_row(at, t)->guest.load, load, 1, true);
	if (use == TRI_YES && at->rules->guest == GUEST_TASK)
		t->is_guest |= 1u << at->policy;
	if (use == TRI_YES)
		hold(at, t->vcpu);
	else
		perhaps_hold(at, t->vcpu);
}

static void on_enter(const struct at *at, struct ctx *t, const struct need *n)
{
	if (!t->vcpu)
		return;
	if (at->rules->guest == GUEST_SWAPPED) {
		swap(at, t, n->use, n->count);
		return;
	}
	if (holds(at, t->vcpu) != TRI_NO)
		at->held->newer = either(at->held->newer, n->use);
	if (n->use != TRI_NO && holds(at, t->vcpu) != TRI_YES)
		trap(at, t, n->use);
	/* What is live may have changed. */
	if (at->rules->guest == GUEST_CLEAN)
		move(&guest_row(at, t)->guest.save, holds(at, t->vcpu),
		     n->count, true);
}

/* A guest is live: the answer is that of may_use_simd(). */
static void refuse(const struct at *at, struct ctx *t, enum tri live)
{
	tally(&guest_row(at, t)->refused, live, 1);
	if (live == TRI_MAYBE)
		save_user(at, t, false);
}

/* If the guest was live, then the exit that is told later has saved it. */
static void on_late_exit(const struct at *at, struct ctx *t)
{
	if (t->vcpu && at->rules->guest == GUEST_CLEAN)
		move(&guest_row(at, t)->guest.save,
		     both(holds(at, t->vcpu), TRI_MAYBE), 1, true);
}

static void on_neon(const struct at *at, struct ctx *t, enum tri own)
{
	const struct rules *rules = at->rules;
	struct ctx *guest = rules->guest == GUEST_TASK ? t->guest : t->vcpu;
	enum tri live = guest ? holds(at, guest) : TRI_NO;

	if (rules->blocks) {
		if (own == TRI_YES)
			t->refused = live;
		if (live != TRI_NO) {
			refuse(at, t, live);
			return;
		}
	}
	if (guest && rules->unsafe)
		tally(&guest_row(at, t)->unsafe, both(live, at->held->newer),
		      1);
	if (guest && (rules->guest == GUEST_TASK || rules->guest == GUEST_PUT))
		save_guest(at, t, guest, false);
	save_user(at, t, false);
	hold(at, NULL);
}

/* By the NEON section of @t, which goes on. */
static void on_clobber(const struct at *at, struct ctx *t)
{
	enum tri refused = at->rules->blocks ? t->refused : TRI_NO;

	if (refused == TRI_NO)
		hold(at, NULL);
	else if (refused == TRI_MAYBE)
		at->held->doubt = true;
}

static void step(const struct at *at, const struct need *n, struct ctx *t)
{
	switch (n->kind) {
	case NEED_SWITCH:
		on_switch(at, t);
		break;
	case NEED_USER:
		on_user(at, t, n->use);
		break;
	case NEED_WAS_USER:
		on_was_user(at, t);
		break;
	case NEED_VLOAD:
		on_vload(at, t);
		break;
	case NEED_VPUT:
		put(at, t, NEED_VPUT);
		break;
	case NEED_RUN_END:
		on_run_end(at, t);
		break;
	case NEED_ENTER:
		on_enter(at, t, n);
		break;
	case NEED_LATE_EXIT:
		on_late_exit(at, t);
		break;
	case NEED_NEON:
		on_neon(at, t, n->use);
		break;
	case NEED_CLOBBER:
		on_clobber(at, t);
		break;
	default:
		break;
	}
}

/* ---- what is the same under each of them ---- */

/* Is @x current on a CPU whose stream is whole? */
static bool goes_on(const struct policies *p, const struct ctx *x, uint32_t cpu)
{
	uint32_t c;

	for (c = 0; c < p->nr_cpus; c++) {
		if (c != cpu && p->cpus[c].task == x->buf)
			return true;
	}
	return false;
}

/*
 * Something was not seen on @cpu. Nothing is known of any registers, since
 * whoever they hold may have been there; nor of who runs, but where it was seen
 * all the time. What was counted is kept.
 */
static void gap(struct policies *p, uint32_t cpu)
{
	struct ctx *x;
	unsigned int c;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		for (x = p->bucket[i]; x; x = x->next) {
			if (goes_on(p, x, cpu))
				continue;
			x->vcpu = x->guest = NULL;
			x->in_run = x->known = x->dead = false;
			x->owes = x->perhaps_paid = x->perhaps_held = 0;
			x->is_guest = 0;
			x->refused = TRI_MAYBE;
		}
	}
	for (c = 0; c < p->nr_cpus; c++) {
		for (i = 0; i < POLICY_MAX; i++)
			p->cpus[c].held[i] =
				(struct held){ &anybody, true, TRI_YES };
	}
}

static int before(struct policies *p, const struct need *n, struct ctx *t)
{
	if (n->kind != NEED_RUN && n->kind != NEED_VLOAD)
		return 0;
	if (!t->in_run) /* what was not paid by now is not owed any more */
		t->owes = t->perhaps_paid = t->perhaps_held = 0;
	t->slot = n->slot;
	t->in_run = t->known = true;
	if (n->kind == NEED_VLOAD) {
		t->vcpu = t->guest = ctx_of(p, n->vcpu);
		if (!t->vcpu)
			return -ENOMEM;
	}
	return want_slot(p, n->slot);
}

static void after(const struct need *n, struct ctx *t)
{
	switch (n->kind) {
	case NEED_SWITCH:
		t->vcpu = NULL;
		break;
	case NEED_RUN_END:
		t->in_run = false;
		t->known = true;
		t->vcpu = t->guest = NULL;
		t->is_guest = 0;
		break;
	case NEED_VPUT:
		t->vcpu = NULL;
		break;
	default:
		break;
	}
}

/* To a state in memory, whoever is current. */
static int happens(struct policies *p, const struct need *n)
{
	struct ctx *x = ctx_of(p, n->task ? n->task : n->vcpu);

	if (!x)
		return -ENOMEM;
	if (n->kind == NEED_FORGET)
		forget(x);
	else if (n->kind == NEED_DIES)
		x->dead = true;
	else
		free_ctx(p, x);
	return 0;
}

/* The end of a KVM_RUN is told to be sure, also where there is none. */
static bool matters(const struct need *n, const struct ctx *t)
{
	return n->kind != NEED_RUN_END || t->in_run;
}

static inline void step_one(struct policies *p, enum policy policy,
			    const struct need *n, struct ctx *t,
			    struct cpu *cpu)
{
	const struct at at = { p, policy, &rules[policy], n->cpu,
			       &cpu->held[policy] };

	step(&at, n, t);
}

/* Not in a loop: so the rules are constants, and a third of the work goes. */
__attribute__((flatten)) static void step_all(struct policies *p,
					      const struct need *n,
					      struct ctx *t, struct cpu *cpu)
{
#define X(id, name, what, from) step_one(p, POLICY_##id, n, t, cpu);
	POLICY_MAP(X)
#undef X
}

int policies__step(struct policies *p, const struct need *n)
{
	struct cpu *cpu;
	struct ctx *t;
	int err;

	if (n->cpu >= p->nr_cpus)
		return 0;
	if (n->kind == NEED_GAP) {
		gap(p, n->cpu);
		return 0;
	}
	if (n->kind >= NEED_FORGET)
		return happens(p, n);
	cpu = &p->cpus[n->cpu];
	cpu->task = n->kind == NEED_SWITCH ? n->next : n->task;
	t = ctx_of(p, n->task);
	err = t ? before(p, n, t) : -ENOMEM;
	if (err)
		return err;
	if (matters(n, t))
		step_all(p, n, t, cpu);
	after(n, t);
	return 0;
}

struct policies *policies__new(unsigned int cpus)
{
	struct policies *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->nr_cpus = cpus;
	p->cpus = calloc(cpus, sizeof(*p->cpus));
	if (!p->cpus) {
		free(p);
		return NULL;
	}
	gap(p, 0);
	return p;
}

static void free_list(struct ctx *x)
{
	struct ctx *next;

	for (; x; x = next) {
		next = x->next;
		free(x);
	}
}

void policies__free(struct policies *p)
{
	int i;

	if (!p)
		return;
	for (i = 0; i < BUCKETS; i++)
		free_list(p->bucket[i]);
	free_list(p->free);
	free(p->cpus);
	free(p->row);
	free(p);
}

/* ---- results ---- */

struct policy_found policies__found(const struct policies *p,
				    enum policy policy, uint32_t cpu,
				    uint64_t task)
{
	struct held held = p->cpus[cpu].held[policy];
	const struct at at = { .policy = policy, .cpu = cpu, .held = &held };
	const struct ctx *t =
		find_ctx(p, task ? task : p->cpus[cpu].task);
	enum tri unseen = held.ctx == &anybody ? TRI_MAYBE : TRI_NO;

	if (!t)
		return (struct policy_found){ unseen, unseen };
	return (struct policy_found){
		.user = own_state(&at, t),
		.guest = t->vcpu ? holds(&at, t->vcpu) : TRI_NO,
	};
}

static void add(struct policy_row *to, const struct policy_row *from)
{
	uint64_t *dst = (uint64_t *)to;
	const uint64_t *src = (const uint64_t *)from;
	size_t i;

	_Static_assert(sizeof(*to) % sizeof(*dst) == 0, "counters only");
	for (i = 0; i < sizeof(*to) / sizeof(*dst); i++)
		dst[i] += src[i];
}

const struct policy_row *policies__rows(const struct policies *p, uint32_t slot)
{
	return slot < p->nr_slots ? p->row[slot] : NULL;
}

void policies__end(struct policies *p, uint32_t slot)
{
	int i;

	if (slot >= p->nr_slots)
		return;
	for (i = 0; i < POLICY_MAX; i++)
		add(&p->ended[i], &p->row[slot][i]);
	memset(p->row[slot], 0, sizeof(p->row[slot]));
}

struct policy_row policies__total(const struct policies *p, enum policy policy)
{
	struct policy_row sum = p->ended[policy];
	size_t i;

	for (i = 0; i < p->nr_slots; i++)
		add(&sum, &p->row[i][policy]);
	return sum;
}

struct policy_row policies__other(const struct policies *p, enum policy policy)
{
	return p->other[policy];
}

bool policy__knows_sve(enum policy policy)
{
	return !rules[policy].no_sve;
}
