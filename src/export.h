/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace in the formats of others, record by record: memory stays flat. */
#ifndef FPSTAT_EXPORT_H
#define FPSTAT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>

#include "fpstat/stream.h"

struct replay;
struct trace;

struct export
{
	FILE *out; /* NULL for a directory, which is .. */
	const char *output; /* .. this one */
	const struct trace *trace; /* which is being read */
	const struct replay *replay; /* has taken the record, too */
	void *own; /* of the format, from open() to close() */
	unsigned int cpus; /* of the host of this section */
};

struct export_format {
	const char *name;
	const char *what; /* one line for the help */
	bool directory; /* it makes one, and writes no file */
	/*
	 * Each but @record may be NULL. open() comes first, close() last, whatever
	 * went wrong; begin() and end() around the records of each section. They
	 * return 0 or a negative errno.
	 */
	int (*open)(struct export *x);
	int (*begin)(struct export *x);
	/* @step: what fp_step() answered. */
	void (*record)(struct export *x, const struct fp_rec *rec,
		       uint32_t step);
	int (*end)(struct export *x);
	void (*close)(struct export *x);
};

/* Why a guest's state was saved; NULL if @step saved none. */
const char *export__cause(uint32_t step);

extern const struct export_format export_csv;
extern const struct export_format export_ndjson;
extern const struct export_format export_ctf;
extern const struct export_format export_perfetto;

#endif /* FPSTAT_EXPORT_H */
