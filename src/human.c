// SPDX-License-Identifier: GPL-2.0-only
#include "human.h"

#include <stdio.h>
#include <string.h>

struct scale {
	double step;
	const char *unit[8]; /* ends with a NULL */
};

/* In which unit @n is printed. What would be printed as one step is one. */
static int unit_of(const struct scale *s, uint64_t n)
{
	double x = (double)n;
	int i = 0;

	while (x >= s->step - 0.5 && s->unit[i + 1]) {
		x /= s->step;
		i++;
	}
	return i;
}

static void number(char *out, size_t len, const struct scale *s, uint64_t n,
		   int unit)
{
	double x = (double)n;
	int i;

	for (i = 0; i < unit; i++)
		x /= s->step;
	snprintf(out, len, "%.*f", unit && x < 9.95, x);
}

static void print(char *out, size_t len, const struct scale *s, uint64_t lo,
		  uint64_t hi)
{
	int top = unit_of(s, hi), low = unit_of(s, lo);
	char a[32], b[32];

	number(b, sizeof(b), s, hi, top);
	number(a, sizeof(a), s, lo, top);
	if (!strcmp(a, b))
		snprintf(out, len, "%s%s", b, s->unit[top]);
	else if (!lo)
		snprintf(out, len, "0-%s%s", b, s->unit[top]);
	else if (strcmp(a, "0.0"))
		snprintf(out, len, "%s-%s%s", a, b, s->unit[top]);
	else {
		number(a, sizeof(a), s, lo, low);
		snprintf(out, len, "%s%s-%s%s", a, s->unit[low], b,
			 s->unit[top]);
	}
}

void human__count(char *out, size_t len, uint64_t lo, uint64_t hi)
{
	static const struct scale s = { 1000,
					{ "", "k", "M", "G", "T", "P", "E" } };

	print(out, len, &s, lo, hi);
}

void human__bytes(char *out, size_t len, uint64_t lo, uint64_t hi)
{
	static const struct scale s = { 1024,
					{ "", "K", "M", "G", "T", "P", "E" } };

	print(out, len, &s, lo, hi);
}

void human__ns(char *out, size_t len, uint64_t lo, uint64_t hi)
{
	static const struct scale s = { 1000, { "ns", "us", "ms", "s" } };

	print(out, len, &s, lo, hi);
}
