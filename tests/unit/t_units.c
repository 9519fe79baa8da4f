// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "units.h"

typedef bool (*parser)(const char *text, uint64_t *n);

static void is(parser parse, const char *text, uint64_t want)
{
	uint64_t got = 0;

	assert_true(parse(text, &got));
	assert_int_equal(got, want);
}

static void isnt(parser parse, const char *text)
{
	uint64_t n;

	if (parse(text, &n))
		fail_msg("'%s' is taken for %llu", text, (unsigned long long)n);
}

static void sizes(void **state)
{
	(void)state;
	is(units__bytes, "1K", 1024);
	is(units__bytes, "010M", 10485760);
	is(units__bytes, "3G", 3221225472);
	is(units__bytes, "16777215T", 16777215ull << 40);
	isnt(units__bytes, "16777216T"); /* 2^64 */
	isnt(units__bytes, "18446744073709551617K"); /* 2^64 + 1 */
}

static void times(void **state)
{
	(void)state;
	is(units__ns, "30s", 30000000000);
	is(units__ns, "5m", 300000000000);
	is(units__ns, "1h", 3600000000000);
	is(units__ns, "7d", 604800000000000);
	isnt(units__ns, "300000d");
}

static void nonsense(void **state)
{
	static const char *const texts[] = {
		"",    "0",    "0K",  "0s",  "10",  "-1K",  "-1s",
		"+1K", "1.5M", " 1K", "1 K", "1K ", "K",    "s",
		"1KB", "1ks",  "1k",  "1S",  "1x",  "1e3K", "0x10K",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		isnt(units__bytes, texts[i]);
		isnt(units__ns, texts[i]);
	}
	isnt(units__bytes, "10m"); /* minutes */
	isnt(units__ns, "10M");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
