/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters, as maps: the capture object has them, and the objects beside it are
 * given the same ones. So they must be declared alike.
 */
#ifndef FPSTAT_SHARED_H
#define FPSTAT_SHARED_H

#include "kernel.h"

#include "fpstat/counters.h"

struct vcpus_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FP_MAX_VCPUS);
	__type(key, __u32);
	__type(value, struct fp_vcpu);
};

struct cpus_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before load */
	__type(key, __u32);
	__type(value, struct fp_percpu);
};

#endif /* FPSTAT_SHARED_H */
