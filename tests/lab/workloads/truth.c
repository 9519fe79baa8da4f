// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "truth.h"

void truth__add_thread(struct truth *truth, const char *role, int vcpu,
		       pid_t tid, struct switches switches)
{
	size_t size = (size_t)(truth->nr_threads + 1) * sizeof(*truth->threads);

	truth->threads = realloc(truth->threads, size);
	if (!truth->threads)
		die(EXIT_ENV, "out of memory");
	truth->threads[truth->nr_threads++] = (struct thread_truth){
		.role = role, .vcpu = vcpu, .tid = tid, .switches = switches,
	};
}

/* A thread that ran many VMs one after another is one thread. */
static struct thread_truth *find_thread(struct truth *truth, pid_t tid)
{
	for (int i = 0; i < truth->nr_threads; i++)
		if (truth->threads[i].tid == tid)
			return &truth->threads[i];
	return NULL;
}

static void add_vcpu_thread(struct truth *truth, const struct runner *runner)
{
	struct thread_truth *thread = find_thread(truth, runner->tid);

	if (!thread) {
		truth__add_thread(truth, "vcpu", runner->id, runner->tid,
				  runner->switches);
		return;
	}
	thread->switches.voluntary += runner->switches.voluntary;
	thread->switches.involuntary += runner->switches.involuntary;
}

static void add_runner(struct truth *truth, const struct runner *runner,
		       const struct guest_block *block)
{
	truth->runs += runner->runs;
	truth->immediates += runner->immediates + runner->prime;
	truth->signals += runner->signals;
	truth->dones += runner->dones;
	truth->mmios += runner->mmios;
	truth->switches.voluntary += runner->switches.voluntary;
	truth->switches.involuntary += runner->switches.involuntary;
	truth->primed += runner->primed.voluntary + runner->primed.involuntary;

	truth->turns += block->turns;
	truth->fp_uses += block->fp_uses;
	truth->fp_lost += block->fp_lost;
	if (block->vl)
		truth->guest_vl = block->vl;
	truth->hvcs += block->hvcs;
	truth->wfis += block->wfis;

	add_vcpu_thread(truth, runner);
}

void truth__add_vm(struct truth *truth, struct vm *vm,
		   const struct runner *runners)
{
	truth->vms++;
	for (int i = 0; i < vm->config.nr_vcpus; i++)
		add_runner(truth, &runners[i], vm__block(vm, i));
}

void truth__add_bystander(struct truth *truth,
			  const struct bystander *bystander)
{
	truth->quanta += bystander->quanta;
	truth->host_fp_lost += bystander->lost;
	truth__add_thread(truth, "bystander", -1, bystander->tid,
			  bystander->switches);
}

bool truth__ok(const struct truth *truth)
{
	return !truth->fp_lost && !truth->host_fp_lost;
}

void truth__free(struct truth *truth)
{
	free(truth->threads);
	truth->threads = NULL;
	truth->nr_threads = 0;
}

static void print_number(const char *key, uint64_t value)
{
	printf(",\"%s\":%" PRIu64, key, value);
}

static void print_threads(const struct truth *truth)
{
	printf(",\"threads\":[");
	for (int i = 0; i < truth->nr_threads; i++) {
		const struct thread_truth *t = &truth->threads[i];

		printf("%s{\"role\":\"%s\",\"vm\":\"%s\",\"vcpu\":", i ? "," : "",
		       t->role, truth->vm);
		if (t->vcpu < 0)
			printf("null");
		else
			printf("%d", t->vcpu);
		printf(",\"tid\":%d,\"nvcsw\":%" PRIu64 ",\"nivcsw\":%" PRIu64 "}",
		       (int)t->tid, t->switches.voluntary,
		       t->switches.involuntary);
	}
	printf("]");
}

static void print_ops(const char *name, const struct ops *ops)
{
	if (!ops)
		printf("\"%s\":null", name);
	else
		printf("\"%s\":{\"gs\":%" PRIu64 ",\"gl\":%" PRIu64
		       ",\"hs\":%" PRIu64 ",\"hl\":%" PRIu64 "}",
		       name, ops->gs, ops->gl, ops->hs, ops->hl);
}

static void print_head(const struct truth *truth)
{
	struct utsname host;

	uname(&host);
	printf("{\"truth\":\"%s\",\"n\":%" PRIu64 ",\"host_ver\":\"%s\""
	       ",\"host_cpus\":%ld"
	       ",\"vm\":\"%s\",\"vm_pid\":%d",
	       truth->name, truth->n, host.release,
	       sysconf(_SC_NPROCESSORS_CONF), truth->vm, (int)getpid());
}

/* Switches without a plan, and plans without a switch. */
static uint64_t slack(const struct truth *truth)
{
	uint64_t switches = truth->switches.voluntary +
			    truth->switches.involuntary;

	return switches > truth->planned ? switches - truth->planned :
					   truth->planned - switches;
}

/* Bytes of an SVE register of this thread, which asked for nothing. */
static uint64_t host_vl(void)
{
	int vl = prctl(PR_SVE_GET_VL);

	return vl < 0 ? 0 : vl & PR_SVE_VL_LEN_MASK;
}

void truth__print(const struct truth *truth, const struct ops *martin,
		  const struct ops *eager)
{
	print_head(truth);
	print_number("vms", truth->vms);
	print_number("runs", truth->runs);
	print_number("immediate", truth->immediates);
	print_number("signals", truth->signals);
	print_number("guest_fp", truth->fp_uses);
	print_number("guest_fp_lost", truth->fp_lost);
	print_number("guest_vl", truth->guest_vl);
	print_number("host_vl", host_vl());
	print_number("guest_turns", truth->turns);
	print_number("guest_exits_hvc", truth->hvcs);
	print_number("guest_wfis", truth->wfis);
	print_number("mmio", truth->mmios + truth->dones);
	print_number("nvcsw", truth->switches.voluntary);
	print_number("nivcsw", truth->switches.involuntary);
	print_number("migrations", truth->migrations);
	print_number("quanta", truth->quanta);
	print_number("host_fp_lost", truth->host_fp_lost);
	printf(",\"neon\":{\"softirq\":%" PRIu64 ",\"task\":%" PRIu64
	       ",\"refused\":%" PRIu64 ",\"preempts\":%" PRIu64 "}",
	       truth->neon.softirq, truth->neon.task, truth->neon.refused,
	       truth->neon.preempts);
	print_threads(truth);
	if (martin) {
		print_number("planned", truth->planned);
		print_number("slack", slack(truth));
		print_number("primed", truth->primed);
	}
	printf(",\"expect\":{");
	print_ops("martin", martin);
	printf(",");
	print_ops("eager", eager);
	printf("}}\n");
	fflush(stdout);
}
