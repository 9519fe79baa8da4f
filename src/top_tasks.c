// SPDX-License-Identifier: GPL-2.0-only
/* The view of tasks: bystanders, and what they paid. */
#include <errno.h>
#include <string.h>

#include "flow.h"
#include "top.h"
#include "util.h"

#define TASK(item) ((const struct flow_task *)(item))

static const char *name(const void *item)
{
	return TASK(item)->name;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name(a), name(b));
}

#define NUMBER(field)                                                          \
	static uint64_t field(const void *item)                                \
	{                                                                      \
		return TASK(item)->field;                                      \
	}

NUMBER(tid)
NUMBER(saves)
NUMBER(loads)
NUMBER(redundant)
NUMBER(paid)

static uint64_t share(const void *item)
{
	const struct flow_task *t = item;
	uint64_t sum = t->saves + t->loads;

	return sum ? t->redundant * 10000 / sum : 0;
}

static uint64_t size(const void *item)
{
	(void)item;
	return FP_FPSIMD_BYTES;
}

#define COUNT(d) .width = 9, .narrow = 7, .drop = d, .unit = UNIT_COUNT

/* clang-format off */
static const struct column task_columns[] = {
	{ "task", "TASK", NULL, 'T', .width = 16, .narrow = 12, .left = true,
	  .unit = UNIT_TEXT, .text = name, .compare = by_name,
	  .help = "name of the thread" },
	{ "tid", "TID", NULL, 'I', .width = 7, .narrow = 7, .drop = 4,
	  .unit = UNIT_ID, .number = tid, .help = "its number" },
	{ "save", "SAVE", "SAVE/s", 'S', COUNT(1), .number = saves, .bytes = size,
	  .help = "its state was written to memory" },
	{ "load", "LOAD", "LOAD/s", 'L', COUNT(1), .number = loads, .bytes = size,
	  .load = true, .help = "its state was put into the registers" },
	{ "redundant", "REDUN", "REDUN/s", 'R', COUNT(3), .number = redundant,
	  .bytes = size, .help = "of both, what could have been left out" },
	{ "share", "RED", NULL, 'E', .width = 5, .narrow = 4, .drop = 2,
	  .unit = UNIT_SHARE, .waste = true, .number = share, .help = "the same as a share" },
	{ "paid", "PAID", "PAID/s", 'P', COUNT(0), .number = paid, .bytes = size,
	  .load = true,
	  .help = "loads that it needed after a guest was in the registers" },
};
/* clang-format on */

static const size_t nr_task_columns = ARRAY_SIZE(task_columns);

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	const struct flow_task *task = NULL;
	size_t i, nr = 0;
	int err = 0;

	(void)st;
	table__begin(t, task_columns, nr_task_columns);
	if (in->flow)
		task = flow__tasks(in->flow, &nr);
	for (i = 0; i < nr && !err; i++)
		err = table__add(t,
				 &(struct row){ &task[i], .id = task[i].tid });
	return err;
}

const struct top_view top_tasks = {
	.key = '4',
	.name = "tasks",
	.help = "bystanders, and what they paid",
	.stream = true,
	.columns = task_columns,
	.nr_columns = &nr_task_columns,
	.sort = "paid",
	.fill = fill,
	.above = top_flow__above,
};
