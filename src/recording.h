/* SPDX-License-Identifier: GPL-2.0-only */
/* What fpstat record does: a live capture goes into a file, or several. */
#ifndef FPSTAT_RECORDING_H
#define FPSTAT_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "count.h"

struct recording_config {
	struct count_config count; /* with a stream */
	const char *output; /* "-" is standard output: there are no parts then */
	const char *command; /* CMD and its arguments, or NULL */
	uint64_t part_bytes; /* that end a part; 0: no limit */
	double part_seconds; /* the same */
	uint64_t max_size; /* of all parts; 0: no limit */
	double flight; /* seconds that are kept in memory; 0: into the file */
	bool check; /* the rules, too; what is kept goes out if one is broken */
};

/* @argv is CMD, or NULL. Says what went wrong, and returns the exit code. */
int recording__run(const struct recording_config *cfg, char **argv);
bool recording__has_parts(const struct recording_config *cfg);

#endif /* FPSTAT_RECORDING_H */
