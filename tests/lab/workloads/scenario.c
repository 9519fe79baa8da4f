// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include "expect.h"
#include "play.h"

#define FP	(1 << OP_FP)
#define HVC	(1 << OP_HVC)
#define WFI	(1 << OP_WFI)
#define ON_OFF	(1 << OP_OFF)

/*
 * Letters as in the definitions of fpstat; a prime is the same with a guest
 * that does not use FP. Columns: guest operations, default n, guest turns in
 * one KVM_RUN, how to play it, what happens to it, what each design must do.
 */
const struct scenario scenarios[] = {
	{ "a", "n KVM_RUNs of a guest without FP, exits into the kernel",
	  HVC, 100, 8, play_runs, NULL, martin_idle, eager_idle },
	{ "b", "first touch: n new VMs, one KVM_RUN each",
	  FP | HVC, 20, 1, play_fresh, NULL, martin_live, eager_live },
	{ "c", "n re-entries with the guest's state live, in one KVM_RUN",
	  FP | HVC, 1000, 0, play_once, NULL, martin_live, eager_live },
	{ "d", "softirq NEON between exit and re-entry, guest live",
	  FP, 100, 0, play_events, event_softirq, martin_live, eager_live },
	{ "d'", "the same, guest without FP",
	  0, 100, 0, play_events, event_softirq, martin_taken, eager_idle },
	{ "e", "preempted by a kernel thread, guest live",
	  FP, 100, 0, play_events, event_preempt, martin_live, eager_live },
	{ "e'", "the same, guest without FP",
	  0, 100, 0, play_events, event_preempt, martin_idle, eager_idle },
	{ "f", "preempted by a task that uses FP, guest live",
	  FP, 100, 0, play_events, event_bystander, martin_live, eager_live },
	{ "f'", "the same, guest without FP",
	  0, 100, 0, play_events, event_bystander, martin_taken, eager_idle },
	{ "g", "back to user mode and KVM_RUN again, guest live",
	  FP, 200, 1, play_runs, NULL, martin_live, eager_live },
	{ "g'", "the same, guest without FP",
	  0, 200, 1, play_runs, NULL, martin_idle, eager_idle },
	{ "h", "the vcpu thread migrates, guest live",
	  FP, 100, 0, play_events, event_migrate, martin_live, eager_live },
	{ "w", "the guest sleeps in WFI with its state live",
	  FP | WFI, 100, 0, play_sleep, NULL, martin_live, eager_live },
	{ "r", "a vcpu is reset by CPU_ON within its KVM_RUN",
	  FP | ON_OFF, 50, 0, play_reset, NULL, martin_reset, eager_reset },
	{ "s", "one KVM_RUN, guest live, then n with immediate_exit",
	  FP, 100, 1, play_immediate, NULL, martin_live, eager_live },
};
const int nr_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);

static void check_machine(const struct scenario *scenario,
			  const struct options *options)
{
	bool module = scenario->event == event_softirq ||
		      scenario->event == event_preempt;

	if (!neon__open(options->module) && module)
		die(EXIT_ENV, "%s needs the module fpneon", scenario->name);
	/* The controller needs a CPU of its own. */
	if (options->cpus.nr < 2)
		die(EXIT_ENV, "scenarios need two CPUs");
}

int scenario__run(const struct scenario *scenario, const struct options *options)
{
	struct ops martin = { 0 }, eager = { 0 };
	struct play play = { .scenario = scenario, .options = options };
	struct truth *truth = &play.truth;
	struct neon_counts neon;

	check_machine(scenario, options);
	quiet_machine();
	set_fifo(PRIORITY_CONTROLLER);
	if (scenario->event != event_migrate)
		set_cpu(0, cpu_list__at(&options->cpus, 1));

	truth->name = scenario->name;
	truth->vm = options->name;
	truth->n = options->n ? options->n : scenario->n;
	alarm(120 + (unsigned int)(truth->n / 10));
	truth->guest_fp = scenario->ops & FP;
	neon = neon__counts();
	scenario->play(&play);
	truth->neon = neon__since(neon);
	truth__add_thread(truth, "ctl", -1, thread_id(), switches_now());

	scenario->martin(truth, &martin);
	scenario->eager(truth, &eager);
	truth__print(truth, &martin, &eager);
	truth__free(truth);
	return truth__ok(truth) ? 0 : EXIT_WRONG;
}
