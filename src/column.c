// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "column.h"
#include "cost.h"
#include "human.h"
#include "util.h"

static const char *vm(const void *item)
{
	return ((const struct snap_vcpu *)item)->vm;
}

static const char *state(const void *item)
{
	const struct snap_vcpu *v = item;

	return v->state == SNAP_VCPU_ENDED ? "ended" : "live";
}

#define NUMBER(name, field)                                                    \
	static uint64_t name(const void *item)                                 \
	{                                                                      \
		return ((const struct snap_vcpu *)item)->field;                \
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
	static uint64_t name(const void *item)                                 \
	{                                                                      \
		return function(&((const struct snap_vcpu *)item)->field);     \
	}

DERIVED(guest_red, snap_ops__share, guest)
DERIVED(host_red, snap_ops__share, host)
DERIVED(guest_save_red, snap_xfer__redundant, guest.save)
DERIVED(guest_load_red, snap_xfer__redundant, guest.load)
DERIVED(host_save_red, snap_xfer__redundant, host.save)
DERIVED(host_load_red, snap_xfer__redundant, host.load)

/* A state in the format of SVE is larger, and a sum has rows of different sizes. */
#define SIZE(name, field, one)                                                 \
	static uint64_t name(const void *item)                                 \
	{                                                                      \
		const struct snap_vcpu *v = item;                              \
                                                                               \
		return snap_xfer__size(&v->field, one);                        \
	}

SIZE(guest_save_bytes, guest.save, v->guest_bytes)
SIZE(guest_load_bytes, guest.load, v->guest_bytes)
SIZE(host_save_bytes, host.save, FP_FPSIMD_BYTES)
SIZE(host_load_bytes, host.load, FP_FPSIMD_BYTES)

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

#define BY(name, order)                                                        \
	static int name(const void *x, const void *y)                          \
	{                                                                      \
		const struct snap_vcpu *a = x, *b = y;                         \
                                                                               \
		return order;                                                  \
	}

BY(by_vm, strcmp(a->vm, b->vm))
BY(by_pid, ORDER(a->vm_pid, b->vm_pid))
BY(by_vcpu, ORDER(a->vcpu_id, b->vcpu_id))
BY(by_tid, ORDER(a->tid, b->tid))
BY(by_state, ORDER(a->state, b->state))

#define TEXT(w, n, d)                                                          \
	.width = w, .narrow = n, .drop = d, .left = true, .unit = UNIT_TEXT
#define ID(w, d) .width = w, .narrow = w, .drop = d, .unit = UNIT_ID
#define COUNT(d) .width = 8, .narrow = 6, .drop = d, .unit = UNIT_COUNT
#define MOVED(d) .width = 7, .narrow = 6, .drop = d, .unit = UNIT_COUNT
#define G_SAVE .bytes = guest_save_bytes
#define G_LOAD .bytes = guest_load_bytes, .load = true
#define H_SAVE .bytes = host_save_bytes
#define H_LOAD .bytes = host_load_bytes, .load = true
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
	  .json = "guest.save.done", .number = guest_save, G_SAVE,
	  .help = "the guest's state was written to memory" },
	{ "guest-load", "G-LOAD", NULL, 'O', MOVED(0),
	  .json = "guest.load.done", .number = guest_load, G_LOAD,
	  .help = "the guest's state was put into the registers" },
	{ "guest-red", "GRED", NULL, 'R', SHARE(2), .waste = true,
	  .number = guest_red,
	  .help = "share of G-SAVE and G-LOAD that was redundant" },
	{ "host-save", "H-SAVE", NULL, 'H', MOVED(5), .others = true,
	  .json = "host.save.done", .number = host_save, H_SAVE,
	  .help = "user state of the host was written to memory" },
	{ "host-load", "H-LOAD", NULL, 'D', MOVED(6), .others = true,
	  .json = "host.load.done", .number = host_load, H_LOAD,
	  .help = "user state of the host was put into the registers" },
	{ "host-red", "HRED", NULL, 'E', SHARE(4), .others = true,
	  .waste = true, .number = host_red,
	  .help = "share of H-SAVE and H-LOAD that was redundant" },
	{ "g-save-red", "G-SRED", NULL, 'W', WASTE(12),
	  .json = "guest.save.redundant", .number = guest_save_red, G_SAVE,
	  .help = "saves in G-SAVE that were redundant" },
	{ "g-load-red", "G-LRED", NULL, 'Y', WASTE(13),
	  .json = "guest.load.redundant", .number = guest_load_red, G_LOAD,
	  .help = "loads in G-LOAD that were redundant" },
	{ "h-save-red", "H-SRED", NULL, 'U', WASTE(14), .others = true,
	  .json = "host.save.redundant", .number = host_save_red, H_SAVE,
	  .help = "saves in H-SAVE that were redundant" },
	{ "h-load-red", "H-LRED", NULL, 'I', WASTE(15), .others = true,
	  .json = "host.load.redundant", .number = host_load_red, H_LOAD,
	  .help = "loads in H-LOAD that were redundant" },
};
/* clang-format on */

const size_t nr_columns = ARRAY_SIZE(columns);
_Static_assert(ARRAY_SIZE(columns) <= COLUMN_MAX, "too many columns");

const struct column *column__find(const struct column *c, size_t nr,
				  const char *id)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(c[i].id, id))
			return &c[i];
	}
	return NULL;
}

const struct column *column__by_id(const char *id)
{
	return column__find(columns, nr_columns, id);
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

static bool is_identity(const struct column *c)
{
	return c->unit == UNIT_ID || (c->unit == UNIT_TEXT && c->text != vm);
}

static bool is_blank(const struct column *c, const struct row *r)
{
	if (r->kind == ROW_ONE || !is_identity(c))
		return false;
	return r->kind != ROW_VM || (c->number != pid && c->number != vcpu);
}

void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell)
{
	if (is_blank(c, r))
		cell[0] = '\0';
	else if (c->text)
		snprintf(cell, COLUMN_CELL, "%s", c->text(r->item));
	else if (r->kind == ROW_OTHER && !c->others)
		strcpy(cell, "-");
	else if (c->unit == UNIT_SHARE)
		column__share(c->number(r->item), cell);
	else
		column__number(c->number(r->item),
			       c->unit == UNIT_COUNT ? dt : 0, cell);
}

/* ---- as somebody wants to see it ---- */

/* What a count is divided by; negative: nobody knows, 0: by nothing. */
static double divisor(const struct row *r, const struct measure *m)
{
	uint64_t exits;

	if (m->per == PER_SECOND)
		return m->dt;
	if (m->per == PER_ALL)
		return 0;
	exits = m->exits && r->kind != ROW_OTHER ? m->exits(r->item) : 0;
	return exits && exits != SNAP_NA ? (double)exits : -1;
}

static double in_bytes(const struct column *c, const struct row *r, double n,
		       const struct measure *m)
{
	double bytes = n * (double)c->bytes(r->item), one;

	if (m->in != IN_TIME)
		return bytes;
	one = c->load ? m->cost->hot.load : m->cost->hot.save;
	return bytes / FP_FPSIMD_BYTES * one;
}

double column__value(const struct column *c, const struct row *r,
		     const struct measure *m)
{
	uint64_t n = c->number ? c->number(r->item) : SNAP_NA;
	double by = divisor(r, m), x = (double)n;

	if (n == SNAP_NA || is_blank(c, r) ||
	    (r->kind == ROW_OTHER && !c->others))
		return NAN;
	if (c->unit == UNIT_SHARE)
		return x / 100;
	if (c->unit != UNIT_COUNT)
		return x;
	if (c->bytes && m->in != IN_OPS) {
		if (m->in == IN_TIME && (!m->cost || m->cost->why))
			return NAN;
		x = in_bytes(c, r, x, m);
	}
	if (by < 0)
		return NAN;
	return by > 0 ? x / by : x;
}

static void fit_count(const struct column *c, const struct row *r,
		      const struct measure *m, int width, char *cell)
{
	double x = column__value(c, r, m), by = divisor(r, m);
	uint64_t n;

	if (isnan(x)) {
		strcpy(cell,
		       by < 0 && c->number(r->item) != SNAP_NA ? "-" : "n/a");
		return;
	}
	n = (uint64_t)(x + 0.5);
	if (c->bytes && m->in == IN_BYTES)
		human__bytes(cell, COLUMN_CELL, n, n);
	else if (c->bytes && m->in == IN_TIME)
		human__ns(cell, COLUMN_CELL, n, n);
	else if (m->per == PER_EXIT && x > 0 && x < 10)
		snprintf(cell, COLUMN_CELL, "%.3f", x);
	else
		column__short(c->number(r->item), by, width, cell);
}

void column__fit(const struct column *c, const struct row *r,
		 const struct measure *m, int width, char *cell)
{
	uint64_t n = c->unit == UNIT_TIME ? c->number(r->item) : SNAP_NA;

	if (n != SNAP_NA)
		human__ns(cell, COLUMN_CELL, n, n);
	else if (c->unit != UNIT_COUNT || (r->kind == ROW_OTHER && !c->others))
		column__cell(c, r, 0, cell);
	else
		fit_count(c, r, m, width, cell);
}
