/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest.S and the VMM agree on: the map of guest memory, what a guest
 * does in each turn, and the block of numbers through which they talk.
 */
#ifndef WORKLOADS_GUEST_H
#define WORKLOADS_GUEST_H

/* Guest physical memory. A store to GUEST_MMIO or GUEST_DONE ends KVM_RUN. */
#define GUEST_GICD	0x08000000
#define GUEST_GICR	0x080a0000
#define GUEST_GICR_SIZE	0x00020000
#define GUEST_MMIO	0x09000000
#define GUEST_DONE	0x09000008
#define GUEST_FAULT	0x09000010	/* an exception: stores the syndrome */
#define GUEST_RAM	0x40000000
#define GUEST_CODE	GUEST_RAM
#define GUEST_TABLE	0x40001000	/* level 1 page table, see vm.c */
#define GUEST_BLOCKS	0x40002000	/* one page for each vcpu */
#define GUEST_PAGE	0x1000

/* Operations, bit numbers. The first four are the load modes of the lab. */
#define OP_FP		0	/* touch FP */
#define OP_HVC		1	/* exit into the kernel: PSCI_VERSION */
#define OP_MMIO		2	/* exit to user space */
#define OP_WFI		3	/* sleep until the virtual timer fires */
#define OP_SVE		4	/* touch FP by SVE instructions */
#define OP_ON		5	/* start the peer by CPU_ON, again and again */
#define OP_OFF		6	/* the peer: CPU_OFF after each turn */

/* Offsets into a vcpu's block; struct guest_block in vm.h is the same. */
#define B_OPS		0
#define B_COUNT		8
#define B_STOP		16
#define B_TURNS		24
#define B_FP_USES	32
#define B_FP_LOST	40
#define B_HVCS		48
#define B_MMIOS		56
#define B_WFIS		64
#define B_TICKS		72
#define B_GICR		80
#define B_PEER		88
#define B_PEER_ID	96
#define B_VL		104

#endif
