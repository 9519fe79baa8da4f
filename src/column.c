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

#define DERIVED(name, function, field)                                         \
	static uint64_t name(const struct snap_vcpu *v)                        \
	{                                                                      \
		return function(&v->field);                                    \
	}

DERIVED(guest_red, snap_ops__share, guest)
DERIVED(host_red, snap_ops__share, host)
DERIVED(guest_save_red, snap_xfer__redundant, guest.save)
DERIVED(guest_load_red, snap_xfer__redundant, guest.load)
DERIVED(host_save_red, snap_xfer__redundant, host.save)
DERIVED(host_load_red, snap_xfer__redundant, host.load)

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
#define MOVED(d) .width = 7, .narrow = 6, .drop = d, .unit = UNIT_COUNT
#define WASTE(d) .width = 6, .narrow = 6, .drop = d, .unit = UNIT_COUNT
#define SHARE(d) .width = 4, .narrow = 4, .drop = d, .unit = UNIT_SHARE

/* clang-format off */
const struct column columns[] = {
	{ "vm", "VM", NULL, 'V', TEXT(12, 8, 0), .json = "vm",
	  .text = vm, .compare = by_vm,
	  .help = "name of the guest: QEMU -name, libvirt scope, or process" },
	{ "pid", "PID", NULL, 'P', ID(7, 9), .json = "vm_pid",
	  .number = pid, .compare = by_pid,
	  .help = "process of the virtual machine monitor" },
	{ "vcpu", "VCPU", NULL, 'C', ID(4, 1), .json = "vcpu",
	  .number = vcpu, .compare = by_vcpu,
	  .help = "number of the vcpu in its guest" },
	{ "tid", "TID", NULL, 'T', ID(7, 10), .json = "tid",
	  .number = tid, .compare = by_tid,
	  .help = "thread that runs the vcpu" },
	{ "state", "STATE", NULL, 'S', TEXT(5, 5, 11), .json = "state",
	  .text = state, .compare = by_state,
	  .help = "live, or ended" },
	{ "run", "RUN", "RUN/s", 'N', COUNT(8), .json = "runs",
	  .number = runs,
	  .help = "calls of KVM_RUN" },
	{ "exit", "EXIT", "EXIT/s", 'X', COUNT(3), .json = "exits",
	  .number = exits,
	  .help = "exits from the guest" },
	{ "live", "LIVE", "LIVE/s", 'L', COUNT(7), .json = "guest_runs_live",
	  .number = live,
	  .help = "entries with the guest's FP state still in the registers" },
	{ "guest-save", "G-SAVE", NULL, 'G', MOVED(0),
	  .json = "guest.save.done", .number = guest_save,
	  .help = "the guest's state was written to memory" },
	{ "guest-load", "G-LOAD", NULL, 'O', MOVED(0),
	  .json = "guest.load.done", .number = guest_load,
	  .help = "the guest's state was put into the registers" },
	{ "guest-red", "GRED", NULL, 'R', SHARE(2), .number = guest_red,
	  .help = "share of G-SAVE and G-LOAD that was redundant" },
	{ "host-save", "H-SAVE", NULL, 'H', MOVED(5), .others = true,
	  .json = "host.save.done", .number = host_save,
	  .help = "user state of the host was written to memory" },
	{ "host-load", "H-LOAD", NULL, 'D', MOVED(6), .others = true,
	  .json = "host.load.done", .number = host_load,
	  .help = "user state of the host was put into the registers" },
	{ "host-red", "HRED", NULL, 'E', SHARE(4), .others = true,
	  .number = host_red,
	  .help = "share of H-SAVE and H-LOAD that was redundant" },
	{ "g-save-red", "G-SRED", NULL, 'W', WASTE(12),
	  .json = "guest.save.redundant", .number = guest_save_red,
	  .help = "saves in G-SAVE that were redundant" },
	{ "g-load-red", "G-LRED", NULL, 'Y', WASTE(13),
	  .json = "guest.load.redundant", .number = guest_load_red,
	  .help = "loads in G-LOAD that were redundant" },
	{ "h-save-red", "H-SRED", NULL, 'U', WASTE(14), .others = true,
	  .json = "host.save.redundant", .number = host_save_red,
	  .help = "saves in H-SAVE that were redundant" },
	{ "h-load-red", "H-LRED", NULL, 'I', WASTE(15), .others = true,
	  .json = "host.load.redundant", .number = host_load_red,
	  .help = "loads in H-LOAD that were redundant" },
};
/* clang-format on */

const size_t nr_columns = ARRAY_SIZE(columns);
_Static_assert(ARRAY_SIZE(columns) <= COLUMN_MAX, "too many columns");

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

void column__short(uint64_t n, double dt, int width, char *cell)
{
	const char *unit = "kMGTPE";
	double x;

	column__number(n, dt, cell);
	if ((int)strlen(cell) <= width)
		return;
	x = (double)n / (dt > 0 ? dt : 1) / 1000;
	for (; x >= 1000 && unit[1]; unit++)
		x /= 1000;
	snprintf(cell, COLUMN_CELL, "%.*f%c", x < 100 && width > 4 ? 1 : 0, x,
		 *unit);
}

void column__share(uint64_t share, char *cell)
{
	if (share == SNAP_NA)
		strcpy(cell, "n/a");
	else if (share && share < 100)
		strcpy(cell, "<1%");
	else
		snprintf(cell, COLUMN_CELL, "%" PRIu64 "%%", share / 100);
}

static bool is_vm(const struct column *c)
{
	return c->text == vm;
}

static bool is_identity(const struct column *c)
{
	return c->unit == UNIT_ID || (c->unit == UNIT_TEXT && !is_vm(c));
}

void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell)
{
	if (r->kind != ROW_VCPU && is_identity(c))
		cell[0] = '\0';
	else if (c->text)
		snprintf(cell, COLUMN_CELL, "%s", c->text(r->v));
	else if (r->kind == ROW_OTHER && !c->others)
		strcpy(cell, "-");
	else if (c->unit == UNIT_SHARE)
		column__share(c->number(r->v), cell);
	else
		column__number(c->number(r->v), c->unit == UNIT_COUNT ? dt : 0,
			       cell);
}

void column__fit(const struct column *c, const struct row *r, double dt,
		 int width, char *cell)
{
	column__cell(c, r, dt, cell);
	if (c->unit == UNIT_COUNT && (int)strlen(cell) > width)
		column__short(c->number(r->v), dt, width, cell);
}
