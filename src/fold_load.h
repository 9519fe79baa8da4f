/* SPDX-License-Identifier: GPL-2.0-only */
/* fold() for the frequent programs of an object, while libbpf loads it. */
#ifndef FPSTAT_FOLD_LOAD_H
#define FPSTAT_FOLD_LOAD_H

struct bpf_map;

/*
 * Before an object is opened. From then on programs at tp_btf and fentry must be told
 * their target, whatever their section says. Returns 0 or -errno.
 */
int fold_load__init(void);

/* What is loaded from here on has @rodata; NULL: and is left as it is. */
void fold_load__by(const struct bpf_map *rodata);

#endif /* FPSTAT_FOLD_LOAD_H */
