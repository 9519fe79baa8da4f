// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one operation costs this machine: short batches of one operation each, all
 * on one CPU, timed one by one. The fastest batch counts: no timer tick came into
 * it. Where an instruction is a nanosecond (lab --icount), these are instructions.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "runner.h"
#include "scenario.h"
#include "util.h"

#define BATCHES 30

static const struct op {
	const char *name;
	uint64_t guest; /* what a turn does, bits of OP_* */
	uint64_t batch; /* turns, shorter than a tick */
} ops[] = {
	{ "exit-fp", 1 << OP_FP | 1 << OP_HVC, 1000 },
	{ "exit", 1 << OP_HVC, 1000 },
	{ "turn-fp", 1 << OP_FP | 1 << OP_HVC | 1 << OP_MMIO, 100 },
	{ "turn", 1 << OP_HVC | 1 << OP_MMIO, 100 },
	{ "switch", 0, 200 }, /* from one task that uses FP to another */
};

static void print(const struct op *op, uint64_t best, uint64_t n)
{
	printf("{\"op\":\"%s\",\"n\":%llu,\"ns\":%.1f}\n", op->name,
	       (unsigned long long)n * BATCHES, (double)best / (double)n);
	fflush(stdout);
}

static void keep_least(uint64_t *best, uint64_t start)
{
	uint64_t ns = now_ns() - start;

	if (!*best || ns < *best)
		*best = ns;
}

static void guest_turns(const struct op *op, int cpu)
{
	const struct vm_config config = { .nr_vcpus = 1 };
	struct vm vm;
	struct runner runner = { .vm = &vm, .cpu = cpu };
	uint64_t best = 0, start;

	vm__create(&vm, &config);
	vm__init_vcpu(&vm, 0, false);
	vm__block(&vm, 0)->ops = op->guest;
	vm__block(&vm, 0)->count = op->batch;
	while (runner.sessions < BATCHES) {
		runner.sessions++;
		start = now_ns();
		runner__run(&runner);
		keep_least(&best, start);
	}
	print(op, best, op->batch);
	vm__destroy(&vm);
}

static void use_fp(void)
{
	asm volatile("fmov d8, xzr" ::: "d8");
}

static void *yield(void *arg)
{
	atomic_bool *end = arg;

	while (!atomic_load(end)) {
		use_fp();
		sched_yield();
	}
	return NULL;
}

static void switches(const struct op *op)
{
	atomic_bool end = false;
	uint64_t best = 0, start;
	pthread_t other;

	if (pthread_create(&other, NULL, yield, &end)) /* with our CPU, and rank */
		die(EXIT_ENV, "no second thread");
	for (int i = 0; i < BATCHES; i++) {
		start = now_ns();
		for (uint64_t n = 0; n < op->batch; n += 2) { /* there and back */
			use_fp();
			sched_yield();
		}
		keep_least(&best, start);
	}
	atomic_store(&end, true);
	pthread_join(other, NULL);
	print(op, best, op->batch);
}

int load__cost(const struct options *options)
{
	int cpu = cpu_list__at(&options->cpus, 0);

	quiet_machine();
	set_cpu(0, cpu);
	set_fifo(1);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (options->only && strcmp(options->only, ops[i].name))
			continue;
		if (ops[i].guest)
			guest_turns(&ops[i], cpu);
		else
			switches(&ops[i]);
	}
	return 0;
}
