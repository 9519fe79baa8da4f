/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When to do without what can be done without, so that fpstat costs no more than it
 * may, on an average of some ten seconds. Exact counters are always kept.
 */
#ifndef FPSTAT_BUDGET_H
#define FPSTAT_BUDGET_H

enum budget_shed {
	SHED_NOTHING,
	SHED_RECORDS, /* the stream */
	SHED_DETAIL, /* and what the checker looks at */
};

struct budget {
	double share; /* of the time of all CPUs, that may be spent */
	double debt; /* more than that, that was; seconds of all CPUs */
	enum budget_shed shed;
};

/* @spent of the last @dt seconds. What must be shed now. */
enum budget_shed budget__spend(struct budget *b, double spent, double dt);

/* "nothing" "records" "detail" */
const char *budget__shed_name(enum budget_shed shed);

#endif /* FPSTAT_BUDGET_H */
