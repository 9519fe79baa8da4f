// SPDX-License-Identifier: GPL-2.0-only
/* Tables on paper: no control codes, columns as wide as what is in them. */
#include <inttypes.h>
#include <string.h>

#include "utf8.h"
#include "util.h"
#include "view.h"

struct paper {
	FILE *out;
	double dt; /* > 0: per second */
	int width[COLUMN_MAX];
};

static const enum table_pin pins[] = { PIN_ENDED, PIN_TASK, PIN_KERNEL, PIN_EFI,
				       PIN_TOTAL };

static void widen(struct paper *t, const struct row *r)
{
	char cell[COLUMN_CELL];
	size_t i;
	int w;

	for (i = 0; i < nr_columns; i++) {
		column__cell(&columns[i], r, t->dt, cell);
		w = utf8__width(cell);
		if (w > t->width[i])
			t->width[i] = w;
	}
}

static void put(struct paper *t, size_t i, const char *cell)
{
	int last = i + 1 == nr_columns, pad = t->width[i] - utf8__width(cell);
	char text[4 * COLUMN_CELL];

	utf8__fit(text, sizeof(text), cell, t->width[i]);
	if (!columns[i].left)
		fprintf(t->out, "%*s", pad, "");
	fputs(text, t->out);
	if (columns[i].left && !last)
		fprintf(t->out, "%*s", pad, "");
	fputs(last ? "\n" : " ", t->out);
}

static void print_row(struct paper *t, const struct row *r)
{
	char cell[COLUMN_CELL];
	size_t i;

	for (i = 0; i < nr_columns; i++) {
		column__cell(&columns[i], r, t->dt, cell);
		put(t, i, cell);
	}
}

void view_text__head(FILE *out, const struct snapshot *s)
{
	double share = snapshot__overhead(s);
	char lost[COLUMN_CELL], missed[COLUMN_CELL], undecided[COLUMN_CELL];

	column__number(s->lost, 0, lost);
	column__number(s->missed, 0, missed);
	column__number(s->undecided, 0, undecided);
	fprintf(out, "# t %.3f s, interval %.3f s, kernel %s, mode %s, ", s->t,
		s->dt, s->kernel, s->mode);
	fprintf(out, "policy %s, cpus ", snap_policy__name(s->policy));
	if (s->online && s->online < s->cpus)
		fprintf(out, "%u of ", s->online);
	fprintf(out, "%u, lost %s, missed %s, undecided %s", s->cpus, lost,
		missed, undecided);
	if (share >= 0)
		fprintf(out, ", overhead %.2f%%", share * 100);
	if (s->shed)
		fprintf(out, ", over the budget: no records");
	fprintf(out, "\n");
}

static void print_verdict(struct paper *t, const char *what, uint64_t n)
{
	char cell[COLUMN_CELL];

	column__number(n, t->dt, cell);
	fprintf(t->out, " %s %s", what, cell);
}

static void print_verdicts(struct paper *t, const char *what,
			   const struct snap_xfer *x)
{
	char share[COLUMN_CELL];

	fputc('#', t->out);
	print_verdict(t, what, x->done);
	if (x->done != SNAP_NA) {
		column__share(snap_xfer__share(x), share);
		print_verdict(t, "needed", x->needed);
		print_verdict(t, "unknown", x->unknown);
		print_verdict(t, "redundant", x->redundant);
		fprintf(t->out, " (%s)", share);
	}
}

/* pending is a level: it is no rate, and the last of its line. */
static void print_all(struct paper *t, const struct snapshot *s)
{
	struct snap_ops all = snapshot__all(s);

	print_verdicts(t, t->dt > 0 ? "save/s" : "save", &all.save);
	if (all.save.done != SNAP_NA) {
		print_verdict(t, "clean", all.save.clean);
		print_verdict(t, "unclobbered", all.save.unclobbered);
		print_verdict(t, "dead", all.save.dead);
		fprintf(t->out, " pending %" PRIu64, all.save.pending);
	}
	fputc('\n', t->out);
	print_verdicts(t, t->dt > 0 ? "load/s" : "load", &all.load);
	fputc('\n', t->out);
}

static void print_marks(FILE *out, const struct view *v)
{
	const struct witness *w = v->witness;

	if (v->marks)
		fprintf(out, "# marks %d %d\n", v->marks[0], v->marks[1]);
	if (!w)
		return;
	fprintf(out,
		"# witness exits %" PRIu64 " live %" PRIu64 " binds %" PRIu64,
		w->exits, w->live, w->binds);
	fprintf(out, " switch_saves %" PRIu64 " counted_switch_saves %" PRIu64,
		w->switch_saves, w->counted_switch_saves);
	fprintf(out, " neon %" PRIu64 " last_state_checked %" PRIu64, w->neon,
		w->last_state_checked);
	fprintf(out, " last_state_differs %" PRIu64 "%s\n",
		w->last_state_differs,
		w->last_state_readable ? "" : " (not readable)");
}

static bool shown(const struct view *v, enum table_pin pin)
{
	return pin != PIN_ENDED || snapshot__has_folded(v->s);
}

static void set_widths(struct paper *t, const struct view *v,
		       const struct table *table)
{
	size_t i;

	for (i = 0; i < nr_columns; i++)
		t->width[i] = columns[i].width;
	for (i = 0; i < table->nr; i++)
		widen(t, &table->row[i]);
	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		if (shown(v, pins[i]))
			widen(t, &table->pinned[pins[i]]);
	}
}

/* As head(1) has it for many files. */
void view_text__section(FILE *out, const struct view *v)
{
	if (v->section)
		fprintf(out, "==> %u: %s <==\n", v->section,
			*v->host ? v->host : "unknown");
}

void view_text__print(FILE *out, const struct view *v)
{
	struct paper t = { .out = out, .dt = v->rate ? v->s->dt : 0 };
	struct table table = {};
	size_t i;

	if (table__build(&table, v->s)) {
		fps_err("out of memory");
		return;
	}
	table__sort(&table, v->sort, v->reverse);
	set_widths(&t, v, &table);
	view_text__head(out, v->s);
	for (i = 0; i < nr_columns; i++)
		put(&t, i, column__title(&columns[i], v->rate));
	for (i = 0; i < table.nr; i++)
		print_row(&t, &table.row[i]);
	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		if (shown(v, pins[i]))
			print_row(&t, &table.pinned[pins[i]]);
	}
	print_all(&t, v->s);
	print_marks(out, v);
	if (v->notes)
		fputs(v->notes, out);
	fputc('\n', out);
	fflush(out);
	table__free(&table);
}
