/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace in the formats of others, record by record: memory stays flat. */
#ifndef FPSTAT_EXPORT_H
#define FPSTAT_EXPORT_H

#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>

#include "fpstat/stream.h"

struct trace;

struct export
{
	FILE *out;
	const struct trace *trace; /* which is being read */
	void *own; /* of the format: what begin() allocated, and end() frees */
	unsigned int cpus;
};

struct export_format {
	const char *name;
	const char *what; /* one line for the help */
	/* 0 or -ENOMEM. Any of these may be NULL, but not @record. */
	int (*begin)(struct export *x);
	/* @step: what fp_step() answered. */
	void (*record)(struct export *x, const struct fp_rec *rec,
		       uint32_t step);
	void (*end)(struct export *x);
};

extern const struct export_format export_csv;
extern const struct export_format export_ndjson;
extern const struct export_format export_perfetto;


#endif /* FPSTAT_EXPORT_H */
