// SPDX-License-Identifier: GPL-2.0-only
/* The keys of all views. */
#include <string.h>

#include "top.h"
#include "util.h"
#include "view_tui.h"

#define CTRL(c) ((c)&0x1f)

static void quit(struct top_state *t)
{
	t->quit = true;
}

static void help(struct top_state *t)
{
	t->mode = t->mode == TOP_HELP ? TOP_TABLE : TOP_HELP;
	t->cursor = 0;
}

static void freeze(struct top_state *t)
{
	t->frozen = !t->frozen;
}

/* ---- views ---- */

static void show(struct top_state *t, const struct top_view *v)
{
	if (v == &top_detail && t->view != v)
		t->before = t->view;
	t->view = v;
}

static void next_view(struct top_state *t)
{
	show(t, top_views[(t->view->key - '1' + 1) % TOP_VIEWS]);
}

static void previous_view(struct top_state *t)
{
	show(t, top_views[(t->view->key - '1' + TOP_VIEWS - 1) % TOP_VIEWS]);
}

static void escape(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	if (*pane->filter)
		pane->filter[0] = '\0';
	else if (t->view == &top_detail)
		t->view = t->before;
	t->follow = false;
}

/* ---- order ---- */

static void reverse(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	pane->reverse = !pane->reverse;
}

static void sort_by(struct top_state *t, int step)
{
	struct top_pane *pane = top_state__pane(t);
	int nr = (int)*t->view->nr_columns;
	int i = pane->sort ? (int)(pane->sort - t->view->columns) : 0;

	pane->sort = &t->view->columns[(i + step + nr) % nr];
}

static void sort_left(struct top_state *t)
{
	sort_by(t, -1);
}

static void sort_right(struct top_state *t)
{
	sort_by(t, 1);
}

static void sort_menu(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	t->mode = TOP_SORT;
	t->cursor = pane->sort ? (size_t)(pane->sort - t->view->columns) : 0;
}

static void setup_menu(struct top_state *t)
{
	t->mode = TOP_SETUP;
	t->cursor = 0;
}

static void tree(struct top_state *t)
{
	t->tree = !t->tree;
}

static void fold(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	if (!(pane->head & TABLE_VM))
		return;
	top_state__fold(t, pane->head, true);
	pane->wanted = pane->head;
	pane->picked = true;
}

static void unfold(struct top_state *t)
{
	top_state__fold(t, top_state__pane(t)->head, false);
}

static void unfold_all(struct top_state *t)
{
	t->nr_folded = 0;
}

static void enter(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	if (t->view == &top_vcpus && pane->id & TABLE_VM) {
		top_state__fold(t, pane->id,
				!top_state__is_folded(t, pane->id));
	} else if (t->view == &top_vcpus) {
		t->vcpu = pane->id;
		show(t, &top_detail);
	}
}

/* ---- what is asked for in words ---- */

static void filter(struct top_state *t)
{
	top_prompt__open(t, PROMPT_FILTER);
}

static void search(struct top_state *t)
{
	top_prompt__open(t, PROMPT_SEARCH);
}

/* ---- numbers ---- */

static void change_per(struct top_state *t)
{
	t->per = (t->per + 1) % PER_MAX;
}

static void change_unit(struct top_state *t)
{
	t->in = (t->in + 1) % IN_MAX;
}

static void zero(struct top_state *t)
{
	t->zero = true;
}

static void record(struct top_state *t)
{
	t->record = true;
}

static void follow(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	t->follow = !t->follow;
	if (t->follow)
		pane->picked = pane->moved = true;
}

static const double intervals[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 };

static void slower(struct top_state *t)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		if (intervals[i] > t->interval) {
			t->interval = intervals[i];
			return;
		}
	}
}

static void faster(struct top_state *t)
{
	size_t i;

	for (i = ARRAY_SIZE(intervals); i-- > 0;) {
		if (intervals[i] < t->interval) {
			t->interval = intervals[i];
			return;
		}
	}
}

/* ---- the row that is picked ---- */

static void pick(struct top_state *t, size_t at)
{
	struct top_pane *pane = top_state__pane(t);

	pane->at = at;
	if (pane->at >= t->nr)
		pane->at = t->nr ? t->nr - 1 : 0;
	pane->picked = pane->moved = true;
}

static void up(struct top_state *t)
{
	pick(t, sat_sub(top_state__pane(t)->at, 1));
}

static void down(struct top_state *t)
{
	pick(t, top_state__pane(t)->at + 1);
}

static void page_up(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	pane->first = sat_sub(pane->first, t->page);
	pick(t, sat_sub(pane->at, t->page));
}

static void page_down(struct top_state *t)
{
	struct top_pane *pane = top_state__pane(t);

	pane->first += t->page;
	pick(t, pane->at + t->page);
}

/* Whoever is on top from here on. */
static void home(struct top_state *t)
{
	pick(t, 0);
	top_state__pane(t)->picked = false;
}

static void end(struct top_state *t)
{
	pick(t, t->nr);
}

const struct top_key top_keys[] = {
	{ "q, F10, Ctrl-C", { 'q', TUI_F10, CTRL('c') }, quit, "quit" },
	{ "h, ?, F1", { 'h', '?', TUI_F1 }, help, "this help, and back" },
	{ "Tab", { TUI_TAB }, next_view, "the next view" },
	{ "Shift-Tab", { TUI_BACK_TAB }, previous_view, "the view before" },
	{ "Enter, d",
	  { TUI_ENTER, 'd' },
	  enter,
	  "detail of a vcpu; folds a VM, and back" },
	{ "Escape",
	  { TUI_ESCAPE },
	  escape,
	  "without a filter; back from a detail" },
	{ "space, Z", { ' ', 'Z' }, freeze, "freeze the numbers, and go on" },
	{ "c, F2",
	  { 'c', TUI_F2 },
	  setup_menu,
	  "which columns, in which order, how wide" },
	{ "/, F3", { '/', TUI_F3 }, search, "search; F3 again: the next" },
	{ "\\, F4",
	  { '\\', TUI_F4 },
	  filter,
	  "only rows that have a text, or column>value" },
	{ "t, F5", { 't', TUI_F5 }, tree, "vcpus as a tree, and as a list" },
	{ "s, F6", { 's', TUI_F6 }, sort_menu, "a column to sort by" },
	{ "<", { '<' }, sort_left, "sort by the column to the left" },
	{ ">", { '>' }, sort_right, "sort by the column to the right" },
	{ "r", { 'r' }, reverse, "reverse the order" },
	{ "left", { TUI_LEFT }, fold, "fold the VM" },
	{ "right", { TUI_RIGHT }, unfold, "unfold it" },
	{ "*", { '*' }, unfold_all, "unfold all" },
	{ "F", { 'F' }, follow, "follow the picked row, and no more" },
	{ "m", { 'm' }, change_per, "per second, per exit, all" },
	{ "u", { 'u' }, change_unit, "operations, bytes, time" },
	{ "z", { 'z' }, zero, "all begins here" },
	{ "w, F9",
	  { 'w', TUI_F9 },
	  record,
	  "record a trace, with what is kept of the past; stop it" },
	{ "+", { '+' }, slower, "a longer interval" },
	{ "-", { '-' }, faster, "a shorter interval" },
	{ "up", { TUI_UP, 'k' }, up, "the row above" },
	{ "down", { TUI_DOWN, 'j' }, down, "the row below" },
	{ "PgUp", { TUI_PAGE_UP }, page_up, "a screen up" },
	{ "PgDn", { TUI_PAGE_DOWN }, page_down, "a screen down" },
	{ "Home", { TUI_HOME }, home, "to the first row, whichever it is" },
	{ "End", { TUI_END }, end, "to the last row" },
	{},
};

/* ---- of help and lists, where rows are lines ---- */

static bool press(const struct top_key *k, struct top_state *t, int key)
{
	size_t j;

	for (; k->name; k++) {
		for (j = 0; j < ARRAY_SIZE(k->key); j++) {
			if (k->key[j] && k->key[j] == key) {
				k->action(t);
				return true;
			}
		}
	}
	return false;
}

static bool press_help(struct top_state *t, int key)
{
	switch (key) {
	case TUI_UP:
	case 'k':
		t->cursor = sat_sub(t->cursor, 1);
		break;
	case TUI_DOWN:
	case 'j':
		t->cursor++;
		break;
	case TUI_PAGE_UP:
		t->cursor = sat_sub(t->cursor, t->page);
		break;
	case TUI_PAGE_DOWN:
		t->cursor += t->page;
		break;
	case TUI_HOME:
		t->cursor = 0;
		break;
	case TUI_END:
		t->cursor = 9999; /* it is clamped */
		break;
	case CTRL('c'):
	case TUI_F10:
		quit(t);
		break;
	default:
		t->mode = TOP_TABLE;
		break;
	}
	return true;
}

static bool choose(struct top_state *t, int key)
{
	size_t i;

	if (key >= '1' && key < '1' + TOP_VIEWS) {
		show(t, top_views[key - '1']);
		return true;
	}
	for (i = 0; i < *t->view->nr_columns; i++) {
		if (t->view->columns[i].key == key) {
			top_state__pane(t)->sort = &t->view->columns[i];
			return true;
		}
	}
	return false;
}

bool top_key__press(struct top_state *t, int key)
{
	t->says[0] = '\0';
	if (t->prompt && key != CTRL('c')) {
		top_prompt__type(t, key);
		return true;
	}
	if (t->mode == TOP_HELP)
		return press_help(t, key);
	if (t->mode != TOP_TABLE && press(top_keys_list, t, key))
		return true;
	if (t->mode != TOP_TABLE && key != CTRL('c'))
		return false;
	return press(top_keys, t, key) ||
	       (t->replay && press(top_keys_replay, t, key)) || choose(t, key);
}

void top_key__click(struct top_state *t, size_t row)
{
	if (t->mode == TOP_TABLE)
		pick(t, top_state__pane(t)->first + row);
}
