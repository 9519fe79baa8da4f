/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow-list: every function and tracepoint that fpstat may ever attach
 * to. A probe inside the hypervisor's code panics the host, and the kernel
 * refuses only part of it, so nothing that is not in this table is attached.
 */
#ifndef FPSTAT_HOOKS_H
#define FPSTAT_HOOKS_H

#include <stddef.h>

#define HOOK_NAMES 3

enum hook_flags {
	HOOK_REQUIRED = 1, /* without it the counts would be wrong */
	HOOK_RAW_TP = 2,
	HOOK_RETURN = 4, /* kretprobe */
	HOOK_WITNESS = 8, /* only on request */
	HOOK_INSTEAD = 16, /* only if the hook before it has no function */
	HOOK_ALL_EXITS = 32, /* only if each exit is to be a record */
	HOOK_EXITS = 64, /* not where KVM's own count does */
	HOOK_BINDS = 128, /* not where kvm_exit settles exits */
	HOOK_SETTLES = 256, /* .. and this is it */
	HOOK_STREAM = 512, /* only with a stream */
	HOOK_NO_STREAM = 1024,
	HOOK_CHECK = 2048, /* only for the rules .. */
	HOOK_ENTRIES = 4096, /* .. at each entry .. */
	HOOK_UNASKED = 8192, /* .. and at each exit, where kvm_exit does not ask */
	HOOK_MOVES = 16384, /* not where saves and loads are inferred .. */
	HOOK_TELLS = 32768, /* .. which can't be done without it */
	HOOK_INFERS = 65536, /* only there; its arguments have types (tp_btf) */
};

struct hook {
	/* The first that this kernel has is attached. */
	const char *fn[HOOK_NAMES];
	/*
	 * Names of the BPF programs of the capture object. With both, fentry
	 * is preferred: it is cheaper, and the kernel tells what it dropped.
	 */
	const char *kprobe;
	const char *fentry;
	const char *what;
	unsigned int flags;
};

/* Ends with an entry that has no function. */
extern const struct hook hooks[];

#endif /* FPSTAT_HOOKS_H */
