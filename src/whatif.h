/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stream says beyond the counters: what each policy would have moved, for
 * each vcpu.
 */
#ifndef FPSTAT_WHATIF_H
#define FPSTAT_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blame.h"
#include "param.h"
#include "policy.h"
#include "prove.h"
#include "snapshot.h"

struct recount;
struct whatif;

/* NULL if there is no memory. whatif__free(NULL) is fine. */
struct whatif *whatif__new(unsigned int cpus, struct blame_namer namer);
void whatif__free(struct whatif *w);

/* Before the first record: these policies, too. 0 or -ENOMEM. */
int whatif__sweep(struct whatif *w, unsigned int cpus,
		  const struct params *params);

/*
 * The same, of a stream that begins in the middle: see recount__begin(); @since is NULL
 * if that is not known. 0 or -ENOMEM.
 */
int whatif__begin(struct whatif *w, const struct snapshot *since);
/*
 * Something is missing, and nobody knows how much: from here on no policy has any
 * numbers. Records that are known to be lost only make intervals wider.
 */
void whatif__miss(struct whatif *w);
bool whatif__missed(const struct whatif *w);
/* Are intervals wider since something was not seen? */
bool whatif__wider(const struct whatif *w);

/* One record of the stream. 0 or -ENOMEM. */
int whatif__feed(struct whatif *w, const struct fp_rec *rec);

/* The row of a vcpu. False if it was not seen, or too long ago. */
bool whatif__row(const struct whatif *w, uint32_t slot, uint32_t gen,
		 enum policy policy, struct policy_row *row);
struct policy_row whatif__total(const struct whatif *w, enum policy policy);
const struct prove *whatif__proof(const struct whatif *w);
/* The same of policies with a parameter; @i: which of them. */
bool whatif__swept(const struct whatif *w, uint32_t slot, uint32_t gen,
		   unsigned int i, struct policy_row *row);
struct policy_row whatif__swept_total(const struct whatif *w, unsigned int i);
/* See blame__rows(). */
const struct blame_row *whatif__blame(const struct whatif *w, size_t *nr);

/* What it counted. */
const struct recount *whatif__recount(const struct whatif *w);

/*
 * Does the policy of the kernel that runs come to what this kernel did? If not,
 * @why gets one sentence. True if that policy is not known.
 */
bool whatif__proves(const struct whatif *w, const struct snapshot *now,
		    const struct snapshot *delta, char *why, size_t len);

#endif /* FPSTAT_WHATIF_H */
