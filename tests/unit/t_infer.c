// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saves and loads that follow from TIF_FOREIGN_FPSTATE, with the programs themselves.
 *
 * A small kernel with the rules of 6.1 goes a random way: it switches, runs guests, gets
 * signals, forks, uses NEON; and at one point of it, each in turn, a softirq that uses
 * NEON comes in. It goes that way twice: once with a hook at each save and each load, and
 * once without. What is counted must be the same, and what that kernel has moved.
 */
#include "test.h"

#include <stdlib.h>

#include "fake_kernel.h"

#include "on_fpsimd.h"
#include "on_sched.h"
#include "needs.h"

#include "quiet.h"

enum {
	BEGIN = 0x1000, /* kernel_neon_begin(), and others */
	COPY = 0x4000,
	UPDATE = 0x5000,
	FLUSH = 0x6000,
	CALL = 0x24, /* where these have saved, or loaded */
	TASKS = 3,
	THREAD = 0, /* the task that runs the vcpu */
	OPS = 12, /* of a way */
	POINTS = 4000, /* more than a way has */
	ELSEWHERE = FAKE_ELSEWHERE,
	LENGTH = 0x100, /* of each of these */
	LEAF = 0x7000, /* what they call before softirqs are off, without a frame .. */
	PUT = 0x7100, /* .. and after they are on again */
	IRQ = 0x7200, /* where an interrupt comes in */
	CALLER = 0x9000, /* where they return to */
};

static struct kvm vm;
static struct kvm_vcpu vcpu = { .kvm = &vm };
static struct task_struct task[TASKS], idle;

/* What was moved. */
struct moved {
	uint64_t guest_save, guest_load, save, load;
	uint64_t load_sve; /* of these */
};

struct result {
	struct moved moved;
	struct fp_vcpu vcpu;
	struct fp_percpu cpu;
	bool came;
	bool late; /* something was in the registers at the start */
};

static struct {
	const void *last; /* fpsimd_last_state.st */
	struct moved moved;
	unsigned int random;
	int countdown; /* points until the softirq comes */
	int step; /* .. or steps of a program that softirqs can come into .. */
	int again; /* .. and from there to one more */
	bool came;
} k;

/* ---- the kernel ---- */

static bool is_foreign_now(void)
{
	return fake.flags & FAKE_FOREIGN;
}

static void fpsimd_save(void)
{
	if (!infers)
		k_save((struct pt_regs *)&k);
	if (is_foreign_now())
		return;
	if (k.last == vcpu.state)
		k.moved.guest_save++;
	else
		k.moved.save++;
	if (k.last == fake.current->state)
		fake.current->fpsimd = !(fake.flags & FAKE_SVE);
	assert_true(k.last == vcpu.state || k.last == fake.current->state);
}

static void flush_cpu_state(void)
{
	k.last = NULL;
	fake.flags |= FAKE_FOREIGN;
}

static void task_fpsimd_load(void)
{
	if (!infers)
		k_load((struct pt_regs *)&k);
	k.moved.load++;
	k.moved.load_sve += !!(fake.flags & FAKE_SVE);
	k.last = fake.current->state;
	fake.current->home = 0;
	fake.flags &= ~(__u64)FAKE_FOREIGN;
}

static void kernel_neon_begin(void (*point)(void))
{
	__u64 caller = CALLER;

	neon_begin((struct pt_regs *)&caller);
	point();
	fpsimd_save();
	flush_cpu_state();
}

static void nothing(void)
{
}

/* Who reads may do so at any moment. */
static void read_now(void)
{
	if (infers && k.random & 2)
		infer_now(NULL);
}

static void softirq(void)
{
	k.came = true;
	fake.in_softirq = true;
	kernel_neon_begin(read_now);
	kernel_neon_begin(nothing);
	fake.in_softirq = false;
}

/* .. in one of our programs. */
static void perhaps_softirq(void)
{
	if (k.step-- == 0) {
		softirq();
		k.step = k.again;
		k.again = -1;
	}
}

/* Where softirqs are on. */
static void point_at(__u64 address)
{
	fake.came_into = address;
	if (k.countdown-- == 0)
		softirq();
}

static void point(void)
{
	point_at(ELSEWHERE);
}

/* In a function without a frame, that is called by what returns to CALLER. */
static void point_in_leaf(__u64 leaf)
{
	fake.came_from = CALLER;
	point_at(leaf);
	fake.came_from = 0;
}

static void point_in_begin(void)
{
	point_at(BEGIN + 4);
	point_in_leaf(LEAF);
}

static void preserve(void)
{
	__u64 caller = CALLER;

	need_preserve((struct pt_regs *)&caller);
	point_at(COPY);
	point_in_leaf(LEAF + 4);
	fpsimd_save();
	point_in_leaf(PUT + 4);
	point_in_leaf(COPY + CALL);
	point_at(CALLER);
}

static void flush_task(void)
{
	__u64 arg = (__u64)fake.current;

	need_flush_task((struct pt_regs *)&arg);
	fake.current->home = ELSEWHERE;
	fake.flags |= FAKE_FOREIGN;
}

static void update(void)
{
	__u64 caller = CALLER;

	need_sigreturn((struct pt_regs *)&caller);
	point_at(UPDATE + CALL - 1);
	point_in_leaf(LEAF);
	task_fpsimd_load();
	point_in_leaf(PUT);
	point_in_leaf(UPDATE + CALL);
	point_at(CALLER);
}

static void user_mode(void)
{
	point();
	if (is_foreign_now())
		task_fpsimd_load();
	fake.interrupt = k.step >= 0 ? perhaps_softirq : NULL;
	read_now();
	fake.interrupt = NULL;
	if (is_foreign_now())
		task_fpsimd_load();
	if (k.random & 64)
		fake.flags ^= FAKE_SVE; /* it uses SVE, or called the kernel */
	if (fake.flags & FAKE_SVE)
		fake.current->fpsimd = false;
	point();
	if (is_foreign_now())
		task_fpsimd_load();
}

static void sigreturn(bool sve)
{
	__u64 arg = (__u64)fake.current;

	fake.flags &= ~(__u64)FAKE_SVE;
	need_restore((struct pt_regs *)&k);
	point();
	if (sve) {
		need_flush_task((struct pt_regs *)&arg);
		point_at(FLUSH);
		fake.current->home = ELSEWHERE;
		fake.flags |= FAKE_FOREIGN;
		point_at(FLUSH + 4);
		fake.flags |= FAKE_SVE;
		fake.current->fpsimd = false;
		point();
	}
	update();
}

static void set_vl(bool deferred)
{
	__u64 arg = (__u64)fake.current;

	need_set_vl((struct pt_regs *)&arg);
	point();
	if (deferred)
		return;
	fpsimd_save();
	flush_task();
}

/* get_timer_map(). vcpu_load() calls it before the timers are @loaded. */
static void get_timer_map(bool loaded, bool softirqs)
{
	struct timer_map map = { .loaded = loaded };
	unsigned long long args[2] = { 0, (__u64)&map };

	if (!infers)
		return;
	fake.interrupt = softirqs && k.step >= 0 ? perhaps_softirq : NULL;
	timer_map(args);
	fake.interrupt = NULL;
}

static void sched_switch_to(struct task_struct *next)
{
	__u64 args[3] = { 0, (__u64)fake.current, (__u64)next };

	if (infers)
		switch_infer((unsigned long long *)args);
	else
		sched_switch((struct bpf_raw_tracepoint_args *)args);
	if (fake.loaded && fake.hint == FP_HINT_GUEST) {
		fpsimd_save();
		flush_cpu_state();
	}
	if (fake.loaded) {
		get_timer_map(true, false);
		if (k.random & 1 << 28) /* it blocks */
			get_timer_map(false, false);
	}
	fpsimd_save();
	fake.current->flags = fake.flags;
	fake.current = next;
	fake.flags = next->flags & ~(__u64)FAKE_FOREIGN;
	if (k.last != next->state || next->home != 0)
		fake.flags |= FAKE_FOREIGN;
}

/* .. and back, perhaps from another CPU. */
static void others(void)
{
	struct task_struct *me = fake.current, *other = &task[1 + k.random % 2];
	struct kvm_vcpu *loaded = fake.loaded;

	if (other == me)
		other = &idle;
	sched_switch_to(other);
	fake.loaded = NULL;
	if (k.random & 8 && other != &idle)
		user_mode();
	if (k.random & 16)
		other->home = ELSEWHERE; /* it will have been there */
	if (k.random & 32)
		me->home = ELSEWHERE;
	if (k.random & 128)
		kernel_neon_begin(point_in_begin);
	fake.loaded = NULL;
	sched_switch_to(me);
	fake.loaded = loaded;
}

static void vcpu_load(void)
{
	__u64 arg = (__u64)&vcpu;

	fake.loaded = &vcpu;
	point();
	get_timer_map(false, true);
	if (k.random & 1 << 29) /* an interrupt of the timer was before */
		get_timer_map(false, false);
	if (!infers)
		k_vcpu_load((struct pt_regs *)&arg);
	point();
	fpsimd_save();
	flush_cpu_state();
	fake.hint = FP_HINT_HOST;
	point();
}

static void vcpu_put(void)
{
	if (fake.hint == FP_HINT_GUEST) {
		fpsimd_save();
		flush_cpu_state();
	}
	get_timer_map(true, true);
	if (k.random & 1 << 30) /* for a reset of them, or a late interrupt */
		get_timer_map(false, true);
	point();
}

static void guest(bool uses)
{
	if (is_foreign_now())
		fake.hint = FP_HINT_HOST;
	if (uses && fake.hint != FP_HINT_GUEST) {
		k.moved.guest_load++;
		fake.hint = FP_HINT_GUEST;
	}
	vcpu.exits++;
	if (fake.hint == FP_HINT_GUEST) {
		k.last = vcpu.state;
		fake.flags &= ~(__u64)FAKE_FOREIGN;
	}
	point();
	fake.interrupt = k.step >= 0 ? perhaps_softirq : NULL;
	kvm_exit_settle(NULL);
	fake.interrupt = NULL;
	point();
}

static void run_end(void)
{
	__u64 reason[2] = { 6 };

	fake.interrupt = k.step >= 0 ? perhaps_softirq : NULL;
	kvm_userspace_exit((struct bpf_raw_tracepoint_args *)reason);
	fake.interrupt = NULL;
	point();
	if (rand() % 4 == 0) /* on its way to user mode */
		others();
}

static void run(void)
{
	__u64 arg = (__u64)&vcpu;
	unsigned int i, n = k.random >> 8 & 3;

	fake.flags &= ~(__u64)FAKE_SVE;
	if (rand() % 8 == 0) { /* it is refused */
		run_end();
		return;
	}
	vcpu_load();
	for (i = 0; i < n; i++) {
		guest(k.random >> (10 + i) & 1);
		if (k.random >> (13 + 4 * i) & 1) { /* it asks for a timer */
			get_timer_map(true, true);
			get_timer_map(false, true);
		}
		if (k.random >> (14 + i) & 1) {
			others();
			vcpu_load();
		}
		if (k.random >> (18 + i) & 1) {
			need_vcpu_reset((struct pt_regs *)&arg);
			vcpu_put();
			vcpu_load();
		}
		if (k.random >> (22 + i) & 1)
			kernel_neon_begin(point_in_begin);
	}
	vcpu_put();
	fake.loaded = NULL;
	run_end();
}

/* In and out of the kernel, with something in between. */
static void operation(void)
{
	k.random = (unsigned int)rand();
	switch (k.random >> 25 & 7) {
	case 0:
	case 1:
		if (fake.current == &task[THREAD])
			run();
		break;
	case 2:
		need_fork((struct pt_regs *)&k);
		preserve();
		break;
	case 3:
		preserve();
		user_mode();
		sigreturn(k.random & 1);
		break;
	case 4:
		fake.flags &= ~(__u64)FAKE_SVE;
		kernel_neon_begin(point_in_begin);
		break;
	case 5:
		fake.flags &= ~(__u64)FAKE_SVE;
		set_vl(k.random & 1);
		break;
	case 6:
		others();
		break;
	default:
		if (k.random & 1) {
			need_exec((struct pt_regs *)&k);
			flush_task();
		}
		if (fake.current != &task[k.random >> 1 & 1])
			sched_switch_to(&task[k.random >> 1 & 1]);
	}
	user_mode();
}

/* ---- one way ---- */

static struct fp_code code(__u64 from, __u64 to)
{
	return (struct fp_code){ from, from + to, from + LENGTH };
}

static void begin(unsigned int seed, bool hooks)
{
	int i;

	memset(&fake_cpu, 0, sizeof(fake_cpu));
	memset(fake_vcpus, 0, sizeof(fake_vcpus));
	memset(fake_hash, 0, sizeof(fake_hash));
	memset(quiet, 0, sizeof(quiet));
	memset(&fake, 0, sizeof(fake));
	memset(&k, 0, sizeof(k));
	fake_cpu.slot = fake_cpu.unbound_by = FP_NO_SLOT;
	fake_cpu.free_tail = 1;
	for (i = 0; i < TASKS; i++) {
		task[i] = (struct task_struct){ .pid = i + 1,
						.group_leader = &task[i],
						.flags = FAKE_FOREIGN,
						.home = ELSEWHERE };
	}
	idle = (struct task_struct){ .flags = FAKE_FOREIGN, .home = ELSEWHERE };
	fake.current = &task[THREAD];
	fake.flags = FAKE_FOREIGN;
	vcpu.exits = 1000;
	owed_loads = saved_neon = begun_neon = 0;
	seen_martin = 0;
	seen_eager = enabled = 1;
	settles = true;
	foreign_mask = FAKE_FOREIGN;
	sve_mask = FAKE_SVE;
	has_sme = streaming = false;
	infers = !hooks;
	code_neon = code(BEGIN, LENGTH);
	code_copy = code(COPY, CALL);
	code_update = code(UPDATE, CALL);
	code_flush = code(FLUSH, LENGTH);
	code_irq = code(IRQ, LENGTH);
	code_put = code(PUT, LENGTH);
	srand(seed);
}

/* Its owner runs already. */
static void load_before_counting(void)
{
	enabled = 0;
	task_fpsimd_load();
	k.moved = (struct moved){};
	enabled = 1;
}

static void go(unsigned int seed, bool hooks, int at, int step, int again,
	       struct result *result)
{
	int i;

	begin(seed, hooks);
	k.countdown = at;
	k.step = step;
	k.again = again;
	if (seed % 2)
		load_before_counting();
	/* As the visit of each CPU at the start. */
	if (infers)
		infer(0);
	if (is_foreign_now())
		task_fpsimd_load();
	for (i = 0; i < OPS; i++)
		operation();
	sched_switch_to(&idle);
	*result = (struct result){ .moved = k.moved,
				   .vcpu = fake_vcpus[0],
				   .cpu = fake_cpu,
				   .came = k.came,
				   .late = seed % 2 };
	result->vcpu.runs_live += quiet__live(quiet, &result->vcpu);
}

/* ---- the tests ---- */

static void same_ops(const struct fp_ops *a, const struct fp_ops *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void same_counters(const struct result *a, const struct result *b)
{
	same_ops(&a->vcpu.guest, &b->vcpu.guest);
	same_ops(&a->vcpu.host, &b->vcpu.host);
	same_ops(&a->cpu.task, &b->cpu.task);
	assert_memory_equal(a->vcpu.cause, b->vcpu.cause,
			    sizeof(a->vcpu.cause));
	assert_int_equal(a->vcpu.runs_live, b->vcpu.runs_live);
	assert_int_equal(a->vcpu.runs, b->vcpu.runs);
	assert_int_equal(a->vcpu.collateral, b->vcpu.collateral);
}

/* .. and what is to be known of the state for the next event. */
static void same_state(const struct fp_percpu *a, const struct fp_percpu *b)
{
	struct fp_judge j = a->judge;

	assert_memory_equal(&a->model, &b->model, sizeof(a->model));
	j.is = b->judge.is;
	assert_memory_equal(&j, &b->judge, sizeof(j));
	assert_int_equal(a->unbound_by, b->unbound_by);
}

/* Whose it was that came before, may not be known: what is not decided is said. */
static void is_true(const struct result *r)
{
	assert_int_equal(r->vcpu.guest.save, r->moved.guest_save);
	assert_int_equal(r->vcpu.guest.load, r->moved.guest_load);
	assert_int_equal(r->vcpu.host.save + r->cpu.task.save +
				 r->cpu.undecided,
			 r->moved.save);
	assert_int_equal(r->vcpu.host.load + r->cpu.task.load, r->moved.load);
	assert_int_equal(r->vcpu.host.load_more + r->cpu.task.load_more,
			 r->moved.load_sve *
				 (fp_sve_bytes(FAKE_VL) - FP_FPSIMD_BYTES));
	assert_in_range(r->cpu.undecided, 0, r->late);
	assert_int_equal(r->cpu.missed, 0);
}

static struct result hooked, inferred;

static void at_each_point(unsigned int seed)
{
	int at;

	for (at = 0; at < POINTS; at++) {
		go(seed, true, at, -1, -1, &hooked);
		go(seed, false, at, -1, -1, &inferred);
		is_true(&hooked);
		is_true(&inferred);
		same_counters(&inferred, &hooked);
		same_state(&inferred.cpu, &hooked.cpu);
		if (!inferred.came)
			break;
	}
	assert_in_range(at, 1, POINTS - 1);
}

static unsigned int seeds(void)
{
	const char *n = getenv("FPSTAT_SEEDS");

	return n ? strtoul(n, NULL, 0) : 600;
}

static void same_as_with_hooks(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= seeds(); seed++)
		at_each_point(seed);
}

/* Into the programs that softirqs can come into, and mostly two of them. */
static void at_each_step(void **state)
{
	unsigned int seed;
	int step;

	(void)state;
	for (seed = 1; seed <= seeds(); seed++) {
		for (step = 0; step < POINTS; step++) {
			go(seed, false, -1, step, (step * 7 + seed) % 40 - 1,
			   &inferred);
			is_true(&inferred);
			assert_int_equal(inferred.cpu.impossible, 0);
			if (!inferred.came)
				break;
		}
		assert_in_range(step, 0, POINTS - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_with_hooks),
		cmocka_unit_test(at_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
