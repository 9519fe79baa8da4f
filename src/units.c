// SPDX-License-Identifier: GPL-2.0-only
#include "units.h"

struct unit {
	char letter;
	uint64_t is; /* 0: the table ends */
};

static bool parse(const char *text, const struct unit *unit, uint64_t *out)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	}
	while (unit->is && unit->letter != *text)
		unit++;
	return n && unit->is && !text[1] &&
	       !__builtin_mul_overflow(n, unit->is, out);
}

bool units__bytes(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ 'K', 1ull << 10 },
		{ 'M', 1ull << 20 },
		{ 'G', 1ull << 30 },
		{ 'T', 1ull << 40 },
		{},
	};

	return parse(text, units, bytes);
}

bool units__ns(const char *text, uint64_t *ns)
{
	static const uint64_t s = 1000000000;
	const struct unit units[] = {
		{ 's', s },
		{ 'm', 60 * s },
		{ 'h', 3600 * s },
		{ 'd', 86400 * s },
		{},
	};

	return parse(text, units, ns);
}
