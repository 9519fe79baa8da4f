// SPDX-License-Identifier: GPL-2.0-only
/* One frame of the screen: rows are arranged, and all parts are painted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow.h"
#include "top.h"
#include "top_filter.h"
#include "util.h"

struct measure top__measure(const struct top_shown *in,
			    const struct top_state *st)
{
	bool stream = st->view->stream && in->flow;

	return (struct measure){
		.per = st->per,
		.in = st->in,
		.dt = stream ? flow__seconds(in->flow) :
			       top__numbers(in, st)->dt,
		.exits = st->view->exits,
		.cost = in->cost,
	};
}

const struct snapshot *top__numbers(const struct top_shown *in,
				    const struct top_state *st)
{
	return st->per == PER_ALL && in->all ? in->all : in->s;
}

int top_flow__above(struct paint *on, int y, int lines,
		    const struct top_shown *in, const struct top_state *st)
{
	struct pen p = pen__at(on, y, 0);
	uint64_t lost = in->stream ? in->stream->lost : 0;

	(void)st;
	if (lines < 1)
		return 0;
	if (in->flow)
		ink(&p, STYLE_DIM, "of %.1f s in which each event was followed",
		    flow__seconds(in->flow));
	else
		ink(&p, STYLE_MARK, " %s ",
		    in->no_flow ? in->no_flow : "no event came yet");
	if (in->flow && lost && lost != SNAP_NA)
		ink(&p, STYLE_ALARM, ", but for %" PRIu64 " that were lost",
		    lost);
	return 1;
}

/* ---- rows ---- */

static bool is_unfolded(const void *state, const struct row *r)
{
	const struct snap_vcpu *vm = r->head;

	return !vm || !top_state__is_folded(state, TABLE_VM | vm->vm_pid);
}

/* What was typed may be no filter yet. */
static void filter(struct table *t, const struct measure *m,
		   struct top_state *st, const char *text)
{
	struct filter f;
	char why[128];

	if (!*text)
		return;
	if (!filter__parse(&f, t, text, why, sizeof(why))) {
		snprintf(st->says, sizeof(st->says), "%s", why);
		return;
	}
	f.measure = m;
	f.leaves = st->view == &top_vcpus;
	table__filter(t, filter__matches, &f);
}

/* The next row from the one that is picked on. */
static void search(const struct table *t, struct top_state *st)
{
	struct top_pane *pane = top_state__pane(st);
	struct filter f = { .table = t, .nr = 1 };
	size_t i, at;

	snprintf(f.term[0].text, sizeof(f.term[0].text), "%s", st->sought);
	st->search = false;
	for (i = 0; i < t->nr && *st->sought; i++) {
		at = (pane->at + i) % t->nr;
		if (filter__matches(&f, &t->row[at])) {
			pane->at = at;
			pane->picked = pane->moved = true;
			return;
		}
	}
	if (*st->sought)
		snprintf(st->says, sizeof(st->says), "no row has '%.40s'",
			 st->sought);
}

static bool find_id(const struct table *t, uint64_t id, size_t *at)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		if (t->row[i].id == id) {
			*at = i;
			return true;
		}
	}
	return false;
}

/*
 * The row that the user picked stays picked, wherever it goes; when it is gone, it is
 * the one that is there now, until that of the user comes back: a filter may let it
 * through again.
 */
static void find_picked(const struct table *t, struct top_pane *pane)
{
	const struct snap_vcpu *vm;
	const struct row *r;

	if (!pane->picked)
		pane->at = 0;
	else if (!pane->moved && !find_id(t, pane->wanted, &pane->at))
		find_id(t, pane->id, &pane->at);
	if (pane->at >= t->nr)
		pane->at = t->nr ? t->nr - 1 : 0;
	r = t->nr ? &t->row[pane->at] : NULL;
	vm = r ? r->head : NULL;
	pane->id = r ? r->id : 0;
	pane->head = vm ? TABLE_VM | vm->vm_pid : pane->id;
	if (pane->moved || !pane->picked)
		pane->wanted = pane->id;
}

static void scroll(const struct table *t, struct top_state *st)
{
	struct top_pane *pane = top_state__pane(st);
	size_t page = st->page ? st->page : 1;

	if (pane->moved || st->follow) {
		if (pane->at < pane->first)
			pane->first = pane->at;
		if (pane->at >= pane->first + page)
			pane->first = pane->at - page + 1;
	}
	if (pane->first > sat_sub(t->nr, page))
		pane->first = sat_sub(t->nr, page);
	pane->moved = false;
}

int top__arrange(struct table *t, const struct top_shown *in,
		 struct top_state *st)
{
	struct top_pane *pane = top_state__pane(st);
	struct measure m = top__measure(in, st);
	int err = st->view->fill(t, in, st);

	if (err)
		return err;
	filter(t, &m, st, pane->filter);
	table__sort(t, pane->sort, pane->reverse);
	if (st->nr_folded)
		table__filter(t, is_unfolded, st);
	st->nr = t->nr;
	if (st->search)
		search(t, st);
	find_picked(t, pane);
	return 0;
}

/* ---- the rest of the screen ---- */

static void paint_tabs(struct paint *on, int y, const struct top_shown *in,
		       const struct top_state *st)
{
	struct pen p = pen__at(on, y, 0);
	int i;

	for (i = 0; i < TOP_VIEWS; i++) {
		ink(&p, STYLE_DIM, "%c", top_views[i]->key);
		ink(&p, top_views[i] == st->view ? STYLE_PICKED : STYLE_PLAIN,
		    "%s", top_views[i]->name);
		ink(&p, STYLE_PLAIN, "  ");
	}
	ink(&p, STYLE_PLAIN, "%zu rows", st->nr);
	if (in->ever->folded)
		ink(&p, STYLE_PLAIN, ", %" PRIu64 " ended", in->ever->folded);
	ink(&p, STYLE_PLAIN, "  ");
	if (st->per != PER_SECOND)
		ink(&p, STYLE_MARK, st->per == PER_EXIT ? "per exit" : "all");
	if (st->in != IN_OPS)
		ink(&p, STYLE_MARK, st->in == IN_BYTES ? " bytes" : " time");
	if (st->follow)
		ink(&p, STYLE_MARK, " follow");
	if (*top_state__pane(st)->filter)
		ink(&p, STYLE_MARK, " filter: %s",
		    top_state__pane(st)->filter);
}

static void paint_prompt(struct paint *on, int y, const struct top_state *st)
{
	static const char *const asks[] = {
		[PROMPT_FILTER] = "filter (text, column>value): ",
		[PROMPT_SEARCH] = "search: ",
		[PROMPT_TIME] = "go to (seconds, or h:mm:ss): ",
	};
	struct pen p = pen__at(on, y, 0);

	ink(&p, STYLE_BOLD, "%s%s", asks[st->prompt], st->typed);
	ink(&p, STYLE_MARK, " ");
	if (*st->says)
		ink(&p, STYLE_ALARM, " %s", st->says);
	ink_rest(&p, STYLE_PLAIN);
}

/* As in htop. */
static void paint_keys(struct paint *on, int y, const struct top_shown *in,
		       const struct top_state *st)
{
	static const struct {
		const char *key, *live, *replay;
	} keys[] = {
		{ "F1", "Help", "Help" },     { "F2", "Setup", "Setup" },
		{ "F3", "Search", "Search" }, { "F4", "Filter", "Filter" },
		{ "F5", "Tree", "Tree" },     { "F6", "Sort", "Sort" },
		{ "F9", "Record", NULL },     { "F10", "Quit", "Quit" },
		{ "Spc", "Freeze", "Pause" }, { "n", NULL, "Next" },
		{ "g", NULL, "Go to" },
	};
	bool file = in->replay && !in->replay->stream;
	struct pen p = pen__at(on, y, 0);
	const char *what;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		what = file ? keys[i].replay : keys[i].live;
		if (!what)
			continue;
		if (keys[i].key[0] == 'S' && st->frozen)
			what = "Go on";
		ink(&p, STYLE_KEY, "%s", keys[i].key);
		ink(&p, STYLE_KEY_TEXT, "%-6s", what);
	}
}

static void paint_help(struct paint *on, struct top_state *st)
{
	char buf[256];
	const char *line;
	struct pen p;
	size_t nr;
	int y;

	for (nr = 0; top_key__help(nr, buf, sizeof(buf)); nr++)
		;
	st->page = (size_t)on->lines;
	if (st->cursor > sat_sub(nr, st->page))
		st->cursor = sat_sub(nr, st->page);
	for (y = 0; y < on->lines; y++) {
		line = top_key__help(st->cursor + (size_t)y, buf, sizeof(buf));
		if (!line)
			break;
		p = pen__at(on, y, 0);
		ink(&p, *line && *line != ' ' ? STYLE_BOLD : STYLE_PLAIN, "%s",
		    line);
	}
}

static void paint_says(struct paint *on, int y, const struct top_state *st)
{
	struct pen p = pen__at(on, y, 0);

	ink(&p, STYLE_MARK, " %s ", st->says);
	ink_rest(&p, STYLE_PLAIN);
}

static void paint_view(struct paint *on, const struct table *t,
		       const struct top_shown *in, struct top_state *st)
{
	struct top_pane *pane = top_state__pane(st);
	struct measure m = top__measure(in, st);
	bool tree = st->view == &top_vcpus && st->tree;
	struct layout l;
	int y;

	layout__lines(&l, on->lines, st->view->above ? on->lines : 0,
		      t->has_pins);
	layout__columns(&l, on->cols, t, &pane->chosen, tree ? 3 : 0);
	top_head__paint(on, l.head, in, st);
	y = l.head;
	if (l.strip)
		top_strip__paint(on, y, l.strip, in);
	y += l.strip;
	if (l.tabs)
		paint_tabs(on, y, in, st);
	y += l.tabs;
	if (l.above) {
		int used = st->view->above(on, y, l.above, in, st);

		l.page += l.above - used;
		y += used;
	}
	st->page = l.page > 0 ? (size_t)l.page : 1;
	scroll(t, st);
	top_table__paint(on, y, &l, t, &m, st);
	if (l.foot)
		paint_keys(on, on->lines - 1, in, st);
}

void top__paint(struct paint *on, const struct table *t,
		const struct top_shown *in, struct top_state *st)
{
	struct pen p = pen__at(on, 0, 0);

	if (st->mode == TOP_HELP) {
		paint_help(on, st);
		return;
	}
	if (!in->s) {
		ink(&p, STYLE_BOLD, "fpstat: counting ...");
		return;
	}
	if (st->mode != TOP_TABLE)
		top_list__paint(on, st);
	else
		paint_view(on, t, in, st);
	if (st->prompt)
		paint_prompt(on, on->lines - 1, st);
	else if (*st->says)
		paint_says(on, on->lines - 1, st);
}

/* ---- paper ---- */

void top_paper__paint(struct paint *on, const struct table *t,
		      const struct top_shown *in, struct top_state *st)
{
	struct top_pane *pane = top_state__pane(st);
	struct measure m = top__measure(in, st);
	struct layout l = { .title = 1,
			    .page = (int)t->nr,
			    .pins = t->has_pins };
	struct pen p = pen__at(on, 0, 0);
	bool tree = st->view == &top_vcpus && st->tree;
	int y = 1;

	layout__columns(&l, on->cols, t, &pane->chosen, tree ? 3 : 0);
	ink(&p, STYLE_PLAIN, "# view %s", st->view->name);
	if (st->view->above)
		y += st->view->above(on, y, 16, in, st);
	pane->first = 0;
	top_table__paint(on, y, &l, t, &m, st);
}

void top_paper__notes(struct paint *on, const struct top_shown *in)
{
	top_head__gap(on, 0, in);
	top_strip__words(on, 1, in);
}
