/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages, files, and what makes a run repeatable: CPUs and priorities. */
#ifndef WORKLOADS_UTIL_H
#define WORKLOADS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	EXIT_WRONG = 1,		/* the workload went wrong, or a state was lost */
	EXIT_USAGE = 2,
	EXIT_ENV = 3,		/* this machine lacks something */
};

void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#define CPUS_MAX	256

struct cpu_list {
	int nr;
	int cpu[CPUS_MAX];
};

/* "0,2-3"; false if it is no list. */
bool cpu_list__parse(struct cpu_list *list, const char *text);
void cpu_list__online(struct cpu_list *list);
int cpu_list__at(const struct cpu_list *list, int index);

/* tid 0: the calling thread; priority 0: an ordinary thread. */
void set_cpu(pid_t tid, int cpu);
void set_fifo(int priority);
void set_name(const char *name);

struct switches {
	uint64_t voluntary;
	uint64_t involuntary;
};
/* Context switches of the calling thread so far. */
struct switches switches_now(void);
struct switches switches_since(struct switches start);

pid_t thread_id(void);
void sleep_us(unsigned int us);
uint64_t now_ns(void);
/* From now on the calling thread has a state of SVE, up to a system call. */
void use_sve(void);

bool write_text(const char *path, const char *text);
bool read_text(const char *path, char *text, size_t size);

/* Change a setting of the machine until this program ends, also by a signal. */
bool tune(const char *path, const char *value);

/*
 * Take away what would switch a real-time thread out (throttling, the fair
 * server, the watchdog) or keep a halting vcpu from sleeping (halt polling).
 */
void quiet_machine(void);

#endif
