// SPDX-License-Identifier: GPL-2.0-only
/* Short-lived VMs: pointers get recycled, records of vcpus must die. */
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "load.h"
#include "play.h"

#define RUNS	3	/* KVM_RUNs of each VM, FP in each */

static void one_vm(struct truth *truth, const struct options *options)
{
	struct vm_config config = {
		.nr_vcpus = 1, .sve = options->sve, .vgic = options->vgic,
	};
	struct runner runner = { .sessions = RUNS, .tid = thread_id() };
	struct vm vm;

	vm__create(&vm, &config);
	vm__init_vcpu(&vm, 0, false);
	if (config.vgic)
		vm__init_gic(&vm);
	vm__block(&vm, 0)->ops = 1 << OP_FP | (uint64_t)options->sve << OP_SVE;
	vm__block(&vm, 0)->count = 1;
	runner.vm = &vm;
	runner__run(&runner);
	truth__add_vm(truth, &vm, &runner);
	vm__destroy(&vm);
}

static int churn(const struct options *options, uint64_t count, int cpu)
{
	struct truth truth = { .name = "churn", .vm = options->name, .n = count };
	struct ops martin = { 0 }, eager = { 0 };
	int status;

	alarm(120 + (unsigned int)(count / 2));
	set_name("CPU 0/KVM");
	set_cpu(0, cpu);
	for (uint64_t i = 0; i < count; i++)
		one_vm(&truth, options);
	martin_live(&truth, &martin);
	eager_live(&truth, &eager);
	truth__print(&truth, &martin, &eager);
	status = truth__ok(&truth) ? 0 : EXIT_WRONG;
	truth__free(&truth);
	return status;
}

int load__churn(const struct options *options)
{
	uint64_t count = options->n ? options->n : 100;
	int procs = options->procs, status = 0, one;

	if (procs <= 1) {
		quiet_machine();
		set_fifo(PRIORITY_VCPU);
		return churn(options, count, cpu_list__at(&options->cpus, 0));
	}
	for (int i = 0; i < procs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die(EXIT_ENV, "fork failed");
		if (!pid)
			_exit(churn(options, count / (uint64_t)procs,
				    cpu_list__at(&options->cpus, i)));
	}
	while (wait(&one) > 0)
		if (one)
			status = EXIT_WRONG;
	return status;
}
