/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * done == needed + redundant + pending + unknown: at every instant, for all.
 * Of an interval: done == needed + redundant + unknown + change of pending.
 */
#ifndef FPSTAT_CONSERVE_H
#define FPSTAT_CONSERVE_H

#include <stdbool.h>
#include <stddef.h>

struct snapshot;

/*
 * Checks a cumulative snapshot or an interval. Returns false, and one sentence
 * in @why, if a sum does not hold.
 */
bool conserve__check(const struct snapshot *s, char *why, size_t len);

#endif /* FPSTAT_CONSERVE_H */
