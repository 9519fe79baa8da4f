/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel module fpneon, through its parameters in sysfs. */
#ifndef WORKLOADS_NEON_H
#define WORKLOADS_NEON_H

#include <stdbool.h>
#include <stdint.h>

struct neon_counts {
	uint64_t softirq;	/* NEON sections that ran, by context */
	uint64_t task;
	uint64_t refused;	/* may_use_simd() said no */
	uint64_t preempts;	/* wake-ups of the thread without FP */
};

/* module: file to insert if it is not there yet, or NULL. */
bool neon__open(const char *module);
/* Sum over all CPUs; zeros without the module. */
struct neon_counts neon__counts(void);
struct neon_counts neon__since(struct neon_counts start);
/*
 * kind: "softirq", "task", "preempt". Returns when it has happened on cpu. "here" is a
 * section of the caller, on any.
 */
void neon__fire(const char *kind, int cpu);
/* where: a function of the kernel, +offset; see fpneon. Until this program ends. */
void neon__strike(const char *where);
/* context: "softirq" or "task". Until this program ends. */
void neon__rate(const char *context, unsigned int hz);

#endif
