/* SPDX-License-Identifier: GPL-2.0-only */
/* A host thread that uses FP and competes with a vcpu for its CPU. */
#ifndef WORKLOADS_BYSTANDER_H
#define WORKLOADS_BYSTANDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "util.h"

struct bystander {
	/* set by the caller */
	int cpu;		/* -1: any */
	int priority;		/* of SCHED_FIFO, 0: ordinary */
	bool spin;		/* compute all the time, not only when poked */
	bool sve;		/* use SVE, too, also right before system calls */
	bool signals;		/* send itself one now and then, .. */
	bool neon;		/* .. and let the kernel use NEON */

	/* measured over the life of the thread */
	struct switches switches;
	uint64_t quanta;	/* pokes answered */
	uint64_t lost;		/* FP registers did not hold their value */

	pthread_t thread;
	pid_t tid;
	int poke_fd, answer_fd;
	atomic_bool stop;
};

/* Returns when the thread is ready. */
void bystander__start(struct bystander *bystander);
/* One quantum on its CPU; returns when it is over. */
void bystander__poke(struct bystander *bystander);
void bystander__stop(struct bystander *bystander);

#endif
