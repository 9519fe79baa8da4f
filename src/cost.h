/* SPDX-License-Identifier: GPL-2.0-only */
/* What it costs on this machine to save and to load a state, as measured here. */
#ifndef FPSTAT_COST_H
#define FPSTAT_COST_H

/* Nanoseconds of one transfer in the FPSIMD format. */
struct cost_xfer {
	double save;
	double load;
};

struct cost {
	const char *why; /* why there are no numbers; NULL: there are */
	struct cost_xfer hot; /* the buffer is in the cache next to the CPU */
	struct cost_xfer cold; /* it is in no cache */
};

/*
 * Measures for a few milliseconds, on the CPU where it happens to run. Uses the
 * FP registers: to be called while nobody counts.
 */
void cost__measure(struct cost *c);

#endif /* FPSTAT_COST_H */
