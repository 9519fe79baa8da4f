// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "runner.h"

#define PATIENCE_US	30000000

static void die_in_guest(struct runner *runner, const char *what)
{
	struct guest_block *block = vm__block(runner->vm, runner->id);

	vm__dump(runner->vm, runner->id);
	die(EXIT_WRONG, "vcpu %d: %s; stop %llu, %llu turns, %llu KVM_RUNs",
	    runner->id, what, (unsigned long long)block->stop,
	    (unsigned long long)block->turns, (unsigned long long)runner->runs);
}

static void handle_exit(struct runner *runner, const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
		die(EXIT_WRONG, "vcpu %d: unexpected exit %u", runner->id,
		    run->exit_reason);
	if (run->mmio.phys_addr == GUEST_DONE)
		runner->dones++;
	else if (run->mmio.phys_addr == GUEST_MMIO)
		runner->mmios++;
	else if (run->mmio.phys_addr == GUEST_FAULT)
		die_in_guest(runner, "exception");
	else
		die(EXIT_WRONG, "vcpu %d: MMIO at %#llx", runner->id,
		    (unsigned long long)run->mmio.phys_addr);
}

static bool run_once(struct runner *runner, int fd)
{
	runner->runs++;
	if (runner->vm->config.host_sve)
		use_sve();
	if (ioctl(fd, KVM_RUN, 0) == 0)
		return true;
	if (errno != EINTR)
		die(EXIT_WRONG, "KVM_RUN: %s", strerror(errno));
	return false;
}

static void run_immediate(struct runner *runner, int fd, struct kvm_run *run,
			  uint64_t times)
{
	run->immediate_exit = 1;
	for (uint64_t i = 0; i < times; i++)
		run_once(runner, fd);
	run->immediate_exit = 0;
}

void runner__run(struct runner *runner)
{
	int fd = runner->vm->vcpu_fd[runner->id];
	struct kvm_run *run = runner->vm->run[runner->id];
	struct switches start;

	/* The first KVM_RUN with a GIC sleeps before it loads the vcpu. */
	start = switches_now();
	run_immediate(runner, fd, run, runner->prime);
	runner->primed = switches_since(start);
	atomic_store(&runner->running, true);
	while (atomic_load(&runner->held))
		sleep_us(100);
	start = switches_now();
	while (runner->dones < runner->sessions) {
		if (run_once(runner, fd))
			handle_exit(runner, run);
		else
			runner->signals++;
		if (atomic_load(&runner->stuck))
			die_in_guest(runner, "stuck");
	}
	run_immediate(runner, fd, run, runner->immediates);

	runner->switches = switches_since(start);
	atomic_store(&runner->finished, true);
}

static void *runner__thread(void *arg)
{
	struct runner *runner = arg;
	char name[16];

	/* QEMU's names, which tools know. */
	snprintf(name, sizeof(name), "CPU %d/KVM", runner->id);
	set_name(name);
	if (runner->cpu >= 0)
		set_cpu(0, runner->cpu);
	set_fifo(runner->priority);
	runner->tid = thread_id();
	runner__run(runner);
	return NULL;
}

void runner__start(struct runner *runner)
{
	if (pthread_create(&runner->thread, NULL, runner__thread, runner))
		die(EXIT_ENV, "no thread for a vcpu");
}

static void on_kick(int signal)
{
	(void)signal;
}

void runner__check_end(struct runner *runner)
{
	struct sigaction action = { .sa_handler = on_kick };

	for (int us = 0; !atomic_load(&runner->finished); us += 1000) {
		if (us >= PATIENCE_US) {
			atomic_store(&runner->stuck, true);
			sigaction(SIGUSR2, &action, NULL);
			pthread_kill(runner->thread, SIGUSR2);
			return;
		}
		sleep_us(1000);
	}
}

void runner__join(struct runner *runner)
{
	pthread_join(runner->thread, NULL);
}
