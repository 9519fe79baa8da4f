// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "scenario.h"

#define FOREVER		(~0ULL)
#define ARGS_MAX	32

/*
 * One VM in its own process, as QEMU has it. The main thread waits for the end.
 */
struct machine {
	const struct options *options;
	struct vm vm;
	struct runner runner[VM_MAX_VCPUS];
	timer_t timer[VM_MAX_VCPUS];
};

static uint64_t mode_of(const struct options *options, int vcpu)
{
	const char *text = options->modes;
	int nr = 1;

	for (const char *p = text; *p; p++)
		nr += *p == ',';
	for (int i = vcpu % nr; i > 0; i--)
		text = strchr(text, ',') + 1;
	return strtoul(text, NULL, 0) & 15;
}

static bool wants_gic(const struct options *options)
{
	for (int i = 0; i < options->vcpus; i++)
		if (mode_of(options, i) & 1 << OP_WFI)
			return true;
	return options->vgic;
}

static void create_vcpu(struct machine *machine, int i)
{
	const struct options *options = machine->options;
	struct vm *vm = &machine->vm;
	struct guest_block *block;

	vm__init_vcpu(vm, i, false);
	block = vm__block(vm, i);
	block->ops = mode_of(options, i) | (uint64_t)options->sve << OP_SVE;
	block->count = options->n ? options->n : FOREVER;
	block->ticks = vm__ticks(options->wfi_us);
	machine->runner[i] = (struct runner){
		.vm = vm, .id = i, .sessions = 1,
		.cpu = options->pinned ? cpu_list__at(&options->cpus, i) : -1,
	};
}

static void create(struct machine *machine)
{
	const struct options *options = machine->options;
	struct vm *vm = &machine->vm;
	struct vm_config config = {
		.nr_vcpus = options->vcpus + (options->plug > 0),
		.sve = options->sve,
		.host_sve = options->host_sve,
		.vgic = wants_gic(options),
	};

	if (config.vgic && options->plug > 0)
		die(EXIT_USAGE, "KVM adds no vcpu to a VM with a GIC");
	vm__create(vm, &config);
	vm->config.nr_vcpus = options->vcpus;
	for (int i = 0; i < options->vcpus; i++)
		create_vcpu(machine, i);
	if (config.vgic)
		vm__init_gic(vm);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* It is held, or on a machine with more to do than it can it were over before. */
static void start_signals(struct machine *machine, int vcpu)
{
	long period = 1000000000 / (long)machine->options->signals;
	struct itimerspec spec = {
		.it_interval = { period / 1000000000, period % 1000000000 },
		.it_value = { 0, 1 },
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
	};

	while (!atomic_load(&machine->runner[vcpu].running))
		sleep_us(100);
	event._sigev_un._tid = machine->runner[vcpu].tid;
	if (timer_create(CLOCK_MONOTONIC, &event, &machine->timer[vcpu]) ||
	    timer_settime(machine->timer[vcpu], 0, &spec, NULL))
		die(EXIT_ENV, "no timer for signals");
	atomic_store(&machine->runner[vcpu].held, false);
}

static void start_runner(struct machine *machine, int vcpu)
{
	bool signals = machine->options->signals;

	atomic_store(&machine->runner[vcpu].held, signals);
	runner__start(&machine->runner[vcpu]);
	if (signals)
		start_signals(machine, vcpu);
}

static void start(struct machine *machine)
{
	struct sigaction action = { .sa_handler = on_signal };
	int nr = machine->vm.config.nr_vcpus;

	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < nr; i++)
		start_runner(machine, i);
}

/* One vcpu more, there is memory for it. */
static void plug(struct machine *machine)
{
	int i = machine->vm.config.nr_vcpus;

	create_vcpu(machine, i);
	machine->vm.config.nr_vcpus++;
	start_runner(machine, i);
}

static bool all_finished(struct machine *machine)
{
	for (int i = 0; i < machine->vm.config.nr_vcpus; i++)
		if (!atomic_load(&machine->runner[i].finished))
			return false;
	return true;
}

static sigset_t end_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

/* Until the time is over (0: never), the guests are done, or SIGTERM. */
static void wait_for_end(struct machine *machine)
{
	const struct options *options = machine->options;
	const uint64_t start = now_ns();
	const sigset_t set = end_signals();
	const struct timespec tick = { 0, 20000000 };

	while (!all_finished(machine)) {
		double passed = (double)(now_ns() - start) / 1e9;

		if (sigtimedwait(&set, NULL, &tick) > 0)
			break;
		if (options->plug > 0 && passed >= options->plug &&
		    machine->vm.config.nr_vcpus == options->vcpus)
			plug(machine);
		if (options->n ? passed > 60 + (double)options->n / 100 :
		    options->seconds > 0 && passed >= options->seconds)
			break;
	}
}

static void stop(struct machine *machine)
{
	int nr = machine->vm.config.nr_vcpus;

	for (int i = 0; i < nr; i++)
		vm__block(&machine->vm, i)->stop = 1;
	for (int i = 0; i < nr; i++) {
		runner__check_end(&machine->runner[i]);
		runner__join(&machine->runner[i]);
		if (machine->options->signals)
			timer_delete(machine->timer[i]);
	}
}

int load__vm(const struct options *options)
{
	static struct machine machine;
	struct truth truth = {
		.name = "vm", .vm = options->name, .n = options->n,
	};
	const sigset_t set = end_signals();
	int status;

	set_name("fpload");	/* it was started as /proc/self/exe */
	/* Before there are threads, so that only the main one takes them. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	machine.options = options;
	create(&machine);
	start(&machine);
	wait_for_end(&machine);
	stop(&machine);
	truth__add_vm(&truth, &machine.vm, machine.runner);
	vm__destroy(&machine.vm);
	truth__print(&truth, NULL, NULL);
	status = truth__ok(&truth) ? 0 : EXIT_WRONG;
	truth__free(&truth);
	return status;
}

/* The command line of one VM; argv and text must be large enough. */
static void fill_args(const struct options *options, const char *modes,
		      const char *name, char **argv, char (*text)[64])
{
	int n = 0, t = 0;

#define WORD(...)	(snprintf(text[t], 64, __VA_ARGS__), argv[n++] = text[t++])
	WORD("fpload");
	WORD("vm");
	WORD("-name");
	WORD("guest=%s", name);
	WORD("--mode=%s", modes);
	WORD("--vcpus=%d", options->vcpus);
	WORD("--seconds=%g", options->seconds);
	WORD("--signals=%u", options->signals);
	WORD("--wfi-us=%u", options->wfi_us);
	if (options->plug > 0)
		WORD("--plug=%g", options->plug);
	if (options->n)
		WORD("-n%llu", (unsigned long long)options->n);
	if (options->sve)
		WORD("--sve");
	if (options->host_sve)
		WORD("--host-sve");
	if (options->vgic)
		WORD("--vgic");
	if (options->pinned) {
		char list[64] = "";

		for (int i = 0; i < options->cpus.nr && strlen(list) < 50; i++)
			snprintf(list + strlen(list), 8, "%s%d", i ? "," : "",
				 options->cpus.cpu[i]);
		WORD("--cpu=%.56s", list);
	}
#undef WORD
	argv[n] = NULL;
}

static void start_vm(const struct options *options, const char *modes,
		     const char *name)
{
	char text[ARGS_MAX][64];
	char *argv[ARGS_MAX];
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die(EXIT_ENV, "fork failed");
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_ENV);
	fill_args(options, modes, name, argv, text);
	execv("/proc/self/exe", argv);
	_exit(EXIT_ENV);
}

static int wait_for_vms(void)
{
	int status = 0, one;
	pid_t pid;

	while ((pid = wait(&one)) > 0) {
		if (!one)
			continue;
		status = EXIT_WRONG;
		if (WIFSIGNALED(one))
			fprintf(stderr, "fpload: VM %d was killed by signal %d (%s)\n",
				(int)pid, WTERMSIG(one), strsignal(WTERMSIG(one)));
		else
			fprintf(stderr, "fpload: VM %d ended with %d\n",
				(int)pid, WEXITSTATUS(one));
	}
	return status;
}

/* What surrounds the VMs: bystanders and kernel-mode NEON. */
static int surround(const struct options *options)
{
	struct bystander *bystanders;
	struct truth truth = { .name = "host", .vm = "", .n = options->n };
	struct neon_counts neon = neon__counts();
	int status;

	bystanders = calloc((size_t)options->bystanders + 1, sizeof(*bystanders));
	if (!bystanders)
		die(EXIT_ENV, "out of memory");
	for (int i = 0; i < options->bystanders; i++) {
		bystanders[i].cpu = options->pinned ?
				    cpu_list__at(&options->cpus, i) : -1;
		bystanders[i].spin = true;
		bystanders[i].sve = options->host_sve;
		bystanders[i].signals = options->host_signals;
		bystanders[i].neon = options->host_neon;
		bystander__start(&bystanders[i]);
	}
	status = wait_for_vms();
	for (int i = 0; i < options->bystanders; i++) {
		bystander__stop(&bystanders[i]);
		truth__add_bystander(&truth, &bystanders[i]);
	}
	truth.neon = neon__since(neon);
	truth__print(&truth, NULL, NULL);
	if (!truth__ok(&truth))
		status = EXIT_WRONG;
	truth__free(&truth);
	free(bystanders);
	return status;
}

static void start_neon(const struct options *options)
{
	if ((options->neon || options->neon_task || options->host_neon ||
	     options->strike) && !neon__open(options->module))
		die(EXIT_ENV, "--neon needs the module fpneon");
	if (options->neon)
		neon__rate("softirq", options->neon);
	if (options->neon_task)
		neon__rate("task", options->neon_task);
	if (options->strike)
		neon__strike(options->strike);
}


int load__mix(const struct options *options)
{
	start_neon(options);
	for (int i = 0; i < options->vms; i++) {
		char name[32];

		snprintf(name, sizeof(name), "mix-%d", i);
		start_vm(options, options->modes, name);
	}
	return surround(options);
}

int load__demo(const struct options *options)
{
	struct options demo = *options;

	demo.vcpus = 2;
	demo.seconds = 0;
	demo.bystanders = 1;
	/* One disk-like and one sleepy vcpu; a quiet and a busy one. */
	start_vm(&demo, "15,9", "demo-a");
	start_vm(&demo, "8,3", "demo-b");
	return surround(&demo);
}
