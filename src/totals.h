/* SPDX-License-Identifier: GPL-2.0-only */
/* All that the records of a host come to, up to the last one, in a few sums. */
#ifndef FPSTAT_TOTALS_H
#define FPSTAT_TOTALS_H

#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

struct replay;

struct totals_ops {
	uint64_t saves;
	uint64_t loads;
	uint64_t redundant_saves; /* of those that are decided */
	uint64_t redundant_loads;
};

struct totals {
	uint64_t exits;
	uint64_t live; /* entries with live state */
	struct totals_ops guest;
	struct totals_ops host; /* user states of threads inside KVM_RUN */
	struct totals_ops other; /* of tasks, and kernel NEON */

	unsigned int cpus;
	struct totals_ops **waits; /* by CPU: whose is the undecided save? */
};

/* 0 or -ENOMEM. totals__free() takes one that is all 0. */
int totals__init(struct totals *t, unsigned int cpus);
void totals__free(struct totals *t);
/* @r has just taken @rec. */
void totals__add(struct totals *t, const struct fp_rec *rec,
		 const struct replay *r);

#endif /* FPSTAT_TOTALS_H */
