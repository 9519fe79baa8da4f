// SPDX-License-Identifier: GPL-2.0-only
#include "param.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

static const struct {
	const char *name;
	const char *arg;
	const char *what;
} texts[PARAM_KINDS] = {
#define X(id, name, value, what) [PARAM_##id] = { name, value, what },
	PARAM_MAP(X)
#undef X
};

/* The largest comes last: it is what a time is printed in. */
static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
};

#define VALUE_MAX 1000000000 /* of exits, and of whatever unit */

enum param_kind param__by_name(const char *name, size_t len)
{
	int i;

	for (i = 0; i < PARAM_KINDS; i++) {
		if (strlen(texts[i].name) == len &&
		    !memcmp(texts[i].name, name, len))
			break;
	}
	return i;
}

const char *param__name(enum param_kind kind)
{
	return texts[kind].name;
}

const char *param__arg(enum param_kind kind)
{
	return texts[kind].arg;
}

const char *param__what(enum param_kind kind)
{
	return texts[kind].what;
}

const char *param__allowed(enum param_kind kind)
{
	return kind == PARAM_KEEP ?
		       "0, a time such as 500ns, 50us, 2ms or 1s, or inf" :
		       "a number of exits up to 1000000000, or inf";
}

/* Returns how many characters were digits: 0 if it is too large, too. */
static size_t number(const char *text, size_t len, uint64_t *n)
{
	size_t i;

	*n = 0;
	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		*n = *n * 10 + (uint64_t)(text[i] - '0');
		if (*n > VALUE_MAX)
			return 0;
	}
	return i;
}

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

static bool scale(uint64_t *ns, const char *unit, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (!is(unit, len, units[i].name))
			continue;
		*ns *= units[i].ns;
		return true;
	}
	return !len && !*ns;
}

bool param__parse(struct param *p, const char *value, size_t len)
{
	size_t digits;

	if (is(value, len, "inf")) {
		p->value = PARAM_INF;
		return true;
	}
	digits = number(value, len, &p->value);
	if (!digits)
		return false;
	if (p->kind == PARAM_KEEP)
		return scale(&p->value, value + digits, len - digits);
	return digits == len;
}

static void print_time(uint64_t ns, char *out, size_t len)
{
	size_t i = ARRAY_SIZE(units) - 1;

	while (ns % units[i].ns)
		i--;
	snprintf(out, len, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
}

void param__value(const struct param *p, char *out, size_t len)
{
	if (p->value == PARAM_INF)
		snprintf(out, len, "inf");
	else if (p->kind == PARAM_KEEP && p->value)
		print_time(p->value, out, len);
	else
		snprintf(out, len, "%" PRIu64, p->value);
}

void param__text(const struct param *p, char *out, size_t len)
{
	char value[PARAM_TEXT];

	param__value(p, value, sizeof(value));
	snprintf(out, len, "%s=%s", texts[p->kind].name, value);
}

bool params__add(struct params *all, const struct param *p)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		if (all->param[i].kind == p->kind &&
		    all->param[i].value == p->value)
			return true;
	}
	if (all->nr == PARAMS_SELECTED)
		return false;
	all->param[all->nr++] = *p;
	all->curve = all->nr;
	return true;
}

static void add(struct params *all, enum param_kind kind, uint64_t value)
{
	all->param[all->nr++] = (struct param){ kind, value };
}

/* 1, 2, 5 and 10 microseconds, and so on to a second. */
static void add_times(struct params *all)
{
	uint64_t us;

	for (us = 1; us < 1000000; us *= 10) {
		add(all, PARAM_KEEP, us * 1000);
		add(all, PARAM_KEEP, us * 2000);
		add(all, PARAM_KEEP, us * 5000);
	}
	add(all, PARAM_KEEP, us * 1000);
}

static void add_exits(struct params *all)
{
	uint64_t n;

	for (n = 1; n <= 1024; n *= 2)
		add(all, PARAM_FLUSH_AFTER, n);
}

void params__add_curve(struct params *all, enum param_kind kind)
{
	add(all, kind, 0);
	if (kind == PARAM_KEEP)
		add_times(all);
	else
		add_exits(all);
	add(all, kind, PARAM_INF);
}
