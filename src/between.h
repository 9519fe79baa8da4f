/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream was read between two looks at the counters: what it comes to must be in
 * between. @high is what the second look said, and @grew how much more that was.
 */
#ifndef FPSTAT_BETWEEN_H
#define FPSTAT_BETWEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_ops;
struct replay_vcpu;
struct snap_ops;
struct snap_vcpu;

/* Gets one sentence if something does not fit. */
struct between {
	char *why;
	size_t len;
};

/* @size: as for snap_ops__read(), of @n. */
bool between__ops(const struct between *b, const char *who,
		  const struct fp_ops *n, const struct snap_ops *high,
		  const struct snap_ops *grew, uint64_t size);
/* @n: NULL if nothing was seen of it. */
bool between__vcpu(const struct between *b, const struct replay_vcpu *n,
		   const struct snap_vcpu *high, const struct snap_vcpu *grew);

#endif /* FPSTAT_BETWEEN_H */
