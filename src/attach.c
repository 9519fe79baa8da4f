// SPDX-License-Identifier: GPL-2.0-only
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "capture.skel.h"
#include "fold_load.h"
#include "fpstat/ring.h"
#include "hooks.h"
#include "kernel.h"
#include "snapshot.h"
#include "util.h"
#include "watch.h"
#include "xcheck.skel.h"

#define MAX_HOOKS 64
/* Of one lane of all CPUs; or more, since each is to have room for 16,384 records. */
#define RINGS_BYTES (16u << 20)
#define RING_BYTES_MIN (1u << 20)
#define LAST_STATE "fpsimd_last_state"
#define CPU_OFFSETS "__per_cpu_offset"
/* What a stack is read by, see bpf/infer.h; and a task can be preempted in the kernel. */
#define IRQ_ENTRY "el1h_64_irq"
#define PUT_CONTEXT "put_cpu_fpsimd_context"
#define BH_ENABLE "__local_bh_enable_ip"
#define PREEMPTION "preempt_schedule"

/* One hook on this kernel. */
struct point {
	const struct hook *hook;
	const char *fn; /* which of its names, NULL: this kernel has none */
	bool no_fentry; /* tried, and refused */
	const char *instead; /* what tells the same for less: not needed */
	struct bpf_program *prog;
	struct bpf_link *link;
	int err;
};

struct attach {
	struct capture_bpf *skel;
	struct xcheck_bpf *xcheck;
	struct ksyms *ksyms;
	uint32_t ring_size;
	struct kernel_vcpu vcpu;
	bool check; /* opts.check */
	bool infers; /* saves and loads follow from flags: bpf/infer.h */
	size_t nr;
	struct point point[MAX_HOOKS];
	struct capture_hook info[MAX_HOOKS];
	char why[MAX_HOOKS][96];
};

static bool uses_fentry(const struct point *p)
{
	return p->hook->fentry && !p->no_fentry;
}

static const char *mechanism(const struct point *p)
{
	if (p->instead)
		return p->instead;
	if (p->hook->flags & HOOK_INFERS)
		return "tp_btf";
	if (p->hook->flags & HOOK_RAW_TP)
		return "raw_tp";
	if (uses_fentry(p))
		return "fentry";
	return p->hook->flags & HOOK_RETURN ? "kretprobe" : "kprobe";
}

static const char *name_here(const struct attach *a, const struct hook *h)
{
	int i;

	if (h->flags & HOOK_RAW_TP)
		return h->fn[0];
	for (i = 0; i < HOOK_NAMES && h->fn[i]; i++) {
		if (ksyms__have(a->ksyms, h->fn[i]))
			return h->fn[i];
	}
	return NULL;
}

/* All names of the allow-list, and what is not attached to. */
static struct ksyms *find_functions(void)
{
	const char *names[MAX_HOOKS * HOOK_NAMES] = {
		LAST_STATE,  CPU_OFFSETS, IRQ_ENTRY,
		PUT_CONTEXT, BH_ENABLE,	  PREEMPTION,
	};
	const struct hook *h;
	size_t n = 6;
	int i;

	for (h = hooks; h->fn[0]; h++) {
		for (i = 0; i < HOOK_NAMES && h->fn[i]; i++)
			names[n++] = h->fn[i];
	}
	return ksyms__find(names);
}

static bool is_wanted(const struct hook *h, const struct capture_opts *opts)
{
	return (opts->witness || !(h->flags & HOOK_WITNESS)) &&
	       (opts->all_exits || !(h->flags & HOOK_ALL_EXITS)) &&
	       (opts->stream || !(h->flags & HOOK_STREAM)) &&
	       (!opts->stream || !(h->flags & HOOK_NO_STREAM)) &&
	       (opts->check || !(h->flags & HOOK_CHECK)) &&
	       (opts->entries || !(h->flags & HOOK_ENTRIES));
}

/* Which hooks this kernel has; false if a required one is missing. */
static bool choose_points(struct attach *a, const struct capture_opts *opts,
			  char *why, size_t len)
{
	const struct hook *h;
	bool before = false;

	for (h = hooks; h->fn[0]; h++) {
		struct point *p = &a->point[a->nr];

		if (!is_wanted(h, opts) || (h->flags & HOOK_INSTEAD && before))
			continue;
		p->hook = h;
		p->fn = name_here(a, h);
		before = p->fn;
		a->nr++;
		if (p->fn || !(h->flags & HOOK_REQUIRED))
			continue;
		if (h[1].flags & HOOK_INSTEAD) {
			a->nr--; /* the next one stands in */
			continue;
		}
		snprintf(why, len,
			 "this kernel has no function %s() to attach to, and "
			 "without it the counts would be wrong",
			 h->fn[0]);
		return false;
	}
	return true;
}

/* With opts.check, the one that asks rules, too, if there is one. */
static struct bpf_program *program_of(const struct attach *a,
				      const struct point *p)
{
	const char *name = uses_fentry(p) ? p->hook->fentry : p->hook->kprobe;
	struct bpf_program *prog = NULL;
	char checked[64];

	snprintf(checked, sizeof(checked), "%s_checked", name);
	if (a->check)
		prog = bpf_object__find_program_by_name(a->skel->obj, checked);
	return prog ? prog :
		      bpf_object__find_program_by_name(a->skel->obj, name);
}

static const struct point *point_of(const struct attach *a, const char *kprobe)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		if (a->point[i].fn &&
		    strcmp(a->point[i].hook->kprobe, kprobe) == 0)
			return &a->point[i];
	}
	return NULL;
}

/*
 * What makes the hook at @p needless. With an fentry at the bind, live exits are seen
 * there, and KVM counts all of them: its count is read by bpf(2), which makes no
 * kernel drop an fentry program. Without it, kvm_exit tells live exits by what the
 * vcpu says of itself, if nobody else binds a state there. An exit that is to be a
 * record has its hook.
 */
static const char *cheaper(const struct attach *a, const struct point *p,
			   const struct capture_opts *opts)
{
	bool fentry = uses_fentry(point_of(a, "k_bind_state"));
	bool known = !opts->all_exits && a->vcpu.counts_exits;
	/* It asks for vcpu_load() to be an event at once. */
	bool settles = known && !fentry && a->vcpu.alone_is_bound &&
		       !uses_fentry(point_of(a, "k_vcpu_load"));

	if (p->hook->flags & HOOK_BINDS && settles)
		return "kvm_exit";
	if (p->hook->flags & HOOK_EXITS && settles)
		return "kvm_exit";
	if (p->hook->flags & HOOK_EXITS && known && fentry)
		return "KVM's count";
	if (p->hook->flags & HOOK_SETTLES && !settles)
		return "not needed";
	if (p->hook->flags & HOOK_UNASKED && !settles && !(known && fentry))
		return "kvm_exit";
	if (p->hook->flags & HOOK_INFERS && !a->infers)
		return "not needed";
	if (p->hook->flags & HOOK_MOVES && a->infers)
		return p->hook->flags & HOOK_RAW_TP ? "not needed" : "inferred";
	return NULL;
}

/* Can a stack be read, as deep as it is? */
static bool tells_stacks(const struct attach *a)
{
	char depth[32] = "";

	fps_read_file("/proc/sys/kernel/perf_event_max_stack", depth,
		      sizeof(depth));
	return ksyms__address(a->ksyms, IRQ_ENTRY) &&
	       ksyms__address(a->ksyms, BH_ENABLE) &&
	       strtoul(depth, NULL, 10) >= FP_CALLERS;
}

/*
 * Are all hooks here, and nothing but numbers wanted? Where a task can be preempted
 * between a hook and what that announces, they would not be enough; nor is it seen what a
 * thread saves that has used SME.
 */
static bool can_infer(const struct attach *a, const struct calibration *cal,
		      const struct capture_opts *opts)
{
	const struct point *bind = point_of(a, "k_bind_state"), *p;

	if (!cal->can_infer || kernel__has_sme() || opts->stream ||
	    opts->check || !cheaper(a, bind, opts) || !tells_stacks(a) ||
	    ksyms__have(a->ksyms, PREEMPTION))
		return false;
	for (p = a->point; p < a->point + a->nr; p++) {
		if (!p->fn && p->hook->flags & (HOOK_TELLS | HOOK_MOVES))
			return false;
		if (p->hook->flags & HOOK_MOVES && uses_fentry(p))
			return false;
	}
	return true;
}

/* Not all functions that have a symbol are in BTF. */
static void find_targets(struct attach *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		struct point *p = &a->point[i];

		if (p->fn && (uses_fentry(p) || p->hook->flags & HOOK_INFERS) &&
		    bpf_program__set_attach_target(program_of(a, p), 0, p->fn))
			p->no_fentry = true;
	}
}

static int set_up_programs(struct attach *a, const struct capture_opts *opts)
{
	struct bpf_program *prog;
	size_t i;

	bpf_object__for_each_program(prog, a->skel->obj)
		bpf_program__set_autoload(prog, false);
	find_targets(a);
	for (i = 0; i < a->nr; i++) {
		struct point *p = &a->point[i];

		if (!p->fn)
			continue;
		p->instead = cheaper(a, p, opts);
		if (p->instead)
			continue;
		p->prog = program_of(a, p);
		if (!p->prog)
			return -ENOENT;
		bpf_program__set_autoload(p->prog, true);
	}
	return 0;
}

/* Records in each ring. There must be one, even if nothing goes there. */
static uint32_t ring_size(const struct capture_opts *opts, unsigned int cpus)
{
	uint32_t bytes = RINGS_BYTES;

	if (!opts->stream)
		return 1;
	while (bytes > RING_BYTES_MIN && bytes > RINGS_BYTES / cpus)
		bytes /= 2;
	return (opts->ring ? opts->ring : bytes) / sizeof(struct fp_slot);
}

/* What fpstat check asks, or nothing of it. */
static int set_up_rules(struct attach *a, const struct calibration *cal,
			unsigned int cpus, const struct capture_opts *opts)
{
	if (!opts->check)
		return bpf_map__set_autocreate(a->skel->maps.facts, false);
	a->skel->rodata->all_entries = opts->entries;
	return watch__set_up(a->skel, kernel__mode(cal->pstate), cpus);
}

/* @to: 0, if what it does is done at its end. */
static struct fp_code code(const struct attach *a, const char *name,
			   uint64_t to)
{
	struct fp_code c = { .from = ksyms__address(a->ksyms, name),
			     .end = ksyms__end(a->ksyms, name) };

	c.to = to ? to : c.end;
	return c;
}

static void set_up_code(struct attach *a, const struct calibration *cal)
{
	struct capture_bpf__rodata *ro = a->skel->rodata;

	ro->code_neon = code(a, "kernel_neon_begin", 0);
	ro->code_copy = code(a, "fpsimd_preserve_current_state", cal->copy_to);
	ro->code_update =
		code(a, "fpsimd_update_current_state", cal->update_to);
	ro->code_flush = code(a, "fpsimd_flush_task_state", 0);
	ro->code_irq = code(a, IRQ_ENTRY, 0);
	ro->code_put = code(a, PUT_CONTEXT, 0);
	ro->code_enable = code(a, BH_ENABLE, 0);
}

static int load(struct attach *a, const struct calibration *cal,
		unsigned int cpus, const struct capture_opts *opts)
{
	int err = fold_load__init();

	if (err)
		return err;
	a->ring_size = ring_size(opts, cpus);
	a->skel = capture_bpf__open();
	if (!a->skel)
		return -errno;
	a->skel->rodata->foreign_mask = cal->foreign_mask;
	a->skel->rodata->sve_mask = cal->sve_mask;
	a->skel->rodata->has_sme = kernel__has_sme();
	a->skel->rodata->last_state = ksyms__address(a->ksyms, LAST_STATE);
	a->skel->rodata->cpu_offsets = ksyms__address(a->ksyms, CPU_OFFSETS);
	a->skel->rodata->witness = opts->witness;
	a->skel->rodata->streaming = opts->stream;
	a->skel->rodata->all_exits = opts->all_exits;
	a->skel->rodata->can_cast = a->vcpu.can_cast;
	a->skel->rodata->can_stay = a->vcpu.can_stay;
	a->skel->rodata->loads_by_bind = point_of(a, "k_bind_task");
	bpf_map__set_max_entries(a->skel->maps.cpus, cpus);
	bpf_map__set_max_entries(a->skel->maps.rings,
				 cpus * FP_LANES * a->ring_size);
	err = set_up_rules(a, cal, cpus, opts);
	if (!err)
		err = set_up_programs(a, opts);
	a->skel->rodata->settles = point_of(a, "k_bind_state")->instead;
	a->skel->rodata->infers = a->infers;
	set_up_code(a, cal);
	bpf_program__set_autoload(a->skel->progs.need_step, true);
	bpf_program__set_autoload(a->skel->progs.infer_now, a->infers);
	a->skel->rodata->exits_by_kvm = point_of(a, "kvm_exit")->instead &&
					!a->skel->rodata->settles;
	a->skel->rodata->takes_exits = opts->stream &&
				       a->skel->rodata->exits_by_kvm;
	bpf_program__set_autoload(a->skel->progs.count_all_exits,
				  a->skel->rodata->exits_by_kvm);
	bpf_program__set_autoload(a->skel->progs.read_passed, opts->stream);
	if (err)
		return err;
	fold_load__by(a->skel->maps.rodata);
	err = capture_bpf__load(a->skel);
	fold_load__by(NULL);
	return err;
}

static void attach_point(struct point *p)
{
	if (p->hook->flags & HOOK_INFERS || uses_fentry(p))
		p->link = bpf_program__attach_trace(p->prog);
	else if (p->hook->flags & HOOK_RAW_TP)
		p->link = bpf_program__attach_raw_tracepoint(p->prog, p->fn);
	else
		p->link = bpf_program__attach_kprobe(
			p->prog, p->hook->flags & HOOK_RETURN, p->fn);
	p->err = p->link ? 0 : -errno;
}

static void detach_points(struct attach *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		bpf_link__destroy(a->point[i].link);
		a->point[i].link = NULL;
		a->point[i].prog = NULL;
	}
	capture_bpf__destroy(a->skel);
	a->skel = NULL;
}

/* Whether there was any to give up. */
static bool give_up_inference(struct attach *a)
{
	bool infers = a->infers;

	a->infers = false;
	return infers;
}

/* -EAGAIN: something was refused that is not needed, begin again without it. */
static int attach_points(struct attach *a, char *why, size_t len)
{
	bool again = false;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		struct point *p = &a->point[i];

		if (!p->prog)
			continue;
		attach_point(p);
		if (!p->err)
			continue;
		if (uses_fentry(p)) {
			p->no_fentry = true;
			again = true;
		} else if (give_up_inference(a)) {
			again = true;
		} else if (p->hook->flags & HOOK_REQUIRED) {
			snprintf(why, len, "can't attach a %s to %s: %s",
				 mechanism(p), p->fn, strerror(-p->err));
			return p->err;
		}
	}
	return again ? -EAGAIN : 0;
}

/* The cross-check is a witness, and only where the variable can be read. */
static void attach_xcheck(struct attach *a, uint64_t foreign_mask)
{
	struct xcheck_bpf *x;

	if (!ksyms__have(a->ksyms, LAST_STATE))
		return;
	x = xcheck_bpf__open();
	if (!x)
		return;
	a->xcheck = x;
	x->rodata->foreign_mask = foreign_mask;
	if (bpf_map__reuse_fd(x->maps.cpus, attach__cpus_fd(a)) ||
	    bpf_program__set_attach_target(x->progs.xcheck_save, 0,
					   a->point[0].fn) ||
	    xcheck_bpf__load(x) ||
	    !(x->links.xcheck_save =
		      bpf_program__attach_trace(x->progs.xcheck_save))) {
		xcheck_bpf__destroy(x);
		a->xcheck = NULL;
	}
}

static void describe(struct attach *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		const struct point *p = &a->point[i];

		a->info[i] = (struct capture_hook){
			.name = p->fn ? p->fn : p->hook->fn[0],
			.what = p->hook->what,
			.mechanism = p->link || p->instead ? mechanism(p) :
							     NULL,
			.required = p->hook->flags & HOOK_REQUIRED,
		};
		if (a->info[i].mechanism)
			continue;
		if (p->fn)
			snprintf(a->why[i], sizeof(a->why[i]), "refused: %s",
				 strerror(-p->err));
		else
			snprintf(a->why[i], sizeof(a->why[i]),
				 "this kernel has no such function");
		a->info[i].why = a->why[i];
	}
}

/* Whether there was any left to give up. */
static bool give_up_fentry(struct attach *a)
{
	bool any = false;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		any |= uses_fentry(&a->point[i]);
		a->point[i].no_fentry = true;
	}
	return any;
}

static int try_all(struct attach *a, const struct calibration *cal,
		   unsigned int cpus, const struct capture_opts *opts,
		   char *why, size_t len)
{
	int err;

	if (!choose_points(a, opts, why, len))
		return -ENOTSUP;
	if (!cal->fentry)
		give_up_fentry(a);
	a->infers = can_infer(a, cal, opts);
	do {
		err = load(a, cal, cpus, opts);
		if (err && (give_up_inference(a) || give_up_fentry(a))) {
			detach_points(a);
			err = -EAGAIN;
			continue;
		}
		if (err) {
			snprintf(why, len,
				 "the kernel refused the programs: %s",
				 strerror(-err));
			return err;
		}
		err = attach_points(a, why, len);
		if (err == -EAGAIN)
			detach_points(a);
	} while (err == -EAGAIN);
	if (!err && opts->witness)
		attach_xcheck(a, cal->foreign_mask);
	return err;
}

struct attach *attach__open(const struct calibration *cal, unsigned int cpus,
			    const struct capture_opts *opts, char *why,
			    size_t len)
{
	struct attach *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	snprintf(why, len, "out of memory");
	if (a) {
		a->check = opts->check;
		kernel__vcpu(&a->vcpu);
		a->ksyms = find_functions();
		if (a->ksyms)
			err = try_all(a, cal, cpus, opts, why, len);
	}
	if (err) {
		attach__close(a);
		errno = -err;
		return NULL;
	}
	describe(a);
	return a;
}

void attach__close(struct attach *a)
{
	if (!a)
		return;
	xcheck_bpf__destroy(a->xcheck);
	detach_points(a);
	ksyms__free(a->ksyms);
	free(a);
}

/*
 * A load of ours on each CPU: from there on it is known whose state was bound there
 * last. Where we are not let in, it is not until somebody's is.
 */
static void visit_cpus(void)
{
	size_t i, n = CPU_ALLOC_SIZE(FP_MAX_CPUS);
	cpu_set_t *all = CPU_ALLOC(FP_MAX_CPUS), *one = CPU_ALLOC(FP_MAX_CPUS);

	if (all && one && !sched_getaffinity(0, n, all)) {
		for (i = 0; i < FP_MAX_CPUS; i++) {
			if (!CPU_ISSET_S(i, n, all))
				continue;
			CPU_ZERO_S(n, one);
			CPU_SET_S(i, n, one);
			sched_setaffinity(0, n, one);
		}
		sched_setaffinity(0, n, all);
	}
	CPU_FREE(all);
	CPU_FREE(one);
}

void attach__enable(struct attach *a)
{
	if (a->infers)
		a->skel->bss->seen_eager = 1;
	__atomic_store_n(&a->skel->bss->enabled, 1, __ATOMIC_RELEASE);
	if (a->infers)
		visit_cpus();
}

void attach__count_exits(const struct attach *a, uint32_t slots)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &slots,
		    .ctx_size_in = sizeof(slots));

	if (a->skel->rodata->exits_by_kvm)
		bpf_prog_test_run_opts(
			bpf_program__fd(a->skel->progs.count_all_exits), &opts);
}

void attach__read_passed(const struct attach *a, uint32_t cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .cpu = cpu,
		    .flags = BPF_F_TEST_RUN_ON_CPU);

	if (a->skel->rodata->streaming)
		bpf_prog_test_run_opts(
			bpf_program__fd(a->skel->progs.read_passed), &opts);
}

void attach__infer_now(const struct attach *a, unsigned int cpus)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU);

	for (opts.cpu = 0; a->infers && opts.cpu < cpus; opts.cpu++)
		bpf_prog_test_run_opts(
			bpf_program__fd(a->skel->progs.infer_now), &opts);
}

int attach__vcpus_fd(const struct attach *a)
{
	return bpf_map__fd(a->skel->maps.vcpus);
}

int attach__cpus_fd(const struct attach *a)
{
	return bpf_map__fd(a->skel->maps.cpus);
}

int attach__rings_fd(const struct attach *a)
{
	return bpf_map__fd(a->skel->maps.rings);
}

const struct fp_quiet *attach__quiet(const struct attach *a)
{
	return a->skel->bss->quiet;
}

bool attach__counts_away(const struct attach *a)
{
	return a->skel->rodata->settles;
}

uint32_t attach__ring_size(const struct attach *a)
{
	return a->ring_size;
}

struct capture_bpf *attach__object(const struct attach *a)
{
	return a->skel;
}

bool attach__is_attached(const struct attach *a, const char *program)
{
	const struct point *p = point_of(a, program);

	return p && p->link;
}

bool attach__has_xcheck(const struct attach *a)
{
	return a->xcheck;
}

enum snap_policy attach__policy(const struct attach *a)
{
	const struct capture_bpf__bss *bss = a->skel->bss;

	/*
	 * A host that stays live is never seen on an eager kernel. A save that
	 * looks like one of vcpu_load() is, now and then, on the others: of a
	 * thread that is switched out between vcpu_put() and the end of KVM_RUN.
	 */
	if (bss->seen_martin)
		return SNAP_POLICY_MARTIN;
	return bss->seen_eager ? SNAP_POLICY_EAGER_HOST : SNAP_POLICY_UNKNOWN;
}

size_t attach__hooks(const struct attach *a, const struct capture_hook **h)
{
	*h = a->info;
	return a->nr;
}

/* One program may serve several hooks, and has one count for all of them. */
static bool seen_before(const struct attach *a, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (a->point[i].prog == a->point[n].prog)
			return true;
	}
	return false;
}

uint64_t attach__missed(const struct attach *a, char *by, size_t len)
{
	uint64_t n, missed = 0;
	size_t i;

	*by = '\0';
	for (i = 0; i < a->nr; i++) {
		const struct point *p = &a->point[i];

		/* An interrupt in timer_map() asks for it, too, and tells nothing. */
		if (!p->link || p->hook->flags & (HOOK_WITNESS | HOOK_INFERS) ||
		    seen_before(a, i))
			continue;
		n = kernel__prog_info(p->prog).recursion_misses;
		if (n)
			fps_append(by, len, bpf_program__name(p->prog));
		missed += n;
	}
	return missed;
}

uint64_t attach__run_time(const struct attach *a)
{
	uint64_t ns = 0;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		if (a->point[i].link && !seen_before(a, i))
			ns += kernel__prog_info(a->point[i].prog).run_time_ns;
	}
	return ns;
}
