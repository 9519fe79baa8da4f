/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit codes: a contract with scripts. With `-- CMD` the status of CMD is
 * passed on instead, unless fpstat itself failed.
 */
#ifndef FPSTAT_EXIT_H
#define FPSTAT_EXIT_H

enum {
	EXIT_FINE = 0,
	EXIT_VIOLATION = 1, /* a rule was broken, a gate failed */
	EXIT_USAGE = 2,
	EXIT_ENV = 3, /* this machine lacks something */
	EXIT_LOST = 4, /* data was lost, under --strict */
	EXIT_CANNOT_EXEC = 126, /* the last two as the shell has them */
	EXIT_NOT_FOUND = 127,
};

#endif /* FPSTAT_EXIT_H */
