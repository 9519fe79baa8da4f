/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stat and whatif have in common: to count while a command runs, or until
 * somebody stops it, and to print at its end or each interval.
 */
#ifndef FPSTAT_COUNT_H
#define FPSTAT_COUNT_H

#include <stdbool.h>
#include <stdio.h>

#include "child.h"
#include "session.h"

struct command;
struct loop;
struct opt_rest;

/* Options that the command fills in. */
struct count_config {
	double interval; /* 0: print once, at the end */
	unsigned long count; /* 0: no limit */
	const char *output; /* NULL: stdout */
	bool strict;
	struct capture_opts capture;
};

struct count {
	const struct count_config *cfg;
	void *ctx; /* the command's own */
	/* Samples and prints; an exit code, and why in ses.why if not 0. */
	int (*print)(struct count *c, bool mark);
	/* After each session__tick(), or NULL; the same. */
	int (*tick)(struct count *c);
	int (*next)(struct count *c); /* on SIGUSR2, or NULL; the same */

	struct session ses;
	FILE *out;
	bool doubt; /* print() found what --strict must not let pass */

	/* private */
	struct child child;
	struct loop *loop;
	unsigned long printed;
	int timer; /* of the interval, or -1 */
	int stops; /* signals that asked us to end .. */
	int signo; /* .. and the last of them */
	int child_code; /* -1 while CMD runs */
	int code; /* ours */
};

/*
 * Counts; @argv is CMD, or NULL. Says what went wrong, and returns the exit code
 * of the command.
 */
int count__run(struct count *c, char **argv);
/* For print, tick and next: keeps @why, and returns the exit code. */
int count__fail(struct count *c, const char *why);
/* The operands must be "-- CMD". Returns false and sets @rest->code if not. */
bool count__operands(const struct command *cmd, struct opt_rest *rest);

#endif /* FPSTAT_COUNT_H */
