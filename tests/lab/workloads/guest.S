/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bare-metal guest. One loop for all scenarios; the block tells what a
 * turn does. Entered with x0 = address of this vcpu's block, at first by the
 * VMM and, for a peer, by each CPU_ON.
 *
 *   x19 block   x20 value that the FP registers must hold   x21 operations
 *   x22 turns since the last DONE
 */
#include "guest.h"

	.arch	armv8.2-a+sve

#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR1_EL1	S3_0_C12_C12_0
#define ICC_EOIR1_EL1	S3_0_C12_C12_1
#define ICC_IGRPEN1_EL1	S3_0_C12_C12_7
#define ZCR_EL1		S3_0_C1_C2_0

	.macro	mov32 reg, value
	movz	\reg, #(\value & 0xffff)
	movk	\reg, #(\value >> 16), lsl #16
	.endm

	.macro	inc offset
	ldr	x9, [x19, #\offset]
	add	x9, x9, #1
	str	x9, [x19, #\offset]
	.endm

	.section .rodata
	.balign	4096
	.global	guest_start, guest_end
guest_start:
	mov	x19, x0
	mov	x20, #0

	/* MMU on, for caches coherent with the VMM's view of the counters. */
	mov32	x1, 0x0000ff00		/* attribute 0 device, 1 write-back */
	msr	mair_el1, x1
	mov32	x1, 0x00803519		/* 39 bits, 4K, no upper half */
	movk	x1, #2, lsl #32		/* 40 bits physical */
	msr	tcr_el1, x1
	mov32	x1, GUEST_TABLE
	msr	ttbr0_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	mov32	x1, 0x30d01805		/* M, C, I and the RES1 bits */
	msr	sctlr_el1, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	mov32	x1, 0x00330000		/* FPEN and ZEN: no traps to EL1 */
	msr	cpacr_el1, x1
	isb

	ldr	x21, [x19, #B_OPS]
	tbz	x21, #OP_WFI, 1f
	bl	gic_init
1:	mov	x22, #0
	tbnz	x21, #OP_ON, on_loop
	tbnz	x21, #OP_OFF, off_once

loop:
	tbz	x21, #OP_FP, 1f
	bl	touch
1:	tbz	x21, #OP_HVC, 2f
	mov32	x0, 0x84000000		/* PSCI_VERSION */
	hvc	#0
	inc	B_HVCS
2:	tbz	x21, #OP_WFI, 3f
	bl	doze
3:	tbz	x21, #OP_MMIO, 4f
	inc	B_MMIOS
	mov32	x9, GUEST_MMIO
	str	x22, [x9]
4:	inc	B_TURNS
	add	x22, x22, #1
	ldr	x9, [x19, #B_STOP]
	cbnz	x9, done
	ldr	x9, [x19, #B_COUNT]
	cmp	x22, x9			/* a count of ~0: until stopped */
	b.lo	loop
done:
	/* A sleeping guest ends a turn without FP: one more use. */
	tbz	x21, #OP_WFI, 1f
	tbz	x21, #OP_FP, 1f
	bl	touch
1:	mov	x22, #0
	mov32	x9, GUEST_DONE
	str	x22, [x9]
	b	loop

/*
 * One use of FP: the registers must still hold what the last use left there,
 * then they get the next number. A host that loses FP state shows as FP_LOST.
 */
touch:
	tbnz	x21, #OP_SVE, 2f
	mov	x9, v16.d[0]
	mov	x10, v16.d[1]
	cmp	x9, x20
	ccmp	x10, x20, #0, eq
	b.eq	1f
	inc	B_FP_LOST
1:	add	x20, x20, #1
	dup	v16.2d, x20
	inc	B_FP_USES
	ret
2:	mov	x9, #15			/* as long as the host lets it be */
	msr	ZCR_EL1, x9
	isb
	rdvl	x9, #1
	str	x9, [x19, #B_VL]
	ptrue	p0.d
	dup	z17.d, x20
	cmpne	p1.d, p0/z, z16.d, z17.d
	b.none	3f
	inc	B_FP_LOST
3:	add	x20, x20, #1
	dup	z16.d, x20
	inc	B_FP_USES
	ret

gic_init:
	mov32	x9, GUEST_GICD
	mov	w10, #0x12		/* affinity routing, group 1 */
	str	w10, [x9]
	ldr	x9, [x19, #B_GICR]
	add	x9, x9, #0x10000	/* the frame of SGIs and PPIs */
	mov	w10, #-1
	str	w10, [x9, #0x80]	/* all in group 1 */
	mov	w10, #1 << 27		/* the virtual timer's PPI */
	str	w10, [x9, #0x100]
	mov	x10, #0xf0
	msr	ICC_PMR_EL1, x10
	mov	x10, #1
	msr	ICC_IGRPEN1_EL1, x10
	isb
	ret

/* Arm the timer, sleep, take the interrupt by hand (PSTATE.I stays set). */
doze:
	mov	x15, x30
	mrs	x9, cntvct_el0
	ldr	x10, [x19, #B_TICKS]
	add	x9, x9, x10
	msr	cntv_cval_el0, x9
	mov	x9, #1
	msr	cntv_ctl_el0, x9
	isb
	b	2f
	/* Woken early: FP must be live again at every sleep. */
1:	tbz	x21, #OP_FP, 2f
	bl	touch
2:	wfi
	mrs	x9, cntv_ctl_el0
	tbz	x9, #2, 1b		/* ISTATUS */
	msr	cntv_ctl_el0, xzr
	isb
	mrs	x9, ICC_IAR1_EL1
	msr	ICC_EOIR1_EL1, x9
	inc	B_WFIS
	br	x15

/* Start the peer COUNT times; it is on again only after its CPU_OFF. */
on_loop:
	ldr	x23, [x19, #B_PEER]
	ldr	x24, [x23, #B_TURNS]
1:	tbz	x21, #OP_FP, 2f
	bl	touch
2:	mov32	x0, 0x84000003		/* CPU_ON, SMC32 */
	ldr	x1, [x19, #B_PEER_ID]
	mov32	x2, GUEST_CODE
	mov	x3, x23
	hvc	#0
	inc	B_HVCS
	cbnz	w0, 1b
3:	ldr	x9, [x23, #B_TURNS]
	cmp	x9, x24
	b.eq	3b
	inc	B_TURNS
	add	x22, x22, #1
	ldr	x9, [x19, #B_COUNT]
	cmp	x22, x9
	b.lo	on_loop
	b	done

off_once:
	bl	touch
	inc	B_TURNS
	ldr	x9, [x19, #B_TURNS]
	ldr	x10, [x19, #B_COUNT]
	cmp	x9, x10
	b.hs	done
	mov32	x0, 0x84000002		/* CPU_OFF: does not return */
	hvc	#0
	b	.
/* No exception is expected: tell the VMM, it ends the program. */
fault:
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	mov32	x9, GUEST_FAULT
	str	x1, [x9]
	b	.

	.balign	2048
vectors:
	.rept	16
	b	fault
	.balign	128
	.endr
guest_end:

	.section .note.GNU-stack, "", %progbits
