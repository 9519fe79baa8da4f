// SPDX-License-Identifier: GPL-2.0-only
/* The view of policies: what other designs would have moved meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cost.h"
#include "flow.h"
#include "human.h"
#include "recount.h"
#include "top.h"
#include "util.h"
#include "whatif.h"
#include "whatif_sum.h"

enum { CELL = 32 };

enum what {
	G_SAVE,
	G_LOAD,
	H_SAVE,
	H_LOAD,
	BYTES,
	IRQOFF,
	TIME,
	UNSAFE,
	WHATS
};

struct item {
	const char *name;
	struct range n[WHATS];
	char cell[WHATS][CELL];
};

#define POLICY(p) ((const struct item *)(p))

static const char *policy(const void *item)
{
	return POLICY(item)->name;
}

static int by_policy(const void *a, const void *b)
{
	return strcmp(policy(a), policy(b));
}

/* An interval is as much as it may be; the most first, what is n/a last. */
static int order(const void *a, const void *b, enum what what)
{
	uint64_t x = POLICY(a)->n[what].hi + 1, y = POLICY(b)->n[what].hi + 1;

	return (x < y) - (x > y);
}

#define CELLS(name, what)                                                      \
	static const char *name(const void *item)                              \
	{                                                                      \
		return POLICY(item)->cell[what];                               \
	}                                                                      \
	static int by_##name(const void *a, const void *b)                     \
	{                                                                      \
		return order(a, b, what);                                      \
	}                                                                      \
	static uint64_t number_##name(const void *item)                        \
	{                                                                      \
		return POLICY(item)->n[what].hi;                               \
	}

CELLS(g_save, G_SAVE)
CELLS(g_load, G_LOAD)
CELLS(h_save, H_SAVE)
CELLS(h_load, H_LOAD)
CELLS(bytes, BYTES)
CELLS(irqoff, IRQOFF)
CELLS(time, TIME)
CELLS(unsafe, UNSAFE)

#define IS(name, w, d)                                                         \
	.width = w, .narrow = w, .drop = d, .unit = UNIT_LEVEL, .text = name,  \
	.compare = by_##name, .number = number_##name

/* clang-format off */
static const struct column policy_columns[] = {
	{ "policy", "POLICY", NULL, 'P', .width = 12, .narrow = 12, .left = true,
	  .unit = UNIT_TEXT, .text = policy, .compare = by_policy,
	  .help = "this kernel, what was needed, and policies: see fpstat-whatif(8)" },
	{ "guest-save", "G-SAVE", "G-SAVE/s", 'G', IS(g_save, 9, 0),
	  .help = "saves of guests' states" },
	{ "guest-load", "G-LOAD", "G-LOAD/s", 'O', IS(g_load, 9, 0),
	  .help = "loads of guests' states" },
	{ "host-save", "H-SAVE", "H-SAVE/s", 'H', IS(h_save, 9, 3),
	  .help = "saves of the host threads of vcpus" },
	{ "host-load", "H-LOAD", "H-LOAD/s", 'D', IS(h_load, 9, 4),
	  .help = "loads of these" },
	{ "bytes", "BYTES", "BYTES/s", 'B', IS(bytes, 9, 5),
	  .help = "that all of these move" },
	{ "irq-off", "IRQ-OFF", "IRQOFF/s", 'I', IS(irqoff, 9, 6),
	  .help = "transfers with interrupts off" },
	{ "time", "TIME", "TIME/s", 'T', IS(time, 9, 7),
	  .help = "that they take, with the buffers in the cache" },
	{ "unsafe", "UNSAFE", "UNSAFE/s", 'U', IS(unsafe, 9, 8),
	  .help = "states that would have been lost" },
};
/* clang-format on */

static const size_t nr_policy_columns = ARRAY_SIZE(policy_columns);

static struct range per(struct range r, double dt)
{
	if (range__na(r) || dt <= 0)
		return r;
	return (struct range){ (uint64_t)((double)r.lo / dt + 0.5),
			       (uint64_t)((double)r.hi / dt + 0.5) };
}

/* A few a second are more than none. */
static void put_few(char *cell, struct range r, double dt)
{
	double lo = (double)r.lo / dt, hi = (double)r.hi / dt;

	if (r.lo == r.hi)
		snprintf(cell, CELL, "%.1f", hi);
	else
		snprintf(cell, CELL, "%.1f-%.1f", lo, hi);
}

static void put(struct item *item, enum what what, struct range all, double dt)
{
	struct range r = per(all, dt);
	char *cell = item->cell[what];

	item->n[what] = r;
	if (range__na(r))
		strcpy(cell, "n/a");
	else if (what == BYTES)
		human__bytes(cell, CELL, r.lo, r.hi);
	else if (what == TIME)
		human__ns(cell, CELL, r.lo, r.hi);
	else if (dt > 0 && all.hi && r.hi < 10)
		put_few(cell, all, dt);
	else
		human__count(cell, CELL, r.lo, r.hi);
}

static const char *name_of(int row)
{
	if (row == WHATIF_KERNEL)
		return "this kernel";
	if (row == WHATIF_ORACLE)
		return "needed";
	return policy__name((enum policy)(row - WHATIF_POLICY));
}

/* @now: what the stream comes to, so that this kernel and others had the same. */
static void set(struct item *item, int row, const struct top_shown *in,
		const struct snapshot *now, double dt)
{
	static const struct range na = { SNAP_NA, SNAP_NA };
	struct whatif_sum s =
		whatif_sum__row(flow__whatif(in->flow), now, NULL, row);
	bool timed = !s.why && in->cost && !in->cost->why;
	struct range none = s.why ? na : (struct range){};
	int i;

	item->name = name_of(row);
	for (i = 0; i < WHATS; i++)
		put(item, (enum what)i, na, 0);
	put(item, UNSAFE, s.why ? none : s.unsafe, dt);
	if (s.why)
		return;
	put(item, G_SAVE, s.guest_save, dt);
	put(item, G_LOAD, s.guest_load, dt);
	put(item, H_SAVE, s.host_save, dt);
	put(item, H_LOAD, s.host_load, dt);
	put(item, BYTES, whatif_sum__bytes(&s), dt);
	put(item, IRQOFF, s.irqoff, dt);
	if (timed)
		put(item, TIME, whatif_sum__ns(&s, &in->cost->hot), dt);
}

static int add_rows(struct table *t, const struct top_shown *in,
		    const struct snapshot *now, double dt)
{
	struct item *item = table__items(t, WHATIF_ROWS, sizeof(*item));
	struct row r = {};
	int i, err = item ? 0 : -ENOMEM;

	for (i = 0; i < WHATIF_ROWS && !err; i++, item++) {
		set(item, i, in, now, dt);
		r.item = item;
		r.id = (uint64_t)i + 1;
		r.style = i < WHATIF_POLICY ? STYLE_BOLD : STYLE_PLAIN;
		err = table__add(t, &r);
	}
	return err;
}

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	struct measure m = top__measure(in, st);
	struct snapshot now;
	int err;

	table__begin(t, policy_columns, nr_policy_columns);
	if (!in->flow)
		return 0;
	err = recount__again(whatif__recount(flow__whatif(in->flow)),
			     in->stream, &now);
	if (err)
		return err;
	err = add_rows(t, in, &now, m.per == PER_SECOND ? m.dt : 0);
	snapshot__free(&now);
	return err;
}

const struct top_view top_policies = {
	.key = '6',
	.name = "policies",
	.help = "what other policies would have moved",
	.stream = true,
	.columns = policy_columns,
	.nr_columns = &nr_policy_columns,
	.fill = fill,
	.above = top_flow__above,
};
