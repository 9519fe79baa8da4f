/* SPDX-License-Identifier: GPL-2.0-only */
/* A vcpu thread: calls KVM_RUN in a loop and counts what happens to it. */
#ifndef WORKLOADS_RUNNER_H
#define WORKLOADS_RUNNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "util.h"
#include "vm.h"

struct runner {
	/* set by the caller */
	struct vm *vm;
	int id;
	int cpu;		/* -1: wherever the scheduler likes */
	int priority;		/* of SCHED_FIFO, 0: ordinary */
	uint64_t sessions;	/* leave after so many stores to GUEST_DONE */
	bool prime;		/* before all, a KVM_RUN with immediate_exit */
	uint64_t immediates;	/* then, so many of these */

	/* measured, from just before the first KVM_RUN to just after the last */
	struct switches primed;		/* switches before the first load */
	struct switches switches;	/* those after */
	uint64_t runs;		/* calls of KVM_RUN, all of them */
	uint64_t dones;
	uint64_t mmios;
	uint64_t signals;	/* KVM_RUNs that a signal ended */

	pthread_t thread;
	pid_t tid;
	atomic_bool running;	/* about to call the first KVM_RUN, .. */
	atomic_bool held;	/* .. and waits with it as long as this is set */
	atomic_bool finished;
	atomic_bool stuck;	/* see runner__check_end */
};

void runner__start(struct runner *runner);
/*
 * To be called when the runner should be about to end: if it does not within
 * some seconds, the program ends with a message that says where the guest is.
 */
void runner__check_end(struct runner *runner);
void runner__join(struct runner *runner);
/* The same in the calling thread. */
void runner__run(struct runner *runner);

#endif
