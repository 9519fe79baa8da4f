// SPDX-License-Identifier: GPL-2.0-only
#include "layout.h"

#include <string.h>

#include "utf8.h"

/* The less room, the less beside the rows. */
void layout__lines(struct layout *l, int lines, int above, bool pins)
{
	l->head = lines >= 14 ? 5 :
		  lines >= 12 ? 4 :
		  lines >= 6  ? 2 :
				lines >= 3;
	l->strip = lines >= 20 ? 2 : lines >= 16;
	l->tabs = lines >= 12;
	l->title = lines >= 2;
	l->pins = pins && lines >= 7;
	l->foot = lines >= 10;
	l->page = lines - l->head - l->strip - l->tabs - l->title - l->pins -
		  l->foot;
	l->above = above > l->page * 2 / 3 ? l->page * 2 / 3 : above;
	l->page -= l->above;
}

static int line_width(const struct layout *l)
{
	int i, w, sum = -1;

	for (i = 0; i < l->nr; i++) {
		w = l->width[l->order[i]];
		sum += w ? w + 1 : 0;
	}
	return sum;
}

/* The first column of the table has the name, and is the last to go. */
static bool drop_one(struct layout *l, const struct column *c)
{
	int i, col, worst = -1;

	for (i = 0; i < l->nr; i++) {
		col = l->order[i];
		if (l->width[col] && c[col].drop &&
		    (worst < 0 || c[col].drop > c[worst].drop))
			worst = col;
	}
	if (worst < 0)
		return false;
	l->width[worst] = 0;
	return true;
}

static int longest_name(const struct table *t)
{
	int w, max = 0;
	size_t i;

	for (i = 0; i < t->nr && t->columns[0].text; i++) {
		w = utf8__width(t->columns[0].text(t->row[i].item));
		max = w > max ? w : max;
	}
	return max;
}

static void take_all(struct layout *l, const struct table *t)
{
	int i;

	l->nr = (int)t->nr_columns;
	for (i = 0; i < l->nr; i++) {
		l->order[i] = i;
		l->width[i] = t->columns[i].narrow;
	}
}

static void take_chosen(struct layout *l, const struct table *t,
			const struct chosen *chosen)
{
	int i, col;

	l->nr = chosen->nr;
	for (i = 0; i < l->nr; i++) {
		col = chosen->at[i].column;
		l->order[i] = col;
		l->width[col] = chosen->at[i].width ? chosen->at[i].width :
						      t->columns[col].narrow;
	}
}

static bool is_fixed(const struct chosen *chosen, int col)
{
	int i;

	for (i = 0; i < chosen->nr; i++) {
		if (chosen->at[i].column == col)
			return chosen->at[i].width;
	}
	return false;
}

/* What is left over goes to the names first, then to the numbers. */
void layout__columns(struct layout *l, int cols, const struct table *t,
		     const struct chosen *chosen, int indent)
{
	int spare, want, grow, i, col;

	memset(l->width, 0, sizeof(l->width));
	if (chosen->nr)
		take_chosen(l, t, chosen);
	else
		take_all(l, t);
	while (line_width(l) > cols && drop_one(l, t->columns))
		;
	spare = cols - line_width(l);
	want = longest_name(t) + indent - l->width[0];
	want = want > spare ? spare : want;
	if (want > 0 && l->width[0] && !is_fixed(chosen, 0)) {
		l->width[0] += want;
		spare -= want;
	}
	for (i = 0; i < l->nr; i++) {
		col = l->order[i];
		grow = t->columns[col].width - l->width[col];
		if (t->columns[col].left && grow > spare)
			grow = spare; /* of a text each letter helps */
		if (!col || !l->width[col] || grow <= 0 || grow > spare ||
		    is_fixed(chosen, col))
			continue;
		l->width[col] += grow;
		spare -= grow;
	}
}
