// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzers found once, and what they start from, under sanitizers. */
#include "test.h"

#include <glob.h>
#include <stdio.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CORPUS "tests/fuzz/corpus/trace/*"

static void replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(data, 1, sizeof(data), f);
	assert_in_range(len, 1, sizeof(data) - 1);
	fclose(f);
	LLVMFuzzerTestOneInput(data, len);
}

static void trace(void **state)
{
	glob_t found;
	size_t i;

	(void)state;
	assert_int_equal(glob(CORPUS, 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i]);
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace),
	};

	return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
