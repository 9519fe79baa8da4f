// SPDX-License-Identifier: GPL-2.0-only
#include "blame.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/counters.h"
#include "snapshot.h"
#include "util.h"

enum { UNDECIDED = -1 };

/* What a save on this CPU would be blamed on. */
struct cpu {
	uint64_t caller; /* of kernel_neon_begin(), the last time */
	uint32_t next; /* thread that the last switch let in */
	bool leaving; /* saved, and the reason why KVM_RUN returns comes later */
	uint32_t slot; /* whose state that was */
};

/* Of the vcpu in a slot. */
struct life {
	bool seen;
	uint32_t cpu; /* where its state was live last */
	int row; /* who took it there, or UNDECIDED */
};

struct blame {
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct life life[FP_MAX_VCPUS];
	struct blame_namer namer;
	int nr, room;
	struct blame_row *row;
	struct blame_row *sorted;
};

struct blame *blame__new(unsigned int cpus, struct blame_namer namer)
{
	struct blame *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->nr_cpus = cpus;
	b->namer = namer;
	b->cpus = calloc(cpus, sizeof(*b->cpus));
	if (b->cpus)
		return b;
	free(b);
	return NULL;
}

void blame__free(struct blame *b)
{
	if (!b)
		return;
	free(b->cpus);
	free(b->row);
	free(b->sorted);
	free(b);
}

static int new_row(struct blame *b, uint8_t cause, uint8_t kind, uint64_t id)
{
	int room = b->room ? 2 * b->room : 16;
	struct blame_row *row;

	if (b->nr == b->room) {
		row = reallocarray(b->row, (size_t)room, sizeof(*row));
		if (!row)
			return -ENOMEM;
		b->row = row;
		b->room = room;
	}
	row = &b->row[b->nr];
	*row = (struct blame_row){ .cause = cause, .kind = kind, .id = id };
	if (b->namer.name)
		b->namer.name(b->namer.ctx, kind, id, row->who,
			      sizeof(row->who));
	return b->nr++;
}

/* Returns a row, -ENOENT or -ENOMEM. */
static int find_row(struct blame *b, uint8_t cause, uint8_t kind, uint64_t id)
{
	int i;

	for (i = 0; i < b->nr; i++) {
		if (b->row[i].cause == cause && b->row[i].kind == kind &&
		    b->row[i].id == id)
			return i;
	}
	return -ENOENT;
}

/* Callers are few, but tasks come and go. Returns a row, or -ENOMEM. */
static int want_row(struct blame *b, uint8_t cause, uint8_t kind, uint64_t id)
{
	int row = find_row(b, cause, kind, id);

	if (row == -ENOENT && b->nr >= BLAME_MAX && kind != BLAME_OTHERS)
		return want_row(b, cause, BLAME_OTHERS, 0);
	return row == -ENOENT ? new_row(b, cause, kind, id) : row;
}

static int blame_save(struct blame *b, uint32_t slot, uint8_t cause,
		      enum blame_kind kind, uint64_t id)
{
	int row = want_row(b, cause, kind, id);

	if (row < 0)
		return row;
	b->row[row].saves++;
	if (slot < FP_MAX_VCPUS)
		b->life[slot].row = row;
	return 0;
}

/* KVM_RUN returned, or somebody came in before it did. */
static int leave(struct blame *b, struct cpu *c, enum blame_kind kind,
		 uint64_t reason)
{
	if (!c->leaving)
		return 0;
	c->leaving = false;
	return blame_save(b, c->slot, FP_CAUSE_USER_RETURN, kind, reason);
}

static int on_save(struct blame *b, struct cpu *c, uint32_t slot, uint8_t cause)
{
	int err = leave(b, c, BLAME_NOBODY, 0);

	if (err)
		return err;
	switch (cause) {
	case FP_CAUSE_SOFTIRQ_NEON:
	case FP_CAUSE_TASK_NEON:
		return blame_save(b, slot, cause, BLAME_FUNCTION, c->caller);
	case FP_CAUSE_PREEMPT:
	case FP_CAUSE_BLOCK:
		return blame_save(b, slot, cause, BLAME_TASK, c->next);
	case FP_CAUSE_USER_RETURN:
		c->leaving = true;
		c->slot = slot;
		return 0;
	default:
		return blame_save(b, slot, cause, BLAME_NOBODY, 0);
	}
}

/* Who took what is loaded now? */
static int on_load(struct blame *b, const struct fp_rec *rec)
{
	struct life *life;
	int row;

	if (rec->slot >= FP_MAX_VCPUS)
		return 0;
	life = &b->life[rec->slot];
	if (!life->seen)
		row = want_row(b, BLAME_FIRST, BLAME_NOBODY, 0);
	else if (life->cpu != rec->cpu)
		row = want_row(b, BLAME_MIGRATE, BLAME_NOBODY, 0);
	else
		row = life->row;
	if (row == UNDECIDED) /* its save was not seen */
		row = want_row(b, FP_CAUSE_NONE, BLAME_NOBODY, 0);
	if (row < 0)
		return row;
	b->row[row].loads++;
	*life = (struct life){ true, rec->cpu, UNDECIDED };
	return 0;
}

static int on_event(struct blame *b, struct cpu *c, const struct fp_rec *rec)
{
	switch (rec->ev.kind) {
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
		c->caller = rec->other ? rec->other : c->caller;
		return 0;
	case FP_EV_SWITCH:
		c->next = rec->ev.gen;
		return leave(b, c, BLAME_NOBODY, 0);
	case FP_EV_RUN_END:
		return leave(b, c, BLAME_EXIT, rec->other);
	case FP_EV_VCPU_END:
		if (rec->slot < FP_MAX_VCPUS)
			b->life[rec->slot] = (struct life){};
		return 0;
	default:
		return 0;
	}
}

/* More than half of all records: at once. */
static bool tells_nothing(const struct fp_rec *rec, uint32_t ops)
{
	return !(ops & FP_OP_GUEST_SAVE) &&
	       (rec->ev.kind == FP_EV_SAVE || rec->ev.kind == FP_EV_LOAD ||
		rec->ev.kind == FP_EV_VLOAD);
}

int blame__feed(struct blame *b, const struct fp_rec *rec, uint32_t step)
{
	uint32_t ops = FP_OPS(step);
	struct cpu *c;

	if (tells_nothing(rec, ops) || rec->cpu >= b->nr_cpus)
		return 0;
	c = &b->cpus[rec->cpu];
	if (ops & FP_OP_GUEST_SAVE)
		return on_save(b, c, rec->slot, FP_CAUSE(step));
	if (ops & FP_OP_GUEST_LOAD)
		return on_load(b, rec);
	return on_event(b, c, rec);
}

static int by_saves(const void *a, const void *b)
{
	const struct blame_row *x = a, *y = b;

	if (x->saves != y->saves)
		return x->saves < y->saves ? 1 : -1;
	return (x->loads < y->loads) - (x->loads > y->loads);
}

const struct blame_row *blame__rows(struct blame *b, size_t *nr)
{
	*nr = 0;
	free(b->sorted);
	b->sorted = b->nr ? calloc((size_t)b->nr, sizeof(*b->row)) : NULL;
	if (!b->sorted)
		return NULL;
	*nr = (size_t)b->nr;
	memcpy(b->sorted, b->row, *nr * sizeof(*b->row));
	qsort(b->sorted, *nr, sizeof(*b->row), by_saves);
	return b->sorted;
}

const char *blame__cause(uint8_t cause)
{
	if (cause == BLAME_FIRST)
		return "first";
	if (cause == BLAME_MIGRATE)
		return "migrate";
	return snap_cause__name(cause);
}

const char *blame__exit_reason(uint64_t reason)
{
	static const char *const names[] = {
		[KVM_EXIT_UNKNOWN] = "unknown",
		[KVM_EXIT_HYPERCALL] = "hypercall",
		[KVM_EXIT_DEBUG] = "debug",
		[KVM_EXIT_MMIO] = "mmio",
		[KVM_EXIT_SHUTDOWN] = "shutdown",
		[KVM_EXIT_FAIL_ENTRY] = "fail-entry",
		[KVM_EXIT_INTR] = "signal",
		[KVM_EXIT_INTERNAL_ERROR] = "internal-error",
		[KVM_EXIT_SYSTEM_EVENT] = "system-event",
		[KVM_EXIT_ARM_NISV] = "arm-nisv",
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : NULL;
}
