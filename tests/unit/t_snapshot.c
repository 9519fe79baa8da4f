// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "conserve.h"
#include "snapshot.h"

static struct snap_xfer xfer(uint64_t done)
{
	return (struct snap_xfer){ .done = done, .unknown = done,
				   .bytes = 520 * done, .irqoff = SNAP_NA };
}

static struct snap_vcpu row(uint32_t slot, uint32_t gen, uint64_t n)
{
	struct snap_vcpu v = { .slot = slot, .gen = gen, .runs = n,
			       .exits = 10 * n, .guest_runs_live = 9 * n };

	v.guest.save = xfer(2 * n);
	v.guest.load = xfer(3 * n);
	v.host.save = xfer(4 * n);
	v.host.load = xfer(5 * n);
	v.cause[FP_CAUSE_BLOCK] = 2 * n;
	return v;
}

static struct snapshot shot(double t, const struct snap_vcpu *rows, size_t nr)
{
	struct snapshot s = { .t = t, .dt = t, .nr_vcpus = nr };

	s.vcpus = calloc(nr + 1, sizeof(*s.vcpus));
	assert_non_null(s.vcpus);
	if (nr)
		memcpy(s.vcpus, rows, nr * sizeof(*rows));
	return s;
}

static struct snapshot delta(const struct snapshot *now,
			     const struct snapshot *before)
{
	struct snapshot d;

	assert_int_equal(snapshot__delta(&d, now, before), 0);
	return d;
}

/* What has no verdict yet: a save is pending, a load unknown. */
static void reads_verdicts(void **state)
{
	struct fp_ops raw = { .save = 20, .load = 10,
			      .verdict = {
				      [FP_VERDICT_NEEDED] = 8,
				      [FP_VERDICT_CLEAN] = 1,
				      [FP_VERDICT_UNCLOBBERED] = 2,
				      [FP_VERDICT_DEAD] = 3,
				      [FP_VERDICT_UNKNOWN] = 4,
				      [FP_VERDICT_LOAD_NEEDED] = 5,
				      [FP_VERDICT_LOAD_LIVE] = 4,
			      } };
	struct snap_ops o = snap_ops__read(&raw, 520);

	(void)state;
	assert_int_equal(o.save.done, 20);
	assert_int_equal(o.save.needed, 8);
	assert_int_equal(o.save.redundant, 6);
	assert_int_equal(o.save.unknown, 4);
	assert_int_equal(o.save.pending, 2);
	assert_int_equal(o.save.bytes, 20 * 520);
	assert_int_equal(o.load.needed, 5);
	assert_int_equal(o.load.redundant, 4);
	assert_int_equal(o.load.unknown, 1);
	assert_int_equal(o.load.pending, 0);
	snap_ops__unjudge(&o);
	assert_int_equal(o.save.done, 20);
	assert_int_equal(o.save.unknown, 20);
	assert_int_equal(o.save.needed + o.save.redundant + o.save.pending, 0);
	assert_int_equal(snap_ops__read(&raw, SNAP_NA).load.bytes, SNAP_NA);
	raw.save_more = 3 * 1672;
	raw.load_more = 1672;
	assert_int_equal(snap_ops__read(&raw, 520).save.bytes,
			 20 * 520 + 3 * 1672);
	assert_int_equal(snap_ops__read(&raw, 520).load.bytes, 10 * 520 + 1672);
	raw.unseen = 1;
	assert_int_equal(snap_ops__read(&raw, 520).save.bytes, SNAP_NA);
	assert_int_equal(snap_ops__read(&raw, 520).load.bytes, SNAP_NA);
}

static void subtracts_row_by_row(void **state)
{
	struct snap_vcpu a[] = { row(7, 1, 10), row(3, 5, 20) };
	struct snap_vcpu b[] = { row(3, 5, 50), row(7, 1, 11), row(9, 1, 6) };
	struct snapshot s = shot(1, a, 2), n = shot(3.5, b, 3), d;

	(void)state;
	s.missed = 4;
	n.missed = 6;
	d = delta(&n, &s);
	assert_true(d.t == 3.5 && d.dt == 2.5);
	assert_int_equal(d.missed, 2);
	assert_int_equal(d.nr_vcpus, 3);
	assert_int_equal(d.vcpus[0].runs, 30);
	assert_int_equal(d.vcpus[0].host.load.done, 150);
	assert_int_equal(d.vcpus[0].host.load.unknown, 150);
	assert_int_equal(d.vcpus[0].host.load.bytes, 520 * 150);
	assert_true(d.vcpus[0].host.load.irqoff == SNAP_NA);
	assert_int_equal(d.vcpus[0].cause[FP_CAUSE_BLOCK], 60);
	assert_int_equal(d.vcpus[1].runs, 1);
	assert_int_equal(d.vcpus[2].runs, 6); /* new: all of it */
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
}

static void a_slot_taken_again_is_new(void **state)
{
	struct snap_vcpu a = row(7, 1, 10), b = row(7, 2, 3);
	struct snapshot s = shot(1, &a, 1), n = shot(2, &b, 1), d;

	(void)state;
	d = delta(&n, &s);
	assert_int_equal(d.nr_vcpus, 1);
	assert_int_equal(d.vcpus[0].runs, 3);
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
}

static void counters_that_vanish_are_not_huge(void **state)
{
	struct snap_vcpu a = row(7, 1, 10), b = row(7, 1, 4);
	struct snapshot s = shot(2, &a, 1), n = shot(1, &b, 1), d;

	(void)state;
	s.events[FP_EV_SAVE] = 9;
	d = delta(&n, &s);
	assert_int_equal(d.vcpus[0].exits, 0);
	assert_int_equal(d.vcpus[0].guest.save.bytes, 0);
	assert_int_equal(d.events[FP_EV_SAVE], 0);
	assert_true(d.dt == 0);
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
}

static void levels_stay_levels(void **state)
{
	struct snap_vcpu a = row(7, 1, 10), b = row(7, 1, 12);
	struct snapshot s, n, d;

	(void)state;
	a.guest.save.pending = 1;
	b.guest.save.pending = 2;
	s = shot(1, &a, 1);
	n = shot(2, &b, 1);
	d = delta(&n, &s);
	assert_int_equal(d.vcpus[0].guest.save.pending, 2);
	assert_int_equal(d.vcpus[0].guest.save.pending_before, 1);
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
}

static void not_available_stays_so(void **state)
{
	struct snap_vcpu a = row(7, 1, 10), b = row(7, 1, 12), total;
	struct snapshot s, n, d;

	(void)state;
	a.guest.save.done = SNAP_NA;
	b.guest.save.done = SNAP_NA;
	s = shot(1, &a, 1);
	n = shot(2, &b, 1);
	d = delta(&n, &s);
	assert_true(d.vcpus[0].guest.save.done == SNAP_NA);
	snapshot__total(&d, &total);
	assert_true(total.guest.save.done == SNAP_NA);
	assert_int_equal(total.host.save.done, 8);
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
}

static void what_a_vcpu_needed(void **state)
{
	struct snap_vcpu v = { .guest_runs_live = 90,
			       .guest = { { .done = 9, .needed = 5 },
					  { .done = 8, .needed = 4 } },
			       .host = { { .done = 7, .needed = 3 },
					 { .done = 6, .needed = 2 } } };

	(void)state;
	v.cause[FP_CAUSE_SOFTIRQ_NEON] = 2;
	v.cause[FP_CAUSE_TASK_NEON] = 1;
	assert_int_equal(snap_vcpu__oracle(&v).save, 8);
	assert_int_equal(snap_vcpu__oracle(&v).load, 6);
	assert_int_equal(snap_vcpu__window(&v).n, 98);
	assert_int_equal(snap_vcpu__window(&v).hit_softirq, 2);
	assert_int_equal(snap_vcpu__window(&v).hit_task, 1);
	v.guest.save.done = SNAP_NA;
	assert_true(snap_vcpu__oracle(&v).save == SNAP_NA);
	assert_true(snap_vcpu__oracle(&v).load == SNAP_NA);
	assert_true(snap_vcpu__window(&v).n == SNAP_NA);
	assert_true(snap_vcpu__window(&v).hit_softirq == SNAP_NA);
	assert_true(snap_vcpu__window(&v).hit_task == SNAP_NA);
}

/* Whatever ends and is folded: the intervals add up to the whole. */
static void intervals_add_up(void **state)
{
	struct snap_vcpu a[] = { row(1, 1, 10), row(2, 1, 20) };
	struct snap_vcpu b[] = { row(1, 1, 30), row(2, 1, 25) };
	struct snap_vcpu c[] = { row(2, 1, 40), row(1, 2, 5) };
	struct snapshot s = shot(1, a, 2), m = shot(2, b, 2), n = shot(3, c, 2);
	struct snapshot d1, d2, all;
	struct snap_vcpu t1, t2, t;

	(void)state;
	n.folded = 1;
	n.folded_sum = row(0, 0, 33); /* (1, 1) did 3 more before it ended */
	d1 = delta(&m, &s);
	d2 = delta(&n, &m);
	all = delta(&n, &s);
	assert_int_equal(d2.folded, 1);
	assert_int_equal(d2.folded_sum.runs, 3);
	assert_int_equal(d2.folded_sum.host.load.done, 15);
	snapshot__total(&d1, &t1);
	snapshot__total(&d2, &t2);
	snapshot__total(&all, &t);
	assert_int_equal(t.runs, t1.runs + t2.runs);
	assert_int_equal(t.host.load.unknown,
			 t1.host.load.unknown + t2.host.load.unknown);
	assert_int_equal(t.cause[FP_CAUSE_BLOCK],
			 t1.cause[FP_CAUSE_BLOCK] + t2.cause[FP_CAUSE_BLOCK]);
	snapshot__free(&s);
	snapshot__free(&m);
	snapshot__free(&n);
	snapshot__free(&d1);
	snapshot__free(&d2);
	snapshot__free(&all);
}

static void what_has_no_row_counts_too(void **state)
{
	struct snap_vcpu a = row(1, 1, 10), t;
	struct snapshot s = shot(1, &a, 1);

	(void)state;
	assert_false(snapshot__has_folded(&s));
	s.folded_sum.guest.save.done = SNAP_NA;
	s.folded_sum.guest.load.done = SNAP_NA;
	assert_false(snapshot__has_folded(&s));
	s.folded_sum = row(0, 0, 5); /* untracked: no row, nothing folded */
	assert_true(snapshot__has_folded(&s));
	snapshot__total(&s, &t);
	assert_int_equal(t.exits, 150);
	snapshot__free(&s);
}

static void what_efi_hides_is_left_out(void **state)
{
	struct snapshot s = { .task = { xfer(9), xfer(8) },
			      .kernel_neon = { xfer(3), xfer(2) },
			      .efi = { xfer(1), xfer(1) } };

	(void)state;
	assert_int_equal(snapshot__other(&s).save.done, 13);
	assert_int_equal(snapshot__other(&s).load.unknown, 11);
	s.folded_sum = row(0, 0, 10);
	assert_int_equal(snapshot__all(&s).save.done, 13 + 60);
	assert_int_equal(snapshot__all(&s).load.unknown, 11 + 80);
	s.efi.save.done = SNAP_NA;
	s.efi.load.done = SNAP_NA;
	assert_int_equal(snapshot__other(&s).save.done, 12);
	assert_int_equal(snapshot__other(&s).load.done, 10);
	s.folded_sum.guest.save.done = SNAP_NA;
	assert_true(snapshot__all(&s).save.done == SNAP_NA);
}

static void without_a_before_it_is_a_copy(void **state)
{
	struct snap_vcpu a = row(1, 1, 10);
	struct snapshot s = shot(4, &a, 1), d;

	(void)state;
	d = delta(&s, NULL);
	assert_ptr_not_equal(d.vcpus, s.vcpus);
	assert_memory_equal(d.vcpus, s.vcpus, sizeof(a));
	assert_true(d.dt == 4);
	snapshot__free(&d);
	snapshot__free(&d); /* twice is fine */
	snapshot__free(NULL);
	snapshot__free(&s);
}

static bool conserved(const struct snapshot *s)
{
	char why[256] = "";
	bool ok = conserve__check(s, why, sizeof(why));

	assert_true(ok == !why[0]);
	return ok;
}

/* The interval from @was to @is: of a row that stays, or that is folded. */
static bool interval_conserved(struct snap_xfer was, struct snap_xfer is,
			       bool load, bool fold)
{
	struct snap_vcpu a = row(1, 1, 10), b = row(1, 1, 10);
	struct snapshot s, n, d;
	bool ok;

	*(load ? &a.host.load : &a.host.save) = was;
	*(load ? &b.host.load : &b.host.save) = is;
	s = shot(1, &a, 1);
	n = shot(2, &b, !fold);
	n.folded = fold;
	if (fold)
		n.folded_sum = b;
	assert_true(conserved(&s) && conserved(&n));
	d = delta(&n, &s);
	ok = conserved(&d);
	snapshot__free(&s);
	snapshot__free(&n);
	snapshot__free(&d);
	return ok;
}

#define XFER(...) ((struct snap_xfer){ __VA_ARGS__ })

static void an_interval_is_conserved(void **state)
{
	struct snap_xfer before = XFER(.done = 9, .needed = 6, .clean = 1,
				       .redundant = 1, .pending = 2);
	int fold;

	(void)state;
	for (fold = 0; fold < 2; fold++) {
		/* both were decided; of three more, one waits */
		assert_true(interval_conserved(
			before,
			XFER(.done = 12, .needed = 8, .redundant = 2,
			     .clean = 1, .dead = 1, .unknown = 1, .pending = 1),
			false, fold));
		/* what was needed is redundant now */
		assert_false(interval_conserved(
			before,
			XFER(.done = 10, .needed = 5, .redundant = 5,
			     .dead = 5),
			false, fold));
		assert_false(interval_conserved(
			XFER(.done = 5, .needed = 5),
			XFER(.done = 6, .redundant = 6), true, fold));
		/* a save was unknown, and isn't any more */
		assert_false(interval_conserved(
			XFER(.done = 5, .unknown = 5),
			XFER(.done = 6, .needed = 6), false, fold));
		/* a load may have been read before it was judged */
		assert_true(interval_conserved(
			XFER(.done = 5, .needed = 4, .unknown = 1),
			XFER(.done = 6, .needed = 6), true, fold));
	}
}

/* More verdicts than operations: what is left is less than nothing. */
static void too_many_verdicts_are_noticed(void **state)
{
	struct fp_ops save = { .save = 2,
			       .verdict = { [FP_VERDICT_NEEDED] = 3 } };
	struct fp_ops load = { .load = 2,
			       .verdict = { [FP_VERDICT_LOAD_LIVE] = 3 } };
	struct snapshot s = {};

	(void)state;
	s.task = snap_ops__read(&save, 520);
	assert_false(conserved(&s));
	s.task = snap_ops__read(&load, 520);
	assert_false(conserved(&s));
}

static void conservation_is_checked_everywhere(void **state)
{
	struct snap_vcpu a = row(1, 1, 10);
	struct snapshot s = shot(1, &a, 1);
	struct snap_xfer *all[] = {
		&s.vcpus[0].guest.save, &s.vcpus[0].guest.load,
		&s.vcpus[0].host.save, &s.vcpus[0].host.load,
		&s.folded_sum.guest.save, &s.folded_sum.host.load,
		&s.task.save, &s.task.load, &s.kernel_neon.save,
		&s.kernel_neon.load, &s.efi.save, &s.efi.load,
	};
	struct snap_xfer was;
	size_t i;

	(void)state;
	assert_true(conserved(&s));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		was = *all[i];
		all[i]->done++;
		assert_false(conserved(&s));
		all[i]->needed++;
		assert_true(conserved(&s));
		all[i]->clean++; /* a reason without a redundant save */
		assert_false(conserved(&s));
		all[i]->redundant++;
		all[i]->done++;
		assert_true(conserved(&s));
		all[i]->pending++;
		assert_false(conserved(&s));
		all[i]->done = SNAP_NA;
		assert_true(conserved(&s));
		*all[i] = was;
	}
	snapshot__free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_verdicts),
		cmocka_unit_test(subtracts_row_by_row),
		cmocka_unit_test(a_slot_taken_again_is_new),
		cmocka_unit_test(counters_that_vanish_are_not_huge),
		cmocka_unit_test(levels_stay_levels),
		cmocka_unit_test(not_available_stays_so),
		cmocka_unit_test(what_a_vcpu_needed),
		cmocka_unit_test(intervals_add_up),
		cmocka_unit_test(what_has_no_row_counts_too),
		cmocka_unit_test(what_efi_hides_is_left_out),
		cmocka_unit_test(without_a_before_it_is_a_copy),
		cmocka_unit_test(an_interval_is_conserved),
		cmocka_unit_test(too_many_verdicts_are_noticed),
		cmocka_unit_test(conservation_is_checked_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
