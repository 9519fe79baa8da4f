// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many records a second one core replays, judges and runs all policies on. A guest
 * exit that changes nothing is an event without a record: how many events that makes
 * depends on how often a guest exits before KVM_RUN returns (TURN). Making the records
 * is a part of the time.
 *
 * usage: judge [RECORDS]
 */
#include <stdlib.h>
#include <linux/types.h>

#include "result.h"
#include "whatif.h"

enum { CPUS = 4, VCPUS = 64, TASKS = 256, TURN = 16, BATCH = 128, MOST = 6 };

struct machine {
	uint64_t rng;
	uint64_t task[CPUS];
	struct fp_rec rec[BATCH]; /* as they come from the ring: some at a time */
	unsigned int nr;
	uint64_t told; /* exits without a record */
};

static unsigned int below(struct machine *m, unsigned int n)
{
	m->rng = m->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)((m->rng >> 32) * n >> 32);
}

static uint64_t task_buf(unsigned int i)
{
	return 0xffff000000001000ull + 0x2000ull * i;
}

static uint64_t vcpu_buf(unsigned int i)
{
	return 0xffff800000001000ull + 0x8000ull * i;
}

/* One more record of the task that is current. */
static struct fp_rec *add(struct machine *m, unsigned int cpu, uint8_t kind,
			  bool foreign)
{
	struct fp_rec *rec = &m->rec[m->nr++];

	*rec = (struct fp_rec){
		.ev = { .buf = m->task[cpu],
			.gen = 1,
			.kind = kind,
			.foreign = foreign },
		.slot = FP_NO_SLOT,
		.cpu = cpu,
	};
	return rec;
}

static struct fp_rec *add_in_run(struct machine *m, unsigned int cpu,
				 uint8_t kind, bool foreign, unsigned int vcpu)
{
	struct fp_rec *rec = add(m, cpu, kind, foreign);

	rec->ev.in_run = 1;
	rec->slot = vcpu;
	return rec;
}

static void switch_to(struct machine *m, unsigned int cpu, unsigned int task)
{
	add(m, cpu, FP_EV_SWITCH, false)->other = task_buf(task);
	add(m, cpu, FP_EV_SAVE, false);
	m->task[cpu] = task_buf(task);
	add(m, cpu, FP_EV_LOAD, true);
}

/* One KVM_RUN of an eager kernel: host out, guest in, guest out, host in. */
static void kvm_run(struct machine *m, unsigned int cpu, unsigned int vcpu)
{
	struct fp_rec *rec = add(m, cpu, FP_EV_VLOAD, false);

	rec->slot = vcpu;
	rec->other = vcpu_buf(vcpu);
	add_in_run(m, cpu, FP_EV_SAVE, false, vcpu);
	rec = add(m, cpu, FP_EV_BIND_VCPU, true);
	rec->ev.buf = vcpu_buf(vcpu);
	rec->slot = vcpu;
	rec = add_in_run(m, cpu, FP_EV_SAVE, false, vcpu);
	rec->exits = TURN;
	rec->live = TURN - 1;
	add(m, cpu, FP_EV_RUN_END, true)->flags = FP_REC_NO_JUDGE;
	add(m, cpu, FP_EV_LOAD, true)->slot = vcpu;
}

static void step(struct machine *m)
{
	unsigned int cpu = below(m, CPUS);

	if (below(m, 4) == 0)
		switch_to(m, cpu, CPUS * below(m, TASKS / CPUS) + cpu);
	else
		kvm_run(m, cpu, CPUS * below(m, VCPUS / CPUS) + cpu);
}

/* Returns how many records it fed, at most @n. */
static uint64_t feed(struct whatif *w, struct machine *m, uint64_t n)
{
	unsigned int i;

	for (m->nr = 0; m->nr + MOST <= BATCH;)
		step(m);
	for (i = 0; i < m->nr && i < n; i++) {
		if (whatif__feed(w, &m->rec[i]))
			exit(3);
		m->told += m->rec[i].live;
	}
	return i;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000, done;
	const struct blame_namer no_names = {};
	struct whatif *w = whatif__new(CPUS, no_names);
	static struct machine m = { .rng = 1 };
	double start;
	unsigned int i;

	if (!w)
		return 3;
	for (i = 0; i < CPUS; i++)
		m.task[i] = task_buf(i);
	start = cpu_seconds();
	for (done = 0; done < n;)
		done += feed(w, &m, n - done);
	start = cpu_seconds() - start;
	tell(stdout, "judge, all policies", n, "records",
	     (double)n / start / 1e6, "M records/s", AT_LEAST(20));
	tell(stdout, "the same, and exits", n + m.told, "events",
	     (double)(n + m.told) / start / 1e6, "M events/s", NO_LIMIT);
	whatif__free(w);
	return 0;
}
