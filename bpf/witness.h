/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witnesses: the same facts from other points, to compare with.
 *
 * They count again, on their own, what the counting set counts; nothing that
 * is shown to the user comes from here.
 */
#ifndef FPSTAT_WITNESS_H
#define FPSTAT_WITNESS_H

#include "kernel.h"
#include "maps.h"
#include "twins.h"

SEC("raw_tp/kvm_entry")
int kvm_entry(void *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 loaded = current_loaded_vcpu();

	if (!c)
		return 0;
	c->w_entries++;
	if (!(current_flags() & foreign_mask) &&
	    vcpu_hint(loaded) != FP_HINT_HOST)
		c->w_live++;
	return 0;
}

SEC("kprobe")
int bind_witness(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();
	__u64 loaded = current_loaded_vcpu();

	if (c && loaded && vcpu_buf(loaded) == bound_buf(PT_REGS_PARM1(ctx)))
		c->w_binds++;
	return 0;
}

static __always_inline int on_thread_switch(void)
{
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	if (!infers) /* they are counted before: see infer_switch() */
		c->w_before = c->user_saves;
	c->w_foretold = !(current_flags() & foreign_mask);
	return 0;
}

TWINS(thread_switch, on_thread_switch)

SEC("kretprobe")
int thread_switched(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (!c)
		return 0;
	/* Both at the end: who reads them may do so in the middle of a switch. */
	c->w_switch_saves += c->w_foretold;
	c->w_switch_counted += c->user_saves - c->w_before;
	return 0;
}

SEC("kprobe")
int neon_witness(struct pt_regs *ctx)
{
	struct fp_percpu *c = this_cpu();

	if (c)
		ADD(c->w_neon, 1);
	return 0;
}

#endif /* FPSTAT_WITNESS_H */
