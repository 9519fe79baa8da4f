/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies with a parameter: their names, and what may stand behind the '='. */
#ifndef FPSTAT_PARAM_H
#define FPSTAT_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, "name", "what its help calls the value", "what it does") */
#define PARAM_MAP(X)                                                           \
	X(FLUSH_AFTER, "flush-after", "N",                                     \
	  "martin, the guest flushed at the exit after N with its state")      \
	X(KEEP, "keep", "T",                                                   \
	  "martin, a saved guest stays while it is away for less than T")

enum param_kind {
#define X(id, name, value, what) PARAM_##id,
	PARAM_MAP(X)
#undef X
	PARAM_KINDS
};

#define PARAM_INF UINT64_MAX

struct param {
	enum param_kind kind;
	uint64_t value; /* exits, or nanoseconds; PARAM_INF: no limit */
};

enum {
	PARAMS_SELECTED = 32,
	PARAMS_MAX = PARAMS_SELECTED + 32, /* and a curve */
	PARAM_TEXT = 48,
};

struct params {
	struct param param[PARAMS_MAX];
	unsigned int nr;
	unsigned int curve; /* from here on: all of one kind, in order */
};

/* PARAM_KINDS if there is none. */
enum param_kind param__by_name(const char *name, size_t len);
const char *param__name(enum param_kind kind);
const char *param__arg(enum param_kind kind);
const char *param__what(enum param_kind kind);

/* Of the value: what is allowed. */
const char *param__allowed(enum param_kind kind);
bool param__parse(struct param *p, const char *value, size_t len);
/* "50us", "inf"; what param__parse() takes. */
void param__value(const struct param *p, char *out, size_t len);
/* "keep=50us" */
void param__text(const struct param *p, char *out, size_t len);

/* Not twice the same. False if there are too many. */
bool params__add(struct params *all, const struct param *p);
/* After those: values from nothing to no limit. */
void params__add_curve(struct params *all, enum param_kind kind);

#endif /* FPSTAT_PARAM_H */
