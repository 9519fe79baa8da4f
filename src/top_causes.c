// SPDX-License-Identifier: GPL-2.0-only
/* The view of causes: who took the registers from guests. */
#include <string.h>

#include "blame.h"
#include "flow.h"
#include "top.h"
#include "util.h"
#include "whatif.h"

#define BLAME(item) ((const struct blame_row *)(item))

static const char *cause(const void *item)
{
	return blame__cause(BLAME(item)->cause);
}

static const char *who(const void *item)
{
	return BLAME(item)->who;
}

static int by_cause(const void *a, const void *b)
{
	return strcmp(cause(a), cause(b));
}

static int by_who(const void *a, const void *b)
{
	return strcmp(who(a), who(b));
}

static uint64_t saves(const void *item)
{
	return BLAME(item)->saves;
}

static uint64_t loads(const void *item)
{
	return BLAME(item)->loads;
}

static const char *kind(const void *item)
{
	static const char *const names[] = {
		[BLAME_FUNCTION] = "function", [BLAME_TASK] = "task",
		[BLAME_EXIT] = "exit",	       [BLAME_NOBODY] = "",
		[BLAME_OTHERS] = "",
	};

	return names[BLAME(item)->kind];
}

static int by_kind(const void *a, const void *b)
{
	return strcmp(kind(a), kind(b));
}

#define TEXT(w, d)                                                             \
	.width = w, .narrow = w, .drop = d, .left = true, .unit = UNIT_TEXT
#define COUNT(d) .width = 10, .narrow = 8, .drop = d, .unit = UNIT_COUNT

/* clang-format off */
static const struct column cause_columns[] = {
	{ "cause", "CAUSE", NULL, 'C', TEXT(12, 0), .text = cause, .compare = by_cause,
	  .help = "what happened, as fpstat(8) explains it" },
	{ "guest-save", "G-SAVE", "G-SAVE/s", 'G', COUNT(0), .number = saves,
	  .help = "live guest states that were saved because of it" },
	{ "guest-load", "G-LOAD", "G-LOAD/s", 'O', COUNT(0), .number = loads,
	  .help = "loads that brought them back" },
	{ "kind", "KIND", NULL, 'K', TEXT(8, 2), .text = kind, .compare = by_kind,
	  .help = "what WHO is: caller of kernel_neon_begin(), task, exit reason" },
	{ "who", "WHO", NULL, 'W', TEXT(24, 0), .text = who, .compare = by_who,
	  .help = "who took the registers" },
};
/* clang-format on */

static const size_t nr_cause_columns = ARRAY_SIZE(cause_columns);

static uint64_t id_of(const struct blame_row *r)
{
	return r->id ^ (uint64_t)r->cause << 56 ^ (uint64_t)r->kind << 48;
}

static int fill(struct table *t, const struct top_shown *in,
		const struct top_state *st)
{
	const struct blame_row *row = NULL;
	size_t i, nr = 0;
	int err = 0;

	(void)st;
	table__begin(t, cause_columns, nr_cause_columns);
	if (in->flow)
		row = whatif__blame(flow__whatif(in->flow), &nr);
	for (i = 0; i < nr && !err; i++)
		err = table__add(t, &(struct row){ &row[i],
						   .id = id_of(&row[i]) });
	return err;
}

const struct top_view top_causes = {
	.key = '5',
	.name = "causes",
	.help = "who took the registers from guests",
	.stream = true,
	.columns = cause_columns,
	.nr_columns = &nr_cause_columns,
	.sort = "guest-save",
	.fill = fill,
	.above = top_flow__above,
};
