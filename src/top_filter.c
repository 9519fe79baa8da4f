// SPDX-License-Identifier: GPL-2.0-only
#include "top_filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static enum filter_op read_op(const char **text)
{
	static const struct {
		const char *sign;
		enum filter_op op;
	} ops[] = { { "<=", FILTER_AT_MOST }, { ">=", FILTER_AT_LEAST },
		    { "!=", FILTER_IS_NOT },  { "<", FILTER_LESS },
		    { ">", FILTER_MORE },     { "=", FILTER_IS } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!strncmp(*text, ops[i].sign, strlen(ops[i].sign))) {
			*text += strlen(ops[i].sign);
			return ops[i].op;
		}
	}
	return FILTER_HAS;
}

/* "1.5k" as columns print it. */
static double read_number(const char *text)
{
	static const char units[] = "kMGTPE";
	const char *unit;
	char *end;
	double x = strtod(text, &end);

	if (end == text)
		return NAN;
	unit = *end ? strchr(units, *end) : NULL;
	end += !!unit;
	for (; unit && unit >= units; unit--)
		x *= 1000;
	if (*end == '%')
		end++;
	return *end ? NAN : x;
}

static const struct column *find_column(const struct table *t, const char *id)
{
	size_t i;

	for (i = 0; i < t->nr_columns; i++) {
		if (!strcasecmp(t->columns[i].id, id) ||
		    !strcasecmp(t->columns[i].title, id))
			return &t->columns[i];
	}
	return NULL;
}

static bool read_term(struct filter_term *term, const struct table *t,
		      const char *word, char *why, size_t len)
{
	size_t name = strcspn(word, "<>=!");
	const char *rest = word + name;
	char id[64];

	*term = (struct filter_term){ .op = read_op(&rest), .number = NAN };
	snprintf(term->text, sizeof(term->text), "%s",
		 term->op == FILTER_HAS ? word : rest);
	if (term->op == FILTER_HAS)
		return true;
	snprintf(id, sizeof(id), "%.*s", (int)name, word);
	term->column = find_column(t, id);
	if (!term->column) {
		snprintf(why, len, "there is no column '%s'", id);
		return false;
	}
	term->number = read_number(rest);
	if (!term->column->number && term->op != FILTER_IS &&
	    term->op != FILTER_IS_NOT) {
		snprintf(why, len, "%s is no number: it is or it is not (= !=)",
			 id);
		return false;
	}
	if (term->column->number && isnan(term->number)) {
		snprintf(why, len, "'%s' is no number", rest);
		return false;
	}
	return true;
}

bool filter__parse(struct filter *f, const struct table *t, const char *text,
		   char *why, size_t len)
{
	char copy[128], *word, *save;

	*f = (struct filter){ .table = t };
	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		if (f->nr == FILTER_TERMS) {
			snprintf(why, len, "more than %d words", FILTER_TERMS);
			return false;
		}
		if (!read_term(&f->term[f->nr++], t, word, why, len))
			return false;
	}
	return true;
}

static bool has(const struct filter *f, const struct row *r, const char *word)
{
	char cell[COLUMN_CELL];
	const struct column *c;
	size_t i;

	for (i = 0; i < f->table->nr_columns; i++) {
		c = &f->table->columns[i];
		if (c->unit != UNIT_TEXT && c->unit != UNIT_ID)
			continue;
		column__cell(c, r, 0, cell);
		if (c->unit == UNIT_ID ? !strcmp(cell, word) :
					 !!strcasestr(cell, word))
			return true;
	}
	return false;
}

static bool compare(const struct filter *f, const struct filter_term *t,
		    const struct row *r)
{
	double x;

	if (!t->column->number)
		return !strcasecmp(t->column->text(r->item), t->text) ==
		       (t->op == FILTER_IS);
	x = column__value(t->column, r, f->measure);
	switch (t->op) {
	case FILTER_LESS:
		return x < t->number;
	case FILTER_MORE:
		return x > t->number;
	case FILTER_AT_MOST:
		return x <= t->number;
	case FILTER_AT_LEAST:
		return x >= t->number;
	case FILTER_IS:
		return x == t->number;
	default:
		return x != t->number && !isnan(x);
	}
}

bool filter__matches(const void *filter, const struct row *r)
{
	const struct filter *f = filter;
	int i;

	if (f->leaves && r->kind == ROW_VM)
		return false;
	for (i = 0; i < f->nr; i++) {
		if (f->term[i].op == FILTER_HAS ? !has(f, r, f->term[i].text) :
						  !compare(f, &f->term[i], r))
			return false;
	}
	return true;
}
