// SPDX-License-Identifier: GPL-2.0-only
/*
 * cycle N SECONDS WORKERS: attaches and detaches all hooks N times, or as often
 * as fits into SECONDS, in WORKERS processes at once: most of a cycle is waiting
 * for grace periods. Each time the programs count for a moment, so that some
 * are running when they are taken away. Each worker prints one line of JSON.
 *
 * A start of fpstat is such a cycle behind what does not belong to attaching
 * and takes longer: calibration, names and types of the kernel. These are done
 * once here.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "attach.h"
#include "calibrate.h"
#include "kernel.h"
#include "util.h"

#include "fpstat/counters.h"

#define COUNT_US 2000
#define COUNT_TRIES 500

struct times {
	double attach;
	double count;
	double detach;
};

/* Linked with --wrap for these (see the Makefile): kept, not read again. */
struct ksyms *__real_ksyms__find(const char *const *names);
struct ksyms *__wrap_ksyms__find(const char *const *names);
void __wrap_ksyms__free(struct ksyms *k);
struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *btf);
void __wrap_btf__free(struct btf *btf);

static struct ksyms *names_of_kernel;
static struct btf *types_of_kernel;

struct ksyms *__wrap_ksyms__find(const char *const *names)
{
	if (!names_of_kernel)
		names_of_kernel = __real_ksyms__find(names);
	return names_of_kernel;
}

void __wrap_ksyms__free(struct ksyms *k)
{
	(void)k;
}

struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	if (!types_of_kernel)
		types_of_kernel = __real_btf__load_vmlinux_btf();
	return types_of_kernel;
}

void __wrap_btf__free(struct btf *btf)
{
	if (btf != types_of_kernel)
		__real_btf__free(btf);
}

static int no_print(enum libbpf_print_level level, const char *fmt,
		    va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static bool seen(const struct fp_percpu *c, int cpus)
{
	int i;

	for (i = 0; i < cpus; i++) {
		if (__atomic_load_n(&c[i].events[FP_EV_SWITCH],
				    __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/*
 * A context switch must be seen, and a sleep nearly always makes one: not if
 * its time is over before it begins.
 */
static bool counted(const struct attach *a, int cpus)
{
	size_t size = cpus * sizeof(struct fp_percpu);
	struct fp_percpu *c;
	int i;

	c = mmap(NULL, size, PROT_READ, MAP_SHARED, attach__cpus_fd(a), 0);
	if (c == MAP_FAILED)
		return false;
	for (i = 0; i < COUNT_TRIES && !seen(c, cpus); i++)
		usleep(COUNT_US);
	munmap(c, size);
	return i < COUNT_TRIES;
}

static bool cycle(const struct calibration *cal, int cpus, struct times *t)
{
	struct capture_opts opts = {};
	double start = fps_clock();
	struct attach *a;
	char why[256];
	bool ok;

	a = attach__open(cal, cpus, &opts, why, sizeof(why));
	if (!a) {
		fps_err("%s", why);
		return false;
	}
	t->attach += fps_clock() - start;
	start = fps_clock();
	attach__enable(a);
	ok = counted(a, cpus);
	if (!ok)
		fps_err("nothing was counted");
	t->count += fps_clock() - start;
	start = fps_clock();
	attach__close(a);
	t->detach += fps_clock() - start;
	return ok;
}

static int worker(const struct calibration *cal, int cpus, int n,
		  double seconds)
{
	double start = fps_clock();
	struct times t = {};
	int done;

	for (done = 0; done < n && fps_clock() - start < seconds; done++) {
		if (!cycle(cal, cpus, &t))
			return 1;
	}
	printf("{\"cycles\":%d,\"fentry\":%s,\"attach_ms\":%.1f,"
	       "\"count_ms\":%.1f,\"detach_ms\":%.1f}\n",
	       done, cal->fentry ? "true" : "false", t.attach / done * 1e3,
	       t.count / done * 1e3, t.detach / done * 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	struct calibration cal = {};
	int cpus, n, workers, i, status, failed = 0;
	struct times t = {};
	char why[256];

	/* The calibration starts this program again, as it would fpstat. */
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return 0;
	if (argc != 4)
		return 2;
	n = atoi(argv[1]);
	workers = atoi(argv[3]);
	libbpf_set_print(no_print);
	cpus = libbpf_num_possible_cpus();
	if (calibrate(&cal, true, why, sizeof(why))) {
		fps_err("%s", why);
		return 3;
	}
	/* The first one reads the names and types that all share. */
	if (!cycle(&cal, cpus, &t))
		return 1;
	for (i = 0; i < workers; i++) {
		if (fork() == 0)
			exit(worker(&cal, cpus, (n - 1 + i) / workers,
				    atof(argv[2])));
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
