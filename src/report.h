/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stream says beyond the counters: what each CPU did, how long a guest's
 * state stays in the registers, and how often the guest was entered with it.
 */
#ifndef FPSTAT_REPORT_H
#define FPSTAT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

struct report_ops {
	uint64_t save;
	uint64_t load;
};

/* One CPU. */
struct report_cpu {
	uint64_t records;
	uint64_t exits;
	uint64_t gaps; /* how often some were lost */
	struct report_ops guest;
	struct report_ops host;
	struct report_ops task;
	struct report_ops kernel;
};

/* How many were from 2^i up to, and not with, 2^(i + 1); 0 is with 1. */
#define REPORT_BUCKETS 64

struct report_histogram {
	uint64_t n[REPORT_BUCKETS];
};

struct report;

/* NULL if there is no memory. report__free(NULL) is fine. */
struct report *report__new(unsigned int cpus);
void report__free(struct report *r);

/* @step: what fp_step() answered. Only some are to be @counted; all are seen. */
void report__feed(struct report *r, const struct fp_rec *rec, uint32_t step,
		  int counted);

/* Did a state leave registers that was not seen to come there? */
bool report__headless(const struct report *r);
const struct report_cpu *report__cpu(const struct report *r, unsigned int cpu);
/* From the load of a guest's state to its save, ns. */
const struct report_histogram *report__lifetimes(const struct report *r);
/* Entries of the guest in that time. */
const struct report_histogram *report__entries(const struct report *r);

#endif /* FPSTAT_REPORT_H */
