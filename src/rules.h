/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to know of each rule: when it may be asked, what for, and which bug
 * of the kernel it would have caught. Strings are one line, without a full stop.
 */
#ifndef FPSTAT_RULES_H
#define FPSTAT_RULES_H

#include <linux/types.h>

#include "fpstat/rule.h"

enum rule_how {
	RULE_NEVER = 0, /* nobody at EL1 can tell: see .guards for the reason */
	RULE_STREAM = 1, /* from what happened: also of a trace */
	RULE_KERNEL = 2, /* from the kernel's variables, where it happens */
	RULE_LOG = 4, /* from the kernel's log */
};

struct rule {
	unsigned int how; /* enum rule_how, together */
	const char *kernels; /* and policies that it is about */
	const char *guards; /* when it is asked, or why it is not */
	const char *needs; /* what must be readable */
	const char *breaks; /* what a breach does: the severity */
	const char *mirrors; /* code of the kernel that keeps it */
	const char *bug; /* that broke it once */
};

extern const struct rule rules[FP_RULES];

const char *rule__id(enum fp_rule rule);
const char *rule__says(enum fp_rule rule);
/* FP_RULES if there is no such; "i5" is I5. */
enum fp_rule rule__by_id(const char *id);
enum fp_rule breach__rule(enum fp_breach breach);
const char *breach__says(enum fp_breach breach);

#endif /* FPSTAT_RULES_H */
