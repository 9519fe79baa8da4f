/* SPDX-License-Identifier: GPL-2.0-only */
/* A row of whatif: what somebody moved, would have moved, or had to. */
#ifndef FPSTAT_WHATIF_SUM_H
#define FPSTAT_WHATIF_SUM_H

#include "cost.h"
#include "policy.h"
#include "snapshot.h"

struct whatif;

/*
 * A guest's state is as large as its vcpu says; a host's, inside KVM_RUN, is in
 * the FPSIMD format: a system call gives up the rest. A range that is n/a is
 * SNAP_NA on both ends.
 */
struct whatif_sum {
	const char *why; /* why all of it is n/a; NULL: it is not */
	struct range host_save;
	struct range host_load;
	struct range guest_save;
	struct range guest_load;
	struct range irqoff; /* of these, with interrupts off */
	struct range save_bytes;
	struct range load_bytes;
	struct range irqoff_bytes;
	struct range unsafe; /* states lost */
	struct range refused; /* NEON sections */
};

enum {
	WHATIF_KERNEL, /* what the running kernel did */
	WHATIF_ORACLE, /* what of that was needed, and what may have been */
	WHATIF_POLICY, /* the first of them */
	WHATIF_ROWS = WHATIF_POLICY + POLICY_MAX,
	WHATIF_PARAM = WHATIF_ROWS, /* the first of those with a parameter */
};

/* Those of the kernel are always shown; @policies: bit per policy. */
bool whatif_sum__shown(uint32_t policies, int row);

/*
 * @row for @v, or for all vcpus (@v is NULL). Of those that ended long ago a guest
 * counts as FPSIMD.
 */
struct whatif_sum whatif_sum__row(const struct whatif *w,
				  const struct snapshot *s,
				  const struct snap_vcpu *v, int row);

/* The same row of several hosts, which begins zeroed: n/a if one of them is. */
void whatif_sum__add(struct whatif_sum *to, const struct whatif_sum *from);

/* What it moves more than the kernel did, from and to; negative: less. */
struct whatif_diff {
	bool na;
	int64_t save[2];
	int64_t load[2];
};

struct whatif_diff whatif_sum__diff(const struct whatif_sum *sum,
				    const struct whatif_sum *kernel);

bool range__na(struct range r);
/* N/a if one of them is. */
struct range range__add(struct range a, struct range b);

struct range whatif_sum__bytes(const struct whatif_sum *sum);
/* Time, if each transfer takes as long as @c says for one of FPSIMD. */
struct range whatif_sum__ns(const struct whatif_sum *sum,
			    const struct cost_xfer *c);

#endif /* FPSTAT_WHATIF_SUM_H */
