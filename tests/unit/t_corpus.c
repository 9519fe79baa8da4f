// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzers found once, and what they start from, under sanitizers. */
#include "test.h"

#include <glob.h>
#include <stdio.h>

/* tests/fuzz/NAME.c has fuzz_NAME here. */
int fuzz_trace(const uint8_t *data, size_t len);
int fuzz_analysis(const uint8_t *data, size_t len);
int fuzz_export(const uint8_t *data, size_t len);

static void replay(const char *path,
		   int (*fuzz)(const uint8_t *data, size_t len))
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(data, 1, sizeof(data), f);
	assert_in_range(len, 1, sizeof(data) - 1);
	fclose(f);
	fuzz(data, len);
}

static void replay_all(const char *files,
		       int (*fuzz)(const uint8_t *data, size_t len))
{
	glob_t found;
	size_t i;

	assert_int_equal(glob(files, 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i], fuzz);
	globfree(&found);
}

static void trace(void **state)
{
	(void)state;
	replay_all("tests/fuzz/corpus/trace/*", fuzz_trace);
}

static void analysis(void **state)
{
	(void)state;
	replay_all("tests/fuzz/corpus/analysis/*", fuzz_analysis);
}

static void export(void **state)
{
	(void)state;
	replay_all("tests/fuzz/corpus/export/*", fuzz_export);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace),
		cmocka_unit_test(analysis),
		cmocka_unit_test(export),
	};

	return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
