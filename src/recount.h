/* SPDX-License-Identifier: GPL-2.0-only */
/* From a stream to the counters that the kernel made of it, as a snapshot. */
#ifndef FPSTAT_RECOUNT_H
#define FPSTAT_RECOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

struct recount;
struct replay;
struct snapshot;

/* NULL if there is no memory. recount__free(NULL) is fine. */
struct recount *recount__new(unsigned int cpus);
void recount__free(struct recount *r);

/* The records begin where these are the counters: whose the slots are. */
void recount__begin(struct recount *r, const struct snapshot *since);
/* Returns what fp_step() answered. */
uint32_t recount__step(struct recount *r, const struct fp_rec *rec);

const struct replay *recount__replay(const struct recount *r);
/* Who has @slot, as fp_vcpu.gen: 1 is the first; 0: nobody had it yet. */
uint32_t recount__gen(const struct recount *r, uint32_t slot);

/*
 * @out = @after, with all that the stream tells counted anew. 0 or -ENOMEM;
 * snapshot__free() releases what @out owns.
 */
int recount__again(const struct recount *r, const struct snapshot *after,
		   struct snapshot *out);
/*
 * The same without counters that fit: what happened up to now on @host. What the
 * stream does not tell is n/a, and vcpus have no names.
 */
int recount__alone(const struct recount *r, const struct snapshot *host,
		   struct snapshot *out);
/* Counters that came before or after know the names, and if guests are hidden. */
void recount__name(struct snapshot *s, const struct snapshot *known);

/*
 * Could all records have been, and were none lost of those that @now tells of? If
 * not, @why gets one sentence.
 */
bool recount__can_be(const struct recount *r, const struct snapshot *now,
		     char *why, size_t len);
/*
 * Do the counters, as they were before the end of the stream was read and after
 * (@now; @delta is the difference, row by row), say what the stream says? If not,
 * @why gets one sentence. False also if records were lost; true where the counters
 * of guests cannot be shown.
 */
bool recount__agrees(const struct recount *r, const struct snapshot *now,
		     const struct snapshot *delta, char *why, size_t len);

#endif /* FPSTAT_RECOUNT_H */
