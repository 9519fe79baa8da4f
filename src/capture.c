// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/types.h>

#include "attach.h"
#include "budget.h"
#include "calibrate.h"
#include "fpstat/stream.h"
#include "kernel.h"
#include "overhead.h"
#include "owners.h"
#include "slots.h"
#include "snapshot.h"
#include "stream.h"
#include "util.h"
#include "watch.h"

#define MARK_TRIES 5000
#define MARK_QUIET 0.005 /* seconds */
#define DRAINS 100 /* until what was under way is there, in 10 ms or more */

struct capture {
	struct calibration cal;
	struct attach *attach;
	struct slots *slots;
	struct stream *stream;
	struct owners *owners;
	struct watch *watch;
	struct overhead overhead;
	struct budget budget;
	bool paused; /* nothing is recorded .. */
	double pause[2]; /* .. from when to when, the last time */
	bool witness;
	struct witness last_witness;
	int marks;

	struct fp_vcpu *vcpus;
	struct fp_percpu *cpus;
	struct fp_slot *rings; /* with opts.stream */
	size_t vcpus_size;
	size_t cpus_size;
	size_t rings_size;
	unsigned int nr_cpus;

	double start;
	const char *mode;
	bool guest_visible;
	char kernel[72];
};

int capture__possible(char *why, size_t len)
{
	return kernel__can_capture(why, len);
}

/* libbpf must not write over the screen; what matters comes back as @why. */
static int keep_quiet(enum libbpf_print_level level, const char *fmt,
		      va_list args)
{
	if (level > LIBBPF_WARN || !getenv("FPSTAT_DEBUG"))
		return 0;
	return vfprintf(stderr, fmt, args);
}

static void *map_array(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t page_align(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* What a user state takes at least, where its format is seen. */
static uint64_t user_bytes(const struct capture *c)
{
	return capture__sees_formats(c) ? FP_FPSIMD_BYTES : SNAP_NA;
}

static int map_counters(struct capture *c)
{
	c->vcpus_size = page_align(FP_MAX_VCPUS * sizeof(*c->vcpus));
	c->cpus_size = page_align(c->nr_cpus * sizeof(*c->cpus));
	c->vcpus = map_array(attach__vcpus_fd(c->attach), c->vcpus_size);
	c->cpus = map_array(attach__cpus_fd(c->attach), c->cpus_size);
	if (!c->vcpus || !c->cpus)
		return -errno;
	c->slots = slots__new(c->vcpus, c->cpus, c->nr_cpus, user_bytes(c));
	if (c->slots)
		slots__quiet(c->slots, attach__quiet(c->attach),
			     attach__counts_away(c->attach));
	return c->slots ? 0 : -errno;
}

static int new_owners(struct capture *c)
{
	unsigned int i;

	c->owners = owners__new(c->nr_cpus);
	if (!c->owners)
		return -ENOMEM;
	for (i = 0; i < c->nr_cpus; i++)
		owners__set_node(c->owners, i, kernel__cpu_node(i));
	return 0;
}

static void describe_host(struct capture *c)
{
	struct utsname u;

	if (uname(&u) == 0)
		snprintf(c->kernel, sizeof(c->kernel), "%s", u.release);
	c->mode = kernel__mode(c->cal.pstate);
	c->guest_visible = kernel__guest_visible(c->mode);
}

static int open_stream(struct capture *c)
{
	uint32_t size = attach__ring_size(c->attach);

	c->rings_size = page_align((size_t)c->nr_cpus * FP_LANES * size *
				   sizeof(*c->rings));
	c->rings = map_array(attach__rings_fd(c->attach), c->rings_size);
	if (!c->rings)
		return -errno;
	c->stream = stream__new(c->cpus, c->nr_cpus, c->rings, size);
	return c->stream ? 0 : -ENOMEM;
}

static int open_watch(struct capture *c)
{
	c->watch = watch__open(attach__object(c->attach), c->cpus, c->nr_cpus,
			       attach__is_attached(c->attach, "check_exec"));
	return c->watch ? 0 : -errno;
}

static int open_all(struct capture *c, const struct capture_opts *opts,
		    char *why, size_t len)
{
	bool infer = !opts->stream && !opts->check; /* as can_infer() has it */
	int cpus, err = calibrate(&c->cal, infer, why, len);

	if (err)
		return err;
	cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return cpus;
	if (cpus > FP_MAX_CPUS) {
		snprintf(why, len,
			 "this host may have %d CPUs, and fpstat can watch %d",
			 cpus, FP_MAX_CPUS);
		return -E2BIG;
	}
	c->nr_cpus = cpus;
	c->attach = attach__open(&c->cal, cpus, opts, why, len);
	if (!c->attach)
		return -errno;
	err = map_counters(c);
	if (!err)
		err = new_owners(c);
	if (!err && opts->stream)
		err = open_stream(c);
	if (err) {
		snprintf(why, len, "can't map the counters: %s",
			 strerror(-err));
		return err;
	}
	describe_host(c);
	if (opts->check)
		err = open_watch(c);
	if (err)
		snprintf(why, len,
			 "can't read what the rules tell: %s", strerror(-err));
	return err;
}

struct capture *capture__open(const struct capture_opts *opts, char *why,
			      size_t len)
{
	struct capture *c = NULL;
	int err;

	libbpf_set_print(keep_quiet);
	err = capture__possible(why, len);
	if (!err && opts->budget > 0 && !overhead__possible()) {
		snprintf(why, len,
			 "--budget can't be kept: this kernel does "
			 "not measure BPF programs (Linux 5.8 does)");
		err = -ENOTSUP;
	}
	if (!err) {
		c = calloc(1, sizeof(*c));
		err = c ? open_all(c, opts, why, len) : -ENOMEM;
	}
	if (err) {
		capture__close(c);
		errno = -err;
		return NULL;
	}
	c->witness = opts->witness;
	c->start = fps_clock();
	overhead__init(&c->overhead, c->start);
	c->budget.share = opts->budget;
	attach__enable(c->attach);
	return c;
}

void capture__close(struct capture *c)
{
	if (!c)
		return;
	overhead__close(&c->overhead);
	watch__close(c->watch);
	stream__free(c->stream);
	owners__free(c->owners);
	slots__free(c->slots);
	if (c->vcpus)
		munmap(c->vcpus, c->vcpus_size);
	if (c->cpus)
		munmap(c->cpus, c->cpus_size);
	if (c->rings)
		munmap(c->rings, c->rings_size);
	attach__close(c->attach);
	free(c);
}

int capture__drain(struct capture *c,
		   int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	return stream__drain(c->stream, fn, ctx);
}

int capture__drain_all(struct capture *c,
		       int (*fn)(void *ctx, const struct fp_rec *rec),
		       void *ctx)
{
	uint64_t now = (uint64_t)(fps_clock() * 1e9);
	unsigned int i, left = DRAINS;
	int err;

	do {
		err = capture__drain(c, fn, ctx);
	} while (!err && --left && stream__until(c->stream) < now);
	for (i = 0; i < c->nr_cpus && !err; i++) {
		struct fp_rec rec;

		attach__read_passed(c->attach, i);
		rec = stream__rest(c->stream, i);
		if (rec.exits || rec.live || rec.lost)
			err = fn(ctx, &rec);
	}
	return err;
}

int capture__facts(struct capture *c,
		   void (*fn)(void *ctx, const struct fp_fact *fact), void *ctx)
{
	return watch__drain(c->watch, fn, ctx);
}

void capture__asked(const struct capture *c, uint64_t asked[FP_RULES])
{
	watch__asked(c->watch, asked);
}

const char *capture__cannot(const struct capture *c, enum fp_rule rule)
{
	return watch__cannot(c->watch, rule);
}

void capture__set_eager(struct capture *c, bool eager)
{
	watch__set_eager(c->watch, eager);
}

void capture__keep(struct capture *c, size_t ended)
{
	slots__keep(c->slots, ended);
}

static uint64_t look_at_owners(struct capture *c)
{
	uint64_t ns = (uint64_t)(fps_clock() * 1e9);
	const struct fp_percpu *cpu;
	unsigned int i;

	for (i = 0; i < c->nr_cpus; i++) {
		cpu = &c->cpus[i];
		owners__look(c->owners, i, &cpu->model, &cpu->judge, cpu->slot,
			     ns);
	}
	return ns;
}

static uint64_t run_time(void *ctx)
{
	const struct capture *c = ctx;

	return attach__run_time(c->attach);
}

static uint32_t online_cpus(void)
{
	return (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static void pause_stream(struct capture *c, bool pause)
{
	stream__stop(c->stream, pause);
	if (pause != c->paused)
		c->pause[!pause] = fps_clock();
	c->paused = pause;
}

bool capture__pause(const struct capture *c, uint64_t *from, uint64_t *to)
{
	*from = (uint64_t)(c->pause[0] * 1e9);
	*to = (uint64_t)((c->paused ? fps_clock() : c->pause[1]) * 1e9);
	return *from;
}

/* Records that find no room are lost, and accounted for as such. */
static void keep_budget(struct capture *c, double dt)
{
	enum budget_shed shed;
	double share;

	if (c->budget.share <= 0)
		return;
	share = snapshot__share(c->overhead.bpf_ns, c->overhead.self_ns,
				online_cpus());
	shed = budget__spend(&c->budget, share, dt);
	if (c->stream)
		pause_stream(c, shed >= SHED_RECORDS);
	if (c->watch)
		watch__rest(c->watch, shed >= SHED_DETAIL);
}

static void look_at_overhead(struct capture *c)
{
	double before = c->overhead.ended;

	if (overhead__tick(&c->overhead, fps_clock(), run_time, c))
		keep_budget(c, c->overhead.ended - before);
}

void capture__tick(struct capture *c)
{
	look_at_overhead(c);
	look_at_owners(c);
	/* Out of memory: ended vcpus keep their slots until there is some. */
	(void)slots__tick(c->slots);
}

/* ---- reading ---- */

/* What is read: the mapped arrays, or a copy of them. */
struct counters {
	const struct fp_vcpu *vcpus;
	const struct fp_percpu *cpus;
	unsigned int nr_cpus;
};

static struct counters live(const struct capture *c)
{
	return (struct counters){ c->vcpus, c->cpus, c->nr_cpus };
}

static uint64_t sum(const struct counters *n, size_t offset)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < n->nr_cpus; i++)
		total += counter__read((const char *)&n->cpus[i] + offset);
	return total;
}

#define SUM(n, member) sum(n, offsetof(struct fp_percpu, member))

static struct fp_ops sum_ops(const struct counters *n, size_t offset)
{
	struct fp_ops ops;
	int i;

	/* What was done last: see snap_ops__read(). */
	for (i = 0; i < FP_VERDICTS; i++)
		ops.verdict[i] =
			sum(n, offset + offsetof(struct fp_ops, verdict[i]));
	ops.save = sum(n, offset + offsetof(struct fp_ops, save));
	ops.load = sum(n, offset + offsetof(struct fp_ops, load));
	ops.save_more = sum(n, offset + offsetof(struct fp_ops, save_more));
	ops.load_more = sum(n, offset + offsetof(struct fp_ops, load_more));
	ops.unseen = sum(n, offset + offsetof(struct fp_ops, unseen));
	return ops;
}

#define SUM_OPS(n, member) sum_ops(n, offsetof(struct fp_percpu, member))

static void read_other(struct capture *c, const struct counters *n,
		       struct snapshot *s)
{
	struct fp_ops task = SUM_OPS(n, task), kernel = SUM_OPS(n, kernel);

	s->task = snap_ops__read(&task, user_bytes(c));
	s->kernel_neon = snap_ops__read(&kernel, FP_FPSIMD_BYTES);
	/* saved to a buffer of its own, by a function that we can't tell */
	s->efi.save.done = SNAP_NA;
	s->efi.load.done = SNAP_NA;
}

/* Guests that found no free slot have no row of their own, but they count. */
static void read_untracked(const struct counters *n, struct snap_vcpu *all)
{
	uint64_t save = SUM(n, guest.save), load = SUM(n, guest.load);

	all->guest.save.done += save;
	all->guest.save.unknown += save;
	all->guest.load.done += load;
	all->guest.load.unknown += load;
	all->exits += SUM(n, untracked_exits);
}

static void read_pending(const struct counters *n, struct snapshot *s)
{
	unsigned int i;

	for (i = 0; i < n->nr_cpus; i++)
		s->pending += n->cpus[i].judge.pending &&
			      n->cpus[i].judge.who != FP_WHO_NOBODY;
}

static void read_missed(struct capture *c, const struct counters *n,
			struct snapshot *s)
{
	uint64_t contradictions = SUM(n, missed), no_slot = SUM(n, no_slot);

	s->dropped =
		attach__missed(c->attach, s->missed_by, sizeof(s->missed_by));
	s->missed = s->dropped + contradictions + no_slot;
	if (contradictions)
		fps_append(s->missed_by, sizeof(s->missed_by),
			   "contradictions");
	if (no_slot)
		fps_append(s->missed_by, sizeof(s->missed_by), "no slot");
}

static uint64_t or_na(double n)
{
	return n < 0 ? SNAP_NA : (uint64_t)n;
}

static void read_host(struct capture *c, const struct counters *n,
		      struct snapshot *s)
{
	size_t i;

	memcpy(s->kernel, c->kernel, sizeof(s->kernel));
	s->mode = c->mode;
	s->policy = strcmp(c->mode, "pkvm") == 0 ? SNAP_POLICY_PKVM :
						   attach__policy(c->attach);
	s->backend = "bpf";
	s->cpus = c->nr_cpus;
	s->sve_vl = kernel__sve_vl();
	s->lost = SUM(n, lost);
	read_missed(c, n, s);
	s->undecided = SUM(n, undecided);
	s->impossible = SUM(n, impossible);
	s->bpf_ns = or_na(c->overhead.bpf_ns);
	s->self_ns = or_na(c->overhead.self_ns);
	s->online = online_cpus();
	s->shed = c->budget.shed;
	for (i = 0; i < FP_EV_MAX; i++)
		s->events[i] = SUM(n, events[i]);
}

static void read_witness(struct capture *c, const struct counters *n)
{
	c->last_witness = (struct witness){
		.exits = SUM(n, w_entries),
		.live = SUM(n, w_live),
		.binds = SUM(n, w_binds),
		.switch_saves = SUM(n, w_switch_saves),
		.counted_switch_saves = SUM(n, w_switch_counted),
		.neon = SUM(n, w_neon),
		.last_state_checked = SUM(n, w_last_checked),
		.last_state_differs = SUM(n, w_last_differs),
		.last_state_readable = attach__has_xcheck(c->attach),
	};
}

static int read_all(struct capture *c, const struct counters *n,
		    struct snapshot *s)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->t = s->dt = fps_clock() - c->start;
	read_host(c, n, s);
	read_other(c, n, s);
	read_pending(n, s);
	err = slots__snapshot(c->slots, n->vcpus, s);
	kernel__online(owners__online(c->owners), c->nr_cpus);
	if (!err)
		err = owners__read(c->owners, look_at_owners(c), s);
	if (err) {
		snapshot__free(s);
		return err;
	}
	read_untracked(n, &s->folded_sum);
	if (!c->guest_visible)
		snapshot__hide_guests(s);
	return 0;
}

int capture__read(struct capture *c, struct snapshot *s)
{
	struct counters n = live(c);

	/* First, so that at no time it has seen what the counters have not. */
	read_witness(c, &n);
	attach__infer_now(c->attach, c->nr_cpus);
	attach__count_exits(c->attach, slots__high(c->slots));
	return read_all(c, &n, s);
}

/*
 * ---- the mark ----
 *
 * Between the mark and the copy nothing may move registers, ourselves
 * included: up to 5.15 a system call throws SVE state away, and libc's
 * memcpy(), which uses SVE, then costs a save and a load. Hence plain loops.
 */

static void copy(void *to, const void *from, size_t size)
{
	const uint64_t *src = from;
	uint64_t *dst = to;
	size_t i;

	for (i = 0; i < size / sizeof(*src); i++)
		__atomic_store_n(&dst[i], counter__read(&src[i]),
				 __ATOMIC_RELAXED);
}

static uint64_t moved(const struct fp_ops *ops)
{
	return counter__read(&ops->save) + counter__read(&ops->load);
}

/* All transfers of live slots and CPUs: if this stands still, so do they. */
static uint64_t transfers(const struct capture *c)
{
	size_t i, high = slots__high(c->slots);
	uint64_t n = 0;

	for (i = 0; i < high; i++)
		n += moved(&c->vcpus[i].guest) + moved(&c->vcpus[i].host);
	for (i = 0; i < c->nr_cpus; i++)
		n += moved(&c->cpus[i].task) + moved(&c->cpus[i].kernel) +
		     moved(&c->cpus[i].efi) + moved(&c->cpus[i].guest);
	return n;
}

/*
 * A save is counted a moment before it is made, a guest's load a moment after:
 * on another CPU the one may have been and the other not. Nothing may move for
 * longer than that takes.
 */
static bool quiet(const struct capture *c, uint64_t before)
{
	double until = fps_clock() + MARK_QUIET;

	while (fps_clock() < until) {
		if (transfers(c) != before)
			return false;
	}
	attach__infer_now(c->attach, c->nr_cpus);
	return transfers(c) == before;
}

static bool mark_and_copy(struct capture *c, struct fp_vcpu *vcpus,
			  struct fp_percpu *cpus, const char *name, size_t len)
{
	uint64_t before;

	attach__infer_now(c->attach, c->nr_cpus);
	before = transfers(c);
	attach__count_exits(c->attach, slots__high(c->slots));
	if (!quiet(c, before) || sethostname(name, len))
		return false;
	c->marks++;
	copy(vcpus, c->vcpus, slots__high(c->slots) * sizeof(*vcpus));
	slots__copy_quiet(c->slots, vcpus);
	copy(cpus, c->cpus, c->nr_cpus * sizeof(*cpus));
	return quiet(c, before);
}

int capture__mark(struct capture *c, struct snapshot *s)
{
	size_t high = slots__high(c->slots), len;
	struct fp_vcpu *vcpus = calloc(high + 1, sizeof(*vcpus));
	struct fp_percpu *cpus = calloc(c->nr_cpus, sizeof(*cpus));
	struct counters n = { vcpus, cpus, c->nr_cpus };
	char name[256];
	int i, err = -EBUSY;

	if (!vcpus || !cpus) {
		err = -ENOMEM;
	} else if (gethostname(name, sizeof(name))) {
		err = -errno;
	} else {
		len = strlen(name);
		for (i = 0; i < MARK_TRIES && err == -EBUSY; i++) {
			if (!mark_and_copy(c, vcpus, cpus, name, len))
				continue;
			read_witness(c, &n);
			err = read_all(c, &n, s);
		}
	}
	free(vcpus);
	free(cpus);
	return err ? err : c->marks;
}

size_t capture__hooks(const struct capture *c, const struct capture_hook **h)
{
	return attach__hooks(c->attach, h);
}

int capture__foreign_bit(const struct capture *c)
{
	return __builtin_ctzll(c->cal.foreign_mask);
}

bool capture__sees_formats(const struct capture *c)
{
	return c->cal.sve_mask || !kernel__sve_vl();
}

int capture__witness(struct capture *c, struct witness *w)
{
	if (!c->witness)
		return -ENOENT;
	*w = c->last_witness;
	return 0;
}
