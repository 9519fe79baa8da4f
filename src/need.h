/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Needs: what the machine asked for, whatever its kernel made of it. They are
 * the same under every policy, because a trap on FP is handled inside the
 * hypervisor and adds no exit. A policy is fed with nothing else.
 */
#ifndef FPSTAT_NEED_H
#define FPSTAT_NEED_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

/* How certain it is. "Maybe": a state was live, nobody sees if it was used. */
enum tri { TRI_NO, TRI_MAYBE, TRI_YES };

enum need_kind {
	NEED_SWITCH, /* from task to next; @use: no if task is not in KVM_RUN */
	NEED_USER, /* task returns to user mode; @use */
	NEED_WAS_USER, /* task has been there since KVM_RUN ended, some time */
	NEED_RUN, /* task is inside KVM_RUN: @slot pays for it */
	NEED_VLOAD, /* task loads vcpu */
	NEED_VPUT, /* task puts vcpu, and stays inside KVM_RUN */
	NEED_RUN_END, /* KVM_RUN returns */
	NEED_ENTER, /* vcpu was entered @count times; @use: of FP, each time */
	NEED_LATE_EXIT, /* perhaps such an entry, without FP, is told later */
	NEED_NEON, /* kernel-mode NEON takes the registers; @use: task's own */
	NEED_CLOBBER, /* they get other contents: task's NEON goes on, or none */
	NEED_FORGET, /* the state of task or vcpu is written in memory */
	NEED_DIES, /* task never leaves the kernel again */
	NEED_END, /* task or vcpu is gone */
	NEED_GAP, /* @count records of cpu were lost: nothing is known of any */
	NEED_UNKNOWN, /* anything, by nobody knows whom, with @count entries */
};

/* Contexts are named by the address of their buffer; 0: none. */
struct need {
	enum need_kind kind;
	enum tri use;
	uint32_t slot; /* NEED_RUN, NEED_VLOAD: the vcpu that pays */
	uint32_t cpu;
	uint64_t task;
	/* Not side by side: they would be copied as one, just after one of them was written. */
	uint64_t next; /* NEED_SWITCH alone */
	uint64_t vcpu;
	uint64_t count; /* NEED_ENTER, NEED_GAP and NEED_UNKNOWN alone */
	uint64_t ns; /* when it was told: CLOCK_MONOTONIC */
};

#define NEEDS_MAX 10 /* of one record */

struct needs;

/* NULL if there is no memory. needs__free(NULL) is fine. */
struct needs *needs__new(unsigned int cpus);
void needs__free(struct needs *n);

/* The stream begins in the middle: nothing is known of any CPU yet. */
void needs__begin(struct needs *n);
/*
 * What @r stands for, in order; @step is what fp_step() answered to it. Returns
 * how many of @out it filled.
 */
unsigned int needs__of(struct needs *n, const struct fp_rec *r, uint32_t step,
		       struct need out[NEEDS_MAX]);

/* Can @r come between our hook in vcpu_load() and the save there? */
bool needs__while_loading(const struct fp_rec *r);

#endif /* FPSTAT_NEED_H */
