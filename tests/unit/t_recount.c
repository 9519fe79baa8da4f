// SPDX-License-Identifier: GPL-2.0-only
/* Counters from records: whose they are when slots are used again, and what fits. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "fpstat/charge.h"
#include "recount.h"
#include "snapshot.h"

enum { CPUS = 2, SLOT = 3, KEPT = 4096 };

static const struct snapshot host = { .mode = "vhe",
				      .backend = "bpf",
				      .cpus = CPUS };

static void tell(struct recount *r, uint8_t kind, uint32_t slot, uint32_t exits)
{
	recount__step(
		r, &(struct fp_rec){
			   .ev = { .kind = kind, .buf = 0x1000, .foreign = 1 },
			   .slot = slot,
			   .exits = exits,
		   });
}

/* One vcpu with so many exits. */
static void life(struct recount *r, uint32_t exits)
{
	tell(r, FP_EV_VLOAD, SLOT, 0);
	tell(r, FP_EV_RUN_END, FP_NO_SLOT, exits);
	tell(r, FP_EV_VCPU_END, SLOT, 0);
}

static struct snapshot alone(const struct recount *r)
{
	struct snapshot s;

	assert_int_equal(recount__alone(r, &host, &s), 0);
	return s;
}

static void slots_are_used_again(void **state)
{
	struct recount *r = recount__new(CPUS);
	struct snapshot s;
	uint32_t i;

	(void)state;
	assert_non_null(r);
	for (i = 0; i < 3; i++)
		life(r, 10 + i);
	s = alone(r);
	assert_int_equal(s.nr_vcpus, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(s.vcpus[i].slot, SLOT);
		assert_int_equal(s.vcpus[i].gen, 1 + i);
		assert_int_equal(s.vcpus[i].exits, 10 + i);
		assert_true(s.vcpus[i].runs == SNAP_NA);
	}
	assert_true(s.lost == SNAP_NA);
	snapshot__free(&s);
	recount__free(r);
}

/* It was loaded, and nothing else has happened yet. */
static void begins_with_its_load(void **state)
{
	struct recount *r = recount__new(CPUS);
	struct snapshot s;

	(void)state;
	assert_non_null(r);
	tell(r, FP_EV_VLOAD, SLOT, 0);
	s = alone(r);
	assert_int_equal(s.nr_vcpus, 1);
	assert_int_equal(s.vcpus[0].slot, SLOT);
	assert_int_equal(s.vcpus[0].state, SNAP_VCPU_LIVE);
	snapshot__free(&s);
	recount__free(r);
}

static void memory_is_bounded(void **state)
{
	struct recount *r = recount__new(CPUS);
	struct snapshot s;
	uint32_t i;

	(void)state;
	assert_non_null(r);
	for (i = 0; i < KEPT + 11; i++)
		life(r, 1);
	s = alone(r);
	assert_int_equal(s.nr_vcpus, KEPT + 1);
	assert_int_equal(s.folded, 10);
	assert_int_equal(s.folded_sum.exits, 10);
	snapshot__free(&s);
	recount__free(r);
	recount__free(NULL);
}

/* A row as the kernel had it, of the life number @gen. */
static struct snap_vcpu row(uint32_t gen, uint64_t exits)
{
	return (struct snap_vcpu){
		.vm = "vm", .slot = SLOT, .gen = gen, .runs = 7, .exits = exits
	};
}

static void names_are_known(void **state)
{
	struct snap_vcpu rows[] = { row(2, 0) };
	struct snapshot known = host, s;
	struct recount *r = recount__new(CPUS);

	(void)state;
	assert_non_null(r);
	known.vcpus = rows;
	known.nr_vcpus = 1;
	life(r, 1);
	life(r, 2);
	assert_int_equal(recount__alone(r, &host, &s), 0);
	recount__name(&s, &known);
	assert_int_equal(s.nr_vcpus, 2);
	assert_string_equal(s.vcpus[0].vm, "vm");
	assert_string_equal(s.vcpus[1].vm, "unknown");
	assert_int_equal(s.vcpus[0].exits, 2);
	snapshot__free(&s);
	recount__free(r);
}

/* Of slots that were used before the first record. */
static void begins_in_the_middle(void **state)
{
	struct snap_vcpu live[] = { row(3, 0), row(5, 0), row(4, 0) };
	struct snap_vcpu over[] = { row(6, 0) };
	struct snapshot since = host;
	struct recount *r = recount__new(CPUS);

	(void)state;
	assert_non_null(r);
	since.vcpus = live;
	since.nr_vcpus = 3;
	recount__begin(r, &since);
	assert_int_equal(recount__gen(r, SLOT), 5);
	tell(r, FP_EV_VLOAD, SLOT, 0);
	assert_int_equal(recount__gen(r, SLOT), 5);
	recount__free(r);

	r = recount__new(CPUS);
	assert_non_null(r);
	over[0].state = SNAP_VCPU_ENDED;
	since.vcpus = over;
	since.nr_vcpus = 1;
	recount__begin(r, &since);
	tell(r, FP_EV_VLOAD, SLOT, 0);
	assert_int_equal(recount__gen(r, SLOT), 7);
	recount__free(r);
}

static void fits(struct recount *r, uint64_t before, uint64_t after,
		 const char *want)
{
	struct snap_vcpu low = row(1, before), high = row(1, after);
	struct snapshot a = host, b = host, delta;
	char why[128] = "";

	a.vcpus = &low;
	b.vcpus = &high;
	a.nr_vcpus = b.nr_vcpus = 1;
	assert_int_equal(snapshot__delta(&delta, &b, &a), 0);
	assert_int_equal(recount__agrees(r, &b, &delta, why, sizeof(why)),
			 !*want);
	assert_string_equal(why, want);
	snapshot__free(&delta);
}

static void in_between(void **state)
{
	struct recount *r = recount__new(CPUS);
	struct snap_vcpu one = row(1, 6);
	struct snapshot after = host, s;

	(void)state;
	assert_non_null(r);
	life(r, 5);
	fits(r, 5, 5, "");
	fits(r, 4, 6, "");
	fits(r, 3, 4, "the stream says 5 exits of vm/0, the counters say 4");
	fits(r, 6, 6, "the stream says 5 exits of vm/0, the counters say 6");
	after.vcpus = &one;
	after.nr_vcpus = 1;
	assert_int_equal(recount__again(r, &after, &s), 0);
	assert_int_equal(s.vcpus[0].exits, 5);
	assert_int_equal(s.vcpus[0].runs, 7);
	snapshot__free(&s);
	recount__free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_used_again),
		cmocka_unit_test(begins_with_its_load),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(names_are_known),
		cmocka_unit_test(begins_in_the_middle),
		cmocka_unit_test(in_between),
	};

	return cmocka_run_group_tests_name("recount", tests, NULL, NULL);
}
