/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hot hooks exist twice, as kprobe k_NAME and as fentry f_NAME: user space
 * loads the one that this kernel can attach.
 */
#ifndef FPSTAT_TWINS_H
#define FPSTAT_TWINS_H

#include "kernel.h"

#include <bpf/bpf_tracing.h>

#define TWINS(name, handler)                      \
	SEC("kprobe")                             \
	int k_##name(struct pt_regs *ctx)         \
	{                                         \
		return handler();                 \
	}                                         \
	SEC("fentry")                             \
	int f_##name(unsigned long long *ctx)     \
	{                                         \
		return handler();                 \
	}

#endif /* FPSTAT_TWINS_H */
