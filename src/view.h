/* SPDX-License-Identifier: GPL-2.0-only */
/* What a view is given. It sees numbers of one interval, and no source. */
#ifndef FPSTAT_VIEW_H
#define FPSTAT_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "capture.h"
#include "column.h"
#include "snapshot.h"

struct view {
	const struct snapshot *s; /* the interval */
	int foreign_bit;
	const struct witness *witness; /* of the interval, or NULL */
	const int *marks; /* first and last index, or NULL; last < 0: not yet */
	/* text only */
	bool rate; /* per second instead of counts */
	const struct column *sort; /* NULL: as they come */
	bool reverse;
};

/* One NDJSON object a line: host, vcpu..., ended, other, witness. */
void view_json__print(FILE *out, const struct view *v);
/* One table. */
void view_text__print(FILE *out, const struct view *v);

#endif /* FPSTAT_VIEW_H */
