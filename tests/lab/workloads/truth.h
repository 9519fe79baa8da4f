/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run knows about itself, and its one line of JSON. */
#ifndef WORKLOADS_TRUTH_H
#define WORKLOADS_TRUTH_H

#include <stdio.h>

#include "bystander.h"
#include "neon.h"
#include "runner.h"

struct thread_truth {
	const char *role;	/* vcpu, bystander, ctl */
	int vcpu;		/* -1: none */
	pid_t tid;
	struct switches switches;
};

struct truth {
	const char *name;
	const char *vm;
	uint64_t n;
	bool guest_fp;		/* the guest uses FP in each of its turns */

	/* summed over the vcpus */
	uint64_t vms;
	uint64_t runs;		/* KVM_RUN calls, immediate ones included */
	uint64_t immediates;
	uint64_t signals;
	uint64_t dones;		/* exits to user space, by address */
	uint64_t mmios;
	uint64_t turns;
	uint64_t fp_uses;
	uint64_t fp_lost;
	uint64_t guest_vl;	/* bytes of an SVE register; 0: none was used */
	uint64_t hvcs;
	uint64_t wfis;
	struct switches switches;
	uint64_t primed;	/* switches before the vcpu was loaded first */

	/* what was done to them */
	uint64_t planned;	/* switches that the scenario itself asks for */
	uint64_t migrations;
	uint64_t quanta;
	uint64_t host_fp_lost;
	struct neon_counts neon;

	struct thread_truth *threads;
	int nr_threads;
};

/* Operations charged to the vcpus. */
struct ops {
	uint64_t gs, gl;	/* guest state saved, loaded */
	uint64_t hs, hl;	/* user state of the vcpu thread saved, loaded */
};

void truth__add_vm(struct truth *truth, struct vm *vm,
		   const struct runner *runners);
void truth__add_bystander(struct truth *truth,
			  const struct bystander *bystander);
void truth__add_thread(struct truth *truth, const char *role, int vcpu,
		       pid_t tid, struct switches switches);
/* martin and eager may be NULL: nothing is claimed. */
void truth__print(const struct truth *truth, const struct ops *martin,
		  const struct ops *eager);
/* True if no FP state was lost. */
bool truth__ok(const struct truth *truth);
void truth__free(struct truth *truth);

#endif
