// SPDX-License-Identifier: GPL-2.0-only
/* fpload: workloads with known ground truth for an arm64 host with KVM. */
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "options.h"
#include "scenario.h"

static const struct load {
	const char *name, *text;
	int (*run)(const struct options *options);
} loads[] = {
	{ "mix", "free load: VMs, vcpus, bystanders, NEON, signals", load__mix },
	{ "demo", "two VMs of two vcpus and a bystander, until killed", load__demo },
	{ "churn", "n short-lived VMs, one after another", load__churn },
	{ "cost", "what an exit, a KVM_RUN and a switch take, one after another", load__cost },
	{ "debug", "a debugger writes the FP registers of a program, n times", load__debug },
	{ "vm", "one VM of mix in this process", load__vm },
};
#define NR_LOADS	(sizeof(loads) / sizeof(loads[0]))

static void list(void)
{
	for (int i = 0; i < nr_scenarios; i++)
		printf("%-6s %s\n", scenarios[i].name, scenarios[i].text);
	for (size_t i = 0; i < NR_LOADS; i++)
		printf("%-6s %s\n", loads[i].name, loads[i].text);
}

int main(int argc, char **argv)
{
	struct options options;
	const char *name = options__parse(&options, argc, argv);

	if (!strcmp(name, "--list")) {
		list();
		return 0;
	}
	for (int i = 0; i < nr_scenarios; i++)
		if (!strcmp(name, scenarios[i].name))
			return scenario__run(&scenarios[i], &options);
	for (size_t i = 0; i < NR_LOADS; i++)
		if (!strcmp(name, loads[i].name))
			return loads[i].run(&options);
	die(EXIT_USAGE, "there is no '%s' (fpload --list)", name);
}
