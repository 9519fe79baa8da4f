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

const struct column columns[] = {
	{ "vm", "VM", NULL, 'V', 12, true, UNIT_TEXT, "vm",
	  "name of the guest: QEMU -name, libvirt scope, or process",
	  NULL, vm, by_vm },
	{ "pid", "PID", NULL, 'P', 7, false, UNIT_ID, "vm_pid",
	  "process of the virtual machine monitor", pid, NULL, by_pid },
	{ "vcpu", "VCPU", NULL, 'C', 4, false, UNIT_ID, "vcpu",
	  "number of the vcpu in its guest", vcpu, NULL, by_vcpu },
	{ "tid", "TID", NULL, 'T', 7, false, UNIT_ID, "tid",
	  "thread that runs the vcpu", tid, NULL, by_tid },
	{ "state", "STATE", NULL, 'S', 5, true, UNIT_TEXT, "state",
	  "live, or ended", NULL, state, by_state },
	{ "run", "RUN", "RUN/s", 'N', 8, false, UNIT_COUNT, "runs",
	  "calls of KVM_RUN", runs, NULL, NULL },
	{ "exit", "EXIT", "EXIT/s", 'X', 8, false, UNIT_COUNT, "exits",
	  "exits from the guest", exits, NULL, NULL },
	{ "live", "LIVE", "LIVE/s", 'L', 8, false, UNIT_COUNT,
	  "guest_runs_live",
	  "entries with the guest's FP state still in the registers",
	  live, NULL, NULL },
	{ "guest-save", "G-SAVE", "G-SAVE", 'G', 8, false, UNIT_COUNT,
	  "guest.save.done", "the guest's state was written to memory",
	  guest_save, NULL, NULL },
	{ "guest-load", "G-LOAD", "G-LOAD", 'O', 8, false, UNIT_COUNT,
	  "guest.load.done", "the guest's state was put into the registers",
	  guest_load, NULL, NULL },
	{ "host-save", "H-SAVE", "H-SAVE", 'H', 8, false, UNIT_COUNT,
	  "host.save.done", "user state of the host was written to memory",
	  host_save, NULL, NULL },
	{ "host-load", "H-LOAD", "H-LOAD", 'D', 8, false, UNIT_COUNT,
	  "host.load.done", "user state of the host was put into the registers",
	  host_load, NULL, NULL },
};

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

void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell)
{
	uint64_t n;

	if (c->text) {
		snprintf(cell, COLUMN_CELL, "%s", r->sum && c != columns ?
			 "" : c->text(r->v));
		return;
	}
	n = c->number(r->v);
	if (c->unit == UNIT_ID)
		dt = 0;
	if (r->sum && (c->unit == UNIT_ID || n == SNAP_NA))
		strcpy(cell, c->unit == UNIT_ID ? "" : "-");
	else
		column__number(n, dt, cell);
}
