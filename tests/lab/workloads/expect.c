// SPDX-License-Identifier: GPL-2.0-only
/*
 * The derivations follow arch/arm64/kvm/fpsimd.c and arch/arm64/kernel/fpsimd.c
 * of the kernel. All scenarios share these facts:
 *
 * - The vcpu thread comes to KVM_RUN from user mode, with its registers in the
 *   CPU: TIF_FOREIGN_FPSTATE (FOREIGN) is clear when vcpu_load runs.
 * - Guests play one of two roles. An idle one never touches FP. A live one
 *   touches it at the start of each KVM_RUN and again after each event, before
 *   the next one.
 * - kvm_arch_vcpu_put_fp runs at the end of KVM_RUN and at each switch of the
 *   thread. If the guest's state is in the registers it saves it and unbinds
 *   it, under both designs.
 * - kernel_neon_begin saves what is live and unbinds it; if nothing is live it
 *   saves nothing.
 *
 * Switches are those that getrusage saw around the loop of KVM_RUNs. All of
 * them are taken to have happened within KVM_RUN; those that the scenario did
 * not ask for are printed as slack.
 */
#include "expect.h"

static uint64_t switches(const struct truth *truth)
{
	return truth->switches.voluntary + truth->switches.involuntary;
}

/* KVM_RUNs that got as far as a guest entry. */
static uint64_t entered(const struct truth *truth)
{
	return truth->runs - truth->immediates;
}

/*
 * Live guest: one load at the first touch in each KVM_RUN, and one after each
 * loss. Losses are the switches (put_fp saves) and the NEON sections that hit
 * (kernel_neon_begin saves, in the window after an exit). Everything loaded is
 * saved again: by the loss, or by put_fp at the end.
 */
static void guest_live(const struct truth *truth, struct ops *ops)
{
	ops->gl = entered(truth) + switches(truth) + truth->neon.softirq;
	ops->gs = ops->gl;
}

/*
 * kvm_arch_vcpu_load_fp saves the thread's state and unbinds it: one host save
 * for each KVM_RUN. FOREIGN stays set from then on, so neither a switch nor
 * NEON nor a second vcpu_load (sched_in) finds anything of the host to save,
 * and the return to user mode must load: one host load for each KVM_RUN.
 * An immediate exit comes after vcpu_load and costs the same.
 */
static void eager_host(const struct truth *truth, struct ops *ops)
{
	ops->hs = truth->runs;
	ops->hl = truth->runs;
}

void eager_idle(const struct truth *truth, struct ops *ops)
{
	eager_host(truth, ops);
}

void eager_live(const struct truth *truth, struct ops *ops)
{
	eager_host(truth, ops);
	guest_live(truth, ops);
}

/*
 * vcpu_load leaves the registers alone, the guest never takes them: they stay
 * the thread's. fpsimd_thread_switch saves them each time the thread is
 * switched out, also when nothing changed since the last time. A kernel thread
 * loads nothing, so they are still bound afterwards (FOREIGN clear): no load.
 */
void martin_idle(const struct truth *truth, struct ops *ops)
{
	ops->hs = switches(truth);
}

/*
 * Idle guest, but the first event takes the registers away for good: NEON
 * clobbers them, a bystander loads its own. It costs the save, FOREIGN is set
 * from then on, later events find nothing, and the return to user mode loads.
 */
void martin_taken(const struct truth *truth, struct ops *ops)
{
	if (switches(truth) + truth->neon.softirq == 0)
		return;
	ops->hs = entered(truth);
	ops->hl = entered(truth);
}

/*
 * The first touch in a KVM_RUN traps: hyp saves the thread's state (FOREIGN is
 * clear, FP_HOST set) and loads the guest's. A touch after a loss finds
 * FOREIGN set: no host save. put_fp unbinds, so the return to user mode loads.
 * An immediate exit comes before vcpu_load here: nothing.
 */
void martin_live(const struct truth *truth, struct ops *ops)
{
	ops->hs = entered(truth);
	ops->hl = entered(truth);
	guest_live(truth, ops);
}

/*
 * Two vcpus, one KVM_RUN each. The first is a live guest; only its own
 * switches count. The second touches FP once after each of its n resets, that
 * is n loads. Each is saved once: by put_fp when the thread goes to sleep after
 * CPU_OFF, by put_fp in kvm_reset_vcpu if CPU_ON was faster, or at the end.
 */
static void guest_reset(const struct truth *truth, struct ops *ops)
{
	uint64_t losses = 0;

	for (int i = 0; i < truth->nr_threads; i++) {
		const struct thread_truth *t = &truth->threads[i];

		if (t->vcpu == 0)
			losses += t->switches.voluntary + t->switches.involuntary;
	}
	ops->gl = 1 + losses + truth->n;
	ops->gs = ops->gl;
}

void eager_reset(const struct truth *truth, struct ops *ops)
{
	eager_host(truth, ops);
	guest_reset(truth, ops);
}

/*
 * The first vcpu: one host save in hyp at its first touch, one load at the end.
 * The second sleeps before its guest ever ran: fpsimd_thread_switch saves the
 * thread's state, the controller takes the registers on that CPU (play_reset
 * sees to it), and FOREIGN is set from then on: one save, one load.
 */
void martin_reset(const struct truth *truth, struct ops *ops)
{
	ops->hs = truth->runs;
	ops->hl = truth->runs;
	guest_reset(truth, ops);
}
