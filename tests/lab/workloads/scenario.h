/* SPDX-License-Identifier: GPL-2.0-only */
/* The scenarios: a table of what to play and what each policy must then do. */
#ifndef WORKLOADS_SCENARIO_H
#define WORKLOADS_SCENARIO_H

#include "truth.h"

struct options {
	uint64_t n;		/* 0: the scenario's own */
	struct cpu_list cpus;	/* the first one is the vcpu's */
	bool pinned;		/* the list was asked for */
	bool list;
	bool sve, vgic;
	const char *module;
	const char *name;	/* of the VM */
	/* the free loads */
	int vms, vcpus, bystanders, procs;
	bool host_sve, host_signals, host_neon;
	const char *modes;
	const char *strike;
	const char *only;	/* one operation of cost */
	unsigned int signals, neon, neon_task, wfi_us;
	double seconds, plug;
};

struct play;

struct scenario {
	const char *name;
	const char *text;
	uint64_t ops;		/* of the guest, bits of OP_* */
	uint64_t n;
	uint64_t turns;		/* guest turns in one KVM_RUN */
	void (*play)(struct play *play);
	/* one step of provocation, for play_events */
	void (*event)(struct play *play);
	/* From counts to operations; the derivations are beside these. */
	void (*martin)(const struct truth *truth, struct ops *ops);
	void (*eager)(const struct truth *truth, struct ops *ops);
};

/* A scenario being played. */
struct play {
	const struct scenario *scenario;
	const struct options *options;
	struct truth truth;
	struct vm vm;
	struct runner runner[2];
	struct bystander bystander;
	int cpu;		/* where the vcpu is now, for migrations */
};

extern const struct scenario scenarios[];
extern const int nr_scenarios;

/* Exit status. */
int scenario__run(const struct scenario *scenario, const struct options *options);

#endif
