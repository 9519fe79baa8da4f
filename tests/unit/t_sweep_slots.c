// SPDX-License-Identifier: GPL-2.0-only
/* The sweep beside all other policies: whose row is whose, when vcpus come and go. */
#include <linux/types.h>

#include "param.h"
#include "test.h"
#include "util.h"
#include "whatif.h"

enum { CPUS = 1, M = 0x1000, V = 0x100000, W = 0x200000 };

static const struct params all = {
	.nr = 3,
	.param = {
		{ PARAM_FLUSH_AFTER, 0 },
		{ PARAM_FLUSH_AFTER, 8 },
		{ PARAM_KEEP, 50000 },
	},
};

/* One KVM_RUN of a guest that uses FP twice, NEON between. */
static void run_and_end(struct whatif *w, uint64_t vcpu)
{
	const struct fp_rec recs[] = {
		{ .ev = { M, .kind = FP_EV_VLOAD }, .other = vcpu },
		{ .ev = { M, .kind = FP_EV_SAVE, .in_run = 1 } },
		{ .ev = { vcpu, .kind = FP_EV_BIND_VCPU, .foreign = 1 } },
		{ .ev = { M, .kind = FP_EV_NEON_SOFTIRQ, .in_run = 1 } },
		{ .ev = { M, .kind = FP_EV_SAVE, .in_run = 1 } },
		{ .ev = { vcpu, .kind = FP_EV_BIND_VCPU, .foreign = 1 } },
		{ .ev = { M, .kind = FP_EV_SAVE, .in_run = 1 } },
		{ .ev = { M, .kind = FP_EV_RUN_END, .foreign = 1 } },
		{ .ev = { M, .kind = FP_EV_LOAD, .foreign = 1 } },
		{ .ev = { vcpu, .kind = FP_EV_VCPU_END } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(recs); i++)
		assert_int_equal(whatif__feed(w, &recs[i]), 0);
}

static void check_swept(const struct whatif *w, uint32_t gen, uint64_t n)
{
	struct policy_row row;
	unsigned int i;

	for (i = 0; i < all.nr; i++) {
		assert_true(whatif__swept(w, 0, gen, i, &row));
		assert_int_equal(row.guest.save.done.hi, n);
		assert_int_equal(row.guest.load.done.hi, n);
		assert_int_equal(row.host.load.done.hi, n / 2);
	}
}

static const struct blame_namer no_names;

/* A slot goes from one vcpu to the next. */
static void slots_come_and_go(void **state)
{
	const struct fp_rec fresh = { .ev = { .kind = FP_EV_CPU_DEAD } };
	struct whatif *w = whatif__new(CPUS, no_names);
	struct policy_row row;
	unsigned int i;

	(void)state;
	assert_non_null(w);
	assert_int_equal(whatif__sweep(w, CPUS, &all), 0);
	assert_int_equal(whatif__feed(w, &fresh), 0);
	assert_false(whatif__swept(w, 0, 1, 0, &row));
	run_and_end(w, V);
	run_and_end(w, W);
	check_swept(w, 1, 2);
	check_swept(w, 2, 2);
	assert_false(whatif__swept(w, 0, 3, 0, &row));
	for (i = 0; i < all.nr; i++)
		assert_int_equal(whatif__swept_total(w, i).guest.load.done.hi,
				 4);
	for (i = 0; i < 1100; i++)
		run_and_end(w, V); /* more than are kept */
	assert_false(whatif__swept(w, 0, 1, 0, &row));
	check_swept(w, 1000, 2);
	check_swept(w, 1102, 2);
	assert_int_equal(whatif__swept_total(w, 0).guest.load.done.hi, 2204);
	whatif__free(w);
	whatif__free(NULL);
}

/* None costs nothing, not even a struct sweep. */
static void none_at_all(void **state)
{
	static const struct params none;
	struct whatif *w = whatif__new(CPUS, no_names);
	struct policy_row row;

	(void)state;
	assert_int_equal(whatif__sweep(w, CPUS, &none), 0);
	run_and_end(w, V);
	run_and_end(w, V);
	assert_false(whatif__swept(w, 0, 1, 0, &row));
	whatif__free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_come_and_go),
		cmocka_unit_test(none_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
