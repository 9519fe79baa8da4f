// SPDX-License-Identifier: GPL-2.0-only
/* The strip: one cell for each CPU, with who owns its registers. */
#include <stdio.h>
#include <string.h>

#include "snapshot.h"
#include "top.h"
#include "top_history.h"
#include "util.h"

#define LABEL 7 /* columns: "change " */
#define NARROW 12 /* of a cell with a name in it */
#define WIDE 24

static const char letter[SNAP_OWNERS] = {
	[SNAP_OWNER_UNKNOWN] = '?', [SNAP_OWNER_NONE] = '.',
	[SNAP_OWNER_TASK] = 't',    [SNAP_OWNER_GUEST] = 'G',
	[SNAP_OWNER_KERNEL] = 'k',  [SNAP_OWNER_OFFLINE] = '-',
};

static enum style style_of(enum snap_owner o)
{
	return (enum style)(STYLE_OWNER + (int)o);
}

/* Shares of the time of all CPUs, from cell @x on. */
static void paint_shares(struct pen *p, const struct snapshot *s)
{
	static const enum snap_owner order[] = {
		SNAP_OWNER_GUEST, SNAP_OWNER_TASK, SNAP_OWNER_KERNEL,
		SNAP_OWNER_NONE, SNAP_OWNER_UNKNOWN
	};
	double held[SNAP_OWNERS] = {}, sum = 0;
	size_t i, j;

	for (i = 0; i < s->nr_owners; i++) {
		for (j = 0; j < SNAP_OWNERS; j++) {
			held[j] += (double)s->owners[i].held[j];
			sum += (double)s->owners[i].held[j];
		}
	}
	for (i = 0; i < ARRAY_SIZE(order) && sum > 0; i++) {
		ink(p, style_of(order[i]), " %c %s", letter[order[i]],
		    snap_owner__name(order[i]));
		ink(p, STYLE_PLAIN, " %.0f%%", held[order[i]] / sum * 100);
	}
}

/* ---- few CPUs: a cell has room for a name ---- */

static void name_owner(char *text, size_t len, const struct snap_cpu *c,
		       const struct snapshot *s)
{
	const struct snap_vcpu *v = NULL;

	if (c->owner == SNAP_OWNER_GUEST)
		v = snapshot__in_slot(s, c->slot);
	if (v)
		snprintf(text, len, "%u %s/%u", c->cpu, v->vm, v->vcpu_id);
	else
		snprintf(text, len, "%u %s", c->cpu,
			 snap_owner__name(c->owner));
}

static void paint_named(struct paint *on, int y, int lines, int width,
			const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	struct pen who = pen__at(on, y, LABEL),
		   when = pen__at(on, y + 1, LABEL);
	char text[128], bars[256];
	size_t i;

	for (i = 0; i < s->nr_owners; i++) {
		name_owner(text, sizeof(text), &s->owners[i], s);
		ink_field(&who, style_of(s->owners[i].owner), width - 1, true,
			  text);
		who.x++;
		history__bars(in->history, on, i, width - 1, bars,
			      sizeof(bars));
		if (lines > 1)
			ink_field(&when, STYLE_DIM, width - 1, true, bars);
		when.x++;
	}
}

/* ---- more: a letter each, by node ---- */

static void paint_letters(struct paint *on, int y, int lines,
			  const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	struct pen who = pen__at(on, y, LABEL),
		   when = pen__at(on, y + 1, LABEL);
	double max = history__max(in->history);
	const struct snap_cpu *c;
	size_t i;

	for (i = 0; i < s->nr_owners; i++) {
		c = &s->owners[i];
		if (i && c->node != c[-1].node) {
			who.x++;
			when.x++;
		}
		ink(&who, style_of(c->owner), "%c", letter[c->owner]);
		if (lines > 1)
			ink(&when, STYLE_DIM, "%s",
			    ink__bar(on, history__last(in->history, i), max));
	}
	paint_shares(&who, s);
}

/* ---- too many: a cell is a node ---- */

static size_t end_of_node(const struct snapshot *s, size_t i)
{
	uint32_t node = s->owners[i].node;

	while (i < s->nr_owners && s->owners[i].node == node)
		i++;
	return i;
}

static void paint_nodes(struct paint *on, int y, int lines,
			const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	struct pen p = pen__at(on, y, LABEL), all = pen__at(on, y + 1, LABEL);
	unsigned int n[SNAP_OWNERS];
	size_t i, end;
	int o;

	for (i = 0; i < s->nr_owners; i = end) {
		ink(&p, STYLE_BOLD, "n%u", s->owners[i].node);
		memset(n, 0, sizeof(n));
		for (end = end_of_node(s, i); i < end; i++)
			n[s->owners[i].owner]++;
		for (o = SNAP_OWNERS - 1; o >= 0; o--) {
			if (n[o])
				ink(&p, style_of((enum snap_owner)o), " %u%c",
				    n[o], letter[o]);
		}
		ink(&p, STYLE_PLAIN, "  ");
	}
	if (lines > 1)
		paint_shares(&all, s);
}

static int nr_nodes(const struct snapshot *s)
{
	size_t i;
	int n = 0;

	for (i = 0; i < s->nr_owners; i = end_of_node(s, i))
		n++;
	return n;
}

void top_strip__paint(struct paint *on, int y, int lines,
		      const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	int room = on->cols - LABEL, nr = (int)s->nr_owners, width;
	struct pen who = pen__at(on, y, 0), when = pen__at(on, y + 1, 0);

	ink(&who, STYLE_PLAIN, "owner");
	if (!nr) {
		ink(&who, STYLE_PLAIN, "n/a");
		return;
	}
	width = room / nr > WIDE ? WIDE : room / nr;
	if (lines > 1)
		ink(&when, STYLE_PLAIN,
		    width >= NARROW || nr + nr_nodes(s) <= room ? "change" :
								  "time");
	if (width >= NARROW)
		paint_named(on, y, lines, width, in);
	else if (nr + nr_nodes(s) <= room)
		paint_letters(on, y, lines, in);
	else
		paint_nodes(on, y, lines, in);
}

/* A line for each CPU, in words. */
int top_strip__words(struct paint *on, int y, const struct top_shown *in)
{
	const struct snapshot *s = in->s;
	char text[128];
	struct pen p;
	size_t i;

	for (i = 0; i < s->nr_owners; i++) {
		p = pen__at(on, y + (int)i, 0);
		name_owner(text, sizeof(text), &s->owners[i], s);
		ink(&p, STYLE_PLAIN, "cpu %s", text);
		if (history__last(in->history, i) > 0)
			ink(&p, STYLE_PLAIN, ", %.1f changes/s",
			    history__last(in->history, i));
	}
	return (int)s->nr_owners;
}
