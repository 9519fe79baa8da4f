// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of each CPU a policy knows one thing: whose state is in the registers. That
 * may be in doubt; then what follows from it is counted in the upper bound only.
 */
#include <errno.h>

#include "policy_state.h"
#include "util.h"

/* What becomes of the guest's state after a run in which it was live. */
enum {
	/* The host's is back before interrupts are on. */
	GUEST_SWAPPED = POLICY(UNCOND) | POLICY(DEFENSIVE),
	/* Saved at each exit, may stay; dropped by KVM_RUN's end. */
	GUEST_CLEAN = POLICY(MARTIN_RFC),
	/* The thread's own: saved by a switch, NEON, KVM_RUN's end. */
	GUEST_TASK = POLICY(DALL) | POLICY(BLOCK_NEON),
	/* Kept until vcpu_put, which saves and drops it. */
	GUEST_PUT = POLICY(MARTIN) | POLICY(EAGER_HOST),
};

enum {
	/* Swaps even if the guest uses no FP. */
	EACH_RUN = POLICY(UNCOND),
	/* vcpu_load saves and drops the host's state. */
	EAGER = POLICY(EAGER_HOST),
	/* NEON is refused while a guest is live. */
	BLOCKS = POLICY(BLOCK_NEON),
	/* NEON may strike while nobody knows whose state it is. */
	UNSAFE = POLICY(DALL),
	/* Never defined for a host with SVE. */
	NO_SVE = POLICY(MARTIN_RFC) | POLICY(DALL) | POLICY(BLOCK_NEON),
};

/* Under all of them, since a need is the same for each. */
static const struct which whenever[] = {
	[TRI_NO] = { 0, 0 },
	[TRI_MAYBE] = { 0, ALL_POLICIES },
	[TRI_YES] = { ALL_POLICIES, ALL_POLICIES },
};

/* ---- counting ---- */

/* The user state of @t pays here: with its vcpu, or with all others. */
static struct account *host_of(struct cpu *c, const struct ctx *t)
{
	return t->in_run ? t->account : c->all->other;
}

static void move(struct account *a, enum xfer xfer, struct which sure,
		 uint64_t n, bool irqoff)
{
	if (sure.hi)
		account__add(a, xfer, sure, n, irqoff);
}

static void tally(struct range *r, struct which sure, int policy)
{
	r->lo += sure.lo >> policy & 1;
	r->hi += sure.hi >> policy & 1;
}

/* Is what a save finds here the user state of @t? */
static struct which own_state(const struct cpu *c, const struct ctx *t)
{
	return among(cpu__holds(c, t), ~t->is_guest);
}

static void save_user(struct cpu *c, struct ctx *t, uint32_t set, bool irqoff)
{
	move(host_of(c, t), HOST_SAVE, among(own_state(c, t), set), 1, irqoff);
}

static void save_guest(struct ctx *t, struct which live, bool irqoff)
{
	move(t->account, GUEST_SAVE, live, 1, irqoff);
}

/* ---- what @t needs on the CPU where it runs ---- */

/* It puts its vcpu: a switch, the end of KVM_RUN, or within KVM_RUN. */
static void put(struct cpu *c, struct ctx *t, enum need_kind why)
{
	uint32_t drops = t->vcpu ? GUEST_PUT : 0;
	struct which live;

	if (!t->guest)
		return;
	live = cpu__holds(c, t->guest);
	save_guest(t, among(live, drops), true);
	if (why != NEED_VPUT) {
		save_guest(t, among(live, GUEST_TASK), why == NEED_SWITCH);
		c->newer = among(c->newer, ~(live.hi & GUEST_TASK));
	}
	if (why == NEED_RUN_END) {
		/* Nobody finds what is left of it, on any CPU. */
		t->guest->newest &= ~(GUEST_CLEAN | GUEST_TASK);
		drops |= GUEST_CLEAN | GUEST_TASK;
	}
	cpu__let_go(c, drops & live.hi & ~c->anybody);
}

static int on_switch(struct cpu *c, struct ctx *t, const struct need *n)
{
	put(c, t, n->kind);
	save_user(c, t, ALL_POLICIES, true);
	t->vcpu = NULL;
	t->forgotten &= n->use != TRI_NO;
	return 0;
}

static int on_run(struct cpu *c, struct ctx *t, const struct need *n)
{
	if (!t->in_run) /* what was not paid by now is not owed any more */
		t->owes = t->perhaps_paid = t->perhaps_held = 0;
	t->in_run = t->known = true;
	t->forgotten = false;
	t->account = account__of(c->all, n->slot);
	if (t->account)
		return 0;
	t->account = c->all->other;
	return -ENOMEM;
}

static int on_vload(struct cpu *c, struct ctx *t, const struct need *n)
{
	int err = on_run(c, t, n);

	t->vcpu = t->guest = ctx__of(c->all, n->vcpu);
	if (err || !t->vcpu)
		return -ENOMEM;
	save_user(c, t, EAGER, true);
	cpu__let_go(c, EAGER);
	return 0;
}

static int on_vput(struct cpu *c, struct ctx *t, const struct need *n)
{
	put(c, t, n->kind);
	t->vcpu = NULL;
	return 0;
}

static void load_other(struct cpu *c, struct which sure)
{
	move(c->all->other, HOST_LOAD, sure, 1, false);
}

/* The load that @t owed was made: if it may have been before, then by now. */
static void settle(struct ctx *t, uint32_t set)
{
	struct which paid = { set & t->perhaps_paid & ~t->perhaps_owes, 0 };

	if (paid.lo)
		account__add(t->account, HOST_LOAD, paid, 1, false);
	t->owes &= ~set;
	t->perhaps_paid &= ~set;
	t->perhaps_held &= ~set;
}

/*
 * The first load after KVM_RUN is paid by the vcpu, and once: whether it was made
 * when @t may have returned to user mode, or is made when it surely does. If it
 * was made before, then this one is another one, and nobody's.
 */
static void pay(struct cpu *c, struct ctx *t, struct which load, enum tri sure)
{
	uint32_t owes = t->owes, paid = t->perhaps_paid;
	/* Held if it was paid, and else it is paid now. */
	uint32_t now = paid & maybe(load) & ~c->anybody;
	uint32_t others = (paid & ~now) | (owes & t->perhaps_owes);
	struct which pays = among(load, owes & ~paid);

	pays.lo &= ~t->perhaps_owes;
	move(t->account, HOST_LOAD, both(pays, whenever[sure]), 1, false);
	load_other(c, (struct which){ 0, load.hi & others });
	if (sure == TRI_YES)
		settle(t, owes & (load.lo | now));
	t->perhaps_paid |= t->owes & load.hi;
	t->perhaps_held |= t->owes & ~load.lo & ~now;
}

/* The user state must be in the registers now; @use: if it returns at all. */
static int on_user(struct cpu *c, struct ctx *t, const struct need *n)
{
	enum tri sure = t->known ? n->use : TRI_MAYBE;
	struct which load = negated(cpu__holds(c, t));

	if (t->in_run || t->dead)
		return 0; /* it does not leave the kernel */
	load_other(c, both(among(load, ~t->owes), whenever[sure]));
	if (t->owes)
		pay(c, t, load, sure);
	if (!load.hi)
		return 0;
	if (sure == TRI_YES)
		cpu__hold(c, load.hi, t);
	else
		cpu__perhaps_hold(c, load.hi, t);
	return 0;
}

/* It did return to user mode: with a load, unless it may have been held then. */
static int on_was_user(struct cpu *c, struct ctx *t, const struct need *n)
{
	(void)c;
	(void)n;
	if (!t->in_run && t->known)
		settle(t, t->perhaps_paid & ~t->perhaps_held);
	return 0;
}

/* It is told to be sure, also where there was no KVM_RUN. */
static int on_run_end(struct cpu *c, struct ctx *t, const struct need *n)
{
	struct which held;

	if (t->in_run) {
		put(c, t, n->kind);
		held = cpu__holds(c, t);
		t->owes |= ALL_POLICIES & ~held.lo;
		t->perhaps_owes = maybe(held);
	}
	t->vcpu = t->guest = NULL;
	t->is_guest = 0;
	t->in_run = t->forgotten = false;
	t->known = true;
	return 0;
}

/* Host out, guest in, guest out, host in. */
static void swap(struct account *a, enum tri use, uint64_t n)
{
	const struct which each = { EACH_RUN, EACH_RUN };

	move(a, SWAP, either(each, among(whenever[use], GUEST_SWAPPED)), n,
	     true);
}

/* The guest touches FP: the trap loads its state. */
static void trap(struct cpu *c, struct ctx *t, enum tri use, struct which load)
{
	move(host_of(c, t), HOST_SAVE, both(load, own_state(c, t)), 1, true);
	move(t->account, GUEST_LOAD, load, 1, true);
	if (use == TRI_YES) {
		t->is_guest |= load.hi & GUEST_TASK;
		cpu__hold(c, load.hi, t->vcpu);
	} else {
		cpu__perhaps_hold(c, load.hi, t->vcpu);
	}
}

static int on_enter(struct cpu *c, struct ctx *t, const struct need *n)
{
	struct which use = whenever[n->use], live, load;

	if (!t->vcpu)
		return 0;
	swap(t->account, n->use, n->count);
	live = cpu__holds(c, t->vcpu);
	c->newer = either(c->newer, among(use, live.hi));
	load = both(use, among(negated(live), ~GUEST_SWAPPED));
	if (load.hi) {
		trap(c, t, n->use, load);
		live = cpu__holds(c, t->vcpu);
	}
	/* What is live may have changed. */
	move(t->account, GUEST_SAVE, among(live, GUEST_CLEAN), n->count, true);
	return 0;
}

/* If the guest was live, then the exit that is told later has saved it. */
static int on_late_exit(struct cpu *c, struct ctx *t, const struct need *n)
{
	uint32_t live = cpu__holds(c, t->vcpu).hi;

	(void)n;
	if (t->vcpu)
		save_guest(t, (struct which){ 0, live & GUEST_CLEAN }, true);
	return 0;
}

/* A guest is live: the answer is that of may_use_simd(). */
static void refuse(struct cpu *c, struct ctx *t, struct which live)
{
	int i;

	for (i = 0; i < POLICY_MAX; i++)
		tally(&t->account->row[i].refused, live, i);
	save_user(c, t, maybe(live), false);
}

/* What a guest has not saved yet is lost. */
static void strike(struct cpu *c, struct ctx *t, struct which live)
{
	struct which lost = both(live, c->newer);
	int i;

	for (i = 0; i < POLICY_MAX; i++)
		tally(&t->account->row[i].unsafe, lost, i);
}

static int on_neon(struct cpu *c, struct ctx *t, const struct need *n)
{
	/* A vcpu that was put is still there if it is the thread's own. */
	uint32_t may = t->vcpu ? ALL_POLICIES : t->guest ? GUEST_TASK : 0;
	struct which live = among(cpu__holds(c, t->guest), may);
	uint32_t takes = ALL_POLICIES & ~(live.hi & BLOCKS);
	/* Nobody knows if there is a guest. */
	uint32_t perhaps = t->forgotten ? takes & BLOCKS : 0;

	if (n->use == TRI_YES) { /* its own */
		t->refused = live.lo & BLOCKS;
		t->perhaps_refused = (live.hi & BLOCKS) | perhaps;
	}
	if (live.hi & BLOCKS)
		refuse(c, t, among(live, BLOCKS));
	if (live.hi & UNSAFE)
		strike(c, t, among(live, UNSAFE));
	save_guest(t, among(live, takes & (GUEST_TASK | GUEST_PUT)), false);
	save_user(c, t, takes, false);
	cpu__let_go(c, takes & ~perhaps);
	c->doubt |= perhaps;
	return 0;
}

/* By the NEON section of @t, which goes on. */
static int on_clobber(struct cpu *c, struct ctx *t, const struct need *n)
{
	uint32_t perhaps = t->perhaps_refused & BLOCKS;

	(void)n;
	cpu__let_go(c, ALL_POLICIES & ~perhaps);
	c->doubt |= perhaps & ~t->refused;
	return 0;
}

static int (*const on[])(struct cpu *c, struct ctx *t, const struct need *n) = {
	[NEED_SWITCH] = on_switch,	 [NEED_USER] = on_user,
	[NEED_WAS_USER] = on_was_user,	 [NEED_RUN] = on_run,
	[NEED_VLOAD] = on_vload,	 [NEED_VPUT] = on_vput,
	[NEED_RUN_END] = on_run_end,	 [NEED_ENTER] = on_enter,
	[NEED_LATE_EXIT] = on_late_exit, [NEED_NEON] = on_neon,
	[NEED_CLOBBER] = on_clobber,
};

/* It may have moved each state once, and at each exit, for whomever. */
static void unseen(struct policies *p, uint64_t moves, uint64_t exits)
{
	p->unseen.any = true;
	p->unseen.moves += moves;
	p->unseen.exits += exits;
}

/* To a state in memory, whoever is current; or to all of them. */
static int elsewhere(struct policies *p, const struct need *n)
{
	struct ctx *x;

	if (n->kind == NEED_UNKNOWN) {
		unseen(p, 1, n->count);
		return 0;
	}
	if (n->kind == NEED_GAP) {
		unseen(p, n->count, 0);
		p->unseen.lost += n->count;
		policies__gap(p, &p->cpus[n->cpu]);
		return 0;
	}
	x = ctx__of(p, n->task ? n->task : n->vcpu);
	if (!x)
		return -ENOMEM;
	if (n->kind == NEED_FORGET)
		x->newest = 0; /* nothing that any CPU holds is */
	else if (n->kind == NEED_DIES)
		x->dead = true;
	else
		ctx__free(p, x);
	return 0;
}

int policies__step(struct policies *p, const struct need *n)
{
	struct cpu *c;
	struct ctx *t;

	if (n->cpu >= p->nr_cpus)
		return 0;
	if (n->kind >= ARRAY_SIZE(on))
		return elsewhere(p, n);
	c = &p->cpus[n->cpu];
	c->task = n->kind == NEED_SWITCH ? n->next : n->task;
	t = c->current;
	if (!t || t->buf != n->task) {
		t = c->current = ctx__of(p, n->task);
		if (!t)
			return -ENOMEM;
	}
	if (t->forgotten)
		unseen(p, 1, n->kind == NEED_ENTER ? n->count : 0);
	return on[n->kind](c, t, n);
}

static enum tri under(struct which w, enum policy policy)
{
	if (w.lo >> policy & 1)
		return TRI_YES;
	return w.hi >> policy & 1 ? TRI_MAYBE : TRI_NO;
}

struct policy_found policies__found(struct policies *p, enum policy policy,
				    uint32_t cpu, uint64_t task)
{
	const struct cpu *c = &p->cpus[cpu];
	const struct ctx *t = c->current;

	if (!task)
		task = c->task;
	if (!t || t->buf != task)
		t = ctx__of(p, task);
	if (!t)
		return (struct policy_found){ TRI_MAYBE, TRI_MAYBE };
	return (struct policy_found){
		.user = under(own_state(c, t), policy),
		.guest = t->vcpu ? under(cpu__holds(c, t->vcpu), policy) :
				   TRI_NO,
	};
}

bool policy__knows_sve(enum policy policy)
{
	return !(NO_SVE & 1u << policy);
}
