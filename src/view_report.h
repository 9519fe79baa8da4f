/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace on paper, and as JSON: what it is, and what happened in it. */
#ifndef FPSTAT_VIEW_REPORT_H
#define FPSTAT_VIEW_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "view.h"

struct report;
struct trace_about;

struct view_report {
	const struct view *view;
	const struct report *report;
	const struct trace_about *about;
	uint64_t records;
	uint64_t bytes; /* SNAP_NA: of a part */
	double from; /* seconds that were of interest .. */
	double to;
	uint64_t missing; /* records that were damaged */
	bool cut;
	bool agrees; /* with the counters of the kernel */
	const char *broken; /* a sum that does not hold, or NULL */
};

void view_report__print(FILE *out, const struct view_report *r);
void view_report__json(FILE *out, const struct view_report *r);

#endif /* FPSTAT_VIEW_REPORT_H */
