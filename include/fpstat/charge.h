/* SPDX-License-Identifier: GPL-2.0-only */
/* Who pays for what a step moved: the same rule in the kernel and on a stream. */
#ifndef FPSTAT_CHARGE_H
#define FPSTAT_CHARGE_H

#include "fpstat/model.h"

#define FP_NO_SLOT 0xffffffffU /* of no vcpu */

/* fp_judge.who: whose the undecided save is. */
enum fp_who {
	FP_WHO_NOBODY, /* a guest without a slot */
	FP_WHO_GUEST,
	FP_WHO_HOST,
	FP_WHO_TASK,
	FP_WHO_KERNEL,
};

/* @guest, @kernel: the operations of @ops on their states, saves or loads. */
static inline __u32 fp_whose(__u32 slot, __u32 ops, __u32 guest, __u32 kernel)
{
	if (ops & guest)
		return slot == FP_NO_SLOT ? FP_WHO_NOBODY : FP_WHO_GUEST;
	if (ops & kernel)
		return FP_WHO_KERNEL;
	return slot == FP_NO_SLOT ? FP_WHO_TASK : FP_WHO_HOST;
}

static inline __u32 fp_saved_who(__u32 slot, __u32 ops)
{
	return fp_whose(slot, ops, FP_OP_GUEST_SAVE, FP_OP_KERNEL_SAVE);
}

static inline __u32 fp_loaded_who(__u32 slot, __u32 ops)
{
	return fp_whose(slot, ops, FP_OP_GUEST_LOAD, FP_OP_KERNEL_LOAD);
}

#endif /* FPSTAT_CHARGE_H */
