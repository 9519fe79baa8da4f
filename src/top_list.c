// SPDX-License-Identifier: GPL-2.0-only
/* A list of the columns of a view: one to sort by, or those to be shown. */
#include <stdio.h>
#include <string.h>

#include "top.h"
#include "util.h"
#include "view_tui.h"

enum { WIDEST = 64 };

static struct chosen *chosen(const struct top_state *t)
{
	return &top_state__pane(t)->chosen;
}

/* Until somebody changes something, nothing is chosen, and all are shown. */
static struct chosen *choose(struct top_state *t)
{
	struct chosen *c = chosen(t);
	int i;

	if (!c->nr) {
		c->nr = (int)*t->view->nr_columns;
		for (i = 0; i < c->nr; i++) {
			c->at[i].column = i;
			c->at[i].width = 0;
		}
	}
	return c;
}

static bool is_chosen(const struct chosen *c, int column)
{
	int i;

	for (i = 0; i < c->nr; i++) {
		if (c->at[i].column == column)
			return true;
	}
	return !c->nr;
}

/* The column on line @i: first the chosen ones, in their order, then the rest. */
static int column_at(const struct top_state *t, const struct chosen *c,
		     size_t line)
{
	int i, rest = (int)line - c->nr;

	if (t->mode == TOP_SORT || !c->nr)
		return (int)line;
	if ((int)line < c->nr)
		return c->at[line].column;
	for (i = 0; i < (int)*t->view->nr_columns; i++) {
		if (!is_chosen(c, i) && !rest--)
			return i;
	}
	return 0;
}

/* ---- keys ---- */

static void close_list(struct top_state *t)
{
	t->mode = TOP_TABLE;
}

static void accept(struct top_state *t)
{
	if (t->mode == TOP_SORT)
		top_state__pane(t)->sort = &t->view->columns[t->cursor];
	close_list(t);
}

static void up(struct top_state *t)
{
	t->cursor = sat_sub(t->cursor, 1);
}

static void down(struct top_state *t)
{
	if (t->cursor + 1 < *t->view->nr_columns)
		t->cursor++;
}

static void toggle(struct top_state *t)
{
	struct chosen *c = choose(t);
	int i = (int)t->cursor;

	if (t->mode != TOP_SETUP)
		return;
	if (i >= c->nr) {
		c->at[c->nr].column = column_at(t, c, t->cursor);
		c->at[c->nr++].width = 0;
	} else if (c->nr > 1) {
		c->nr--;
		memmove(&c->at[i], &c->at[i + 1],
			(size_t)(c->nr - i) * sizeof(c->at[0]));
	}
}

static void move(struct top_state *t, int by)
{
	struct chosen *c = choose(t);
	int i = (int)t->cursor, j = i + by, column, width;

	if (t->mode != TOP_SETUP || i >= c->nr || j < 0 || j >= c->nr)
		return;
	column = c->at[i].column;
	width = c->at[i].width;
	c->at[i] = c->at[j];
	c->at[j].column = column;
	c->at[j].width = width;
	t->cursor = (size_t)j;
}

static void move_up(struct top_state *t)
{
	move(t, -1);
}

static void move_down(struct top_state *t)
{
	move(t, 1);
}

static void resize(struct top_state *t, int by)
{
	struct chosen *c = choose(t);
	int i = (int)t->cursor, w;

	if (t->mode != TOP_SETUP || i >= c->nr)
		return;
	w = c->at[i].width;
	if (!w)
		w = t->view->columns[c->at[i].column].width;
	w += by;
	c->at[i].width = w < 1 ? 1 : w > WIDEST ? WIDEST : w;
}

static void wider(struct top_state *t)
{
	resize(t, 1);
}

static void narrower(struct top_state *t)
{
	resize(t, -1);
}

static void all(struct top_state *t)
{
	if (t->mode == TOP_SETUP)
		chosen(t)->nr = 0;
}

static void save(struct top_state *t)
{
	t->save = t->mode == TOP_SETUP;
}

const struct top_key top_keys_list[] = {
	{ "Enter", { TUI_ENTER }, accept, "sort by it; done" },
	{ "Escape, F2, F6",
	  { TUI_ESCAPE, TUI_F2, TUI_F6 },
	  close_list,
	  "back to the table" },
	{ "up", { TUI_UP, 'k' }, up, "the line above" },
	{ "down", { TUI_DOWN, 'j' }, down, "the line below" },
	{ "space", { ' ' }, toggle, "show the column, or not" },
	{ "F7, [", { TUI_F7, '[' }, move_up, "move it to the left" },
	{ "F8, ]", { TUI_F8, ']' }, move_down, "move it to the right" },
	{ "+", { '+' }, wider, "make it wider" },
	{ "-", { '-' }, narrower, "make it narrower" },
	{ "a", { 'a' }, all, "all columns, as they are" },
	{ "s",
	  { 's' },
	  save,
	  "save columns, order and all that is set, for the next time" },
	{},
};

/* ---- on the screen ---- */

static void paint_line(struct pen *p, const struct top_state *t,
		       const struct chosen *c, size_t line)
{
	int i = column_at(t, c, line);
	const struct column *col = &t->view->columns[i];
	enum style style = line == t->cursor ? STYLE_PICKED : STYLE_PLAIN;
	char width[16] = "";

	if (t->mode == TOP_SETUP) {
		if ((int)line < c->nr && c->at[line].width)
			snprintf(width, sizeof(width), "%d", c->at[line].width);
		ink(p, style, " [%c] %3s", is_chosen(c, i) ? 'x' : ' ', width);
	}
	ink(p, style, " %-10s  %s", col->id, col->help);
	if (line == t->cursor)
		ink_rest(p, style);
}

void top_list__paint(struct paint *on, const struct top_state *t)
{
	const struct chosen *c = chosen(t);
	struct pen p = pen__at(on, 0, 0);
	size_t first = 0, page = on->lines > 2 ? (size_t)on->lines - 2 : 1, i;

	ink(&p, STYLE_TITLE, "%s of %s",
	    t->mode == TOP_SORT ? "Sort by a column" : "Columns",
	    t->view->name);
	ink_rest(&p, STYLE_TITLE);
	if (t->cursor >= page)
		first = t->cursor - page + 1;
	for (i = 0; i < page && first + i < *t->view->nr_columns; i++) {
		p = pen__at(on, (int)i + 1, 0);
		paint_line(&p, t, c, first + i);
	}
	p = pen__at(on, on->lines - 1, 0);
	if (on->lines < 3)
		return;
	ink(&p, STYLE_KEY, "Enter");
	ink(&p, STYLE_KEY_TEXT, "%s",
	    t->mode == TOP_SORT ? "Sort by it " : "Done ");
	ink(&p, STYLE_KEY, "Esc");
	ink(&p, STYLE_KEY_TEXT, "Back ");
	if (t->mode == TOP_SORT)
		return;
	ink(&p, STYLE_KEY, "Spc");
	ink(&p, STYLE_KEY_TEXT, "Show ");
	ink(&p, STYLE_KEY, "F7/F8");
	ink(&p, STYLE_KEY_TEXT, "Move ");
	ink(&p, STYLE_KEY, "+/-");
	ink(&p, STYLE_KEY_TEXT, "Width ");
	ink(&p, STYLE_KEY, "a");
	ink(&p, STYLE_KEY_TEXT, "All ");
	ink(&p, STYLE_KEY, "s");
	ink(&p, STYLE_KEY_TEXT, "Save ");
}
