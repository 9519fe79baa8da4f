// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char usage_text[] =
"usage: fpload NAME [OPTION]...\n"
"       fpload --list\n"
"\n"
"Runs one scenario or load; prints what it did as one line of JSON.\n"
"\n"
"  -n COUNT           how often (0: its own default)\n"
"  --cpu LIST         CPUs to use, the first for the vcpu (default: online ones)\n"
"  --sve              the guest uses SVE\n"
"  --vgic             the guest has an interrupt controller\n"
"  --wfi-us US        length of a sleep in WFI (default 1000)\n"
"  --module FILE      insert fpneon if it is not there\n"
"  -name guest=NAME   name of the VM, as on QEMU's command line\n"
"\n"
"for mix, demo, churn:\n"
"  --mode LIST        what vcpus do, one number each: the sum of 1 FP, 2 HVC,\n"
"                     4 MMIO, 8 virtual timer and WFI (default 3)\n"
"  --vms N --vcpus N  how many VMs, and vcpus in each (default 1)\n"
"  --plug S           one vcpu more in each VM after so many seconds\n"
"  --bystanders N     threads that use FP\n"
"  --host-sve         these and the vcpu threads use SVE, too\n"
"  --host-signals     bystanders send signals to themselves, all the time\n"
"  --host-neon        they make the kernel use NEON, in a system call\n"
"  --signals HZ       into each vcpu thread\n"
"  --neon HZ          kernel-mode NEON in softirq context, on each CPU\n"
"  --neon-task HZ     the same in task context\n"
"  --strike WHERE     NEON in a softirq whenever a task is at this instruction of\n"
"                     the kernel: FUNCTION+OFFSET\n"
"  --seconds S        how long, unless -n says how many turns (default 5)\n"
"  --procs N          churn: how many processes\n"
"  --only OP          cost: exit-fp, exit, turn-fp, turn or switch\n";

enum { OPT_CPU = 256, OPT_SVE, OPT_VGIC, OPT_WFI_US, OPT_MODULE, OPT_NAME,
       OPT_MODE, OPT_VMS, OPT_VCPUS, OPT_BYSTANDERS, OPT_HOST_SVE, OPT_HOST_SIGNALS,
       OPT_HOST_NEON, OPT_SIGNALS, OPT_NEON,
       OPT_NEON_TASK, OPT_STRIKE, OPT_SECONDS, OPT_PLUG, OPT_PROCS, OPT_ONLY, OPT_LIST };

static const struct option longs[] = {
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "sve", no_argument, NULL, OPT_SVE },
	{ "vgic", no_argument, NULL, OPT_VGIC },
	{ "wfi-us", required_argument, NULL, OPT_WFI_US },
	{ "module", required_argument, NULL, OPT_MODULE },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "vms", required_argument, NULL, OPT_VMS },
	{ "vcpus", required_argument, NULL, OPT_VCPUS },
	{ "bystanders", required_argument, NULL, OPT_BYSTANDERS },
	{ "host-sve", no_argument, NULL, OPT_HOST_SVE },
	{ "host-signals", no_argument, NULL, OPT_HOST_SIGNALS },
	{ "host-neon", no_argument, NULL, OPT_HOST_NEON },
	{ "signals", required_argument, NULL, OPT_SIGNALS },
	{ "neon", required_argument, NULL, OPT_NEON },
	{ "neon-task", required_argument, NULL, OPT_NEON_TASK },
	{ "strike", required_argument, NULL, OPT_STRIKE },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "plug", required_argument, NULL, OPT_PLUG },
	{ "procs", required_argument, NULL, OPT_PROCS },
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (end == text || *end || *text == '-' || value > max)
		die(EXIT_USAGE, "'%s' is not a number from 0 to %lu", text, max);
	return value;
}

static double seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || value < 0)
		die(EXIT_USAGE, "'%s' is no length of time", text);
	return value;
}

static void set(struct options *o, int option, const char *arg)
{
	switch (option) {
	case 'n': o->n = number(arg, ~0UL); break;
	case OPT_CPU:
		if (!cpu_list__parse(&o->cpus, arg))
			die(EXIT_USAGE, "'%s' is no list of CPUs", arg);
		o->pinned = true;
		break;
	case OPT_SVE: o->sve = true; break;
	case OPT_VGIC: o->vgic = true; break;
	case OPT_WFI_US: o->wfi_us = number(arg, 10000000); break;
	case OPT_MODULE: o->module = arg; break;
	case OPT_NAME: o->name = strncmp(arg, "guest=", 6) ? arg : arg + 6; break;
	case OPT_MODE: o->modes = arg; break;
	case OPT_VMS: o->vms = number(arg, 1000); break;
	case OPT_VCPUS: o->vcpus = number(arg, VM_MAX_VCPUS); break;
	case OPT_BYSTANDERS: o->bystanders = number(arg, 1000); break;
	case OPT_HOST_SVE: o->host_sve = true; break;
	case OPT_HOST_SIGNALS: o->host_signals = true; break;
	case OPT_HOST_NEON: o->host_neon = true; break;
	case OPT_SIGNALS: o->signals = number(arg, 100000); break;
	case OPT_NEON: o->neon = number(arg, 100000); break;
	case OPT_NEON_TASK: o->neon_task = number(arg, 100000); break;
	case OPT_STRIKE: o->strike = arg; break;
	case OPT_SECONDS: o->seconds = seconds(arg); break;
	case OPT_PLUG: o->plug = seconds(arg); break;
	case OPT_PROCS: o->procs = number(arg, 1000); break;
	case OPT_ONLY: o->only = arg; break;
	case OPT_LIST: o->list = true; break;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		fputs(usage_text, stderr);
		exit(EXIT_USAGE);
	}
}

const char *options__parse(struct options *options, int argc, char **argv)
{
	int option;

	*options = (struct options){
		.name = "fpload", .modes = "3", .vms = 1, .vcpus = 1,
		.procs = 1, .wfi_us = 1000, .seconds = 5,
	};
	/* _only: QEMU's -name, which tools look for in a command line. */
	while ((option = getopt_long_only(argc, argv, "n:h", longs, NULL)) != -1)
		set(options, option, optarg);
	if (!options->pinned)
		cpu_list__online(&options->cpus);
	if (options->list)
		return "--list";
	if (optind != argc - 1) {
		fputs(usage_text, stderr);
		exit(EXIT_USAGE);
	}
	return argv[optind];
}
