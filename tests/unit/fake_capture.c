// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture without a kernel: FPSTAT_FAKE names the scene, each read is one
 * second later than the one before, and the numbers follow from the time. So
 * views and commands are tested to the letter, everywhere.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "cost.h"
#include "snapshot.h"
#include "utf8.h"
#include "util.h"

#include "fpstat/stream.h"

struct capture {
	struct capture_opts opts;
	const char *scene;
	unsigned int reads;
	int marks;
	size_t sent; /* records of the stream .. */
	size_t turn_size; /* .. and of one turn of it */
	uint64_t opened; /* ns */
	bool told; /* the fact */
};

static bool scene_is(const struct capture *c, const char *name)
{
	return !strcmp(c->scene, name);
}

static const char *scene(void)
{
	const char *s = getenv("FPSTAT_FAKE");

	return s ? s : "two";
}

int capture__possible(char *why, size_t len)
{
	if (strcmp(scene(), "impossible"))
		return 0;
	snprintf(why, len, "this is a fake machine without KVM: use a real one");
	return -ENOTSUP;
}

struct capture *capture__open(const struct capture_opts *opts, char *why,
			      size_t len)
{
	struct capture *c;

	if (!strcmp(scene(), "noopen")) {
		snprintf(why, len, "the fake kernel takes no programs");
		errno = EPERM;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->opts = *opts;
	c->opened = (uint64_t)(fps_clock() * 1e9);
	c->scene = scene();
	return c;
}

void capture__close(struct capture *c)
{
	free(c);
}

/* @t seconds with @done a second, of which @eighths were redundant. */
static struct snap_xfer xfer(uint64_t t, uint64_t done, uint64_t eighths)
{
	uint64_t redundant = done * eighths / 8;

	return (struct snap_xfer){ .done = t * done,
				   .needed = t * (done - redundant),
				   .redundant = t * redundant,
				   .bytes = t * done * 520, .irqoff = SNAP_NA };
}

static struct snap_ops ops(uint64_t t, uint64_t save, uint64_t load,
			   uint64_t eighths)
{
	struct snap_ops o = { xfer(t, save, eighths), xfer(t, load, eighths) };
	uint64_t redundant = save * eighths / 8;

	o.save.clean = t * (redundant / 4);
	o.save.dead = t * (redundant / 8);
	o.save.unclobbered = o.save.redundant - o.save.clean - o.save.dead;
	return o;
}

/* The last save waits for its verdict. */
static void wait_for_verdict(struct snap_xfer *x)
{
	x->needed--;
	x->pending++;
}

/*
 * ---- scenes with a stream ----
 *
 * One second of it, by CPU. What it comes to was worked out by hand.
 */
#define TASK_A 0x1000
#define TASK_B 0x2000
#define TASK_C 0x3000
#define TASK_D 0x4000
#define VCPU_0 0x5000
#define VCPU_1 0x6000
#define TASK_E 0x7000
#define TASK_K 0x8000
#define VCPU_2 0x9000

#define EV(k, b, f, r) .ev = { .buf = b, .kind = FP_EV_##k, .foreign = f, .in_run = r }

#define PREEMPT(b, f, r) .ev = { .buf = b, .kind = FP_EV_SWITCH, .foreign = f, .in_run = r, .arg = 1 }

/* clang-format off */
static const struct fp_rec script[] = {
	/* The guest of vcpu 0 uses FP, and a softirq takes the registers once. */
	{ .cpu = 0, .slot = 0, EV(VLOAD, TASK_A, 0, 0), .other = VCPU_0 },
	{ .cpu = 0, .slot = 0, EV(SAVE, TASK_A, 0, 1) },
	{ .cpu = 0, .slot = 0, EV(BIND_VCPU, VCPU_0, 1, 1) },
	{ .cpu = 0, .slot = 0, EV(NEON_SOFTIRQ, TASK_A, 0, 1), .exits = 10, .live = 9 },
	{ .cpu = 0, .slot = 0, EV(SAVE, TASK_A, 0, 1) },
	{ .cpu = 0, .slot = 0, EV(BIND_VCPU, VCPU_0, 1, 1) },
	{ .cpu = 0, .slot = 0, EV(SAVE, TASK_A, 0, 1), .exits = 5, .live = 4 },
	{ .cpu = 0, .slot = FP_NO_SLOT, EV(RUN_END, TASK_A, 1, 0), .flags = FP_REC_NO_JUDGE },
	{ .cpu = 0, .slot = 0, EV(LOAD, TASK_A, 1, 0) },
	/* That of vcpu 1 does not: its thread is saved and loaded for nothing. */
	{ .cpu = 1, .slot = 1, EV(VLOAD, TASK_B, 0, 0), .other = VCPU_1 },
	{ .cpu = 1, .slot = 1, EV(SAVE, TASK_B, 0, 1) },
	{ .cpu = 1, .slot = FP_NO_SLOT, EV(RUN_END, TASK_B, 1, 0), .exits = 3, .flags = FP_REC_NO_JUDGE },
	{ .cpu = 1, .slot = 1, EV(LOAD, TASK_B, 1, 0) },
	/* Two tasks that take turns. */
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(LOAD, TASK_C, 1, 0) },
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(SWITCH, TASK_C, 0, 0), .other = TASK_D },
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(SAVE, TASK_C, 0, 0) },
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(LOAD, TASK_D, 1, 0) },
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(SWITCH, TASK_D, 0, 0), .other = TASK_C },
	{ .cpu = 2, .slot = FP_NO_SLOT, EV(SAVE, TASK_D, 0, 0) },
	/*
	 * "stream-away" alone has these: that of vcpu 2 uses FP, and is preempted
	 * by a kernel thread, for 30us and for 3ms.
	 */
	{ .cpu = 3, .slot = 2, EV(VLOAD, TASK_E, 0, 0), .other = VCPU_2 },
	{ .cpu = 3, .slot = 2, EV(SAVE, TASK_E, 0, 1) },
	{ .cpu = 3, .slot = 2, EV(BIND_VCPU, VCPU_2, 1, 1) },
	{ .cpu = 3, .slot = 2, PREEMPT(TASK_E, 0, 1), .other = TASK_K, .exits = 1, .ns = 1000000 },
	{ .cpu = 3, .slot = 2, EV(SAVE, TASK_E, 0, 1) },
	{ .cpu = 3, .slot = FP_NO_SLOT, PREEMPT(TASK_K, 1, 0), .other = TASK_E },
	{ .cpu = 3, .slot = 2, EV(VLOAD, TASK_E, 1, 1), .other = VCPU_2, .ns = 1030000 },
	{ .cpu = 3, .slot = 2, EV(BIND_VCPU, VCPU_2, 1, 1) },
	{ .cpu = 3, .slot = 2, PREEMPT(TASK_E, 0, 1), .other = TASK_K, .exits = 1, .ns = 2000000 },
	{ .cpu = 3, .slot = 2, EV(SAVE, TASK_E, 0, 1) },
	{ .cpu = 3, .slot = FP_NO_SLOT, PREEMPT(TASK_K, 1, 0), .other = TASK_E },
	{ .cpu = 3, .slot = 2, EV(VLOAD, TASK_E, 1, 1), .other = VCPU_2, .ns = 5000000 },
	{ .cpu = 3, .slot = 2, EV(BIND_VCPU, VCPU_2, 1, 1) },
	{ .cpu = 3, .slot = 2, EV(SAVE, TASK_E, 0, 1), .exits = 1 },
	{ .cpu = 3, .slot = FP_NO_SLOT, EV(RUN_END, TASK_E, 1, 0), .flags = FP_REC_NO_JUDGE },
	{ .cpu = 3, .slot = 2, EV(LOAD, TASK_E, 1, 0) },
};
/* clang-format on */

/* The KVM_RUN in which the capture began ends: they are in user mode now. */
static const struct fp_rec preamble[] = {
	{ .cpu = 0, .slot = FP_NO_SLOT, EV(RUN_END, TASK_A, 0, 0),
	  .flags = FP_REC_NO_JUDGE },
	{ .cpu = 1, .slot = FP_NO_SLOT, EV(RUN_END, TASK_B, 0, 0),
	  .flags = FP_REC_NO_JUDGE },
	{ .cpu = 3, .slot = FP_NO_SLOT, EV(RUN_END, TASK_E, 0, 0),
	  .flags = FP_REC_NO_JUDGE },
};

enum { PREAMBLE = 2, SCRIPT = 19 }; /* of what is common to all scenes */

static bool has_stream(const char *scene)
{
	return !strncmp(scene, "stream", 6);
}

/* Ten seconds between turns, so that it does not matter how slow we are. */
#define TURN_NS 10000000000ull

/*
 * whatif reads the counters before and after the stream: nothing happens then. In
 * "stream-long" there is a hundred times as much.
 */
static uint64_t turns(const struct capture *c)
{
	return (c->reads / 2 + 1) * (scene_is(c, "stream-long") ? 100 : 1);
}

/* "stream-unlike" lacks a record, "stream-gap" says so. */
static bool left_out(const struct capture *c, size_t i)
{
	return i == 4 &&
	       (scene_is(c, "stream-unlike") || scene_is(c, "stream-gap"));
}

static struct fp_rec next_record(const struct capture *c, size_t i)
{
	struct fp_rec rec = script[i];

	rec.ns += c->opened + 1000 * i +
		  (c->sent / c->turn_size + 1) * TURN_NS;
	if (scene_is(c, "stream-gap") && i == 5) {
		rec.flags |= FP_REC_GAP;
		rec.lost = 1;
	}
	return rec;
}

int capture__drain(struct capture *c,
		   int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	bool away = scene_is(c, "stream-away");
	size_t n = away ? ARRAY_SIZE(preamble) : PREAMBLE;
	int err = 0;

	c->turn_size = away ? ARRAY_SIZE(script) : SCRIPT;
	if (!has_stream(c->scene))
		return 0;
	while (!c->sent && !err && n-- > 0)
		err = fn(ctx, &preamble[n]);
	while (!err && c->sent < turns(c) * c->turn_size) {
		size_t i = c->sent % c->turn_size;
		struct fp_rec rec = next_record(c, i);

		c->sent++;
		if (!left_out(c, i))
			err = fn(ctx, &rec);
	}
	return err;
}

int capture__drain_all(struct capture *c,
		       int (*fn)(void *ctx, const struct fp_rec *rec),
		       void *ctx)
{
	return capture__drain(c, fn, ctx);
}

static struct snap_ops all_needed(uint64_t t, uint64_t save, uint64_t load)
{
	return ops(t, save, load, 0);
}

static void stream_vcpus(struct snapshot *s, uint64_t t)
{
	struct snap_vcpu *v = s->vcpus;

	v[0].runs = t;
	v[0].exits = 15 * t;
	v[0].guest_runs_live = 13 * t;
	v[0].guest = all_needed(t, 2, 2);
	v[0].host = all_needed(t, 1, 1);
	memset(v[0].cause, 0, sizeof(v[0].cause));
	v[0].cause[FP_CAUSE_SOFTIRQ_NEON] = t;
	v[0].cause[FP_CAUSE_USER_RETURN] = t;
	v[1].runs = t;
	v[1].exits = 3 * t;
	v[1].guest_runs_live = 0;
	v[1].guest = all_needed(t, 0, 0);
	v[1].host = ops(t, 1, 1, 8);
	memset(v[1].cause, 0, sizeof(v[1].cause));
}

static void away_vcpu(struct snap_vcpu *v, uint64_t t)
{
	v->runs = t;
	v->exits = 3 * t;
	v->guest_runs_live = 0;
	v->guest = all_needed(t, 3, 3);
	v->guest.save.needed = v->guest.load.needed = t;
	v->guest.save.redundant = v->guest.load.redundant = 2 * t;
	v->guest.save.unclobbered = 2 * t;
	v->host = all_needed(t, 1, 1);
	memset(v->cause, 0, sizeof(v->cause));
	v->cause[FP_CAUSE_PREEMPT] = 2 * t;
	v->cause[FP_CAUSE_USER_RETURN] = t;
}

static void stream(const struct capture *c, struct snapshot *s, uint64_t t)
{
	if (scene_is(c, "stream-away"))
		away_vcpu(&s->vcpus[2], t);
	s->sve_vl = 0;
	if (scene_is(c, "stream-sve")) {
		s->sve_vl = 64;
		s->vcpus[0].guest_bytes = 546 * 4 + 8;
	}
	if (scene_is(c, "stream-gap"))
		s->lost = t;
	stream_vcpus(s, t);
	s->task = all_needed(t, 2, 2);
	wait_for_verdict(&s->task.save);
	s->task.load.needed--; /* the first one: nobody knew what was there */
	s->task.load.unknown++;
	s->pending = 1;
	s->kernel_neon = all_needed(t, 0, 0);
}

/* A machine with round numbers, or none. */
void cost__measure(struct cost *c)
{
	*c = (struct cost){
		.hot = { .save = 20, .load = 30 },
		.cold = { .save = 100, .load = 250 },
	};
	if (!strcmp(scene(), "stream-x86"))
		c->why = "it is measured on arm64 machines only";
}

/* Vcpu @n at @t seconds. It has lived for @t - @since. */
static struct snap_vcpu vcpu(uint32_t n, uint64_t t, const char *vm)
{
	struct snap_vcpu v = { .slot = n, .gen = 1, .vm_pid = 1000 + n / 2,
			       .vcpu_id = n % 2, .tid = 1100 + n,
			       .guest_bytes = FP_FPSIMD_BYTES };

	utf8__clean(v.vm, sizeof(v.vm), vm, strlen(vm));
	v.runs = t * (10 + n);
	v.exits = t * (1000 + 100 * n);
	v.guest_runs_live = t * (900 + 10 * n);
	v.guest = ops(t, 20 + n, 20 + n, n % 8);
	v.host = ops(t, 5 + n, 4 + n, 8 - n % 8);
	if (n == 1 && t % 2)
		wait_for_verdict(&v.guest.save);
	v.cause[FP_CAUSE_PREEMPT] = t * (12 + n);
	v.cause[FP_CAUSE_SOFTIRQ_NEON] = t * 2;
	v.cause[FP_CAUSE_TASK_NEON] = t;
	v.cause[FP_CAUSE_USER_RETURN] = t * 5;
	return v;
}

static void pkvm(struct snapshot *s)
{
	s->mode = "pkvm";
	s->policy = SNAP_POLICY_PKVM;
	snapshot__hide_guests(s);
}

/* What was called redundant before is needed all at once. */
static void retract(struct snap_xfer *x)
{
	x->needed = x->done;
	x->redundant = 0;
}

/* At 3 s vcpu 0 ends, at 5 s its row is given up; its numbers stand still. */
static void ending(struct snapshot *s, uint64_t t)
{
	if (t < 3)
		return;
	s->vcpus[0] = vcpu(0, 3, "alpha");
	s->vcpus[0].state = SNAP_VCPU_ENDED;
	if (t < 5)
		return;
	s->folded = 1;
	s->folded_sum = s->vcpus[0];
	s->nr_vcpus--;
	memmove(s->vcpus, s->vcpus + 1, s->nr_vcpus * sizeof(*s->vcpus));
}

static void insert(struct snapshot *s, size_t at, struct snap_vcpu v)
{
	memmove(&s->vcpus[at + 1], &s->vcpus[at],
		(s->nr_vcpus++ - at) * sizeof(v));
	s->vcpus[at] = v;
}

/*
 * At 3 s alpha gets a vcpu more, and CPU 2 goes offline for 2 s; at 4 s a VM comes,
 * before all others; from 4 s to 5 s vcpu 0 does nothing.
 */
static void coming(struct snapshot *s, uint64_t t)
{
	struct snap_vcpu v;

	if (t >= 5)
		s->vcpus[0] = vcpu(0, t - 1, "alpha");
	if (t >= 3) {
		v = vcpu(4, t - 2, "alpha");
		v.vm_pid = 1000;
		v.vcpu_id = 2;
		insert(s, 2, v);
	}
	if (t >= 4) {
		v = vcpu(5, t - 3, "omega");
		v.vm_pid = 999;
		insert(s, 0, v);
	}
}

static size_t scene_size(const struct capture *c)
{
	if (scene_is(c, "empty") || scene_is(c, "noguest"))
		return 0;
	if (has_stream(c->scene))
		return scene_is(c, "stream-away") ? 3 : 2;
	return scene_is(c, "many") ? 1024 : 4;
}

static const char *scene_vm(const struct capture *c, size_t n)
{
	static const char *const plain[] = { "alpha", "beta" };
	static const char *const hostile[] = {
		"\033]0;owned\007\033[2J\xc2\x9b" "31m", "g\xc3\xa4st\xff\"\\,"
	};

	if (scene_is(c, "many"))
		return "crowd";
	return scene_is(c, "hostile") ? hostile[n / 2] : plain[n / 2];
}

static int fill_vcpus(struct capture *c, struct snapshot *s, uint64_t t)
{
	size_t i;

	s->nr_vcpus = scene_size(c);
	s->vcpus = calloc(s->nr_vcpus + 2, sizeof(*s->vcpus));
	if (!s->vcpus)
		return -ENOMEM;
	for (i = 0; i < s->nr_vcpus; i++)
		s->vcpus[i] = vcpu((uint32_t)i, t, scene_vm(c, i));
	if (scene_is(c, "pkvm"))
		pkvm(s);
	if (scene_is(c, "ending"))
		ending(s, t);
	if (scene_is(c, "coming"))
		coming(s, t);
	if (scene_is(c, "broken") && t >= 2)
		s->vcpus[1].host.save.needed = 1;
	if (scene_is(c, "torn") && t == 2)
		s->vcpus[1].host.save.needed = 1;
	if (scene_is(c, "fickle") && t >= 2)
		retract(&s->vcpus[1].host.load);
	return 0;
}

/* Owners take turns; that of CPU 1 is always a guest, that of CPU 3 nobody knows. */
static enum snap_owner owner(uint32_t cpu, uint64_t t)
{
	static const enum snap_owner turns[] = {
		SNAP_OWNER_GUEST, SNAP_OWNER_TASK, SNAP_OWNER_NONE,
		SNAP_OWNER_KERNEL
	};

	if (cpu % 4 == 3)
		return SNAP_OWNER_UNKNOWN;
	return turns[cpu % 4 == 1 ? 0 : (cpu + t) % ARRAY_SIZE(turns)];
}

/* See coming(). */
static void switch_off(struct snapshot *s, uint64_t t)
{
	struct snap_cpu *cpu = &s->owners[2];
	uint64_t on = t < 3 ? t : t < 5 ? 2 : t - 2;

	s->online = 4;
	memset(cpu->held, 0, sizeof(cpu->held));
	cpu->held[SNAP_OWNER_GUEST] = on * 1000000000;
	if (on == 2 && t > 2) {
		cpu->owner = SNAP_OWNER_OFFLINE;
		s->online = 3;
	}
}

static int fill_owners(struct snapshot *s, uint64_t t)
{
	struct snap_cpu *cpu;
	uint32_t i, j;

	s->nr_owners = s->cpus;
	s->owners = calloc(s->cpus, sizeof(*s->owners));
	if (!s->owners)
		return -ENOMEM;
	for (i = 0; i < s->cpus; i++) {
		cpu = &s->owners[i];
		cpu->cpu = i;
		cpu->node = i / 64;
		cpu->owner = owner(i, t);
		cpu->slot = i % 4;
		cpu->tid = cpu->owner == SNAP_OWNER_TASK ? 2000 + i : 0;
		cpu->changes = i % 4 == 1 ? 0 : t * (i + 1);
		for (j = 0; j < 4; j++)
			cpu->held[owner(i, j)] += t * 250000000;
	}
	return 0;
}

int capture__read(struct capture *c, struct snapshot *s)
{
	uint64_t t = ++c->reads;
	int i, err;

	if (scene_is(c, "unreadable") && t > 1)
		return -EIO;
	memset(s, 0, sizeof(*s));
	s->t = (double)t;
	s->dt = s->t;
	strcpy(s->kernel, "6.1.0-fake-arm64");
	s->mode = "vhe";
	s->policy = t < 2 || scene_is(c, "noguest") ? SNAP_POLICY_UNKNOWN :
						      SNAP_POLICY_EAGER_HOST;
	s->backend = "bpf";
	s->cpus = scene_is(c, "wide") ? 256 : scene_is(c, "many") ? 64 : 4;
	s->sve_vl = 32;
	s->bpf_ns = s->self_ns = SNAP_NA;
	s->pending = scene_size(c) ? t % 2 : 0;
	if (scene_is(c, "lossy")) {
		s->lost = 7 * t;
		s->missed = 3 * t;
		fps_append(s->missed_by, sizeof(s->missed_by), "kvm_exit");
		fps_append(s->missed_by, sizeof(s->missed_by), "no slot");
		s->undecided = t;
		s->bpf_ns = 9000000;
		s->self_ns = 1000000;
		s->online = 4;
		s->shed = SHED_RECORDS;
	}
	s->task = ops(t, 50, 40, 2);
	s->kernel_neon = ops(t, 2, 2, 0);
	s->efi.save.done = SNAP_NA;
	s->efi.load.done = SNAP_NA;
	for (i = 0; i < FP_EV_MAX; i++)
		s->events[i] = t * (uint64_t)i;
	err = fill_owners(s, t);
	if (!err && scene_is(c, "coming"))
		switch_off(s, t);
	if (!err)
		err = fill_vcpus(c, s, t);
	if (!err && has_stream(c->scene))
		stream(c, s, turns(c));
	return err;
}

void capture__keep(struct capture *c, size_t ended)
{
	(void)c;
	(void)ended;
}

void capture__tick(struct capture *c)
{
	(void)c;
}

int capture__mark(struct capture *c, struct snapshot *s)
{
	int err = capture__read(c, s);

	return err ? err : ++c->marks;
}

static const struct capture_hook hooks[] = {
	{ "fpsimd_save", "saves", "kprobe", NULL, true },
	{ "kvm_exit", "exits from the guest", "raw_tp", NULL, true },
	{ "do_sme_acc", "SME traps", NULL, "not in this kernel", false },
};

size_t capture__hooks(const struct capture *c, const struct capture_hook **h)
{
	(void)c;
	*h = hooks;
	return sizeof(hooks) / sizeof(hooks[0]);
}

bool capture__sees_formats(const struct capture *c)
{
	(void)c;
	return true;
}

int capture__foreign_bit(const struct capture *c)
{
	(void)c;
	return 3;
}

int capture__witness(struct capture *c, struct witness *w)
{
	uint64_t t = c->reads;

	if (!c->opts.witness)
		return -ENOENT;
	*w = (struct witness){ .exits = 4600 * t, .live = 3660 * t,
			       .binds = 3740 * t,
			       .switch_saves = 66 * t,
			       .counted_switch_saves = 66 * t, .neon = 9 * t,
			       .last_state_checked = 100 * t,
			       .last_state_readable = true };
	return 0;
}

bool capture__pause(const struct capture *c, uint64_t *from, uint64_t *to)
{
	(void)c, (void)from, (void)to;
	return false;
}

/* One that is broken in scene "corrupt", at the first call. */
int capture__facts(struct capture *c,
		   void (*fn)(void *ctx, const struct fp_fact *fact), void *ctx)
{
	const struct fp_fact fact = {
		.ns = c->opened,
		.last = 0x3000,
		.last_read = 1,
		.task = 0x1000,
		.vcpu = 0x2000,
		.stack = { 0xffff800008000000 },
		.pid = 7,
		.breach = FP_BREACH_OTHERS_REGS,
		.owner = FP_HINT_GUEST,
		.comm = "vmm",
	};

	if (scene_is(c, "corrupt") && !c->told)
		fn(ctx, &fact);
	c->told = true;
	return 0;
}

void capture__asked(const struct capture *c, uint64_t asked[FP_RULES])
{
	int i;

	for (i = 0; i < FP_RULES; i++)
		asked[i] = scene_is(c, "clean") || scene_is(c, "corrupt") ?
				   (uint64_t)i + 1 :
				   0;
}

const char *capture__cannot(const struct capture *c, enum fp_rule rule)
{
	(void)c;
	return rule == FP_RULE_I22 ? "the fake kernel hides it" : NULL;
}

void capture__set_eager(struct capture *c, bool eager)
{
	(void)c;
	(void)eager;
}
