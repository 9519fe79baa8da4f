/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that are asked in the kernel, of its own variables: what they are told
 * before they are loaded, and what they tell. See bpf/live_rules.h.
 */
#ifndef FPSTAT_WATCH_H
#define FPSTAT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/rule.h"

struct capture_bpf;
struct fp_percpu;
struct watch;

/* What they look at, of an object that is not loaded yet. 0 or a negative errno. */
int watch__set_up(struct capture_bpf *s, const char *mode, unsigned int cpus);

/*
 * @s is loaded, @cpus are its counters; @execs: sched_process_exec is attached. NULL:
 * errno. watch__close(NULL) is fine.
 */
struct watch *watch__open(struct capture_bpf *s, const struct fp_percpu *cpus,
			  unsigned int nr_cpus, bool execs);
void watch__close(struct watch *w);

/* Hands what came since the last call to @fn. 0 or a negative errno. */
int watch__drain(struct watch *w,
		 void (*fn)(void *ctx, const struct fp_fact *fact), void *ctx);
/* How often each rule was asked there. */
void watch__asked(const struct watch *w, uint64_t asked[FP_RULES]);
/* See check__eager(). */
void watch__set_eager(struct watch *w, bool eager);
/* For a while nothing is looked at that costs much. */
void watch__rest(struct watch *w, bool rest);
/* Why @rule can't be asked there on this kernel, or not in full; or NULL. */
const char *watch__cannot(const struct watch *w, enum fp_rule rule);

#endif /* FPSTAT_WATCH_H */
