/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the steps of capture once more, on its stream, and so comes to the same
 * counters. That it does is checked: it proves that the stream is whole, and
 * that what is derived from it is about the same operations.
 */
#ifndef FPSTAT_REPLAY_H
#define FPSTAT_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/stream.h"

/* The counters of one vcpu that a replay can tell. */
struct replay_vcpu {
	uint64_t exits;
	uint64_t runs_live;
	struct fp_ops guest;
	struct fp_ops host;
	uint64_t cause[FP_CAUSE_SLOTS];
};

struct replay;

/* NULL if there is no memory. replay__free(NULL) is fine. */
struct replay *replay__new(unsigned int cpus);
void replay__free(struct replay *r);

/* Returns what fp_step() answered. */
uint32_t replay__step(struct replay *r, const struct fp_rec *rec);

/* The same of the last record. */
uint32_t replay__step_made(const struct replay *r);
/* What the judge said of @rec, the last record; all 0 if it was not asked. */
struct fp_verdicts replay__verdicts(const struct replay *r,
				    const struct fp_rec *rec);

/* A CPU after its last record. */
struct replay_cpu {
	struct fp_cpu model;
	struct fp_judge judge;
	uint32_t slot; /* of the vcpu whose exits have no record */
	uint64_t ns; /* of the last record */
	struct fp_ops task;
	struct fp_ops kernel;
};
/* NULL: there is no such CPU. */
const struct replay_cpu *replay__cpu(const struct replay *r, uint32_t cpu);
/* What the kernel has bound on @cpu: enum fp_bound. */
uint8_t replay__bound(const struct replay *r, uint32_t cpu);
/* .. and which buffer; 0: none. */
uint64_t replay__bound_to(const struct replay *r, uint32_t cpu);
/* NULL: nothing was seen of it. Starts from 0 after replay__forget(). */
const struct replay_vcpu *replay__vcpu(const struct replay *r, uint32_t slot);
/* Exits of vcpus without a slot, or not known whose; those with live state twice. */
uint64_t replay__unpaid(const struct replay *r);
/* The vcpu in @slot is there, even if no record is of it. */
void replay__expect(struct replay *r, uint32_t slot);
void replay__forget(struct replay *r, uint32_t slot);
/* Sums of all CPUs. */
struct fp_ops replay__task(const struct replay *r);
struct fp_ops replay__kernel(const struct replay *r);
/*
 * Records that cannot be: registers newer than memory were overwritten (see
 * fp_verdicts.impossible), the time of a CPU went back, there is no such CPU.
 */
struct replay_doubt {
	uint64_t count;
	uint64_t lost; /* of these, states */
	uint64_t first; /* number of the first such record, from 1 */
	uint32_t cpu; /* where it was */
	uint64_t ns; /* when */
	const char *what;
};
const struct replay_doubt *replay__doubt(const struct replay *r);

#endif /* FPSTAT_REPLAY_H */
