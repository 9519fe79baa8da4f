// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/counters.h"

#include "capture.skel.h"
#include "kernel.h"
#include "util.h"

#define RING_SIZE (256u << 10) /* the first thousands tell enough */

struct watch {
	struct capture_bpf *skel;
	struct ring_buffer *ring;
	const struct fp_percpu *cpus;
	unsigned int nr_cpus;
	bool execs;
	void (*fn)(void *ctx, const struct fp_fact *fact);
	void *ctx;
};

static const char *const names[] = {
	"__per_cpu_offset",
	"kvm_host_data",
	"__kvm_nvhe_kvm_host_data",
	"__kvm_nvhe___per_cpu_start",
	"__kvm_nvhe_kvm_arm_hyp_percpu_base",
	"kvm_arch_vcpu_ctxflush_fp",
	NULL,
};

/* Where the owner is, if KVM records it for each CPU. */
static void find_owner(struct capture_bpf__rodata *ro, const struct ksyms *k,
		       const char *mode)
{
	bool vhe = strcmp(mode, "vhe") == 0;
	uint64_t start =
		vhe ? 0 : ksyms__address(k, "__kvm_nvhe___per_cpu_start");
	uint64_t data = ksyms__address(
		k, vhe ? "kvm_host_data" : "__kvm_nvhe_kvm_host_data");

	ro->host_data = data - start;
	ro->host_data_offsets = ksyms__address(
		k, vhe ? "__per_cpu_offset" :
			 "__kvm_nvhe_kvm_arm_hyp_percpu_base");
	ro->no_owner = !data || (!vhe && !start) || !ro->host_data_offsets;
}

int watch__set_up(struct capture_bpf *s, const char *mode, unsigned int cpus)
{
	struct ksyms *k = ksyms__find(names);

	if (!k)
		return -errno;
	s->rodata->nr_cpus = cpus;
	/* There was one in 5.17 already, but who dropped it was the hypervisor. */
	s->rodata->has_ctxflush =
		ksyms__have(k, "kvm_arch_vcpu_ctxflush_fp") &&
		kernel__owner_is_state();
	if (kernel__owner_is_per_cpu())
		find_owner(s->rodata, k, mode);
	s->rodata->no_owner |= !kernel__guest_visible(mode);
	ksyms__free(k);
	return bpf_map__set_max_entries(s->maps.facts, RING_SIZE);
}

static int on_fact(void *ctx, void *data, size_t size)
{
	struct watch *w = ctx;

	if (size == sizeof(struct fp_fact))
		w->fn(w->ctx, data);
	return 0;
}

struct watch *watch__open(struct capture_bpf *s, const struct fp_percpu *cpus,
			  unsigned int nr_cpus, bool execs)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct watch){
		.skel = s,
		.cpus = cpus,
		.nr_cpus = nr_cpus,
		.execs = execs,
	};
	w->ring = ring_buffer__new(bpf_map__fd(s->maps.facts), on_fact, w, NULL);
	if (w->ring)
		return w;
	watch__close(w);
	return NULL;
}

void watch__close(struct watch *w)
{
	if (w)
		ring_buffer__free(w->ring);
	free(w);
}

int watch__drain(struct watch *w,
		 void (*fn)(void *ctx, const struct fp_fact *fact), void *ctx)
{
	int n;

	w->fn = fn;
	w->ctx = ctx;
	n = ring_buffer__consume(w->ring);
	return n < 0 ? n : 0;
}

void watch__asked(const struct watch *w, uint64_t asked[FP_RULES])
{
	unsigned int cpu;
	int i;

	memset(asked, 0, FP_RULES * sizeof(*asked));
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		for (i = 0; i < FP_RULES; i++)
			asked[i] += counter__read(&w->cpus[cpu].asked[i]);
	}
}

void watch__set_eager(struct watch *w, bool eager)
{
	w->skel->bss->eager = eager;
}

void watch__rest(struct watch *w, bool rest)
{
	w->skel->bss->rest = rest;
}

/* .. of a guest: who owns the registers, and what is bound. */
static const char *cannot_see_guests(const struct capture_bpf__rodata *ro)
{
	if (ro->no_owner)
		return "who owns the registers is not readable here";
	if (!ro->last_state)
		return "fpsimd_last_state is not readable here";
	return ro->all_entries ? NULL : "in part without --entries";
}

const char *watch__cannot(const struct watch *w, enum fp_rule rule)
{
	const struct capture_bpf__rodata *ro = w->skel->rodata;

	switch (rule) {
	case FP_RULE_I8:
	case FP_RULE_I20:
		return cannot_see_guests(ro);
	case FP_RULE_I18:
		return w->execs ? NULL : "sched_process_exec can't be probed";
	case FP_RULE_I6:
	case FP_RULE_I22:
		return ro->last_state ?
			       NULL :
			       "fpsimd_last_state is not readable here";
	default:
		return NULL;
	}
}
