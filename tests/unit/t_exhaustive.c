// SPDX-License-Identifier: GPL-2.0-only
/*
 * The automaton and the judge in every state of a small world.
 *
 * Where t_model_random.c rolls dice, this takes every step from every state, in
 * the order of their distance from boot, until there are no new ones: two CPUs,
 * two threads, two vcpus, all that can happen to them between two points at
 * which interrupts are on. What fails is therefore shown with the shortest way
 * that leads there.
 *
 * Three machines run side by side, and each knows what values its registers and
 * its memory hold:
 *
 *   real  obeys the kernel's own books, as Linux 5.10 or 6.1 keeps them
 *   lazy  moves only what was judged needed, when the verdict falls
 *   best  has never heard of kernel or judge. It sees needs (who runs where, who
 *         is read, edited, clobbered), and moves what it must at the last moment
 *
 * The set of states is finite because values and generations are renamed: a
 * value is the newest of its owner or not, and an old one never comes back. CPUs,
 * threads and vcpus that only swap their names are one state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <linux/types.h>

#include "exhaustive_kernel.h"
#include "exhaustive_optimal.h"

/* ---- minds ---- */

/* What automata and judges know, each seen once: a state has but its number. */
static struct mind minds[65536];
static unsigned int n_minds;
static __u32 mind_at[1 << 18];

static __u64 hash(const void *p, size_t n)
{
	__u64 h = 0, word;

	for (; n; n -= sizeof(word), p = (const __u64 *)p + 1) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	return h;
}

static __u16 mind_nr(struct mind *m)
{
	enum { MASK = sizeof(mind_at) / sizeof(mind_at[0]) - 1 };
	__u64 i;

	m->judge.is = (struct fp_verdicts){};
	for (i = hash(m, sizeof(*m));; i++) {
		__u32 at = mind_at[i & MASK];

		if (!at)
			break;
		if (!memcmp(&minds[at - 1], m, sizeof(*m)))
			return (__u16)(at - 1);
	}
	CHECK(n_minds < sizeof(minds) / sizeof(minds[0]));
	minds[n_minds] = *m;
	mind_at[i & MASK] = ++n_minds;
	return (__u16)(n_minds - 1);
}

/* An old value is worth as little as none, the newest is called 1. */
static void rename_values(struct machine *m)
{
	int i;

	for (i = 0; i < CPUS; i++) {
		if (m->regs[i].owner == NOBODY ||
		    !holds(m, i, m->regs[i].owner))
			m->regs[i].owner = NOBODY;
		m->regs[i].value = m->regs[i].owner != NOBODY;
	}
	for (i = 0; i < BUFS; i++)
		m->mem[i] = m->mem[i] == newest[i];
}

static void normalise(void)
{
	int i;

	rename_values(&now.w.real);
	rename_values(&now.w.lazy);
	rename_values(&now.best);
	memset(newest, 1, BUFS);
	for (i = 0; i < CPUS; i++)
		if (now.heard[i])
			now.w.core[i].mind = mind_nr(&now.mind[i]);
}

/* ---- names ---- */

/* Swapping the CPUs, the threads, the vcpus: a set of these. */
enum { SWAP_CPUS = 1, SWAP_TASKS = 2, SWAP_VCPUS = 4, SWAPS = 8 };

static __u8 other_cpu(__u8 c, unsigned int swap)
{
	return swap & SWAP_CPUS && c < CPUS ? c ^ 1 : c;
}

static __u8 other_buf(__u8 b, unsigned int swap)
{
	if (b == NOBODY)
		return b;
	return swap & (is_vcpu(b) ? SWAP_VCPUS : SWAP_TASKS) ? b ^ 1 : b;
}

static __u64 other_addr(__u64 a, unsigned int swap)
{
	int b;

	for (b = 0; b < BUFS; b++)
		if ((a & ~FP_NOTE_MOVED) == addr(b))
			return addr(other_buf((__u8)b, swap)) |
			       (a & FP_NOTE_MOVED);
	return a;
}

static __u16 other_mind(__u16 nr, unsigned int swap)
{
	static __u32 known[SWAPS][sizeof(minds) / sizeof(minds[0])];
	__u32 *other = &known[swap & ~SWAP_CPUS][nr];
	struct mind m = minds[nr];

	/* Minds are forgotten between the worlds: is it the right one? */
	m.model.buf = other_addr(m.model.buf, swap);
	m.judge.buf = other_addr(m.judge.buf, swap);
	m.judge.note = other_addr(m.judge.note, swap);
	m.judge.switching = other_addr(m.judge.switching, swap);
	if (!*other || *other > n_minds ||
	    memcmp(&minds[*other - 1], &m, sizeof(m)))
		*other = mind_nr(&m) + 1u;
	return (__u16)(*other - 1);
}

static void rename_machine(struct machine *to, const struct machine *m,
			   unsigned int swap)
{
	__u8 i;

	for (i = 0; i < CPUS; i++) {
		__u8 c = other_cpu(i, swap);

		to->regs[c] = m->regs[i];
		to->regs[c].owner = other_buf(m->regs[i].owner, swap);
	}
	for (i = 0; i < BUFS; i++)
		to->mem[other_buf(i, swap)] = m->mem[i];
}

static void rename_core(struct core *to, const struct core *k,
			unsigned int swap)
{
	*to = *k;
	to->last = other_buf(k->last, swap);
	to->pending = other_buf(k->pending, swap);
	to->mind = other_mind(k->mind, swap);
}

static void rename_task(struct task *to, const struct task *t,
			unsigned int swap)
{
	*to = *t;
	to->cpu = other_cpu(t->cpu, swap);
	to->home = other_cpu(t->home, swap);
	if (t->phase != OUT && swap & SWAP_VCPUS)
		to->vcpu ^= 1;
}

static void rename_world(struct world *to, const struct world *w,
			 unsigned int swap)
{
	__u8 i, b;

	for (i = 0; i < CPUS; i++)
		rename_core(&to->core[other_cpu(i, swap)], &w->core[i], swap);
	for (i = 0; i < TASKS; i++)
		rename_task(&to->task[other_buf(i, swap)], &w->task[i], swap);
	for (i = 0; i < VCPUS; i++) {
		b = other_buf(TASKS + i, swap) - TASKS;
		to->vcpu[b] = w->vcpu[i];
		to->vcpu[b].home = other_cpu(w->vcpu[i].home, swap);
	}
	rename_machine(&to->real, &w->real, swap);
	rename_machine(&to->lazy, &w->lazy, swap);
	memcpy(to->newest, w->newest, BUFS);
	memset(to->pad, 0, sizeof(to->pad));
}

/*
 * What the names of others can't change. Only what is equal here has to be tried
 * in both orders.
 */
static __u32 core_key(const struct world *w, int c)
{
	const struct core *k = &w->core[c];
	const struct fp_judge *j = &minds[k->mind].judge;
	__u32 key = j->held | j->dirty << 2 | j->pending << 3 | j->after << 4 |
		    j->record << 7 | !!j->note << 9;

	return key | (__u32)minds[k->mind].model.bound << 10 |
	       (__u32)k->fate << 13 | (__u32)k->early << 17 |
	       (__u32)(w->task[0].cpu == c || w->task[1].cpu == c) << 18;
}

static __u32 task_key(const struct world *w, int t)
{
	const struct task *k = &w->task[t];

	return k->phase | (__u32)k->foreign << 3 | (__u32)k->begun << 4 |
	       (__u32)(k->cpu != NOWHERE) << 5 |
	       (__u32)(k->home != NOWHERE) << 6 | (__u32)w->real.mem[t] << 7 |
	       (__u32)w->lazy.mem[t] << 8;
}

static __u32 vcpu_key(const struct world *w, int v)
{
	const struct vcpu *k = &w->vcpu[v];

	return k->owns | (__u32)k->host << 1 |
	       (__u32)(k->home != NOWHERE) << 2 |
	       (__u32)w->real.mem[TASKS + v] << 3 |
	       (__u32)w->lazy.mem[TASKS + v] << 4;
}

/* Is @swap among those that put what has different keys in order? */
static bool in_order(unsigned int swap, __u32 a, __u32 b, unsigned int one)
{
	return a == b || (a > b) == !!(swap & one);
}

/* Of all that are the same but for names, the first in the dictionary. */
static unsigned int rename_first(struct world *to, const struct world *w)
{
	__u32 c0 = core_key(w, 0), c1 = core_key(w, 1);
	__u32 t0 = task_key(w, 0), t1 = task_key(w, 1);
	__u32 v0 = vcpu_key(w, 0), v1 = vcpu_key(w, 1);
	unsigned int swap, best = SWAPS;
	struct world other;

	if (kind->vcpus == 1)
		v0 = 0, v1 = 1;
	for (swap = 0; swap < SWAPS; swap++) {
		if (!in_order(swap, c0, c1, SWAP_CPUS) ||
		    !in_order(swap, t0, t1, SWAP_TASKS) ||
		    !in_order(swap, v0, v1, SWAP_VCPUS))
			continue;
		if (swap)
			rename_world(&other, w, swap);
		else
			other = *w;
		if (best == SWAPS || memcmp(&other, to, sizeof(*to)) < 0) {
			*to = other;
			best = swap;
		}
	}
	return best;
}

/* ---- states ---- */

struct state {
	struct world w;
	__u8 cpu, step; /* how it was reached first .. */
	__u32 from; /* .. and from where */
};

static struct state *states;
static __u32 n_states, max_states, *state_at, state_mask;
static __u32 at_work; /* the state whose steps are tried */
static __u8 work_cpu, work_step;

static void add_state(void)
{
	struct world named, *w = &named;
	__u64 i;

	rename_first(w, &now.w);
	for (i = hash(w, sizeof(*w));; i++) {
		__u32 at = state_at[i & state_mask];

		if (!at)
			break;
		if (!memcmp(&states[at - 1].w, w, sizeof(*w)))
			return;
	}
	if (n_states == max_states)
		fail_msg("more than %u states", max_states);
	states[n_states] = (struct state){ *w, work_cpu, work_step, at_work };
	state_at[i & state_mask] = ++n_states;
}

/* ---- what is proven at each transition ---- */

static unsigned long transitions, needed_ops, inexact;

static void set_stage(const struct world *from, int omit)
{
	int i;

	memset(&now, 0, sizeof(now));
	now.w = *from;
	now.best = from->lazy;
	now.omit = omit;
	for (i = 0; i < CPUS; i++)
		now.mind[i] = minds[from->core[i].mind];
}

/* The truth lies between what is needed and that with what is unknown. */
static void check_best(int what, int b)
{
	int did = now.did[what][b], needed = now.needed[what][b];

	CHECK(needed <= did && did <= needed + now.unknown);
}

/* What the judge promised has come true, and best did what was needed. */
static void check_step(void)
{
	int i;

	for (i = 0; i < CPUS; i++)
		CHECK(!now.said[i]);
	for (i = 0; i < BUFS; i++) {
		check_best(SAVES, i);
		check_best(LOADS, i);
	}
	normalise();
	inexact += !!now.unknown;
	CHECK(now.unknown || !memcmp(&now.best, &now.w.lazy, sizeof(now.best)));
}

/* Nobody who runs or is read next would find the newest value of @b. */
static bool lost(int b)
{
	int c;

	for (c = 0; c < CPUS; c++)
		if (holds(&now.w.lazy, c, b))
			return false;
	return now.w.lazy.mem[b] != newest[b];
}

static void check_necessity(const struct world *from, int c, enum step step,
			    int needs)
{
	int i;

	for (i = 0; i < needs; i++) {
		set_stage(from, i);
		act(c, step);
		CHECK(now.wrong || lost(now.omitted));
	}
}

static void explore(__u32 nr)
{
	struct world from = states[nr].w;
	int c, step, needs;

	at_work = nr;
	set_stage(&from, -1);
	for (c = 0; c < CPUS; c++) {
		for (step = 0; step < STEP_MAX; step++) {
			work_cpu = (__u8)c;
			work_step = (__u8)step;
			if (!act(c, step))
				continue;
			transitions++;
			needs = now.needs;
			check_step();
			add_state();
			needed_ops += (unsigned long)needs;
			check_necessity(&from, c, step, needs);
			set_stage(&from, -1);
		}
	}
}

/* The same step, by the names before they were changed. */
static enum step other_step(enum step step, unsigned int swap)
{
	if (step == SWITCH_TO_0 || step == SWITCH_TO_1)
		return swap & SWAP_TASKS ? SWITCH_TO_0 + SWITCH_TO_1 - step :
					   step;
	if (step == RUN_0 || step == RUN_1)
		return swap & SWAP_VCPUS ? RUN_0 + RUN_1 - step : step;
	return step >= GET_REG_0 && swap & SWAP_VCPUS ?
		       (enum step)(((step - GET_REG_0) ^ 1) + GET_REG_0) :
		       step;
}

/* Goes the way once more, as it is without new names. */
static void show_way(void)
{
	struct world w, named;
	__u32 way[256], n = 0, i;
	unsigned int swap;
	__u8 c, step;

	if (showing)
		return;
	showing = true; /* once: what follows may fail as well */
	for (i = at_work; i && n < 256; i = states[i].from)
		way[n++] = i;
	boot();
	w = now.w;
	print_message("# from boot:\n");
	for (;;) {
		swap = rename_first(&named, &w);
		c = other_cpu(n ? states[way[n - 1]].cpu : work_cpu, swap);
		step = n ? states[way[n - 1]].step : work_step;
		step = (__u8)other_step(step, swap);
		print_message("# cpu%u %s\n", c, step_names[step]);
		if (!n--)
			break;
		set_stage(&w, -1);
		act(c, step);
		normalise();
		w = now.w;
	}
}

static void boot(void)
{
	int i;

	memset(&now, 0, sizeof(now));
	now.omit = -1;
	for (i = 0; i < CPUS; i++) {
		now.heard[i] = true;
		now.w.core[i].last = now.w.core[i].pending = NOBODY;
		set_all(i, NOBODY, 0);
	}
	for (i = 0; i < TASKS; i++) {
		now.w.task[i].cpu = NOWHERE;
		forget_home(i);
	}
	for (i = 0; i < VCPUS; i++)
		now.w.vcpu[i].home = NOWHERE;
	normalise(); /* all memory is new */
	add_state();
}

/* $FPSTAT_DEPTH: how far to go in each world, 0 for all the way. */
static __u32 how_deep(void)
{
	const char *depth = getenv("FPSTAT_DEPTH");

	return depth ? (__u32)strtoul(depth, NULL, 10) : kind->depth;
}

static void make_room(void)
{
	max_states = 12000000;
	state_mask = (1u << 25) - 1;
	states = malloc(max_states * sizeof(*states));
	state_at = calloc(state_mask + 1, sizeof(*state_at));
	assert_non_null(states);
	assert_non_null(state_at);
	memset(mind_at, 0, sizeof(mind_at));
	n_states = n_minds = 0;
	transitions = needed_ops = inexact = 0;
	showing = false;
}

static void exhaust(void **state)
{
	clock_t begin = clock();
	__u32 i = 0, level = 1, depth = 0, limit;

	kind = *state;
	limit = how_deep();
	make_room();
	boot();
	while (i < n_states && (!limit || depth < limit)) {
		for (; i < level; i++)
			explore(i);
		level = n_states;
		depth++;
	}
	print_message(
		"# %s: %u states%s, %lu transitions (%lu with an unknown), %lu needed operations, depth %u, %.1f s\n",
		kind->name, n_states, i < n_states ? "" : " (all)", transitions,
		inexact, needed_ops, depth,
		(double)(clock() - begin) / CLOCKS_PER_SEC);
	free(states);
	free(state_at);
}

int main(void)
{
	static const struct kind kinds[] = {
		{ "5.10, one vcpu", false, false, 1, 0, false },
		{ "6.1, one vcpu", true, false, 1, 0, false },
		{ "6.16, one vcpu", true, true, 1, 14, false },
		{ "5.10, two vcpus", false, false, 2, 14, false },
		{ "6.1, two vcpus", true, false, 2, 14, false },
		{ "5.10, one vcpu, all windows", false, false, 1, 14, true },
		{ "6.1, one vcpu, all windows", true, false, 1, 14, true },
		{ "6.16, one vcpu, all windows", true, true, 1, 14, true },
	};
	enum { N = sizeof(kinds) / sizeof(kinds[0]) };
	struct CMUnitTest tests[N + 1];
	size_t i;

	for (i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){
			.name = kinds[i].name,
			.test_func = exhaust,
			.initial_state = (void *)&kinds[i],
		};
	tests[N] = (struct CMUnitTest)cmocka_unit_test(nobody_does_less);
	return _cmocka_run_group_tests("exhaustive", tests, N + 1, NULL, NULL);
}
