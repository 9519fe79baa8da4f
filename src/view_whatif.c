// SPDX-License-Identifier: GPL-2.0-only
/* On paper: what was moved, what had to be, and what each policy would move. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "human.h"
#include "param.h"
#include "util.h"
#include "view.h"
#include "whatif.h"
#include "whatif_sum.h"

enum {
	NAME,
	GUEST_SAVE,
	GUEST_LOAD,
	HOST_SAVE,
	HOST_LOAD,
	BYTES,
	IRQOFF,
	TIME,
	UNSAFE,
	DIFF,
	COLS
};
enum { ROWS = WHATIF_ROWS + PARAMS_MAX + 1, CELL = 48 };

struct line {
	char cell[COLS][CELL];
	const char *why; /* instead of numbers */
};

/* The first line has the titles; a column without one is not shown. */
struct paper {
	struct line line[ROWS];
	int rows;
};

/* To the digit, but for a wide interval of large numbers. */
static void put(char *cell, struct range r)
{
	enum { SHORT = 8 };
	char exact[CELL];

	if (range__na(r)) {
		snprintf(cell, CELL, "n/a");
	} else if (r.lo == r.hi) {
		snprintf(cell, CELL, "%" PRIu64, r.lo);
	} else {
		snprintf(exact, CELL, "%" PRIu64 "-%" PRIu64, r.lo, r.hi);
		human__count(cell, CELL, r.lo, r.hi);
		if (strlen(exact) <= SHORT || !strchr(cell, '-'))
			memcpy(cell, exact, CELL);
	}
}

static void put_human(char *cell, struct range r,
		      void (*print)(char *, size_t, uint64_t, uint64_t))
{
	if (range__na(r))
		put(cell, r);
	else
		print(cell, CELL, r.lo, r.hi);
}

static void put_time(char *cell, const struct whatif_sum *sum,
		     const struct cost *cost)
{
	if (cost->why)
		snprintf(cell, CELL, "n/a");
	else
		put_human(cell, whatif_sum__ns(sum, &cost->hot), human__ns);
}

static void put_signed(char *cell, int64_t n, bool exact)
{
	uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;

	if (n)
		*cell++ = n < 0 ? '-' : '+';
	if (exact)
		snprintf(cell, CELL - 1, "%" PRIu64, size);
	else
		human__count(cell, CELL - 1, size, size);
}

static void put_diff(char *cell, const struct whatif_diff *d)
{
	enum { SHORT = 6 };
	int64_t lo = d->save[0] + d->load[0], hi = d->save[1] + d->load[1];
	char a[CELL], b[CELL];

	if (d->na) {
		snprintf(cell, CELL, "n/a");
		return;
	}
	put_signed(a, lo, true);
	put_signed(b, hi, true);
	if (lo != hi && strlen(a) + strlen(b) > SHORT + SHORT) {
		put_signed(a, lo, false);
		put_signed(b, hi, false);
	}
	snprintf(cell, CELL, lo == hi ? "%.20s" : "%.20s..%.20s", a, b);
}

static const char *name(int row)
{
	if (row == WHATIF_KERNEL)
		return "this kernel";
	if (row == WHATIF_ORACLE)
		return "needed";
	return policy__name(row - WHATIF_POLICY);
}

static struct line *add_row(struct paper *p, const char *name,
			    const struct whatif_sum *sum,
			    const struct cost *cost)
{
	struct line *l = &p->line[p->rows++];

	snprintf(l->cell[NAME], CELL, "%s%s", name,
		 sum->unsafe.hi && !sum->why ? " !" : "");
	l->why = sum->why;
	if (sum->why)
		return l;
	put(l->cell[GUEST_SAVE], sum->guest_save);
	put(l->cell[GUEST_LOAD], sum->guest_load);
	put(l->cell[HOST_SAVE], sum->host_save);
	put(l->cell[HOST_LOAD], sum->host_load);
	put_human(l->cell[BYTES], whatif_sum__bytes(sum), human__bytes);
	put(l->cell[IRQOFF], sum->irqoff);
	put_time(l->cell[TIME], sum, cost);
	put(l->cell[UNSAFE], sum->unsafe);
	return l;
}

static int width(const struct paper *p, int col)
{
	int r, w, max = 0;

	for (r = 0; r < p->rows; r++) {
		w = (int)strlen(p->line[r].cell[col]);
		max = w > max ? w : max;
	}
	return max;
}

static void print_line(FILE *out, const struct paper *p, const struct line *l)
{
	int i;

	fprintf(out, "%-*s", width(p, NAME), l->cell[NAME]);
	if (l->why)
		fprintf(out, "  n/a: %s", l->why);
	for (i = GUEST_SAVE; i < COLS && !l->why; i++) {
		if (*p->line[0].cell[i])
			fprintf(out, " %*s", width(p, i), l->cell[i]);
	}
	fputc('\n', out);
}

static void begin(struct paper *p, const char *const titles[COLS])
{
	int i;

	p->rows = 1;
	for (i = 0; i < COLS; i++)
		snprintf(p->line[0].cell[i], CELL, "%s", titles[i]);
}

static void print(FILE *out, const struct paper *p)
{
	int i;

	for (i = 0; i < p->rows; i++)
		print_line(out, p, &p->line[i]);
}

/* Comes first: of what use is a policy that is cheap and wrong? */
static void warn(FILE *out, int row, const struct whatif_sum *sum)
{
	char n[CELL];

	if (sum->why)
		return;
	put(n, sum->unsafe);
	if (sum->unsafe.hi)
		fprintf(out, "! %s is unsafe: %s states lost\n", name(row), n);
	put(n, sum->refused);
	if (sum->refused.hi)
		fprintf(out, "%s would refuse NEON %s times\n", name(row), n);
}

static struct whatif_sum sum_of(const struct view *v,
				const struct snap_vcpu *vcpu, int row)
{
	return whatif_sum__row(v->whatif, v->s, vcpu, row);
}

/* Of @vcpu, or of all (NULL). */
static void table(FILE *out, const struct view *v, const struct snap_vcpu *vcpu)
{
	static const char *const titles[COLS] = {
		"POLICY", "G-SAVE",  "G-LOAD", "H-SAVE", "H-LOAD",
		"BYTES",  "IRQ-OFF", "TIME",   "",	 "",
	};
	char text[PARAM_TEXT];
	struct whatif_sum sum;
	struct paper p = {};
	int i;

	begin(&p, titles);
	for (i = 0; i < WHATIF_ROWS; i++) {
		if (!whatif_sum__shown(v->policies, i))
			continue;
		sum = sum_of(v, vcpu, i);
		add_row(&p, name(i), &sum, v->cost);
		warn(out, i, &sum);
	}
	for (i = 0; v->params && i < (int)v->params->curve; i++) {
		sum = sum_of(v, vcpu, WHATIF_PARAM + i);
		param__text(&v->params->param[i], text, sizeof(text));
		add_row(&p, text, &sum, v->cost);
	}
	print(out, &p);
}

void view_whatif__hosts(FILE *out, const struct whatif_sum *rows,
			uint32_t policies)
{
	static const char *const titles[COLS] = {
		"POLICY", "G-SAVE",  "G-LOAD", "H-SAVE", "H-LOAD",
		"BYTES",  "IRQ-OFF", "",       "",	 "",
	};
	static const struct cost none = { .why = "each host has its own" };
	struct paper p = {};
	int i;

	begin(&p, titles);
	for (i = 0; i < WHATIF_ROWS; i++) {
		if (!whatif_sum__shown(policies, i))
			continue;
		add_row(&p, name(i), &rows[i], &none);
		warn(out, i, &rows[i]);
	}
	print(out, &p);
}

static void upper(char *out, const char *name)
{
	while ((*out++ = (char)toupper(*name++)))
		;
}

/* The same of all values of a parameter, if there is one. */
static void curve(FILE *out, const struct view *v, const struct snap_vcpu *vcpu)
{
	char title[PARAM_TEXT], text[PARAM_TEXT];
	const char *const titles[COLS] = {
		title,	 "G-SAVE",  "G-LOAD", "H-SAVE", "H-LOAD",
		"BYTES", "IRQ-OFF", "",	      "UNSAFE", "DIFF",
	};
	const struct params *all = v->params;
	struct whatif_sum kernel, sum;
	struct whatif_diff diff;
	struct paper p = {};
	unsigned int i;

	if (!all || all->curve == all->nr)
		return;
	upper(title, param__name(all->param[all->curve].kind));
	kernel = sum_of(v, vcpu, WHATIF_KERNEL);
	sum = sum_of(v, vcpu, WHATIF_PARAM + (int)all->curve);
	if (sum.why) {
		fprintf(out, "\n%s  n/a: %s\n", title, sum.why);
		return;
	}
	begin(&p, titles);
	for (i = all->curve; i < all->nr; i++) {
		sum = sum_of(v, vcpu, WHATIF_PARAM + (int)i);
		diff = whatif_sum__diff(&sum, &kernel);
		param__value(&all->param[i], text, sizeof(text));
		put_diff(add_row(&p, text, &sum, v->cost)->cell[DIFF], &diff);
	}
	fputc('\n', out);
	print(out, &p);
}

static void one_vcpu(FILE *out, const struct view *v,
		     const struct snap_vcpu *vcpu)
{
	fprintf(out, "%s/%u (pid %u), %" PRIu64 " runs, %" PRIu64 " exits\n",
		vcpu->vm, vcpu->vcpu_id, vcpu->vm_pid, vcpu->runs, vcpu->exits);
	table(out, v, vcpu);
	curve(out, v, vcpu);
	fputc('\n', out);
}

static void all_vcpus(FILE *out, const struct view *v)
{
	struct snap_vcpu total;

	snapshot__total(v->s, &total);
	fprintf(out, "%s, %s, policy %s\n", v->s->kernel, v->s->mode,
		snap_policy__name(v->s->policy));
	fprintf(out,
		"%zu vcpus, %" PRIu64 " runs, %" PRIu64 " exits in %.1f s\n",
		v->s->nr_vcpus, total.runs, total.exits, v->s->t);
	table(out, v, NULL);
	curve(out, v, NULL);
}

static void limits(FILE *out, const struct cost *cost)
{
	if (cost->why)
		fprintf(out, "TIME is n/a: %s.\n", cost->why);
	fputs("Not in these numbers: other timing or scheduling, and code that "
	      "does without\nNEON when it is refused.\n",
	      out);
}

void view_whatif__print(FILE *out, const struct view *v, bool vcpus)
{
	size_t i;

	for (i = 0; i < v->s->nr_vcpus && vcpus; i++)
		one_vcpu(out, v, &v->s->vcpus[i]);
	all_vcpus(out, v);
	limits(out, v->cost);
	view_blame__print(out, v);
	view_prove__print(out, v, vcpus);
	fflush(out);
}
