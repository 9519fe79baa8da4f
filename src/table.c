// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "util.h"

static void pin_other(struct snap_vcpu *v, const char *name,
		      const struct snap_ops *o)
{
	memset(v, 0, sizeof(*v));
	snprintf(v->vm, sizeof(v->vm), "%s", name);
	v->host = *o;
}

static void pin_all(struct snap_vcpu *pin, const struct snapshot *s)
{
	struct snap_ops o = snapshot__other(s);

	pin_other(&pin[PIN_TASK], "other: task", &s->task);
	pin_other(&pin[PIN_KERNEL], "other: NEON", &s->kernel_neon);
	pin_other(&pin[PIN_EFI], "other: EFI", &s->efi);
	pin_other(&pin[PIN_OTHER], "other", &o);
	pin[PIN_ENDED] = s->folded_sum;
	/* without a folded row: guests that were too many to be tracked */
	snprintf(pin[PIN_ENDED].vm, sizeof(pin[PIN_ENDED].vm),
		 s->folded ? "ended: %" PRIu64 : "untracked", s->folded);
	snapshot__total(s, &pin[PIN_TOTAL]);
	snprintf(pin[PIN_TOTAL].vm, sizeof(pin[PIN_TOTAL].vm), "total");
	snap_ops__add(&pin[PIN_TOTAL].host, &o);
}

int table__build(struct table *t, const struct snapshot *s)
{
	struct row *row;
	size_t i;

	if (s->nr_vcpus > t->room) {
		row = realloc(t->row, s->nr_vcpus * sizeof(*row));
		if (!row)
			return -ENOMEM;
		t->row = row;
		t->room = s->nr_vcpus;
	}
	t->nr = s->nr_vcpus;
	for (i = 0; i < t->nr; i++)
		t->row[i] = (struct row){ &s->vcpus[i], ROW_VCPU };
	pin_all(t->pin, s);
	for (i = 0; i < PIN_MAX; i++)
		t->pinned[i] = (struct row){ &t->pin[i], ROW_OTHER };
	t->pinned[PIN_ENDED].kind = ROW_SUM;
	t->pinned[PIN_TOTAL].kind = ROW_SUM;
	return 0;
}

struct order {
	const struct column *by;
	bool reverse;
};

static int by_number(const struct column *c, const struct snap_vcpu *a,
		     const struct snap_vcpu *b)
{
	/* what cannot be shown comes last */
	uint64_t x = c->number(a) + 1, y = c->number(b) + 1;

	return (x < y) - (x > y);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	const struct order *o = ctx;
	int order;

	if (o->by->compare)
		order = o->by->compare(x->v, y->v);
	else
		order = by_number(o->by, x->v, y->v);
	if (order)
		return o->reverse ? -order : order;
	return (x->v > y->v) - (x->v < y->v);
}

void table__sort(struct table *t, const struct column *by, bool reverse)
{
	struct order o = { by, reverse };

	if (by && t->nr)
		qsort_r(t->row, t->nr, sizeof(*t->row), compare, &o);
}

void table__free(struct table *t)
{
	free(t->row);
	memset(t, 0, sizeof(*t));
}
