// SPDX-License-Identifier: GPL-2.0-only
/* A debugger that reads and writes the FP registers of a running program. */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "scenario.h"
#include "util.h"

/* What d8 holds: a number that grows, and above it, who wrote it last. */
#define TAG_SHIFT	40

/* Forever: d8 is all that knows the number. */
static __attribute__((noreturn)) void count(volatile uint64_t *seen)
{
	uint64_t value = 0;

	asm volatile("fmov d8, %0" : : "r"(value) : "d8");
	for (;;) {
		asm volatile("fmov %0, d8\n"
			     "add %0, %0, #1\n"
			     "fmov d8, %0"
			     : "=&r"(value) : : "d8");
		*seen = value;
	}
}

static void stop(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		die(EXIT_WRONG, "debug: the program can't be stopped");
}

static void move_registers(int request, pid_t pid, struct user_fpsimd_struct *fp)
{
	struct iovec iov = { fp, sizeof(*fp) };

	if (ptrace(request, pid, (void *)NT_PRFPREG, &iov))
		die(EXIT_WRONG, "debug: no FP registers");
}

/* Has @pid got at its stop what it had, and what was written at the one before? */
static bool look(pid_t pid, uint64_t stops, uint64_t seen)
{
	struct user_fpsimd_struct fp;
	uint64_t value;

	move_registers(PTRACE_GETREGSET, pid, &fp);
	value = (uint64_t)fp.vregs[8];
	fp.vregs[8] = (stops + 1) << TAG_SHIFT;
	move_registers(PTRACE_SETREGSET, pid, &fp);
	return value >> TAG_SHIFT == stops && value - seen <= 1;
}

int load__debug(const struct options *options)
{
	uint64_t n = options->n ? options->n : 100, stops, lost = 0, last = 0;
	volatile uint64_t *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = seen == MAP_FAILED ? -1 : fork();

	if (pid < 0)
		die(EXIT_ENV, "no program to debug");
	if (!pid)
		count(seen);
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL))
		die(EXIT_ENV, "no ptrace");
	for (stops = 0; stops < n; stops++) {
		while (*seen == last)
			sleep_us(100);
		stop(pid);
		last = *seen;
		lost += !look(pid, stops, last);
		ptrace(PTRACE_CONT, pid, 0, 0);
	}
	printf("{\"load\":\"debug\",\"stops\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n",
	       stops, lost);
	return lost ? EXIT_WRONG : 0;
}
