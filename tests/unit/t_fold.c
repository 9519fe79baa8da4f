// SPDX-License-Identifier: GPL-2.0-only
/* Loads from .rodata that become numbers, and those that must stay what they are. */
#include "test.h"

#include <string.h>

#include "fold.h"

enum { FD = 5, OTHER_FD = 6 };

static const struct __attribute__((packed)) {
	__u64 mask;
	__u32 word;
	__u16 half;
	__u8 byte, last;
} rodata = { 0x8000000080000001ull, 0xfedcba98, 0x8001, 0xff, 1 };

/* r1 = *(r1 = @at in the map). */
static void ask(struct bpf_insn *insn, __u8 size, int at)
{
	insn[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
				     .dst_reg = 1,
				     .src_reg = BPF_PSEUDO_MAP_VALUE,
				     .imm = FD };
	insn[1] = (struct bpf_insn){ .imm = at };
	insn[2] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
				     .dst_reg = 1,
				     .src_reg = 1 };
	insn[3] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
}

static size_t fold_all(struct bpf_insn *insn, size_t nr)
{
	return fold(insn, nr, FD, &rodata, sizeof(rodata));
}

static void becomes(__u8 size, int at, __s16 off, __u64 value)
{
	const struct bpf_insn next = { .code = BPF_JMP | BPF_JA };
	struct bpf_insn insn[4];

	ask(insn, size, at);
	insn[2].off = off;
	assert_int_equal(fold_all(insn, 4), 1);
	assert_int_equal(insn[0].code, BPF_LD | BPF_IMM | BPF_DW);
	assert_int_equal(insn[0].dst_reg, 1);
	assert_int_equal(insn[0].src_reg, 0);
	assert_int_equal((__u32)insn[0].imm | (__u64)insn[1].imm << 32, value);
	assert_memory_equal(&insn[2], &next, sizeof(next));
	assert_int_equal(insn[3].code, BPF_JMP | BPF_EXIT);
}

static void numbers(void **state)
{
	(void)state;
	becomes(BPF_DW, 0, 0, rodata.mask);
	becomes(BPF_W, 8, 0, rodata.word);
	becomes(BPF_H, 12, 0, rodata.half);
	becomes(BPF_B, 14, 0, rodata.byte);
	becomes(BPF_B, 15, 0, 1);
	becomes(BPF_B, 8, 6, rodata.byte);
	becomes(BPF_B, 15, -1, rodata.byte);
}

static void stays(struct bpf_insn *insn, size_t nr)
{
	struct bpf_insn was[8];

	memcpy(was, insn, nr * sizeof(*insn));
	assert_int_equal(fold_all(insn, nr), 0);
	assert_memory_equal(was, insn, nr * sizeof(*insn));
}

/* Another map, another address, another register, another instruction; not in the map. */
static void others(void **state)
{
	struct bpf_insn insn[4];

	(void)state;
	ask(insn, BPF_B, 0);
	insn[0].imm = OTHER_FD;
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	insn[0].src_reg = BPF_PSEUDO_MAP_FD;
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	insn[2].dst_reg = 2; /* r1 is still an address */
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	insn[2].src_reg = 2;
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	insn[2].code = BPF_STX | BPF_MEM | BPF_B;
	stays(insn, 4);
	ask(insn, BPF_DW, sizeof(rodata) - 7);
	stays(insn, 4);
	ask(insn, BPF_B, sizeof(rodata));
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	insn[2].off = -1;
	stays(insn, 4);
	ask(insn, BPF_B, 0);
	stays(insn, 2);
}

/* The load has another address, if it is jumped to. */
static void jumps(void **state)
{
	struct bpf_insn insn[6], back = { .code = BPF_JMP | BPF_JEQ | BPF_K };

	(void)state;
	insn[0] = (struct bpf_insn){ .code = BPF_JMP32 | BPF_JSET | BPF_X,
				     .off = 2 };
	ask(insn + 1, BPF_B, 0);
	stays(insn, 5);
	ask(insn, BPF_B, 0);
	insn[3] = back;
	insn[3].off = -2;
	stays(insn, 4);
	insn[3].off = -4; /* to where it begins */
	assert_int_equal(fold_all(insn, 4), 1);
	/* A call and an exit are no jumps. */
	ask(insn + 1, BPF_B, 0);
	insn[0] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .off = 2 };
	assert_int_equal(fold_all(insn, 5), 1);
	ask(insn + 1, BPF_B, 0);
	insn[0] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT, .off = 2 };
	assert_int_equal(fold_all(insn, 5), 1);
}

/* The second half of an address may look like the begin of one. */
static void halves(void **state)
{
	struct bpf_insn insn[5];

	(void)state;
	ask(insn + 1, BPF_B, 0);
	insn[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW };
	stays(insn, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(others),
		cmocka_unit_test(jumps),
		cmocka_unit_test(halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
