/* SPDX-License-Identifier: GPL-2.0-only */
/* fold() for the frequent programs of an object, while libbpf loads it. */
#ifndef FPSTAT_FOLD_LOAD_H
#define FPSTAT_FOLD_LOAD_H

struct bpf_map;

/*
 * From the open of one object to its load. *@rodata is its map, and may be set after it
 * was opened. Programs at tp_btf and fentry must be told their target, whatever their
 * section says. Returns 0 or -errno; fold_load__end() may always be called.
 */
int fold_load__begin(struct bpf_map *const *rodata);
void fold_load__end(void);

#endif /* FPSTAT_FOLD_LOAD_H */
