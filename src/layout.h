/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a table fits on a screen of some size, down to 1x1. */
#ifndef FPSTAT_LAYOUT_H
#define FPSTAT_LAYOUT_H

#include "column.h"

/* Which columns, in this order; none: all. */
struct chosen {
	int nr;
	struct {
		int column; /* index */
		int width; /* 0: as it fits */
	} at[COLUMN_MAX];
};

struct layout {
	/* lines from the top; page is for the rows */
	int head, strip, tabs, above, title, page, pins, foot;
	/* from left to right, by index .. */
	int nr, order[COLUMN_MAX];
	/* .. and of each column; 0: no room for it */
	int width[COLUMN_MAX];
};

/* @above: lines that the view would like to have above its table. */
void layout__lines(struct layout *l, int lines, int above, bool pins);
/* @indent: columns that the first one needs beside its text. */
void layout__columns(struct layout *l, int cols, const struct table *table,
		     const struct chosen *chosen, int indent);

#endif /* FPSTAT_LAYOUT_H */
