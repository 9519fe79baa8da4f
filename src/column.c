// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "column.h"
#include "util.h"

static const char *vm(const struct snap_vcpu *v)
{
	return v->vm;
}

static const char *state(const struct snap_vcpu *v)
{
	return v->state == SNAP_VCPU_ENDED ? "ended" : "live";
}

#define NUMBER(name, field)                                                    \
	static uint64_t name(const struct snap_vcpu *v)                        \
	{                                                                      \
		return v->field;                                               \
	}

NUMBER(pid, vm_pid)
NUMBER(vcpu, vcpu_id)
NUMBER(tid, tid)
NUMBER(runs, runs)
NUMBER(exits, exits)
NUMBER(live, guest_runs_live)
NUMBER(guest_save, guest.save.done)
NUMBER(guest_load, guest.load.done)
NUMBER(host_save, host.save.done)
NUMBER(host_load, host.load.done)

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int by_vm(const struct snap_vcpu *a, const struct snap_vcpu *b)
{
	return strcmp(a->vm, b->vm);
}

static int by_pid(const struct snap_vcpu *a, const struct snap_vcpu *b)
{
	return ORDER(a->vm_pid, b->vm_pid);
}

static int by_vcpu(const struct snap_vcpu *a, const struct snap_vcpu *b)
{
	return ORDER(a->vcpu_id, b->vcpu_id);
}

static int by_tid(const struct snap_vcpu *a, const struct snap_vcpu *b)
{
	return ORDER(a->tid, b->tid);
}

static int by_state(const struct snap_vcpu *a, const struct snap_vcpu *b)
{
	return ORDER(a->state, b->state);
}

#define TEXT(w, n, d)                                                          \
	.width = w, .narrow = n, .drop = d, .left = true, .unit = UNIT_TEXT
#define ID(w, d) .width = w, .narrow = w, .drop = d, .unit = UNIT_ID
#define COUNT(d) .width = 8, .narrow = 6, .drop = d, .unit = UNIT_COUNT

/* clang-format off */
const struct column columns[] = {
	{ "vm", "VM", NULL, 'V', TEXT(12, 8, 0), .json = "vm",
	  .text = vm, .compare = by_vm,
	  .help = "name of the guest: QEMU -name, libvirt scope, or process" },
	{ "pid", "PID", NULL, 'P', ID(7, 7), .json = "vm_pid",
	  .number = pid, .compare = by_pid,
	  .help = "process of the virtual machine monitor" },
	{ "vcpu", "VCPU", NULL, 'C', ID(4, 1), .json = "vcpu",
	  .number = vcpu, .compare = by_vcpu,
	  .help = "number of the vcpu in its guest" },
	{ "tid", "TID", NULL, 'T', ID(7, 8), .json = "tid",
	  .number = tid, .compare = by_tid,
	  .help = "thread that runs the vcpu" },
	{ "state", "STATE", NULL, 'S', TEXT(5, 5, 9), .json = "state",
	  .text = state, .compare = by_state,
	  .help = "live, or ended" },
	{ "run", "RUN", "RUN/s", 'N', COUNT(6), .json = "runs",
	  .number = runs,
	  .help = "calls of KVM_RUN" },
	{ "exit", "EXIT", "EXIT/s", 'X', COUNT(2), .json = "exits",
	  .number = exits,
	  .help = "exits from the guest" },
	{ "live", "LIVE", "LIVE/s", 'L', COUNT(5), .json = "guest_runs_live",
	  .number = live,
	  .help = "entries with the guest's FP state still in the registers" },
	{ "guest-save", "G-SAVE", NULL, 'G', COUNT(0),
	  .json = "guest.save.done", .number = guest_save,
	  .help = "the guest's state was written to memory" },
	{ "guest-load", "G-LOAD", NULL, 'O', COUNT(0),
	  .json = "guest.load.done", .number = guest_load,
	  .help = "the guest's state was put into the registers" },
	{ "host-save", "H-SAVE", NULL, 'H', COUNT(3),
	  .json = "host.save.done", .number = host_save,
	  .help = "user state of the host was written to memory" },
	{ "host-load", "H-LOAD", NULL, 'D', COUNT(4),
	  .json = "host.load.done", .number = host_load,
	  .help = "user state of the host was put into the registers" },
};
/* clang-format on */

const size_t nr_columns = ARRAY_SIZE(columns);

const struct column *column__by_id(const char *id)
{
	size_t i;

	for (i = 0; i < nr_columns; i++) {
		if (!strcmp(columns[i].id, id))
			return &columns[i];
	}
	return NULL;
}

const struct column *column__by_key(int key)
{
	size_t i;

	for (i = 0; i < nr_columns; i++) {
		if (columns[i].key == key)
			return &columns[i];
	}
	return NULL;
}

const char *column__title(const struct column *c, bool rate)
{
	return rate && c->rate_title ? c->rate_title : c->title;
}

void column__number(uint64_t n, double dt, char *cell)
{
	double rate;

	if (n == SNAP_NA) {
		strcpy(cell, "n/a");
		return;
	}
	if (dt <= 0) {
		snprintf(cell, COLUMN_CELL, "%" PRIu64, n);
		return;
	}
	rate = (double)n / dt;
	snprintf(cell, COLUMN_CELL, "%.*f", n && rate < 10 ? 1 : 0, rate);
}

static bool is_vm(const struct column *c)
{
	return c->text == vm;
}

void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell)
{
	bool blank = r->kind != ROW_VCPU && c->unit != UNIT_COUNT && !is_vm(c);

	if (blank)
		cell[0] = '\0';
	else if (c->text)
		snprintf(cell, COLUMN_CELL, "%s", c->text(r->v));
	else if (r->kind == ROW_OTHER && c->number(r->v) == SNAP_NA)
		strcpy(cell, "-");
	else
		column__number(c->number(r->v), c->unit == UNIT_COUNT ? dt : 0,
			       cell);
}

void column__fit(const struct column *c, const struct row *r, double dt,
		 int width, char *cell)
{
	const char *unit = "kMGTPE";
	double n;

	column__cell(c, r, dt, cell);
	if (c->unit != UNIT_COUNT || (int)strlen(cell) <= width)
		return;
	n = (double)c->number(r->v) / (dt > 0 ? dt : 1) / 1000;
	for (; n >= 1000 && unit[1]; unit++)
		n /= 1000;
	snprintf(cell, COLUMN_CELL, "%.*f%c", n < 100 && width > 4 ? 1 : 0, n,
		 *unit);
}
