/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream: all that automaton and judge of each CPU were given, in order. Who
 * takes the same steps comes to the same counters.
 */
#ifndef FPSTAT_STREAM_H
#define FPSTAT_STREAM_H

#include "fpstat/event.h"

/* fp_rec.flags */
#define FP_REC_GAP 1 /* records of this CPU were lost before this one */
#define FP_REC_NO_STEP 2 /* for the judge alone */
#define FP_REC_NO_JUDGE 4 /* for the automaton alone */
#define FP_REC_NESTED 8 /* came in between a step of the judge */
#define FP_REC_REVOKE 16 /* the last FP_EV_NEON_NEST of this CPU was none */
#define FP_REC_LAST 32 /* FP_EV_SWITCH: of a task that died before */

/*
 * Guest exits that changed nothing have no record. They are counted in the next
 * one of their CPU: all exits since the one before, and those with live state.
 */
struct fp_rec {
	__u64 ns; /* CLOCK_MONOTONIC */
	struct fp_event ev;
	__u64 other; /* depends on the kind: see below */
	__u64 letter; /* fp_judge.letter of this step */
	__u32 slot; /* vcpu that it is charged to, or FP_NO_SLOT */
	__u32 cpu;
	__u32 exits;
	__u32 live;
	__u32 flags;
	__u32 lost; /* with FP_REC_GAP: how many; 0: nobody knows */
};

_Static_assert(sizeof(struct fp_rec) == 64, "records are 64 bytes");

/*
 * fp_rec.other:
 *   FP_EV_SWITCH   buffer of the task that comes; its thread is ev.gen
 *   FP_EV_VLOAD    buffer of the vcpu
 *   FP_EV_NEON_*   address of who called kernel_neon_begin()
 *   FP_EV_RUN_END  exit reason of KVM_RUN
 *   FP_EV_SAVE, FP_EV_LOAD, of a user state
 *                  bytes that are moved, or FP_BYTES_UNSEEN; 0: not told, as on
 *                  hosts without SVE
 *
 * Each guest entry and exit has a record of its own only if that was asked for. Of
 * an FP_EV_EXIT ev.arg is then the exception index (ARM_EXCEPTION_*), and ev.gen
 * the exception class of the trap (ESR_ELx_EC_*).
 */

#endif /* FPSTAT_STREAM_H */
