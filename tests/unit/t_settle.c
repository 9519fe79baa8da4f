// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits without a hook of their own where they are bound, with the programs themselves;
 * at each step of these a softirq comes in that uses NEON, or another task.
 *
 * Settled at the tracepoint kvm_exit: what is counted, and what the stream tells, is as
 * if the softirq had come right after; and who reads the exits on another CPU meanwhile
 * sees each of them once. Counted by KVM: the records of a CPU tell all exits that were
 * made there, each once, and each of the vcpu that made it. And no rule is found broken,
 * whenever it is asked.
 */
#include "test.h"

#include <stdlib.h>

#include "fake_kernel.h"

#include "on_fpsimd.h"
#include "on_sched.h"

#include "need.h"
#include "quiet.h"
#include "replay.h"
#include "stream.h"

enum {
	CALLER = 0x1000,
	EXITS = 4,
	STEPS = 400, /* more than an exit has */
	RECORDS = 1024,
	BEFORE = -1, /* between the exit and the tracepoint */
	AFTER = STEPS,
};

static struct kvm vm;
static struct kvm_vcpu vcpu = { .kvm = &vm };
static struct task_struct thread = { .group_leader = &thread };

/* One way that it can go. */
struct way {
	unsigned int uses; /* FP: which of the exits, a set */
	int exit; /* during which the softirq comes .. */
	int step; /* .. at this step of it */
	unsigned int sections; /* of NEON, in it */
	int apart; /* steps from there to another one; 0: there is none */
	bool known; /* the policy of the kernel is */
	bool silent; /* there is no stream */
	bool early; /* capture begins inside of KVM_RUN */
	bool probe; /* a kprobe is where vcpu_load() begins */
	bool preempted; /* counted by KVM */
	bool lazy; /* vcpu_load() leaves the host's state where it is, counted by KVM .. */
	bool eager; /* .. or does not, settled */
	bool sme;
};

/* What came of it. */
struct result {
	struct fp_vcpu vcpu;
	struct fp_percpu cpu;
	struct fp_rec rec[RECORDS];
	size_t nr;
	bool came;
	bool martin; /* was seen */
};

static struct way way;
static struct result *now;
static int countdown;
static unsigned int left; /* softirqs that are still to come */
static bool hit; /* .. and something came in */
static uint64_t start; /* exits that KVM has counted before */
static uint64_t seen; /* .. since, by a reader */
static uint64_t binds; /* of the guest's state */

/* ---- a kernel like 6.1, in VHE ---- */

static void save(void)
{
	k_save((struct pt_regs *)&way);
	fake.flags |= FAKE_FOREIGN;
}

static void softirq(void)
{
	__u64 caller = CALLER;
	unsigned int i;

	now->came = true;
	fake.in_softirq = true;
	for (i = 0; i < way.sections; i++) {
		neon_begin((struct pt_regs *)&caller);
		save();
	}
	fake.in_softirq = false;
}

/* At or around an exit. */
static void next_softirq(void)
{
	softirq();
	countdown = --left ? way.apart : STEPS;
}

/* At any moment, on another CPU. */
static void watch(void)
{
	const struct fp_vcpu *v = &fake_vcpus[0];
	uint64_t exits = v->exits + quiet__live(quiet, v) +
			 quiet__away(quiet, v);

	assert_in_range(exits, seen, vcpu.exits - start);
	seen = exits;
}

static void perhaps_softirq(void)
{
	if (settles)
		watch();
	if (countdown-- == 0) {
		hit = true;
		next_softirq();
	}
}

static void vcpu_load(void)
{
	__u64 arg = (__u64)&vcpu;

	fake.loaded = &vcpu;
	fake.hint = FP_HINT_HOST;
	k_vcpu_load((struct pt_regs *)&arg);
	if (way.eager)
		save();
}

/* In and out, and what comes after an exit. */
static void guest(int i)
{
	if (fake.flags & FAKE_FOREIGN)
		fake.hint = FP_HINT_HOST;
	if (way.uses >> i & 1)
		fake.hint = FP_HINT_GUEST;
	vcpu.exits++;
	if (fake.hint == FP_HINT_GUEST)
		fake.flags &= ~(__u64)FAKE_FOREIGN;
	left = i == way.exit ? 1 + !!way.apart : 0;
	countdown = left ? way.step : STEPS;
	if (left && way.step == BEFORE)
		next_softirq();
	fake.interrupt = perhaps_softirq;
	if (way.silent)
		kvm_exit_settle(NULL);
	else
		kvm_exit_tell(NULL);
	fake.interrupt = NULL;
	watch();
	assert_int_equal(seen, vcpu.exits - start);
	while (left && (way.step == AFTER || now->came))
		next_softirq();
}

static void vcpu_put(void)
{
	if (fake.hint == FP_HINT_GUEST)
		save();
	fake.hint = FP_HINT_HOST;
	fake.loaded = NULL;
}

static void return_to_user(void)
{
	__u64 reason[2] = { 6 };

	kvm_userspace_exit((struct bpf_raw_tracepoint_args *)reason);
	if (fake.flags & FAKE_FOREIGN)
		k_load((struct pt_regs *)&way);
	fake.flags &= ~(__u64)FAKE_FOREIGN;
}

/* ---- one way ---- */

static int keep(void *ctx, const struct fp_rec *rec)
{
	(void)ctx;
	assert_true(now->nr < RECORDS);
	now->rec[now->nr++] = *rec;
	return 0;
}

static void begin(void)
{
	memset(&fake_cpu, 0, sizeof(fake_cpu));
	memset(fake_vcpus, 0, sizeof(fake_vcpus));
	memset(fake_hash, 0, sizeof(fake_hash));
	memset(fake_rings, 0, sizeof(fake_rings));
	memset(quiet, 0, sizeof(quiet));
	memset(&fake, 0, sizeof(fake));
	fake_cpu.slot = fake_cpu.unbound_by = FP_NO_SLOT;
	fake_cpu.free_tail = 1;
	fake.current = &thread;
	fake.flags = FAKE_SVE;
	fake.sme = way.sme;
	vcpu.exits = start = way.early ? 0 : 1000;
	seen = binds = 0;
	owed_loads = saved_neon = begun_neon = 0;
	seen_martin = way.known && !way.eager;
	seen_eager = way.known && way.eager;
	foreign_mask = FAKE_FOREIGN;
	sve_mask = FAKE_SVE;
	has_sme = settles = true;
	streaming = !way.silent;
	enabled = 1;
}

static void go(const struct way *w, struct result *result)
{
	struct stream *s;
	int i;

	memset(result, 0, sizeof(*result));
	way = *w;
	now = result;
	begin();
	s = stream__new(&fake_cpu, 1, fake_rings, FAKE_RING);
	assert_non_null(s);
	if (way.early) {
		fake.loaded = &vcpu;
		fake.hint = FP_HINT_HOST;
	} else {
		k_load((struct pt_regs *)&way);
		vcpu_load();
	}
	for (i = 0; i < EXITS; i++)
		guest(i);
	vcpu_put();
	return_to_user();
	stream__drain_until(s, fake.clock + 1, keep, NULL);
	read_passed(NULL);
	now->rec[now->nr] = stream__rest(s, 0);
	now->nr++;
	stream__free(s);
	now->vcpu = fake_vcpus[0];
	now->vcpu.exits = seen;
	now->vcpu.runs_live += quiet__live(quiet, &now->vcpu);
	now->cpu = fake_cpu;
	now->martin = seen_martin;
}

static void same_ops(const struct fp_ops *a, const struct fp_ops *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void same_counters(const struct result *a, const struct result *b)
{
	assert_int_equal(a->vcpu.exits, b->vcpu.exits);
	assert_int_equal(a->vcpu.exits_before, b->vcpu.exits_before);
	assert_int_equal(a->vcpu.runs, b->vcpu.runs);
	assert_int_equal(a->cpu.missed, 0);
	assert_int_equal(a->cpu.impossible, 0);
	assert_int_equal(a->cpu.later_head, a->cpu.later_tail);
	if (way.early) /* who owns the registers is not known until it exits */
		return;
	assert_int_equal(a->vcpu.runs_live, b->vcpu.runs_live);
	assert_memory_equal(a->vcpu.cause, b->vcpu.cause,
			    sizeof(b->vcpu.cause));
	same_ops(&a->vcpu.guest, &b->vcpu.guest);
	same_ops(&a->vcpu.host, &b->vcpu.host);
	same_ops(&a->cpu.task, &b->cpu.task);
	assert_int_equal(a->cpu.undecided, b->cpu.undecided);
}

static void same_records(const struct result *a, const struct result *b)
{
	size_t i;

	assert_int_equal(a->nr, b->nr);
	for (i = 0; i < a->nr; i++) {
		const struct fp_rec *x = &a->rec[i], *y = &b->rec[i];

		assert_memory_equal(&x->ev, &y->ev, sizeof(x->ev));
		assert_int_equal(x->other, y->other);
		assert_int_equal(x->slot, y->slot);
		assert_int_equal(x->exits, y->exits);
		assert_int_equal(x->live, y->live);
		assert_int_equal(x->flags, y->flags);
	}
}

/* Who takes the same steps comes to the same counters, and time goes on. */
static void replays(const struct result *a)
{
	struct replay *r;
	const struct replay_vcpu *v;
	bool martin = way.known && !way.eager;
	size_t i;

	if (way.silent || way.early) /* whose the first ones were is not told */
		return;
	r = replay__new(1);
	for (i = 0; i < a->nr; i++) {
		martin |= replay__step(r, &a->rec[i]) & FP_OP_MARTIN;
		if (i + 1 < a->nr && i)
			assert_true(a->rec[i].ns > a->rec[i - 1].ns);
	}
	assert_int_equal(martin, a->martin);
	v = replay__vcpu(r, 0);
	assert_non_null(v);
	assert_int_equal(v->exits, a->vcpu.exits);
	assert_int_equal(v->runs_live, a->vcpu.runs_live);
	same_ops(&v->guest, &a->vcpu.guest);
	same_ops(&v->host, &a->vcpu.host);
	assert_int_equal(replay__cpu(r, 0)->model.bound, a->cpu.model.bound);
	assert_int_equal(replay__cpu(r, 0)->model.cause, a->cpu.model.cause);
	replay__free(r);
}

/* ---- the tests ---- */

static struct result after, other_way;

static void at_each_step(struct way w)
{
	int step, came = 0;

	w.step = AFTER;
	go(&w, &after);
	assert_true(after.came);
	assert_int_equal(after.vcpu.exits, EXITS);
	replays(&after);
	for (step = BEFORE; step < STEPS; step++) {
		w.step = step;
		go(&w, &other_way);
		if (!other_way.came)
			break;
		came++;
		same_counters(&other_way, &after);
		if (w.known && !w.silent && !w.early)
			same_records(&other_way, &after);
		replays(&other_way);
	}
	assert_true(came > (w.silent ? 2 : 3) && came < STEPS);
}

static void settled_each(struct way w)
{
	for (w.uses = 0; w.uses < 1 << EXITS; w.uses++) {
		for (w.exit = 0; w.exit < EXITS; w.exit++) {
			for (w.sections = 1; w.sections < 4; w.sections++) {
				w.sme = w.sections == 3;
				at_each_step(w);
			}
		}
	}
}

/* .. by two softirqs. Where programs let them in again, there may be one at once. */
static void settled_twice(struct way w)
{
	w.known = true;
	w.uses = 5;
	w.sections = 1;
	for (w.exit = 0; w.exit < EXITS; w.exit++) {
		for (w.apart = 1; w.apart < 40; w.apart++)
			at_each_step(w);
	}
}

static void settled_by_two(void **state)
{
	(void)state;
	settled_twice((struct way){ .eager = true });
	settled_twice((struct way){ .silent = true });
	settled_twice((struct way){ .early = true });
	settled_twice((struct way){ .early = true, .silent = true });
}

static void settled(void **state)
{
	(void)state;
	settled_each((struct way){ .known = true });
	settled_each((struct way){ .known = true, .eager = true });
}

static void settled_silently(void **state)
{
	(void)state;
	settled_each((struct way){ .known = true, .silent = true });
	settled_each(
		(struct way){ .known = true, .eager = true, .silent = true });
}

/* Capture began inside of KVM_RUN. */
static void settled_early(void **state)
{
	(void)state;
	settled_each((struct way){ .known = true, .early = true });
	settled_each(
		(struct way){ .known = true, .early = true, .silent = true });
}

static void policy_unknown(void **state)
{
	struct way w = { .sections = 1 };

	(void)state;
	for (w.exit = 0; w.exit < EXITS; w.exit++) {
		for (w.uses = 0; w.uses < 1 << EXITS; w.uses++) {
			w.step = AFTER;
			go(&w, &after);
			replays(&after);
			for (w.step = BEFORE; w.step < STEPS; w.step++) {
				go(&w, &other_way);
				if (!other_way.came)
					break;
				replays(&other_way);
			}
		}
	}
}

/* The bytes of the host's state go with the softirq's event, and so does who saved. */
static void bytes(void **state)
{
	struct way w = { .known = true, .sections = 1, .step = AFTER };
	uint64_t more = fp_sve_bytes(FAKE_VL) - FP_FPSIMD_BYTES;

	(void)state;
	go(&w, &after);
	assert_int_equal(after.vcpu.host.save_more, more);
	w.sme = true;
	go(&w, &after);
	assert_int_equal(after.vcpu.host.unseen, 2); /* the load, too */
}

/*
 * Somebody writes 0 to KVM's file of exits: none has come that we don't know of, or one
 * has, @before its tracepoint; and the next one that has is seen again.
 */
static void clear_stats(bool before)
{
	way = (struct way){ .uses = 4,
			    .exit = before ? 1 : 2,
			    .step = BEFORE,
			    .sections = 1,
			    .known = true,
			    .silent = true };
	now = &after;
	begin();
	vcpu_load();
	guest(0);
	vcpu.exits = 0;
	start = (uint64_t)-1;
	if (!before)
		softirq();
	guest(1);
	assert_int_equal(
		quiet__away(quiet, &fake_vcpus[0]) + fake_vcpus[0].exits, 2);
	assert_int_equal(fake_cpu.missed, 1);
	way.exit = 2;
	guest(2);
	assert_int_equal(fake_vcpus[0].guest.load, 1);
	assert_int_equal(fake_vcpus[0].cause[FP_CAUSE_SOFTIRQ_NEON], 1);
	assert_int_equal(fake_cpu.missed, 1);
}

static void stats_cleared(void **state)
{
	(void)state;
	clear_stats(false);
	clear_stats(true);
}

/* What finds no room changes nothing; to the stream it is lost, and told. */
static void no_room(void **state)
{
	struct way w = { .known = true, .uses = 1, .exit = 0 };
	uint64_t lost = 0;
	size_t i;

	(void)state;
	w.sections = FP_LATER / 2;
	at_each_step(w);
	w.step = AFTER;
	w.sections = FP_LATER;
	go(&w, &after);
	assert_int_equal(after.cpu.lost, 0);
	w.step = 4;
	go(&w, &other_way);
	same_counters(&other_way, &after);
	assert_int_equal(other_way.cpu.lost, FP_LATER);
	for (i = 0; i < other_way.nr; i++)
		lost += other_way.rec[i].lost;
	assert_int_equal(lost, FP_LATER);
	assert_int_equal(other_way.nr + lost, after.nr);
}

/* ---- exits that KVM counts ---- */

enum { OTHERS_EXITS = 50 };

static struct kvm_vcpu others_vcpu = { .kvm = &vm };
static struct task_struct other_thread = { .group_leader = &other_thread };

static void switch_to(struct task_struct *next)
{
	__u64 args[3] = { 1, (__u64)fake.current, (__u64)next };

	sched_switch((struct bpf_raw_tracepoint_args *)args);
	/* Who was switched out may go to another CPU. */
	assert_int_equal(fp_quiet_at(fake_vcpus[0].quiet_live), 0);
	assert_int_equal(fp_quiet_at(fake_vcpus[1].quiet_away), 0);
	fake.current = next;
}

/* Another thread runs another vcpu, and we go on here. */
static void other_task(void)
{
	unsigned long long arg = (__u64)&others_vcpu;
	struct kvm_vcpu *loaded = fake.loaded;

	now->came = true;
	switch_to(&other_thread);
	fake.loaded = &others_vcpu;
	f_vcpu_load(&arg);
	others_vcpu.exits += OTHERS_EXITS / 2;
	softirq();
	others_vcpu.exits += OTHERS_EXITS / 2;
	switch_to(&thread);
	fake.loaded = loaded;
}

static void perhaps_other_task(void)
{
	if (!fake.stays && countdown-- == 0) {
		hit = true;
		other_task();
	}
}

static void counted_guest(int i)
{
	struct cpu_fp_state state = { vcpu.state };
	unsigned long long arg = (__u64)&state;

	vcpu.exits++;
	if (way.uses >> i & 1) {
		f_bind_state(&arg);
		binds++;
	}
	fake.flags &= ~(__u64)(way.uses >> i & 1 ? FAKE_FOREIGN : 0);
	if (i == way.exit)
		softirq();
}

static void counted_load(void)
{
	unsigned long long arg = (__u64)&vcpu;

	if (way.probe)
		k_vcpu_load((struct pt_regs *)&arg);
	else
		f_vcpu_load(&arg);
}

/* @load, @end: what may come in there. */
static void run_counted(void (*load)(void), void (*end)(void))
{
	__u64 reason[2] = { 6 };
	unsigned long long arg = (__u64)&vcpu;
	int i;

	fake.loaded = &vcpu;
	countdown = way.step;
	fake.interrupt = load;
	if (!way.early)
		counted_load();
	fake.interrupt = NULL;
	for (i = 0; i < EXITS; i++) {
		if (way.preempted && i == 1) {
			switch_to(&other_thread);
			switch_to(&thread);
			counted_load();
		}
		if (!way.early && !way.lazy && i % 2 == 0) {
			if (i)
				f_vcpu_load(&arg); /* it was reset */
			f_save(&arg);
			fake.flags |= FAKE_FOREIGN;
		}
		counted_guest(i);
	}
	read_passed(NULL);
	fake.loaded = NULL;
	countdown = way.step;
	fake.interrupt = end;
	kvm_userspace_exit((struct bpf_raw_tracepoint_args *)reason);
	fake.interrupt = NULL;
	vcpu.exits += 7; /* elsewhere */
}

static void go_counted(const struct way *w, struct result *result,
		       void (*load)(void), void (*end)(void))
{
	struct stream *s;

	memset(result, 0, sizeof(*result));
	way = *w;
	now = result;
	begin();
	settles = false;
	exits_by_kvm = takes_exits = can_cast = can_stay = true;
	fake_cpu.free[1] = 1;
	fake_cpu.free_tail = 2;
	fake.hint = FP_HINT_NONE;
	others_vcpu.exits = 5000;
	s = stream__new(&fake_cpu, 1, fake_rings, FAKE_RING);
	assert_non_null(s);
	run_counted(load, end);
	if (!way.early)
		run_counted(NULL, NULL);
	stream__drain_until(s, fake.clock + 1, keep, NULL);
	read_passed(NULL);
	now->rec[now->nr] = stream__rest(s, 0);
	now->nr++;
	stream__free(s);
	now->vcpu = fake_vcpus[0];
	now->vcpu.runs_live += quiet__live(quiet, &now->vcpu);
	now->cpu = fake_cpu;
}

static void told(const struct result *a, uint64_t others)
{
	struct replay *r = replay__new(1);
	const struct replay_vcpu *v;
	bool bound = false;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		replay__step(r, &a->rec[i]);
		v = replay__vcpu(r, 0);
		/* The exit at which it was bound comes after that. */
		if (a->rec[i].ev.kind == FP_EV_BIND_VCPU && !bound) {
			bound = true;
			assert_int_equal(v->exits, __builtin_ctz(way.uses));
		}
	}
	v = replay__vcpu(r, 0);
	assert_non_null(v);
	assert_int_equal(v->exits, 2 * EXITS);
	assert_int_equal(v->runs_live, a->vcpu.runs_live);
	assert_int_equal(v->runs_live + v->guest.load, binds);
	v = replay__vcpu(r, 1);
	assert_int_equal(v ? v->exits : 0, others);
	replay__free(r);
}

static void counted_at_each_step(struct way w)
{
	hit = true;
	for (w.step = 0; hit; w.step++) {
		hit = false;
		go_counted(&w, &after, perhaps_softirq, NULL);
		told(&after, 0);
		go_counted(&w, &after, NULL, perhaps_softirq);
		told(&after, 0);
		go_counted(&w, &after, NULL, perhaps_other_task);
		told(&after, fake_vcpus[1].vcpu ? OTHERS_EXITS : 0);
	}
	assert_in_range(w.step, 5, STEPS);
}

static void counted_by_kvm(void **state)
{
	struct way w = { .known = true, .sections = 1 };

	(void)state;
	for (w.uses = 0; w.uses < 1 << EXITS; w.uses++) {
		for (w.exit = 0; w.exit <= EXITS; w.exit++)
			counted_at_each_step(w);
	}
}

static size_t needs_of(const struct result *a, struct need *need)
{
	struct needs *n = needs__new(1);
	size_t i, nr = 0, first;

	for (i = 0; i < a->nr; i++) {
		first = nr;
		nr += needs__of(n, &a->rec[i], 0, &need[nr]);
		for (; first < nr; first++)
			need[first].ns = 0;
	}
	needs__free(n);
	return nr;
}

/*
 * What vcpu_load() would be an event with does not come. So the end of KVM_RUN tells of
 * it, and of whose the exits were; and other policies are asked what they are elsewhere.
 */
static void nothing_but_exits(void **state)
{
	struct way w = { .known = true, .lazy = true, .exit = EXITS };
	struct need need[64] = {}, by_probe[64] = {};
	size_t nr;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		w.preempted = i;
		w.probe = false;
		go_counted(&w, &after, NULL, NULL);
		assert_int_equal(after.nr, i ? 11 : 5);
		told(&after, 0);
		nr = needs_of(&after, need);
		w.probe = true;
		go_counted(&w, &after, NULL, NULL);
		assert_int_equal(after.nr, i ? 11 : 5);
		told(&after, 0);
		assert_int_equal(needs_of(&after, by_probe), nr);
		assert_memory_equal(need, by_probe, sizeof(need));
	}
}

/* What came between the last look and that is not known, and said to be missed. */
static void counts_of_kvm_cleared(void **state)
{
	unsigned long long arg = (__u64)&vcpu;

	(void)state;
	way = (struct way){ .exit = EXITS };
	begin();
	settles = false;
	exits_by_kvm = true;
	fake.loaded = &vcpu;
	f_vcpu_load(&arg);
	vcpu.exits += 5;
	count_one(0, NULL);
	assert_int_equal(fake_vcpus[0].exits_read, 5);
	vcpu.exits = 2;
	count_one(0, NULL);
	assert_int_equal(fake_vcpus[0].exits_read, 5);
	assert_int_equal(fake_cpu.missed, 1);
	vcpu.exits = 4;
	count_one(0, NULL);
	assert_int_equal(fake_vcpus[0].exits_read, 7);
	vcpu.exits = 0;
	vcpu_end((struct pt_regs *)&arg);
	assert_int_equal(fake_vcpus[0].exits, 0); /* the reader's is older, and right */
	assert_int_equal(fake_vcpus[0].exits_read, 7);
	assert_int_equal(fake_cpu.missed, 2);
}

/* The first exit that uses FP shows the vcpu, and counts. */
static void begun_inside(void **state)
{
	struct way w = { .known = true, .early = true, .exit = EXITS };
	uint64_t exits = 0;
	size_t i;

	(void)state;
	w.uses = 6;
	go_counted(&w, &after, NULL, NULL);
	for (i = 0; i < after.nr; i++)
		exits += after.rec[i].exits;
	assert_int_equal(exits, EXITS - 1);
	assert_int_equal(start + EXITS - fake_vcpus[0].exits_before, EXITS - 1);
}

/* ---- the programs are attached, and not all is in place yet ---- */

static void nothing_before_enabled(void **state)
{
	static const struct fp_vcpu no_vcpu;
	static const struct fp_quiet no_quiet;
	static struct fp_percpu before;
	int i;

	(void)state;
	begin();
	enabled = 0;
	fake_cpu.slot = fake_cpu.unbound_by = 0; /* as the kernel makes a map */
	before = fake_cpu;
	fake.loaded = &vcpu;
	fake.flags |= FAKE_FOREIGN;
	for (i = 0; i < EXITS; i++) {
		kvm_exit_settle(NULL);
		kvm_exit_tell(NULL);
	}
	assert_memory_equal(&fake_cpu, &before, sizeof(before));
	assert_memory_equal(&fake_vcpus[0], &no_vcpu, sizeof(no_vcpu));
	assert_memory_equal(&quiet[0], &no_quiet, sizeof(no_quiet));
}

/* ---- a slot is used again, and no task was switched ---- */

static void lives_and_ends(void)
{
	__u64 arg = (__u64)&vcpu;
	int i;

	vcpu.exits = start;
	seen = 0;
	vcpu_load();
	for (i = 0; i < EXITS; i++)
		guest(i);
	vcpu_put();
	return_to_user();
	vcpu_end((struct pt_regs *)&arg);
}

static void slot_of_another(void **state)
{
	(void)state;
	way = (struct way){
		.uses = (1 << EXITS) - 1, .exit = EXITS, .silent = true
	};
	now = &after;
	begin();
	lives_and_ends();
	assert_int_equal(fake_vcpus[0].state, FP_SLOT_DEAD);
	/* The reader, after a tick or two. */
	fake_vcpus[0] = (struct fp_vcpu){ .gen = fake_vcpus[0].gen };
	fake_cpu.free_tail++;
	lives_and_ends();
	assert_int_equal(fake_vcpus[0].gen, 2);
}

/* ---- the rules ask whether a vcpu has run ---- */

static void checked_softirq(void)
{
	unsigned long long caller = CALLER;

	fake.in_softirq = true;
	neon_begin_checked((struct pt_regs *)&caller);
	f_save_checked(&caller);
	fake.flags |= FAKE_FOREIGN;
	fake.in_softirq = false;
}

static void perhaps_checked_softirq(void)
{
	if (countdown-- == 0) {
		hit = true;
		checked_softirq();
	}
}

/*
 * What KVM says of its owner is of the last time, until it is entered; and again when
 * its registers have been taken.
 */
static void a_load_is_no_run(int step)
{
	struct cpu_fp_state state = { vcpu.state };
	unsigned long long bound = (__u64)&state, loaded = (__u64)&vcpu;

	begin();
	settles = false;
	exits_by_kvm = takes_exits = can_cast = can_stay = true;
	fake.flags |= FAKE_FOREIGN;
	fake.loaded = &vcpu;
	fake.hint = FP_HINT_GUEST;
	countdown = step;
	fake.interrupt = perhaps_checked_softirq;
	f_vcpu_load_checked(&loaded);
	fake.interrupt = NULL;
	assert_int_equal(fake_cpu.asked[FP_RULE_I20], 0);

	vcpu.exits++;
	f_bind_state_checked(&bound);
	fake.flags &= ~(__u64)FAKE_FOREIGN;
	checked_softirq();
	assert_int_equal(fake_cpu.asked[FP_RULE_I20], 1);
	checked_softirq();
	assert_int_equal(fake_cpu.asked[FP_RULE_I20], 1);
	assert_int_equal(fake.facts, 0);

	vcpu.exits++; /* it has used FP, and nobody binds its state */
	checked_softirq();
	assert_int_equal(fake.facts, 1);
	assert_int_equal(fake.fact.breach, FP_BREACH_NOT_SYNCED);
}

static void rules_asked_meanwhile(void **state)
{
	int step;

	(void)state;
	hit = true;
	for (step = 0; hit; step++) {
		hit = false;
		a_load_is_no_run(step);
	}
	assert_in_range(step, 5, STEPS);
}

static void bound_to_another(void **state)
{
	__u64 own = (__u64)vcpu.state, other = own + sizeof(vcpu);

	(void)state;
	begin();
	fake.loaded = &vcpu;
	check_bind((struct pt_regs *)&own);
	assert_int_equal(fake.facts, 0);
	check_bind((struct pt_regs *)&other);
	assert_int_equal(fake.facts, 1);
	assert_int_equal(fake.fact.breach, FP_BREACH_NOT_BOUND);
	assert_int_equal(fake_cpu.asked[FP_RULE_I20], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled),
		cmocka_unit_test(settled_by_two),
		cmocka_unit_test(settled_silently),
		cmocka_unit_test(settled_early),
		cmocka_unit_test(policy_unknown),
		cmocka_unit_test(bytes),
		cmocka_unit_test(stats_cleared),
		cmocka_unit_test(no_room),
		cmocka_unit_test(counted_by_kvm),
		cmocka_unit_test(nothing_but_exits),
		cmocka_unit_test(counts_of_kvm_cleared),
		cmocka_unit_test(begun_inside),
		cmocka_unit_test(nothing_before_enabled),
		cmocka_unit_test(slot_of_another),
		cmocka_unit_test(rules_asked_meanwhile),
		cmocka_unit_test(bound_to_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
