// SPDX-License-Identifier: GPL-2.0-only
/* What is shed when fpstat costs more than it may, and for how long. */
#include "test.h"

#include <stdbool.h>

#include "budget.h"

#define SHARE 0.01
#define WINDOW 2 /* seconds */

static struct budget b;

static void setup(void)
{
	b = (struct budget){ .share = SHARE };
}

/* For @seconds; how many of them it was without what @shed says. */
static int spend(double share, int seconds, enum budget_shed shed)
{
	int t, without = 0;

	for (t = 0; t < seconds; t += WINDOW) {
		if (budget__spend(&b, share, WINDOW) >= shed)
			without += WINDOW;
	}
	return without;
}

static void within(void **state)
{
	(void)state;
	setup();
	assert_int_equal(spend(SHARE, 1000, SHED_RECORDS), 0);
	assert_int_equal(spend(0, 1000, SHED_RECORDS), 0);
}

/* What was saved may be spent, but not for long. */
static void burst(void **state)
{
	(void)state;
	setup();
	spend(0, 1000, SHED_RECORDS);
	assert_int_equal(spend(2 * SHARE, 8, SHED_RECORDS), 0);
	spend(2 * SHARE, 4, SHED_RECORDS);
	assert_int_equal(spend(2 * SHARE, 4, SHED_RECORDS), 4);
}

/* Records cost twice what they may: half of the time there are none. */
static void half(void **state)
{
	int i, without = 0;
	bool shed = false;

	(void)state;
	setup();
	for (i = 0; i < 1000; i++) {
		shed = budget__spend(&b, shed ? 0 : 2 * SHARE, WINDOW);
		without += shed;
	}
	assert_in_range(without, 490, 510);
	assert_int_equal(spend(0, 1000, SHED_DETAIL), 0);
}

/* Without records it is still too much. */
static void detail(void **state)
{
	(void)state;
	setup();
	assert_int_equal(budget__spend(&b, 2 * SHARE, WINDOW), SHED_RECORDS);
	assert_int_equal(budget__spend(&b, 2 * SHARE, WINDOW), SHED_DETAIL);
	spend(2 * SHARE, 1000, SHED_DETAIL);
	/* Soon after it is cheap, all is back. */
	assert_int_equal(spend(0, 12, SHED_RECORDS), 8);
	assert_int_equal(budget__spend(&b, 0, WINDOW), SHED_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within),
		cmocka_unit_test(burst),
		cmocka_unit_test(half),
		cmocka_unit_test(detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
