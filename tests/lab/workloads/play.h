/* SPDX-License-Identifier: GPL-2.0-only */
/* How scenarios are played. All priorities of a run are here. */
#ifndef WORKLOADS_PLAY_H
#define WORKLOADS_PLAY_H

#include "scenario.h"

/*
 * The controller never preempts a vcpu: it has the second CPU, or goes where
 * the scheduler pushes it. Bystanders, and the module's threads (50), always do.
 */
enum {
	PRIORITY_CONTROLLER = 5,
	PRIORITY_VCPU = 10,
	PRIORITY_BYSTANDER = 20,
};

void play_runs(struct play *play);	/* n KVM_RUNs */
void play_fresh(struct play *play);	/* n VMs, one KVM_RUN each */
void play_once(struct play *play);	/* n turns in one KVM_RUN */
void play_sleep(struct play *play);	/* the same, each turn with a WFI */
void play_events(struct play *play);	/* n events during one KVM_RUN */
void play_reset(struct play *play);	/* n times CPU_ON of a second vcpu */
void play_immediate(struct play *play);	/* one KVM_RUN, then n immediate ones */

void event_softirq(struct play *play);
void event_preempt(struct play *play);
void event_bystander(struct play *play);
void event_migrate(struct play *play);

#endif
