// SPDX-License-Identifier: GPL-2.0-only
/* The table of a view, and the list of its columns. */
#include <stdio.h>
#include <string.h>

#include "top.h"

static void paint_titles(struct paint *on, int y, const struct layout *l,
			 const struct table *t, const struct measure *m,
			 const struct column *sort)
{
	struct pen p = pen__at(on, y, 0);
	const struct column *c;
	int i;

	for (i = 0; i < l->nr; i++) {
		c = &t->columns[l->order[i]];
		if (!l->width[l->order[i]])
			continue;
		ink_field(&p, c == sort ? STYLE_SORTED : STYLE_TITLE,
			  l->width[l->order[i]], c->left,
			  column__title(c, m->per == PER_SECOND));
		ink(&p, STYLE_TITLE, " ");
	}
	ink_rest(&p, STYLE_TITLE);
}

/* What is before the name of a row that lies below another. */
static const char *branch(const struct paint *on, const struct table *t,
			  size_t i, const struct top_state *st)
{
	const struct row *r = &t->row[i];

	if (r->kind == ROW_VM && st->view == &top_vcpus)
		return top_state__is_folded(st, r->id) ? "+ " : "";
	if (!r->head)
		return "";
	if (i + 1 < t->nr && t->row[i + 1].head == r->head)
		return on->ascii ? "|- " : "├─ ";
	return on->ascii ? "`- " : "└─ ";
}

#define MUCH 50 /* percent */

/* What is wasted must be seen at once. */
static enum style style_of(const struct column *c, const struct row *r,
			   const struct measure *m, enum style style)
{
	bool quiet = style == STYLE_PICKED || style == STYLE_DIM;

	if (!quiet && c->waste && column__value(c, r, m) >= MUCH)
		return STYLE_WASTE;
	return style;
}

static void paint_row(struct paint *on, int y, const struct layout *l,
		      const struct table *t, const struct row *r,
		      const struct measure *m, const char *before,
		      enum style style)
{
	struct pen p = pen__at(on, y, 0);
	char cell[COLUMN_CELL], text[2 * COLUMN_CELL];
	int i, col;

	for (i = 0; i < l->nr; i++) {
		col = l->order[i];
		if (!l->width[col])
			continue;
		column__fit(&t->columns[col], r, m, l->width[col], cell);
		snprintf(text, sizeof(text), "%s%s", col ? "" : before, cell);
		ink_field(&p, style_of(&t->columns[col], r, m, style),
			  l->width[col], t->columns[col].left, text);
		ink_field(&p, style, 1, true, "");
	}
	if (style == STYLE_PICKED)
		ink_rest(&p, style);
}

void top_table__paint(struct paint *on, int y, const struct layout *l,
		      const struct table *t, const struct measure *m,
		      const struct top_state *st)
{
	const struct top_pane *pane = top_state__pane(st);
	const struct row *r;
	enum style style;
	size_t i;
	int n;

	if (l->title)
		paint_titles(on, y++, l, t, m, pane->sort);
	for (n = 0; n < l->page; n++) {
		i = pane->first + (size_t)n;
		if (i >= t->nr)
			break;
		r = &t->row[i];
		style = (enum style)r->style;
		if (i == pane->at)
			style = STYLE_PICKED;
		else if (r->kind == ROW_VM && st->view == &top_vcpus)
			style = STYLE_BOLD;
		paint_row(on, y + n, l, t, r, m, branch(on, t, i, st), style);
	}
	y += l->page;
	if (l->pins)
		paint_row(on, y, l, t, &t->pinned[PIN_OTHER], m, "",
			  STYLE_BOLD);
}
