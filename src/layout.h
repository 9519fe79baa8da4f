/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a table fits on a screen of some size, down to 1x1. */
#ifndef FPSTAT_LAYOUT_H
#define FPSTAT_LAYOUT_H

#include "column.h"

struct layout {
	/* lines from the top; page is for the vcpus */
	int head, title, page, pins, foot;
	/* of each column; 0: no room for it */
	int width[COLUMN_MAX];
};

void layout__make(struct layout *l, int lines, int cols,
		  const struct table *table);

#endif /* FPSTAT_LAYOUT_H */
