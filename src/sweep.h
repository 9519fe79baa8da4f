/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies with a parameter: what becomes of martin if one number is turned. All
 * values of it run side by side, fed with needs, as in policy.h.
 *
 * Each moves the host's state when martin does: either way it is not in the
 * registers from when the guest's is loaded until its thread returns to user mode.
 * So all that is kept here is what would have been moved of the guest.
 */
#ifndef FPSTAT_SWEEP_H
#define FPSTAT_SWEEP_H

#include <stdint.h>

#include "need.h"
#include "param.h"
#include "policy.h"

struct sweep;

/* NULL if there is no memory. sweep__free(NULL) is fine. */
struct sweep *sweep__new(unsigned int cpus, const struct params *params);
void sweep__free(struct sweep *s);

/* 0 or -ENOMEM. A need of a CPU that does not exist is taken for nothing. */
int sweep__step(struct sweep *s, const struct need *n);

/*
 * Of the guest in @slot, one for each of @params; NULL: there is none. They live
 * until the next step.
 */
const struct policy_ops *sweep__rows(const struct sweep *s, uint32_t slot);
/* Another vcpu gets the slot: the row begins anew, the total goes on. */
void sweep__end(struct sweep *s, uint32_t slot);
/* Of all vcpus; @i is an index into params.param[]. */
struct policy_ops sweep__total(const struct sweep *s, unsigned int i);

#endif /* FPSTAT_SWEEP_H */
