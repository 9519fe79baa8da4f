// SPDX-License-Identifier: GPL-2.0-only
/* Numbers that are one, or a reason why there are none. */
#include "test.h"

#include "cost.h"
#include "util.h"

static void plausible(const struct cost_xfer *x)
{
	assert_true(x->save > 0 && x->save < 1e6);
	assert_true(x->load > 0 && x->load < 1e6);
}

static void measured(void **state)
{
	volatile double before = 1.5;
	double start = fps_clock();
	struct cost c;

	(void)state;
	cost__measure(&c);
	assert_true(fps_clock() - start < 1); /* a few ms, if nobody else runs */
	assert_true(before * 2 == 3.0); /* the registers were given back */
#ifdef __aarch64__
	assert_null(c.why);
	plausible(&c.hot);
	plausible(&c.cold);
#else
	(void)plausible;
	assert_non_null(c.why);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
