// SPDX-License-Identifier: GPL-2.0-only
#include "fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL &&
	       op != BPF_EXIT;
}

/* Which ones are jumped to; NULL: no memory. */
static bool *find_targets(const struct bpf_insn *insns, size_t nr)
{
	bool *is_target = calloc(nr, sizeof(*is_target));
	size_t i, to;

	for (i = 0; is_target && i < nr; i++) {
		to = i + 1 + (size_t)insns[i].off;
		if (is_jump(&insns[i]) && to < nr)
			is_target[to] = true;
	}
	return is_target;
}

static bool is_address(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static size_t bytes_of(const struct bpf_insn *load)
{
	switch (load->code) {
	case BPF_LDX | BPF_MEM | BPF_B:
		return 1;
	case BPF_LDX | BPF_MEM | BPF_H:
		return 2;
	case BPF_LDX | BPF_MEM | BPF_W:
		return 4;
	case BPF_LDX | BPF_MEM | BPF_DW:
		return 8;
	default:
		return 0;
	}
}

/* An address in the map in two, and a load from there to the same register. */
static bool fold_one(struct bpf_insn *insn, int fd, const void *data,
		     size_t size)
{
	struct bpf_insn *load = insn + 2;
	size_t at = (size_t)insn[1].imm + (size_t)load->off;
	size_t n = bytes_of(load);
	__u64 value = 0;

	if (insn->src_reg != BPF_PSEUDO_MAP_VALUE || insn->imm != fd || !n ||
	    load->src_reg != insn->dst_reg || load->dst_reg != insn->dst_reg ||
	    at > size || n > size - at)
		return false;
	/* The lowest byte is first, as on arm64. */
	memcpy(&value, (const char *)data + at, n);
	insn[0].src_reg = 0;
	insn[0].imm = (__s32)value;
	insn[1].imm = (__s32)(value >> 32);
	/* The verifier takes away what jumps to the next. */
	*load = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	return true;
}

size_t fold(struct bpf_insn *insns, size_t nr, int fd, const void *data,
	    size_t size)
{
	bool *is_target = find_targets(insns, nr);
	size_t i, n = 0;

	for (i = 0; is_target && i + 2 < nr; i++) {
		if (!is_address(&insns[i]))
			continue;
		if (!is_target[i + 2])
			n += fold_one(&insns[i], fd, data, size);
		i++; /* it has two */
	}
	free(is_target);
	return n;
}
