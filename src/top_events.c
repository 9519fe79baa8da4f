// SPDX-License-Identifier: GPL-2.0-only
/* The view of events, the newest first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "flow.h"
#include "fpstat/model.h"
#include "top_events.h"
#include "util.h"

struct item {
	const struct flow_event *e;
	char time[24];
	char who[80];
	char what[48];
	char verdict[128];
};

#define ITEM(p) ((const struct item *)(p))

#define TEXT(name)                                                             \
	static const char *name(const void *item)                              \
	{                                                                      \
		return ITEM(item)->name;                                       \
	}                                                                      \
	static int by_##name(const void *a, const void *b)                     \
	{                                                                      \
		return strcmp(name(a), name(b));                               \
	}

TEXT(who)
TEXT(what)
TEXT(verdict)

static const char *when(const void *item)
{
	return ITEM(item)->time;
}

/* The newest first. */
static int by_number(const void *a, const void *b)
{
	uint64_t x = ITEM(a)->e->number, y = ITEM(b)->e->number;

	return (x < y) - (x > y);
}

static uint64_t cpu(const void *item)
{
	return ITEM(item)->e->rec.cpu;
}

static int by_cpu(const void *a, const void *b)
{
	return (cpu(a) > cpu(b)) - (cpu(a) < cpu(b));
}

static const char *event(const void *item)
{
	return snap_event__name(ITEM(item)->e->rec.ev.kind);
}

static int by_event(const void *a, const void *b)
{
	return strcmp(event(a), event(b));
}

static uint64_t exits(const void *item)
{
	return ITEM(item)->e->rec.exits;
}

#define WORDS(w, n, d)                                                            \
	.width = w, .narrow = n, .drop = d, .left = true, .unit = UNIT_TEXT

/* clang-format off */
const struct column top_event_columns[] = {
	{ "time", "TIME", NULL, 'T', .width = 12, .narrow = 12, .unit = UNIT_TEXT,
	  .text = when, .compare = by_number,
	  .help = "seconds since they are followed, or since the trace began" },
	{ "cpu", "CPU", NULL, 'C', .width = 3, .narrow = 3, .drop = 3, .unit = UNIT_ID,
	  .number = cpu, .compare = by_cpu, .help = "where it happened" },
	{ "event", "EVENT", NULL, 'E', WORDS(13, 12, 0), .text = event, .compare = by_event,
	  .help = "its kind, as fpstat-trace(5) lists them" },
	{ "who", "WHO", NULL, 'W', WORDS(14, 10, 2), .text = who, .compare = by_who,
	  .help = "the vcpu that it is charged to, or the thread" },
	{ "exits", "EXITS", NULL, 'X', .width = 6, .narrow = 6, .drop = 6,
	  .unit = UNIT_LEVEL, .number = exits,
	  .help = "exits since the event before, which changed nothing" },
	{ "what", "WHAT", NULL, 'H', WORDS(24, 14, 1), .text = what, .compare = by_what,
	  .help = "what was moved, and the cause of a save" },
	{ "verdict", "VERDICT", NULL, 'V', WORDS(62, 22, 4), .text = verdict,
	  .compare = by_verdict, .help = "was it needed, and why not; by which event" },
};
/* clang-format on */

const size_t top_nr_event_columns = ARRAY_SIZE(top_event_columns);

static enum style style_of(const struct flow_event *e)
{
	if (e->rec.flags & FP_REC_GAP)
		return STYLE_ALARM;
	if (e->ops & (FP_OP_GUEST_SAVE | FP_OP_GUEST_LOAD | FP_OP_LIVE))
		return STYLE_OWNER + SNAP_OWNER_GUEST;
	if (e->ops & (FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD) ||
	    e->rec.ev.kind == FP_EV_NEON_TASK ||
	    e->rec.ev.kind == FP_EV_NEON_SOFTIRQ)
		return STYLE_OWNER + SNAP_OWNER_KERNEL;
	if (e->ops & (FP_OP_USER_SAVE | FP_OP_USER_LOAD))
		return STYLE_OWNER + SNAP_OWNER_TASK;
	return STYLE_DIM;
}

static void describe(struct item *item, const struct flow_event *e,
		     const struct top_shown *in)
{
	item->e = e;
	snprintf(item->time, sizeof(item->time), "%.6f",
		 (double)sat_sub(e->rec.ns, flow__begin(in->flow)) / 1e9);
	top_event__who(e, in, item->who, sizeof(item->who));
	top_event__what(e, item->what, sizeof(item->what));
	top_event__verdict(e, item->verdict, sizeof(item->verdict));
}

int top_events__fill(struct table *t, const struct top_shown *in,
		     const struct flow_event *(*next)(const struct flow *f,
						      size_t back),
		     size_t max)
{
	const struct flow_event *e;
	struct item *item;
	size_t i;
	int err = 0;

	table__begin(t, top_event_columns, top_nr_event_columns);
	item = table__items(t, max, sizeof(*item));
	if (!item)
		return -ENOMEM;
	for (i = 0; in->flow && i < max && !err; i++, item++) {
		e = next(in->flow, i);
		if (!e)
			break;
		describe(item, e, in);
		err = table__add(t, &(struct row){ item, .id = e->number,
						   .style = style_of(e) });
	}
	return err;
}

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	(void)st;
	return top_events__fill(t, in, flow__event, FLOW_EVENTS);
}

const struct top_view top_events = {
	.key = '7',
	.name = "events",
	.help = "what happens, event by event",
	.stream = true,
	.columns = top_event_columns,
	.nr_columns = &top_nr_event_columns,
	.fill = fill,
	.above = top_flow__above,
};
