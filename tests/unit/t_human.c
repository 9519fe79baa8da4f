// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "human.h"

typedef void (*printer)(char *out, size_t len, uint64_t lo, uint64_t hi);

static void is(printer print, uint64_t lo, uint64_t hi, const char *want)
{
	char got[48];

	print(got, sizeof(got), lo, hi);
	assert_string_equal(got, want);
}

static void numbers(void **state)
{
	(void)state;
	is(human__bytes, 0, 0, "0");
	is(human__bytes, 520, 520, "520");
	is(human__bytes, 1023, 1023, "1023");
	is(human__bytes, 1024, 1024, "1.0K");
	is(human__bytes, 10188, 10188, "9.9K");
	is(human__bytes, 10189, 10189, "10K");
	is(human__bytes, 1048575, 1048575, "1.0M");
	is(human__bytes, 2000000, 2000000, "1.9M");
	is(human__bytes, UINT64_MAX, UINT64_MAX, "16E");
	is(human__ns, 0, 0, "0ns");
	is(human__ns, 999, 999, "999ns");
	is(human__ns, 1200000, 1200000, "1.2ms");
	is(human__ns, 7200000000000, 7200000000000, "7200s");
	is(human__count, 15015, 15015, "15k");
}

static void intervals(void **state)
{
	(void)state;
	is(human__bytes, 520, 1040, "0.5-1.0K");
	is(human__bytes, 1, 2, "1-2");
	is(human__bytes, 520, 2000000, "520-1.9M");
	is(human__bytes, 1300000, 2000000, "1.2-1.9M");
	is(human__bytes, 0, 2000000, "0-1.9M");
	is(human__bytes, 2000000, 2000001, "1.9M");
	is(human__ns, 980000, 1200000, "1.0-1.2ms");
	is(human__ns, 20, 1200000, "20ns-1.2ms");
	is(human__count, 2002, 15015, "2.0-15k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
