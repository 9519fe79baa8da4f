/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and attaches the programs that look at the kernel's own variables: see
 * bpf/check.bpf.c.
 */
#ifndef FPSTAT_WATCH_H
#define FPSTAT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/rule.h"

struct watch;

struct watch_opts {
	uint64_t foreign_mask;
	unsigned int cpus; /* possible ones */
	int cpus_fd, vcpus_fd; /* maps of the capture object */
	const char *save; /* which function saves a user's state here */
	bool fentry; /* can be attached there */
	bool guests; /* EL1 sees who owns a guest's registers */
	bool vhe;
};

/* NULL: errno. watch__close(NULL) is fine. */
struct watch *watch__open(const struct watch_opts *opts);
void watch__close(struct watch *w);

/* Hands what came since the last call to @fn. 0 or a negative errno. */
int watch__drain(struct watch *w,
		 void (*fn)(void *ctx, const struct fp_fact *fact), void *ctx);
/* How often each rule was asked there. */
void watch__asked(const struct watch *w, uint64_t asked[FP_RULES]);
/* See check__eager(). */
void watch__set_eager(struct watch *w, bool eager);
/* How long its programs ran while the kernel measured it, ns; 0 for NULL. */
uint64_t watch__run_time(const struct watch *w);
/* They look at nothing for a while. */
void watch__rest(struct watch *w, bool rest);
/* Why @rule can't be asked there on this kernel, or not in full; or NULL. */
const char *watch__cannot(const struct watch *w, enum fp_rule rule);

#endif /* FPSTAT_WATCH_H */
