/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switches of BPF programs as static keys. What is in .rodata is known when a program is
 * loaded. The verifier takes away what depends on it, but leaves the question: three
 * instructions for an address, and a load. Here a number takes the place of each.
 */
#ifndef FPSTAT_FOLD_H
#define FPSTAT_FOLD_H

#include <stddef.h>
#include <linux/bpf.h>

/*
 * In @nr instructions with their relocations done: the map with @fd has @size bytes at
 * @data, and they change no more. Returns how many loads there were that are numbers now;
 * what is not of the usual form stays.
 */
size_t fold(struct bpf_insn *insns, size_t nr, int fd, const void *data,
	    size_t size);

#endif /* FPSTAT_FOLD_H */
