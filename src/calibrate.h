/* SPDX-License-Identifier: GPL-2.0-only */
/* What only the running kernel can tell: see bpf/probe.bpf.c. */
#ifndef FPSTAT_CALIBRATE_H
#define FPSTAT_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calibration {
	uint64_t foreign_mask; /* TIF_FOREIGN_FPSTATE: exactly one bit */
	uint64_t sve_mask; /* TIF_SVE: one bit; 0: no SVE, or not found */
	uint64_t pstate; /* of the kernel: its exception level */
	bool fentry; /* such programs can be attached: from 6.4 on */
	/* Each vcpu_load() saves the host's state, and flushes; .. */
	bool can_infer;
	/* .. and these are where a signal's frame has its copy, and is loaded from. */
	uint64_t copy_to, update_to;
	unsigned int flushes; /* how often the bit was seen being set .. */
	unsigned int restores; /* .. and cleared */
};

/*
 * Attaches the probe object for some milliseconds, forks and executes this
 * program a few times, and draws the conclusion. @infer: .can_infer is wanted, which
 * takes a signal, and a vcpu. Returns 0, or a negative errno with one sentence in @why.
 */
int calibrate(struct calibration *cal, bool infer, char *why, size_t len);

#endif /* FPSTAT_CALIBRATE_H */
