// SPDX-License-Identifier: GPL-2.0-only
/* The view of CPUs: who owns the registers of each, and for how much of the time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "top.h"
#include "util.h"

struct item {
	const struct snap_cpu *c;
	char who[80];
};

#define CPU(p) (((const struct item *)(p))->c)

static uint64_t cpu(const void *item)
{
	return CPU(item)->cpu;
}

static uint64_t node(const void *item)
{
	return CPU(item)->node;
}

static int by_cpu(const void *a, const void *b)
{
	return (cpu(a) > cpu(b)) - (cpu(a) < cpu(b));
}

static int by_node(const void *a, const void *b)
{
	return (node(a) > node(b)) - (node(a) < node(b));
}

static const char *owner(const void *item)
{
	return snap_owner__name(CPU(item)->owner);
}

static const char *who(const void *item)
{
	return ((const struct item *)item)->who;
}

static int by_owner(const void *a, const void *b)
{
	return strcmp(owner(a), owner(b));
}

static int by_who(const void *a, const void *b)
{
	return strcmp(who(a), who(b));
}

static uint64_t changes(const void *item)
{
	return CPU(item)->changes;
}

static uint64_t share(const void *item, enum snap_owner o)
{
	const struct snap_cpu *c = CPU(item);
	uint64_t sum = 0;
	int i;

	for (i = 0; i < SNAP_OWNERS; i++)
		sum += c->held[i];
	return sum ? (uint64_t)((double)c->held[o] / (double)sum * 10000) :
		     SNAP_NA;
}

#define SHARE(name, owner)                                                     \
	static uint64_t name(const void *item)                                 \
	{                                                                      \
		return share(item, owner);                                     \
	}

SHARE(guest, SNAP_OWNER_GUEST)
SHARE(task, SNAP_OWNER_TASK)
SHARE(kernel, SNAP_OWNER_KERNEL)
SHARE(none, SNAP_OWNER_NONE)
SHARE(unknown, SNAP_OWNER_UNKNOWN)

#define TEXT(w, d)                                                             \
	.width = w, .narrow = w, .drop = d, .left = true, .unit = UNIT_TEXT
#define ID(w, d) .width = w, .narrow = w, .drop = d, .unit = UNIT_ID
#define PERCENT(d) .width = 7, .narrow = 5, .drop = d, .unit = UNIT_SHARE

/* clang-format off */
static const struct column cpu_columns[] = {
	{ "cpu", "CPU", NULL, 'C', ID(4, 0), .number = cpu, .compare = by_cpu,
	  .help = "number of the CPU" },
	{ "node", "NODE", NULL, 'N', ID(4, 7), .number = node, .compare = by_node,
	  .help = "NUMA node that it is in" },
	{ "owner", "OWNER", NULL, 'O', TEXT(7, 0), .text = owner, .compare = by_owner,
	  .help = "who owns its registers now" },
	{ "who", "WHO", NULL, 'W', TEXT(14, 1), .text = who, .compare = by_who,
	  .help = "which vcpu, or which thread" },
	{ "changes", "CHANGES", "CHANGE/s", 'H', .width = 8, .narrow = 8, .drop = 2,
	  .unit = UNIT_COUNT, .number = changes,
	  .help = "changes of owner that were seen, live with 20 looks a second" },
	{ "guest", "GUEST", NULL, 'G', PERCENT(3), .number = guest,
	  .help = "share of the time online with a guest's state in the registers" },
	{ "task", "TASK", NULL, 'T', PERCENT(4), .number = task,
	  .help = "the same of a host task's" },
	{ "kernel", "KERNEL", NULL, 'K', .width = 7, .narrow = 6, .drop = 6,
	  .unit = UNIT_SHARE, .number = kernel,
	  .help = "the same of a preempted NEON section's" },
	{ "none", "NONE", NULL, 'E', PERCENT(5), .number = none,
	  .help = "share of the time with nobody's state in them" },
	{ "unknown", "UNKNOWN", NULL, 'U', .width = 7, .narrow = 7, .drop = 8,
	  .unit = UNIT_SHARE, .number = unknown,
	  .help = "share of the time before anything was seen" },
};
/* clang-format on */

static const size_t nr_cpu_columns = ARRAY_SIZE(cpu_columns);

static void name_owner(struct item *item, const struct snapshot *s)
{
	const struct snap_cpu *c = item->c;
	const struct snap_vcpu *v;

	if (c->owner == SNAP_OWNER_GUEST) {
		v = snapshot__in_slot(s, c->slot);
		snprintf(item->who, sizeof(item->who), "%s/%u",
			 v ? v->vm : "unknown", v ? v->vcpu_id : c->slot);
	} else if (c->owner == SNAP_OWNER_TASK && c->tid) {
		snprintf(item->who, sizeof(item->who), "thread %" PRIu32,
			 c->tid);
	}
}

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	const struct snapshot *s = top__numbers(in, st);
	struct item *item;
	size_t i;
	int err = 0;

	table__begin(t, cpu_columns, nr_cpu_columns);
	item = table__items(t, s->nr_owners, sizeof(*item));
	if (!item)
		return -ENOMEM;
	for (i = 0; i < s->nr_owners && !err; i++, item++) {
		item->c = &s->owners[i];
		name_owner(item, s);
		err = table__add(t,
				 &(struct row){ item, .id = item->c->cpu,
						.style = STYLE_OWNER +
							 (int)item->c->owner });
	}
	return err;
}

const struct top_view top_cpus = {
	.key = '3',
	.name = "cpus",
	.help = "who owns the registers of each CPU, and how long",
	.columns = cpu_columns,
	.nr_columns = &nr_cpu_columns,
	.sort = "cpu",
	.fill = fill,
};
