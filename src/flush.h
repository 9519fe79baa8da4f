/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest whose state is flushed at the exit after N exits with it. If nobody knows
 * whether it was used since, there are two answers that bound all others: never,
 * and at each entry. For to use it earlier never makes it be loaded or flushed later
 * for the n-th time; and what takes the state whatever was answered, vcpu_put and
 * NEON, begins anew.
 */
#ifndef FPSTAT_FLUSH_H
#define FPSTAT_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "need.h"
#include "policy.h"

/* Of what is live under martin; all zero at first. */
struct flush {
	/* Exits since the load, if it is never used or always; 0: flushed. */
	uint64_t lo, hi;
	bool lost; /* nobody knows */
};

/*
 * In all of these, @max is N, or PARAM_INF, and @live whether martin has it live
 * before. What is moved is added to @ops.
 */
void flush__enter(struct flush *f, struct policy_ops *ops, uint64_t max,
		  enum tri live, const struct need *n);
/* By vcpu_put or NEON: what was not flushed is saved. */
void flush__save(const struct flush *f, struct policy_ops *ops, uint64_t max,
		 enum tri live, bool irqoff);

#endif /* FPSTAT_FLUSH_H */
