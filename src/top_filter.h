/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which rows are to be seen: "web exit>1000 guest-red>=20". Words are looked for in all
 * texts and numbers that are names; what is compared is what the screen shows.
 */
#ifndef FPSTAT_TOP_FILTER_H
#define FPSTAT_TOP_FILTER_H

#include "column.h"

enum { FILTER_TERMS = 8 };

enum filter_op {
	FILTER_HAS,
	FILTER_LESS,
	FILTER_MORE,
	FILTER_AT_MOST,
	FILTER_AT_LEAST,
	FILTER_IS,
	FILTER_IS_NOT
};

struct filter_term {
	enum filter_op op;
	const struct column *column; /* NULL: of any */
	double number; /* NAN: it is none, and .. */
	char text[64];
};

struct filter {
	const struct table *table;
	const struct measure *measure;
	bool leaves; /* a VM is left if one of its vcpus is */
	int nr;
	struct filter_term term[FILTER_TERMS];
};

/* False, and one sentence in @why, if that is none. */
bool filter__parse(struct filter *f, const struct table *t, const char *text,
		   char *why, size_t len);
/* For table__filter(). */
bool filter__matches(const void *filter, const struct row *r);

#endif /* FPSTAT_TOP_FILTER_H */
