// SPDX-License-Identifier: GPL-2.0-only
#include "layout.h"
#include "utf8.h"

/* The less room, the less beside the vcpus. */
static void lay_out_lines(struct layout *l, int lines)
{
	l->head = lines >= 12 ? 4 : lines >= 6 ? 2 : lines >= 3;
	l->title = lines >= 2;
	l->pins = lines >= 7;
	l->foot = lines >= 10;
	l->page = lines - l->head - l->title - l->pins - l->foot;
}

static int line_width(const struct layout *l)
{
	int sum = -1;
	size_t i;

	for (i = 0; i < nr_columns; i++)
		sum += l->width[i] ? l->width[i] + 1 : 0;
	return sum;
}

static bool drop_one(struct layout *l)
{
	size_t i, worst = 0;

	for (i = 0; i < nr_columns; i++) {
		if (l->width[i] && columns[i].drop > columns[worst].drop)
			worst = i;
	}
	if (!columns[worst].drop)
		return false;
	l->width[worst] = 0;
	return true;
}

static int longest_name(const struct table *table)
{
	int w, max = 0;
	size_t i;

	for (i = 0; i < table->nr; i++) {
		w = utf8__width(table->row[i].v->vm);
		max = w > max ? w : max;
	}
	return max;
}

/* What is left over goes to the names first, then to the numbers. */
static void lay_out_columns(struct layout *l, int cols,
			    const struct table *table)
{
	int spare, want, grow;
	size_t i;

	for (i = 0; i < nr_columns; i++)
		l->width[i] = columns[i].narrow;
	while (line_width(l) > cols && drop_one(l))
		;
	spare = cols - line_width(l);
	want = longest_name(table) - l->width[0];
	want = want > spare ? spare : want;
	if (want > 0) {
		l->width[0] += want;
		spare -= want;
	}
	for (i = 1; i < nr_columns; i++) {
		grow = columns[i].width - columns[i].narrow;
		if (!l->width[i] || grow > spare)
			continue;
		l->width[i] += grow;
		spare -= grow;
	}
}

void layout__make(struct layout *l, int lines, int cols,
		  const struct table *table)
{
	lay_out_lines(l, lines);
	lay_out_columns(l, cols, table);
}
