/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the counts of a run to the operations charged to its vcpus, for the two
 * designs of the kernels: martin (4.18 to the backports of 2025; here 5.10)
 * and eager (6.14 and all stable kernels since; here 6.1, 6.12, 7.3).
 */
#ifndef WORKLOADS_EXPECT_H
#define WORKLOADS_EXPECT_H

#include "truth.h"

void eager_idle(const struct truth *truth, struct ops *ops);
void eager_live(const struct truth *truth, struct ops *ops);
void eager_reset(const struct truth *truth, struct ops *ops);

void martin_idle(const struct truth *truth, struct ops *ops);
void martin_taken(const struct truth *truth, struct ops *ops);
void martin_live(const struct truth *truth, struct ops *ops);
void martin_reset(const struct truth *truth, struct ops *ops);

#endif
