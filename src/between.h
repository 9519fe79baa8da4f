/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream was read between two looks at the counters: what it comes to must be in
 * between.
 */
#ifndef FPSTAT_BETWEEN_H
#define FPSTAT_BETWEEN_H

#include <stdbool.h>
#include <stddef.h>

struct snapshot;

/*
 * Of @n, only what a stream tells; its rows are those of @high. If it does not fit,
 * @why gets one sentence.
 */
bool between__check(const struct snapshot *low, const struct snapshot *n,
		    const struct snapshot *high, char *why, size_t len);

#endif /* FPSTAT_BETWEEN_H */
