/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For t_exhaustive.c: nobody who can't see the future moves less than the best
 * machine does.
 *
 * Whoever can't see the future may not lose a value that is wanted perhaps: the
 * newest one of each owner is somewhere at each moment. Such a policy may save and
 * load what it likes, when it likes. After a row of needs it is in one of a few
 * places (what do the registers hold, which memory is new), and for each of them
 * there is a cheapest way there. What that costs more than the best machine has
 * spent is a small number, so the rows of needs, however long, end in a finite
 * set of such tables: all of them are visited, and nowhere may it be negative.
 */
#ifndef EXHAUSTIVE_OPTIMAL_H
#define EXHAUSTIVE_OPTIMAL_H

#include "exhaustive_machines.h"

enum {
	OWNERS = 3,
	NONE = OWNERS,
	PLACES = (OWNERS + 1) * (OWNERS + 1) << OWNERS
};
enum { FAR = 100, ENOUGH = 4, MAX_TABLES = 1 << 16 };

/* Where a policy can be. */
struct place {
	int regs[CPUS]; /* whose newest value they hold */
	unsigned int mem; /* a set: whose newest value is there */
};

struct table {
	__s8 best; /* the place of the best machine .. */
	__s8 more[PLACES]; /* .. and what it costs more to be there, or FAR */
};

static struct table tables[MAX_TABLES];
static int n_tables;

static struct place place_of(int nr)
{
	return (struct place){ .mem = nr & ((1 << OWNERS) - 1),
			       .regs = { (nr >> OWNERS) % (OWNERS + 1),
					 (nr >> OWNERS) / (OWNERS + 1) } };
}

static int nr_of(const struct place *p)
{
	return (p->regs[0] + p->regs[1] * (OWNERS + 1)) << OWNERS | (int)p->mem;
}

/* Is each newest value somewhere? */
static bool safe(const struct place *p)
{
	int b;

	for (b = 0; b < OWNERS; b++)
		if (!(p->mem & 1u << b) && p->regs[0] != b && p->regs[1] != b)
			return false;
	return true;
}

static bool cheaper(struct table *t, const struct place *p, int cost)
{
	__s8 *more = &t->more[nr_of(p)];

	if (!safe(p) || cost >= *more)
		return false;
	*more = (__s8)cost;
	return true;
}

/* All saves and loads that can be made at once, in whatever order. */
static bool move_on(struct table *t, int nr, const int *price)
{
	struct place from = place_of(nr), to;
	bool news = false;
	int c, b;

	for (c = 0; c < CPUS; c++) {
		to = from;
		if (from.regs[c] != NONE) {
			to.mem |= 1u << from.regs[c];
			news |= cheaper(t, &to, t->more[nr] + price[SAVES]);
		}
		for (b = 0; b < OWNERS; b++) {
			to = from;
			to.regs[c] = b;
			if (from.mem & 1u << b)
				news |= cheaper(t, &to,
						t->more[nr] + price[LOADS]);
		}
	}
	return news;
}

static void move_all(struct table *t, const int *price)
{
	bool news = true;
	int nr;

	while (news) {
		news = false;
		for (nr = 0; nr < PLACES; nr++)
			if (t->more[nr] < FAR)
				news |= move_on(t, nr, price);
	}
}

/* @c: used by @b; only clobbered if there is none; else @b is read or edited. */
struct a_need {
	int cpu, owner;
	bool edit;
};

/* Where it leads from @p, or false if it can't be met there. */
static bool meet(struct place *p, const struct a_need *need)
{
	int c, b = need->owner;

	if (need->cpu < CPUS && b == NONE) {
		p->regs[need->cpu] = NONE;
		return safe(p);
	}
	if (need->cpu == NOWHERE && !need->edit)
		return p->mem & 1u << b;
	if (need->cpu < CPUS && p->regs[need->cpu] != b)
		return false;
	for (c = 0; c < CPUS; c++)
		if (p->regs[c] == b && c != need->cpu)
			p->regs[c] = NONE;
	p->mem &= ~(1u << b);
	if (need->edit)
		p->mem |= 1u << b;
	return true;
}

static void best_at(const struct place *p)
{
	int i;

	memset(&now, 0, sizeof(now));
	memset(newest, 1, BUFS);
	for (i = 0; i < CPUS; i++) {
		now.best.regs[i].owner = p->regs[i] == NONE ? NOBODY :
							      (__u8)p->regs[i];
		now.best.regs[i].value = 1;
	}
	for (i = 0; i < OWNERS; i++)
		now.best.mem[i] = p->mem >> i & 1;
}

/* What the best machine does about it, and at which price. */
static int best_meets(struct place *p, const struct a_need *need,
		      const int *price)
{
	int i, cost = 0;

	best_at(p);
	if (need->cpu < CPUS && need->owner == NONE)
		best_evict(need->cpu);
	else if (need->cpu < CPUS)
		best_use(need->cpu, need->owner);
	else if (!need->edit)
		best_fetch(need->owner);
	for (i = 0; i < OWNERS; i++) {
		cost += now.did[SAVES][i] * price[SAVES];
		cost += now.did[LOADS][i] * price[LOADS];
		if (now.best.mem[i])
			p->mem |= 1u << i;
	}
	if (need->cpu < CPUS && need->owner != NONE)
		p->regs[need->cpu] = need->owner;
	assert_true(meet(p, need));
	return cost;
}

static void add_table(const struct table *t)
{
	int i;

	for (i = 0; i < n_tables; i++)
		if (!memcmp(&tables[i], t, sizeof(*t)))
			return;
	assert_true(n_tables < MAX_TABLES);
	tables[n_tables++] = *t;
}

static void needed_at(const struct table *from, const struct a_need *need,
		      const int *price)
{
	struct place best = place_of(from->best), p;
	int cost = best_meets(&best, need, price), nr;
	struct table t;

	memset(t.more, FAR, sizeof(t.more));
	t.best = (__s8)nr_of(&best);
	for (nr = 0; nr < PLACES; nr++) {
		p = place_of(nr);
		if (from->more[nr] < FAR && meet(&p, need))
			cheaper(&t, &p, from->more[nr] - cost);
	}
	move_all(&t, price);
	for (nr = 0; nr < PLACES; nr++) {
		if (t.more[nr] < 0)
			fail_msg("somebody pays less");
		/* Called cheaper than it is: that proves no less. */
		if (t.more[nr] > ENOUGH && t.more[nr] < FAR)
			t.more[nr] = ENOUGH;
	}
	add_table(&t);
}

static void all_needs(const struct table *from, const int *price)
{
	struct a_need need;
	int c, b;

	for (b = 0; b <= OWNERS; b++) {
		for (c = 0; c < CPUS; c++) {
			need = (struct a_need){ c, b, false };
			needed_at(from, &need, price);
		}
		if (b == NONE)
			break;
		need = (struct a_need){ NOWHERE, b, false };
		needed_at(from, &need, price);
		need.edit = true;
		needed_at(from, &need, price);
	}
}

/* Fewer saves, at any number of loads; fewer loads; less of both. */
static void nobody_does_less(void **state)
{
	static const int prices[][2] = { { 1, 0 }, { 0, 1 }, { 1, 1 } };
	struct place begin = { .regs = { NONE, NONE },
			       .mem = (1 << OWNERS) - 1 };
	struct table t;
	int i, k;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(t.more, FAR, sizeof(t.more));
		t.best = (__s8)nr_of(&begin);
		cheaper(&t, &begin, 0);
		move_all(&t, prices[i]);
		n_tables = 0;
		add_table(&t);
		for (k = 0; k < n_tables; k++) {
			t = tables[k];
			all_needs(&t, prices[i]);
		}
		print_message("# a save for %d, a load for %d: %d tables\n",
			      prices[i][SAVES], prices[i][LOADS], n_tables);
	}
}

#endif /* EXHAUSTIVE_OPTIMAL_H */
