// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.skel.h"
#include "kernel.h"
#include "util.h"

#define RING_SIZE (256u << 10) /* the first thousands tell enough */

struct watch {
	struct check_bpf *skel;
	struct ring_buffer *ring;
	const struct fp_checked *checked; /* by CPU */
	size_t size;
	unsigned int cpus;
	bool last; /* fpsimd_last_state can be read */
	bool owner; /* and so can who owns the registers, says KVM */
	bool entries, saves, execs, ends; /* what is attached */
	void (*fn)(void *ctx, const struct fp_fact *fact);
	void *ctx;
};

static const char *const names[] = {
	"__per_cpu_offset",
	"fpsimd_last_state",
	"kvm_host_data",
	"__kvm_nvhe_kvm_host_data",
	"__kvm_nvhe___per_cpu_start",
	"__kvm_nvhe_kvm_arm_hyp_percpu_base",
	"kvm_arch_vcpu_ctxflush_fp",
	NULL,
};

/* Where variables are; what is 0 can't be read. */
static void find_variables(struct watch *w, const struct ksyms *k,
			   const struct watch_opts *o)
{
	struct check_bpf__rodata *ro = w->skel->rodata;
	uint64_t offsets = ksyms__address(k, "__per_cpu_offset");
	uint64_t start = ksyms__address(k, "__kvm_nvhe___per_cpu_start");
	uint64_t data;

	ro->has_ctxflush = ksyms__have(k, "kvm_arch_vcpu_ctxflush_fp");
	if (!offsets)
		return;
	ro->per_cpu_offset = offsets;
	ro->last_state = ksyms__address(k, "fpsimd_last_state");
	if (!kernel__owner_is_per_cpu())
		return;
	if (o->vhe) {
		ro->host_data = ksyms__address(k, "kvm_host_data");
		ro->host_data_offset = ro->host_data ? offsets : 0;
	} else {
		data = ksyms__address(k, "__kvm_nvhe_kvm_host_data");
		ro->host_data = data - start;
		ro->host_data_offset =
			!data || !start ?
				0 :
				ksyms__address(
					k,
					"__kvm_nvhe_kvm_arm_hyp_percpu_base");
	}
}

static int load(struct watch *w, const struct watch_opts *o)
{
	struct check_bpf *s = w->skel;
	struct ksyms *k = ksyms__find(names);
	int err;

	if (!k)
		return -errno;
	s->rodata->foreign_mask = o->foreign_mask;
	s->rodata->nr_cpus = o->cpus;
	find_variables(w, k, o);
	ksyms__free(k);
	w->last = s->rodata->last_state;
	w->owner = s->rodata->host_data_offset || !kernel__owner_is_per_cpu();
	bpf_map__set_max_entries(s->maps.checked, o->cpus);
	bpf_map__set_max_entries(s->maps.facts, RING_SIZE);
	err = bpf_map__reuse_fd(s->maps.cpus, o->cpus_fd);
	if (!err)
		err = bpf_map__reuse_fd(s->maps.vcpus, o->vcpus_fd);
	bpf_program__set_autoload(s->progs.check_entry, o->guests);
	bpf_program__set_autoload(s->progs.check_exit, o->guests);
	bpf_program__set_autoload(s->progs.k_check_save, !o->fentry);
	bpf_program__set_autoload(s->progs.f_check_save, o->fentry);
	if (!err && o->fentry)
		err = bpf_program__set_attach_target(s->progs.f_check_save, 0,
						     o->save);
	return err ? err : check_bpf__load(s);
}

/* What can't be attached is not asked, and stands in the report as such. */
static void attach(struct watch *w, const struct watch_opts *o)
{
	struct check_bpf *s = w->skel;

	if (o->guests) {
		s->links.check_entry =
			bpf_program__attach(s->progs.check_entry);
		s->links.check_exit = bpf_program__attach(s->progs.check_exit);
	}
	if (o->fentry)
		s->links.f_check_save =
			bpf_program__attach(s->progs.f_check_save);
	else
		s->links.k_check_save = bpf_program__attach_kprobe(
			s->progs.k_check_save, false, o->save);
	s->links.check_exec = bpf_program__attach(s->progs.check_exec);
	s->links.check_destroy = bpf_program__attach(s->progs.check_destroy);
	w->entries = s->links.check_entry && s->links.check_exit;
	w->saves = s->links.f_check_save || s->links.k_check_save;
	w->execs = s->links.check_exec;
	w->ends = s->links.check_destroy;
}

/* Read without bpf(2), as all that is counted: see include/fpstat/counters.h. */
static int map_counters(struct watch *w)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	w->size = (w->cpus * sizeof(*w->checked) + page - 1) / page * page;
	p = mmap(NULL, w->size, PROT_READ, MAP_SHARED,
		 bpf_map__fd(w->skel->maps.checked), 0);
	if (p == MAP_FAILED)
		return -errno;
	w->checked = p;
	return 0;
}

static int on_fact(void *ctx, void *data, size_t size)
{
	struct watch *w = ctx;

	if (size == sizeof(struct fp_fact))
		w->fn(w->ctx, data);
	return 0;
}

struct watch *watch__open(const struct watch_opts *opts)
{
	struct watch *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (!w)
		return NULL;
	w->cpus = opts->cpus;
	w->skel = check_bpf__open();
	if (w->skel)
		err = load(w, opts);
	if (!err)
		err = map_counters(w);
	if (!err) {
		w->ring = ring_buffer__new(bpf_map__fd(w->skel->maps.facts),
					   on_fact, w, NULL);
		err = w->ring ? 0 : -errno;
	}
	if (err) {
		watch__close(w);
		errno = -err;
		return NULL;
	}
	attach(w, opts);
	return w;
}

void watch__close(struct watch *w)
{
	if (!w)
		return;
	ring_buffer__free(w->ring);
	if (w->checked)
		munmap((void *)w->checked, w->size);
	check_bpf__destroy(w->skel);
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
	for (cpu = 0; cpu < w->cpus; cpu++) {
		for (i = 0; i < FP_RULES; i++)
			asked[i] += counter__read(&w->checked[cpu].n[i]);
	}
}

void watch__set_eager(struct watch *w, bool eager)
{
	w->skel->bss->eager = eager;
}

uint64_t watch__run_time(const struct watch *w)
{
	struct bpf_program *p;
	uint64_t ns = 0;

	if (!w)
		return 0;
	bpf_object__for_each_program(p, w->skel->obj)
		ns += kernel__prog_info(p).run_time_ns;
	return ns;
}

void watch__rest(struct watch *w, bool rest)
{
	w->skel->bss->rest = rest;
}

const char *watch__cannot(const struct watch *w, enum fp_rule rule)
{
	switch (rule) {
	case FP_RULE_I6:
		if (!w->saves)
			return "the save function can't be probed";
		return w->last ? NULL :
				 "fpsimd_last_state is not readable here";
	case FP_RULE_I8:
	case FP_RULE_I20:
		if (!w->entries)
			return "EL1 does not see its guests' registers";
		if (!w->owner)
			return "who owns the registers is not readable here";
		return w->last ? NULL :
				 "fpsimd_last_state is not readable here";
	case FP_RULE_I18:
		return w->execs ? NULL : "sched_process_exec can't be probed";
	case FP_RULE_I22:
		if (!w->ends)
			return "the end of a vcpu can't be probed";
		return w->last ? NULL :
				 "fpsimd_last_state is not readable here";
	default:
		return NULL;
	}
}
