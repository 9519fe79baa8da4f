/* SPDX-License-Identifier: GPL-2.0-only */
/* What doctor can say of a machine without capturing anything. */
#ifndef FPSTAT_MACHINE_H
#define FPSTAT_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

struct fact {
	const char *name; /* for people */
	const char *json; /* for programs */
	char value[160];
	bool ok; /* false: live capture needs it otherwise */
	const char *advice; /* then: what to do */
};

#define MACHINE_FACTS 7

/* @root is "", or a directory with the sys and dev of another machine. */
void machine__facts(struct fact facts[MACHINE_FACTS], const char *root);

#endif /* FPSTAT_MACHINE_H */
