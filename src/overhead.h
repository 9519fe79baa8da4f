/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fpstat costs its host: the time in its BPF programs, and that of this process.
 *
 * The kernel measures the programs, a tenth of a second in each two, since that costs,
 * too. It takes some hundred instructions to get into a program and out again: these
 * are not in it, nor is what only caches feel.
 */
#ifndef FPSTAT_OVERHEAD_H
#define FPSTAT_OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct overhead {
	/* each second; < 0: not measured yet, or the kernel can't */
	double bpf_ns;
	double self_ns;

	/* private */
	int stats; /* the kernel measures while this is open; or -1 */
	double began, ended; /* the last measurement, or when we did; seconds */
	uint64_t run_time; /* when it began .. */
	double cpu_time; /* .. and of this process, when the last one ended */
};

void overhead__init(struct overhead *o, double now);
void overhead__close(struct overhead *o);

/*
 * To be called some twenty times a second. @run_time is how long all programs ran
 * while the kernel measured, ns. True: there is something new.
 */
bool overhead__tick(struct overhead *o, double now,
		    uint64_t (*run_time)(void *ctx), void *ctx);

/* Can the kernel measure them? */
bool overhead__possible(void);

#endif /* FPSTAT_OVERHEAD_H */
