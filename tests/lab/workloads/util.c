// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void die(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("fpload: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

bool cpu_list__parse(struct cpu_list *list, const char *text)
{
	list->nr = 0;
	while (*text) {
		char *end;
		long first = strtol(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			last = strtol(text, &end, 10);
			if (end == text)
				return false;
		}
		for (long cpu = first; cpu <= last; cpu++) {
			if (cpu < 0 || list->nr == CPUS_MAX)
				return false;
			list->cpu[list->nr++] = (int)cpu;
		}
		if (*end == ',')
			end++;
		else if (*end && *end != '\n')
			return false;
		else if (*end)
			break;
		text = end;
	}
	return list->nr > 0;
}

void cpu_list__online(struct cpu_list *list)
{
	char text[256];

	if (!read_text("/sys/devices/system/cpu/online", text, sizeof(text)) ||
	    !cpu_list__parse(list, text))
		die(EXIT_ENV, "cannot tell which CPUs are online");
}

int cpu_list__at(const struct cpu_list *list, int index)
{
	return list->cpu[index % list->nr];
}

void set_cpu(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		die(EXIT_ENV, "CPU %d: %s", cpu, strerror(errno));
}

void set_fifo(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (priority && sched_setscheduler(0, SCHED_FIFO, &param))
		die(EXIT_ENV, "SCHED_FIFO: %s", strerror(errno));
}

void set_name(const char *name)
{
	prctl(PR_SET_NAME, name);
}

struct switches switches_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (struct switches){ (uint64_t)usage.ru_nvcsw,
				  (uint64_t)usage.ru_nivcsw };
}

struct switches switches_since(struct switches start)
{
	struct switches now = switches_now();

	now.voluntary -= start.voluntary;
	now.involuntary -= start.involuntary;
	return now;
}

pid_t thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

void sleep_us(unsigned int us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

void use_sve(void)
{
	asm volatile(".inst 0x04bf5020" ::: "x0"); /* rdvl x0, #1 */
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t size = (ssize_t)strlen(text);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, (size_t)size) == size;
	close(fd);
	return ok;
}

bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return true;
}

static struct tuned {
	char path[80], before[32];
} tuned[CPUS_MAX + 8];
static int nr_tuned;

static void restore_machine(void)
{
	while (nr_tuned > 0) {
		nr_tuned--;
		write_text(tuned[nr_tuned].path, tuned[nr_tuned].before);
	}
}

/* Only system calls, so that a signal handler may call it. */
static void on_end(int signal)
{
	(void)signal;
	restore_machine();
	_exit(EXIT_WRONG);
}

static void restore_later(void)
{
	struct sigaction action = { .sa_handler = on_end };

	atexit(restore_machine);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool tune(const char *path, const char *value)
{
	struct tuned *t = &tuned[nr_tuned];

	if (!read_text(path, t->before, sizeof(t->before)) ||
	    !write_text(path, value))
		return false;
	if (!nr_tuned)
		restore_later();
	snprintf(t->path, sizeof(t->path), "%s", path);
	nr_tuned++;
	return true;
}

void quiet_machine(void)
{
	struct cpu_list online;
	char path[80];

	tune("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	tune("/proc/sys/kernel/soft_watchdog", "0");
	tune("/sys/module/kvm/parameters/halt_poll_ns", "0");
	/* Since 6.12, what throttling was before; needs debugfs. */
	cpu_list__online(&online);
	for (int i = 0; i < online.nr; i++) {
		snprintf(path, sizeof(path),
			 "/sys/kernel/debug/sched/fair_server/cpu%d/runtime",
			 online.cpu[i]);
		tune(path, "0");
	}
	/* A page fault in a measured loop could sleep. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
}
