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

void table__begin(struct table *t, const struct column *c, size_t nr)
{
	t->columns = c;
	t->nr_columns = nr;
	t->nr = 0;
	t->has_pins = false;
}

int table__add(struct table *t, const struct row *r)
{
	size_t room = t->room ? 2 * t->room : 64;
	struct row *rows;

	if (t->nr == t->room) {
		rows = reallocarray(t->row, room, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		t->row = rows;
		t->room = room;
	}
	t->row[t->nr++] = *r;
	return 0;
}

void *table__items(struct table *t, size_t nr, size_t size)
{
	free(t->items);
	t->items = calloc(nr + 1, size);
	return t->items;
}

static void add_pins(struct table *t, const struct snapshot *s)
{
	size_t i;

	pin_all(t->pin, s);
	for (i = 0; i < PIN_MAX; i++)
		t->pinned[i] = (struct row){ &t->pin[i], .kind = ROW_OTHER };
	t->pinned[PIN_ENDED].kind = ROW_SUM;
	t->pinned[PIN_TOTAL].kind = ROW_SUM;
	t->has_pins = true;
}

static uint64_t id_of(const struct snap_vcpu *v)
{
	return (uint64_t)v->slot << 32 | v->gen;
}

static int add_vcpu(struct table *t, const struct snap_vcpu *v,
		    const struct snap_vcpu *vm)
{
	return table__add(t, &(struct row){ v, .id = id_of(v), .head = vm });
}

int table__build(struct table *t, const struct snapshot *s)
{
	size_t i;
	int err = 0;

	table__begin(t, columns, nr_columns);
	for (i = 0; i < s->nr_vcpus && !err; i++)
		err = add_vcpu(t, &s->vcpus[i], NULL);
	add_pins(t, s);
	return err;
}

/* ---- a tree ---- */

/* Vcpus of one VM come one after the other. */
static size_t end_of_vm(const struct snapshot *s, size_t i)
{
	const struct snap_vcpu *v = &s->vcpus[i];

	do
		i++;
	while (i < s->nr_vcpus && s->vcpus[i].vm_pid == v->vm_pid &&
	       !strcmp(s->vcpus[i].vm, v->vm));
	return i;
}

static void sum_vm(struct snap_vcpu *vm, const struct snapshot *s, size_t i,
		   size_t end)
{
	struct snapshot part = { .nr_vcpus = end - i, .vcpus = &s->vcpus[i] };

	snapshot__total(&part, vm);
	memcpy(vm->vm, s->vcpus[i].vm, sizeof(vm->vm));
	vm->vm_pid = s->vcpus[i].vm_pid;
	vm->guest_bytes = s->vcpus[i].guest_bytes;
	vm->vcpu_id = (uint32_t)(end - i);
}

static int add_vm(struct table *t, const struct snapshot *s, size_t i,
		  size_t end, struct snap_vcpu *vm, bool vcpus)
{
	int err;

	sum_vm(vm, s, i, end);
	err = table__add(t, &(struct row){ vm, ROW_VM,
					   .id = TABLE_VM | vm->vm_pid });
	for (; vcpus && i < end && !err; i++)
		err = add_vcpu(t, &s->vcpus[i], vm);
	return err;
}

int table__tree(struct table *t, const struct snapshot *s, bool vcpus)
{
	struct snap_vcpu *vm;
	size_t i, end;
	int err = 0;

	table__begin(t, columns, nr_columns);
	add_pins(t, s);
	vm = table__items(t, s->nr_vcpus, sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	for (i = 0; i < s->nr_vcpus && !err; i = end) {
		end = end_of_vm(s, i);
		err = add_vm(t, s, i, end, vm++, vcpus);
	}
	return err;
}

/* ---- order ---- */

struct order {
	const struct column *by;
	bool reverse;
};

static int by_number(const struct column *c, const void *a, const void *b)
{
	/* what cannot be shown comes last */
	uint64_t x = c->number(a) + 1, y = c->number(b) + 1;

	return (x < y) - (x > y);
}

static int by_item(const void *x, const void *y, const struct order *o)
{
	int order = o->by->compare ? o->by->compare(x, y) :
				     by_number(o->by, x, y);

	if (order)
		return o->reverse ? -order : order;
	return (x > y) - (x < y);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	const void *head = x->head ? x->head : x->item;
	const void *other = y->head ? y->head : y->item;

	if (head != other)
		return by_item(head, other, ctx);
	if (!x->head || !y->head)
		return !!x->head - !!y->head;
	return by_item(x->item, y->item, ctx);
}

void table__sort(struct table *t, const struct column *by, bool reverse)
{
	struct order o = { by, reverse };

	if (by && t->nr)
		qsort_r(t->row, t->nr, sizeof(*t->row), compare, &o);
}

void table__filter(struct table *t,
		   bool (*keep)(const void *ctx, const struct row *r),
		   const void *ctx)
{
	size_t i, nr = 0;
	struct row *head = NULL, r;

	for (i = 0; i < t->nr; i++) {
		r = t->row[i];
		if (keep(ctx, &r)) {
			if (head && r.head == head->item)
				t->row[nr++] = *head;
			head = NULL;
			t->row[nr++] = r;
		} else if (!r.head) {
			head = &t->row[i];
		}
	}
	t->nr = nr;
}

void table__free(struct table *t)
{
	free(t->items);
	free(t->row);
	memset(t, 0, sizeof(*t));
}
