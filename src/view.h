/* SPDX-License-Identifier: GPL-2.0-only */
/* What a view is given. It sees numbers of one interval, and no source. */
#ifndef FPSTAT_VIEW_H
#define FPSTAT_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "capture.h"
#include "column.h"
#include "cost.h"
#include "snapshot.h"

struct whatif;
struct whatif_sum;
struct params;
struct json;

struct view {
	const struct snapshot *s; /* the interval */
	unsigned int section; /* of a merged trace that it is of, or 0 .. */
	const char *host; /* .. and the name of that host */
	int foreign_bit;
	const struct witness *witness; /* of the interval, or NULL */
	const struct whatif *whatif; /* of all up to now, or NULL */
	uint32_t policies; /* its rows to show, bit per policy .. */
	const struct params *params; /* .. and these; NULL: none */
	const struct cost *cost; /* of one transfer, with @whatif */
	const int *marks; /* first and last index, or NULL; last < 0: not yet */
	/* text only */
	bool rate; /* per second instead of counts */
	const struct column *sort; /* NULL: as they come */
	bool reverse;
	const char *notes; /* further lines, or NULL */
};

/* Which section of a merged trace comes; nothing if it is none. */
void view_text__section(FILE *out, const struct view *v);
void view_json__section(FILE *out, const struct view *v);
/* One NDJSON object a line: host, vcpu..., ended, other, witness. */
void view_json__print(FILE *out, const struct view *v);
/* What is watched, how far it can be trusted, and what that costs: one line. */
void view_text__head(FILE *out, const struct snapshot *s);
/* One table, below that. */
void view_text__print(FILE *out, const struct view *v);
/* One table per vcpu (if @vcpus) and one of all: a row per policy; and a curve. */
void view_whatif__print(FILE *out, const struct view *v, bool vcpus);
/* Sums of several hosts, by row of whatif; those of @policies. */
void view_whatif__hosts(FILE *out, const struct whatif_sum *rows,
			uint32_t policies);
void view_json__hosts(FILE *out, const struct whatif_sum *rows,
		      uint32_t policies);
/* Who took the registers from guests, the worst first; nothing if nobody did. */
void view_blame__print(FILE *out, const struct view *v);
void view_blame__json(struct json *j, const struct view *v);
/* The self-proof; @each: by kind of event, too. */
void view_prove__print(FILE *out, const struct view *v, bool each);
void view_prove__json(struct json *j, const struct view *v);

#endif /* FPSTAT_VIEW_H */
