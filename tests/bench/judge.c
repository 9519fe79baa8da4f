// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many records a second one core replays, judges and runs all policies on;
 * and that memory stays flat over as many as are asked for.
 *
 * usage: judge [RECORDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <linux/types.h>

#include "whatif.h"

enum { CPUS = 4, VCPUS = 64, TASKS = 256, TURN = 16 };

struct machine {
	struct whatif *w;
	uint64_t left;
	uint64_t rng;
	uint64_t task[CPUS];
};

static unsigned int below(struct machine *m, unsigned int n)
{
	m->rng = m->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(m->rng >> 33) % n;
}

static uint64_t task_buf(unsigned int i)
{
	return 0xffff000000001000ull + 0x2000ull * i;
}

static uint64_t vcpu_buf(unsigned int i)
{
	return 0xffff800000001000ull + 0x8000ull * i;
}

static void feed(struct machine *m, unsigned int cpu, struct fp_rec rec)
{
	if (!m->left)
		return;
	rec.cpu = cpu;
	if (whatif__feed(m->w, &rec))
		exit(3);
	m->left--;
}

static struct fp_rec about(struct machine *m, unsigned int cpu, uint8_t kind,
			   bool foreign)
{
	return (struct fp_rec){
		.ev = { .buf = m->task[cpu], .gen = 1, .kind = kind,
			.foreign = foreign },
		.slot = FP_NO_SLOT,
	};
}

static void switch_to(struct machine *m, unsigned int cpu, unsigned int task)
{
	struct fp_rec rec = about(m, cpu, FP_EV_SWITCH, false);

	rec.other = task_buf(task);
	feed(m, cpu, rec);
	feed(m, cpu, about(m, cpu, FP_EV_SAVE, false));
	m->task[cpu] = task_buf(task);
	feed(m, cpu, about(m, cpu, FP_EV_LOAD, true));
}

/* One KVM_RUN of an eager kernel: host out, guest in, guest out, host in. */
static void kvm_run(struct machine *m, unsigned int cpu, unsigned int vcpu)
{
	struct fp_rec rec = about(m, cpu, FP_EV_VLOAD, false);

	rec.slot = vcpu;
	rec.other = vcpu_buf(vcpu);
	feed(m, cpu, rec);
	rec = about(m, cpu, FP_EV_SAVE, false);
	rec.ev.in_run = 1;
	rec.slot = vcpu;
	feed(m, cpu, rec);
	rec = about(m, cpu, FP_EV_BIND_VCPU, true);
	rec.ev.buf = vcpu_buf(vcpu);
	rec.slot = vcpu;
	feed(m, cpu, rec);
	rec = about(m, cpu, FP_EV_SAVE, false);
	rec.ev.in_run = 1;
	rec.slot = vcpu;
	rec.exits = TURN;
	rec.live = TURN - 1;
	feed(m, cpu, rec);
	rec = about(m, cpu, FP_EV_RUN_END, true);
	rec.flags = FP_REC_NO_JUDGE;
	feed(m, cpu, rec);
	rec = about(m, cpu, FP_EV_LOAD, true);
	rec.slot = vcpu;
	feed(m, cpu, rec);
}

static void step(struct machine *m)
{
	unsigned int cpu = below(m, CPUS);

	if (below(m, 4) == 0)
		switch_to(m, cpu, CPUS * below(m, TASKS / CPUS) + cpu);
	else
		kvm_run(m, cpu, CPUS * below(m, VCPUS / CPUS) + cpu);
}

/* Of the processor, not of the wall: others may want it, too. */
static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void no_name(enum blame_kind kind, uint64_t id, char *who, size_t len)
{
	(void)kind;
	(void)id;
	(void)who;
	(void)len;
}

static long rss_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
	struct machine m = { .w = whatif__new(CPUS, no_name), .left = n, .rng = 1 };
	long early = 0;
	double start;
	unsigned int i;

	if (!m.w)
		return 3;
	for (i = 0; i < CPUS; i++)
		m.task[i] = task_buf(i);
	start = cpu_seconds();
	while (m.left) {
		step(&m);
		if (!early && n - m.left > n / 10)
			early = rss_kib();
	}
	start = cpu_seconds() - start;
	printf("%llu records in %.2f s: %.1f million/s (wanted: 20), %ld KiB after a tenth, %ld KiB after all\n",
	       (unsigned long long)n, start, (double)n / start / 1e6, early,
	       rss_kib());
	whatif__free(m.w);
	return 0;
}
