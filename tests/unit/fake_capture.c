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
#include "snapshot.h"
#include "utf8.h"

struct capture {
	struct capture_opts opts;
	const char *scene;
	unsigned int reads;
	int marks;
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

/* Vcpu @n at @t seconds. It has lived for @t - @since. */
static struct snap_vcpu vcpu(uint32_t n, uint64_t t, const char *vm)
{
	struct snap_vcpu v = { .slot = n, .gen = 1, .vm_pid = 1000 + n / 2,
			       .vcpu_id = n % 2, .tid = 1100 + n };

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
	size_t i;

	s->mode = "pkvm";
	s->policy = SNAP_POLICY_PKVM;
	for (i = 0; i < s->nr_vcpus; i++) {
		s->vcpus[i].guest_runs_live = SNAP_NA;
		s->vcpus[i].guest.save.done = SNAP_NA;
		s->vcpus[i].guest.load.done = SNAP_NA;
		snap_ops__unjudge(&s->vcpus[i].host);
	}
	snap_ops__unjudge(&s->task);
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

static size_t scene_size(const struct capture *c)
{
	if (scene_is(c, "empty") || scene_is(c, "noguest"))
		return 0;
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
	s->vcpus = calloc(s->nr_vcpus + 1, sizeof(*s->vcpus));
	if (!s->vcpus)
		return -ENOMEM;
	for (i = 0; i < s->nr_vcpus; i++)
		s->vcpus[i] = vcpu((uint32_t)i, t, scene_vm(c, i));
	if (scene_is(c, "pkvm"))
		pkvm(s);
	if (scene_is(c, "ending"))
		ending(s, t);
	if (scene_is(c, "broken") && t >= 2)
		s->vcpus[1].host.save.needed = 1;
	if (scene_is(c, "torn") && t == 2)
		s->vcpus[1].host.save.needed = 1;
	if (scene_is(c, "fickle") && t >= 2)
		retract(&s->vcpus[1].host.load);
	return 0;
}

int capture__read(struct capture *c, struct snapshot *s)
{
	uint64_t t = ++c->reads;
	int i;

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
	s->cpus = 4;
	s->sve_vl = 32;
	s->overhead_ns_per_exit = -1;
	s->pending = scene_size(c) ? t % 2 : 0;
	if (scene_is(c, "lossy")) {
		s->lost = 7 * t;
		s->missed = 3 * t;
		s->undecided = t;
	}
	s->task = ops(t, 50, 40, 2);
	s->kernel_neon = ops(t, 2, 2, 0);
	s->efi.save.done = SNAP_NA;
	s->efi.load.done = SNAP_NA;
	for (i = 0; i < FP_EV_MAX; i++)
		s->events[i] = t * (uint64_t)i;
	return fill_vcpus(c, s, t);
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
			       .switch_saves = 66 * t,
			       .counted_switch_saves = 66 * t, .neon = 9 * t,
			       .last_state_checked = 100 * t,
			       .last_state_readable = true };
	return 0;
}
