/* SPDX-License-Identifier: GPL-2.0-only */
/* fpstat top: views, what they are given, and what a key can change. */
#ifndef FPSTAT_TOP_H
#define FPSTAT_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "column.h"
#include "layout.h"
#include "paint.h"

struct cost;
struct flow;
struct flow_event;
struct history;
struct top_state;

/* ---- what is shown ---- */

/* Where in a trace that is. */
struct top_replay {
	bool stream; /* comes through a pipe: no speed, no way back */
	double t; /* seconds since it began */
	double length; /* 0: not known */
	double speed;
	const char *state; /* "end", or what else there is to say; or NULL */
	bool alarm; /* .. and that is bad */
	uint64_t damaged; /* places of the trace */
};

/* All that a view sees. */
struct top_shown {
	const struct snapshot *s; /* the interval; NULL: nothing counted yet */
	const struct snapshot *all; /* since the start, or since zero */
	const struct snapshot *ever; /* losses are never forgotten */
	const struct flow *flow; /* what the stream said; NULL: it is off .. */
	const char *no_flow; /* .. and why */
	const struct snapshot *stream; /* with @flow: who is in which slot */
	const struct history *history;
	const struct cost *cost;
	const char *host; /* its name */
	const struct top_replay *replay; /* NULL: it is live */
	const char *recording; /* into which file; or NULL */
};

/* ---- views ---- */

enum { TOP_VIEWS = 8 };

struct top_view {
	char key;
	const char *name; /* as in --view NAME */
	const char *help;
	bool stream; /* needs it */
	const struct column *columns;
	const size_t *nr_columns;
	const char *sort; /* id of a column; NULL: as they come */
	uint64_t (*exits)(const void *item); /* for PER_EXIT, or NULL */
	/* Puts its rows into @t. 0 or -ENOMEM. */
	int (*fill)(struct table *t, const struct top_shown *in,
		    const struct top_state *st);
	/* Lines above the table, at most @lines from @y on; how many. Or NULL. */
	int (*above)(struct paint *on, int y, int lines,
		     const struct top_shown *in, const struct top_state *st);
};

extern const struct top_view *const top_views[TOP_VIEWS];
extern const struct top_view top_vcpus, top_vms, top_cpus, top_tasks,
	top_causes, top_policies, top_events, top_detail;

/* NULL if there is none. */
const struct top_view *top_view__by_name(const char *name);

/* ---- what keys change ---- */

/* Of one view. */
struct top_pane {
	const struct column *sort;
	bool reverse;
	size_t first; /* row at the top */
	size_t at; /* row that is picked .. */
	uint64_t id; /* .. and which that is */
	uint64_t wanted; /* the one that the user picked, if it is not shown now */
	uint64_t head; /* the row that it lies below, or itself */
	bool picked; /* by the user: it stays that one */
	bool moved; /* since the last frame: @at is right, @id is not */
	char filter[64];
	struct chosen chosen;
};

enum top_mode {
	TOP_TABLE,
	TOP_HELP,
	TOP_SORT, /* a list of columns to sort by */
	TOP_SETUP, /* a list of columns to show */
};

enum top_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_SEARCH, PROMPT_TIME };

/* What the keys of a replay ask for; what was done is to be taken back. */
struct top_wish {
	bool step; /* one interval */
	bool event; /* one record */
	bool jump; /* to that time .. */
	double to; /* .. INFINITY: the end */
};

struct top_state {
	const struct top_view *view;
	const struct top_view *before; /* where Escape goes from the detail */
	struct top_pane pane[TOP_VIEWS];
	uint64_t vcpu; /* id of the one whose detail is shown */
	enum top_mode mode;
	size_t cursor; /* in the list of a mode */
	bool frozen, tree, follow, quit;
	bool zero, record, save; /* to be done, and taken back */
	double interval;
	enum measure_per per;
	enum measure_in in;
	enum top_prompt prompt;
	char typed[64];
	bool search; /* go to the next row that has .. */
	char sought[64]; /* .. this */
	uint64_t folded[64]; /* rows, by id */
	size_t nr_folded;
	char says[160]; /* until the next key */
	bool replay; /* it is one */
	double speed;
	struct top_wish wish;
	size_t page; /* rows that fit */
	size_t nr; /* rows there are */
};

/* Of the view that is shown; as strchr(3), it does not ask who may change it. */
struct top_pane *top_state__pane(const struct top_state *t);
void top_state__begin(struct top_state *t);
bool top_state__is_folded(const struct top_state *t, uint64_t id);
void top_state__fold(struct top_state *t, uint64_t id, bool fold);

struct top_key {
	const char *name;
	int key[3];
	void (*action)(struct top_state *t);
	const char *help;
};

/* The tables of keys; the last line has no name. */
extern const struct top_key top_keys[], top_keys_replay[], top_keys_list[];

/* Does what @key means; false if it means nothing. */
bool top_key__press(struct top_state *t, int key);
/* A click: @row of the table, or a column's title. */
void top_key__click(struct top_state *t, size_t row);
/* Of a prompt. */
void top_prompt__open(struct top_state *t, enum top_prompt which);
void top_prompt__type(struct top_state *t, int key);
/* Line @i of the help, or NULL after the last. */
const char *top_key__help(size_t i, char *buf, size_t len);
void top_key__print_help(FILE *out);

/* ---- words about events ---- */

/* "beta/1", or of which thread; @len is at least 80. */
void top_event__who(const struct flow_event *e, const struct top_shown *in,
		    char *text, size_t len);
/* "save guest: preempt"; "" if it moved nothing. */
void top_event__what(const struct flow_event *e, char *text, size_t len);
/* "redundant: nobody took the registers before it ran again" */
void top_event__verdict(const struct flow_event *e, char *text, size_t len);

/* ---- from one to the other ---- */

/* How the view's numbers are to be shown. */
struct measure top__measure(const struct top_shown *in,
			    const struct top_state *st);
/* Those of the interval, or all. */
const struct snapshot *top__numbers(const struct top_shown *in,
				    const struct top_state *st);
/* The rows of the view as they are shown: filtered, sorted, folded. 0 or -ENOMEM. */
int top__arrange(struct table *t, const struct top_shown *in,
		 struct top_state *st);
/* One frame. @t is arranged. */
void top__paint(struct paint *on, const struct table *t,
		const struct top_shown *in, struct top_state *st);
/* Parts of it. @lines of the screen's top; how many are used. */
void top_head__paint(struct paint *on, int lines, const struct top_shown *in,
		     const struct top_state *st);
void top_strip__paint(struct paint *on, int y, int lines,
		      const struct top_shown *in);
/* The same in words, a line for each CPU; how many. */
int top_strip__words(struct paint *on, int y, const struct top_shown *in);
void top_table__paint(struct paint *on, int y, const struct layout *l,
		      const struct table *t, const struct measure *m,
		      const struct top_state *st);
/* The same on paper, with all rows; and what of the screen goes beside the vcpus. */
void top_paper__paint(struct paint *on, const struct table *t,
		      const struct top_shown *in, struct top_state *st);
void top_paper__notes(struct paint *on, const struct top_shown *in);
void top_head__gap(struct paint *on, int y, const struct top_shown *in);
/* Above what a stream tells: how much of it was seen, or why nothing. */
int top_flow__above(struct paint *on, int y, int lines,
		    const struct top_shown *in, const struct top_state *st);
void top_list__paint(struct paint *on, const struct top_state *st);

#endif /* FPSTAT_TOP_H */
