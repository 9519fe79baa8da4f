/* SPDX-License-Identifier: GPL-2.0-only */
/* How the tests of the policies write what was moved: "2HS 0-1GL". */
#ifndef FPSTAT_TESTS_RANGE_TEXT_H
#define FPSTAT_TESTS_RANGE_TEXT_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

/* Appends what @now is more than @then, if it is. */
static void range_text(char *text, size_t len, struct range now,
		       struct range then, const char *what)
{
	uint64_t lo = now.lo - then.lo, hi = now.hi - then.hi;
	size_t at = strlen(text);

	if (lo == 0 && hi == 0)
		return;
	if (at)
		at += (size_t)snprintf(text + at, len - at, " ");
	if (lo != hi)
		snprintf(text + at, len - at, "%" PRIu64 "-%" PRIu64 "%s", lo,
			 hi, what);
	else if (lo != 1)
		snprintf(text + at, len - at, "%" PRIu64 "%s", lo, what);
	else
		snprintf(text + at, len - at, "%s", what);
}

#endif /* FPSTAT_TESTS_RANGE_TEXT_H */
