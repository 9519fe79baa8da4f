// SPDX-License-Identifier: GPL-2.0-only
/*
 * The usual ways and the long ones end in the same state, with the same counters: from
 * the states where the former begin, and from all that differ from these a little, where
 * they must not be taken, or do no harm.
 */
#include "test.h"

#include <stdlib.h>

#include "fake_kernel.h"

#include "on_fpsimd.h"
#include "on_sched.h"

enum { GEN = 5, PID = 1, STRANGE = 4, TIMES = 40000 };

static struct kvm vm;
static struct kvm_vcpu vcpu = { .kvm = &vm };
static struct task_struct task[2];

/* All that a hook goes by, and changes. */
struct world {
	struct fake fake;
	struct fp_percpu cpu;
	struct fp_vcpu vcpu;
	struct fp_quiet quiet;
	__u64 owed_loads, begun_neon, seen_eager;
	__u64 note; /* to the other CPU */
};

static struct world begin, usual, long_one;

static bool one_of(unsigned int n)
{
	return (unsigned int)rand() % n == 0;
}

static void hold_state(__u64 buf, __u32 gen)
{
	begin.cpu.model.buf = begin.cpu.judge.buf = buf;
	begin.cpu.model.gen = begin.cpu.judge.gen = gen;
}

/* ---- where usual ways begin ---- */

static void common(void)
{
	struct fp_percpu *c = &begin.cpu;
	struct fp_vcpu *v = &begin.vcpu;
	struct fp_event softirq = { .kind = FP_EV_NEON_SOFTIRQ,
				    .foreign = one_of(2) };

	memset(&begin, 0, sizeof(begin));
	begin.seen_eager = 1;
	begin.fake.current = &task[0];
	begin.fake.flags = one_of(2) ? FAKE_FOREIGN : 0;
	task[0].home = task[1].home = one_of(2) ? 0 : FAKE_ELSEWHERE;
	task[0].pid = PID;
	task[1].pid = PID + 1;
	task[0].group_leader = &task[0];
	task[1].flags = 0;
	c->enabled = 1;
	c->slot = 0;
	c->model.bound = FP_BOUND_TASK;
	c->judge.held = FP_HELD_STATE;
	c->judge.pending = 1;
	c->foreign = one_of(2) ? FP_FOREIGN_SET : FP_FOREIGN_CLEAR;
	c->unbound_by = FP_NO_SLOT;
	c->judge.switching = (__u64)task[1].state;
	v->vcpu = (__u64)&vcpu;
	v->buf = (__u64)vcpu.state;
	v->gen = GEN;
	v->thread = (__u64)&task[0];
	v->state = FP_SLOT_LIVE;
	vcpu.exits = v->exits_before = 1000;
	c->later[0] = (struct fp_later){ .event = pack(&softirq),
					 .slot = FP_NO_SLOT };
}

/* A task was saved last, this one or another. */
static void before_switch(void)
{
	common();
	begin.vcpu.thread = 0;
	begin.cpu.judge.who = FP_WHO_TASK;
	begin.cpu.judge.slot = FP_NO_SLOT;
	if (one_of(2)) {
		hold_state((__u64)task[0].state, PID);
		begin.cpu.foreign = FP_FOREIGN_CLEAR;
	} else {
		hold_state((__u64)task[1].state, PID + 1);
		begin.cpu.foreign = FP_FOREIGN_SET;
	}
	begin.cpu.last = begin.cpu.model.buf;
}

/* The thread of a vcpu comes from user mode, and calls KVM_RUN. */
static void before_vload(void)
{
	common();
	begin.fake.loaded = &vcpu;
	begin.fake.flags = 0;
	begin.cpu.foreign = FP_FOREIGN_SET;
	begin.vcpu.owed = (__u64)&task[0];
	begin.owed_loads = 1;
	if (one_of(2)) {
		begin.cpu.judge.who = FP_WHO_GUEST;
		hold_state(begin.vcpu.buf, GEN);
		begin.cpu.model.bound = FP_BOUND_NONE;
	} else {
		begin.cpu.judge.who = FP_WHO_HOST;
		hold_state((__u64)task[0].state, PID);
	}
}

/* It has saved the host's state, and has exited, perhaps with the guest's. */
static void before_exit(void)
{
	struct fp_percpu *c = &begin.cpu;

	common();
	begin.fake.loaded = &vcpu;
	begin.vcpu.task = (__u64)&task[0];
	begin.fake.hint = one_of(2) ? FP_HINT_GUEST : FP_HINT_HOST;
	begin.fake.flags = begin.fake.hint == FP_HINT_GUEST ? 0 : FAKE_FOREIGN;
	vcpu.exits++;
	hold_state((__u64)task[0].state, PID);
	c->last = c->model.buf;
	c->foreign = FP_FOREIGN_CLEAR;
	c->model.cause = FP_CAUSE_VCPU_LOAD;
	c->judge.who = FP_WHO_HOST;
	c->judge.dirty = 1;
	c->judge.pending = 0;
	c->unbound_by = 0;
	c->ahead = FP_AHEAD_SAVE;
	c->save = (struct fp_event){
		.buf = c->model.buf, .gen = PID, .kind = FP_EV_SAVE, .in_run = 1
	};
}

/* The guest was live, and vcpu_put() has saved it. */
static void before_end(void)
{
	common();
	begin.vcpu.task = (__u64)&task[0];
	begin.fake.flags = FAKE_FOREIGN;
	begin.cpu.foreign = FP_FOREIGN_CLEAR;
	hold_state(begin.vcpu.buf, GEN);
	begin.cpu.model.bound = FP_BOUND_VCPU;
	begin.cpu.judge.who = FP_WHO_HOST;
	begin.cpu.judge.dirty = 1;
	begin.cpu.judge.pending = 0;
	begin.cpu.gone = 1;
	begin.cpu.quiet = one_of(2);
}

/* ---- and where all have hooks ---- */

static void run_dirty(__u64 buf, __u32 gen)
{
	hold_state(buf, gen);
	begin.cpu.judge.dirty = 1;
	begin.cpu.judge.pending = 0;
}

static void before_hooked_switch(void)
{
	before_switch();
	if (one_of(2))
		run_dirty((__u64)task[0].state, PID);
}

/* By a task that has loaded its state, or has found it here. */
static void before_task_save(void)
{
	before_switch();
	begin.fake.flags = one_of(4) ? FAKE_FOREIGN : 0;
	hold_state((__u64)task[0].state, PID);
	if (one_of(2))
		run_dirty((__u64)task[0].state, PID);
	begin.cpu.model.cause = FP_CAUSE_BLOCK;
}

/* In vcpu_load(), or in vcpu_put(). */
static void before_run_save(void)
{
	common();
	begin.fake.loaded = &vcpu;
	begin.fake.flags = 0;
	begin.vcpu.task = (__u64)&task[0];
	begin.cpu.judge.who = FP_WHO_HOST;
	if (one_of(2)) {
		run_dirty((__u64)task[0].state, PID);
		begin.cpu.loading = FP_LOADING_FIRST;
	} else {
		run_dirty(begin.vcpu.buf, GEN);
		begin.cpu.model.bound = FP_BOUND_VCPU;
		begin.cpu.quiet = one_of(2);
	}
}

/* Of a task after another one, or after its KVM_RUN. */
static void before_load(void)
{
	if (one_of(2)) {
		before_switch();
		hold_state((__u64)task[1].state, PID + 1);
	} else {
		before_vload();
		begin.fake.loaded = NULL;
	}
	begin.fake.flags = FAKE_FOREIGN;
	task[0].home = 0;
}

static void before_bind(void)
{
	common();
	begin.fake.loaded = &vcpu;
	begin.fake.flags = FAKE_FOREIGN;
	begin.vcpu.task = (__u64)&task[0];
	begin.cpu.judge.who = FP_WHO_HOST;
	hold_state((__u64)task[0].state, PID);
}

/* ---- something is different ---- */

static __u64 some_buf(void)
{
	const __u64 bufs[] = { 0, (__u64)task[0].state, (__u64)task[1].state,
			       (__u64)vcpu.state };

	return bufs[rand() % 4];
}

static __u64 some_note(void)
{
	return some_buf() | (__u64)(1 + rand() % 3);
}

static __u64 some_last(void)
{
	return one_of(4) ? FP_LAST_UNKNOWN : some_buf();
}

static __u64 some_gen(void)
{
	return one_of(3) ? GEN : (__u64)(PID + rand() % 2);
}

static __u64 some_task(void)
{
	return one_of(3) ? 0 : (__u64)&task[rand() % 2];
}

static __u64 some_slot(void)
{
	return one_of(2) ? 0 : FP_NO_SLOT;
}

static __u64 some_cpu(void)
{
	return one_of(2) ? 0 : FAKE_ELSEWHERE;
}

static __u64 some_flags(void)
{
	return (__u64)rand() & (FAKE_FOREIGN | FAKE_SVE);
}

static __u64 some_vcpu(void)
{
	return one_of(2) ? 0 : (__u64)&vcpu;
}

static __u64 some_bytes(void)
{
	return one_of(2) ? FP_FPSIMD_BYTES : fp_sve_bytes(FAKE_VL);
}

static __u64 of_2(void)
{
	return (__u64)rand() % 2;
}

static __u64 of_3(void)
{
	return (__u64)rand() % 3;
}

static __u64 of_4(void)
{
	return (__u64)rand() % 4;
}

static __u64 of_7(void)
{
	return (__u64)rand() % 7;
}

#define FIELD(field, value)                                                    \
	{                                                                      \
		&(field), sizeof(field), value                                 \
	}

static const struct {
	void *field;
	size_t size;
	__u64 (*value)(void);
} fields[] = {
	FIELD(begin.fake.flags, some_flags),
	FIELD(begin.fake.loaded, some_vcpu),
	FIELD(begin.fake.hint, of_3),
	FIELD(begin.fake.sme, of_2),
	FIELD(begin.fake.in_softirq, of_2),
	FIELD(task[0].home, some_cpu),
	FIELD(task[1].home, some_cpu),
	FIELD(task[1].flags, some_flags),
	FIELD(begin.cpu.model.buf, some_buf),
	FIELD(begin.cpu.model.gen, some_gen),
	FIELD(begin.cpu.model.bound, of_4),
	FIELD(begin.cpu.model.cause, of_7),
	FIELD(begin.cpu.judge.buf, some_buf),
	FIELD(begin.cpu.judge.gen, some_gen),
	FIELD(begin.cpu.judge.note, some_note),
	FIELD(begin.cpu.judge.switching, some_buf),
	FIELD(begin.cpu.judge.resume, some_buf),
	FIELD(begin.cpu.judge.slot, some_slot),
	FIELD(begin.cpu.judge.who, of_4),
	FIELD(begin.cpu.judge.held, of_4),
	FIELD(begin.cpu.judge.dirty, of_2),
	FIELD(begin.cpu.judge.pending, of_2),
	FIELD(begin.cpu.judge.after, of_7),
	FIELD(begin.cpu.judge.record, of_3),
	FIELD(begin.cpu.slot, some_slot),
	FIELD(begin.cpu.unbound_by, some_slot),
	FIELD(begin.cpu.gone, of_2),
	FIELD(begin.cpu.ahead, of_7),
	FIELD(begin.cpu.quiet, of_2),
	FIELD(begin.cpu.loading, of_3),
	FIELD(begin.cpu.nested, of_2),
	FIELD(begin.cpu.settling, of_2),
	FIELD(begin.cpu.quiet_slot, of_2),
	FIELD(begin.cpu.later_tail, of_2),
	FIELD(begin.cpu.begins, some_task),
	FIELD(begin.cpu.foreign, of_4),
	FIELD(begin.cpu.last, some_last),
	FIELD(begin.cpu.flags_then, some_flags),
	FIELD(begin.cpu.home, some_cpu),
	FIELD(begin.cpu.save_slot, some_slot),
	FIELD(begin.cpu.save_bytes, some_bytes),
	FIELD(begin.cpu.save.buf, some_buf),
	FIELD(begin.cpu.save.foreign, of_2),
	FIELD(begin.cpu.save.in_run, of_2),
	FIELD(begin.vcpu.thread, some_task),
	FIELD(begin.vcpu.task, some_task),
	FIELD(begin.vcpu.owed, some_task),
	FIELD(begin.vcpu.gen, some_gen),
	FIELD(begin.vcpu.home, some_cpu),
	FIELD(begin.owed_loads, of_2),
	FIELD(begin.begun_neon, of_2),
	FIELD(begin.seen_eager, of_2),
};

static void change_something(void)
{
	size_t i = (size_t)rand() % (sizeof(fields) / sizeof(*fields));
	__u64 value = fields[i].value();

	memcpy(fields[i].field, &value, fields[i].size);
}

/* Where saves are inferred; see usual_switch() for the second one. */
static void be_inferred(void)
{
	begin.cpu.loading = FP_LOADING_NOT; /* it is an event at once */
	if (!begin.fake.loaded && !(begin.fake.flags & FAKE_FOREIGN))
		begin.vcpu.task = 0;
	begin.cpu.judge.resume = 0;
	begin.seen_eager = 1;
	begin.fake.in_softirq = false;
}

/* What can't be, is not: a task with a slot. */
static void be_consistent(void)
{
	if (begin.cpu.judge.who == FP_WHO_TASK)
		begin.cpu.judge.slot = FP_NO_SLOT;
	if (begin.vcpu.owed)
		begin.owed_loads = 1;
	begin.quiet.open = begin.cpu.quiet ? FP_QUIET_LIVE : 0;
	if (infers)
		be_inferred();
}

/* ---- hooks ---- */

static void do_switch(void)
{
	unsigned long long args[3] = { 0, (__u64)&task[0], (__u64)&task[1] };

	switch_infer(args);
}

static void do_vload(void)
{
	struct timer_map map = {};
	unsigned long long args[2] = { 0, (__u64)&map };

	timer_map(args);
}

static void do_exit(void)
{
	kvm_exit_settle(NULL);
}

static void do_end(void)
{
	__u64 reason[2] = { 6 };

	kvm_userspace_exit((struct bpf_raw_tracepoint_args *)reason);
}

static void do_hooked_switch(void)
{
	__u64 args[3] = { 0, (__u64)&task[0], (__u64)&task[1] };

	sched_switch((struct bpf_raw_tracepoint_args *)args);
}

static void do_save(void)
{
	f_save(NULL);
}

static void do_load(void)
{
	f_load(NULL);
}

static void do_bind(void)
{
	struct cpu_fp_state state = { .st = vcpu.state };
	unsigned long long arg = (__u64)&state;

	f_bind_state(&arg);
}

static void do_bind_probe(void)
{
	__u64 arg = (__u64)vcpu.state;

	k_bind_state((struct pt_regs *)&arg);
}

static void run(void (*hook)(void), struct world *w)
{
	__u64 thread = (__u64)&task[0], id = (__u64)&vcpu;
	__u32 slot = 0;

	fake = begin.fake;
	fake_cpu = begin.cpu;
	fake_vcpus[0] = begin.vcpu;
	quiet[0] = begin.quiet;
	owed_loads = begin.owed_loads;
	begun_neon = begin.begun_neon;
	seen_eager = begin.seen_eager;
	fake_elsewhere = (struct fp_percpu){
		.judge = { .buf = (__u64)task[0].state, .held = FP_HELD_STATE },
	};
	fake_cpu.judge.pad = w == &long_one; /* no state that is usual */
	fake_cpu.judge.is.pad[0] = 1;
	memset(fake_hash, 0, sizeof(fake_hash));
	bpf_map_update_elem(&slot_of_vcpu, &id, &slot, BPF_ANY);
	bpf_map_update_elem(&slot_of_task, &thread, &slot, BPF_ANY);
	if (begun_neon)
		bpf_map_update_elem(&begin_of_task, &(__u64){ (__u64)&task[1] },
				    &(__u8){ 1 }, BPF_ANY);
	hook();
	*w = (struct world){ .fake = fake,
			     .cpu = fake_cpu,
			     .vcpu = fake_vcpus[0],
			     .quiet = quiet[0],
			     .owed_loads = owed_loads,
			     .begun_neon = begun_neon,
			     .seen_eager = seen_eager,
			     .note = fake_elsewhere.judge.note };
}

/* What the next event goes by, and is counted. */
static void forget_the_rest(struct fp_percpu *c)
{
	c->judge.pad = 0;
	c->judge.is = (struct fp_verdicts){};
	if (c->ahead)
		return;
	c->save = (struct fp_event){};
	c->save_slot = 0;
	c->save_bytes = 0;
}

static void same_worlds(void)
{
	forget_the_rest(&usual.cpu);
	forget_the_rest(&long_one.cpu);
	assert_memory_equal(&usual.cpu, &long_one.cpu, sizeof(usual.cpu));
	assert_memory_equal(&usual.vcpu, &long_one.vcpu, sizeof(usual.vcpu));
	assert_memory_equal(&usual.quiet, &long_one.quiet, sizeof(usual.quiet));
	assert_int_equal(usual.owed_loads, long_one.owed_loads);
	assert_int_equal(usual.begun_neon, long_one.begun_neon);
	assert_int_equal(usual.seen_eager, long_one.seen_eager);
	assert_int_equal(usual.note, long_one.note);
}

static void is_as_long(void (*prepare)(void), void (*hook)(void))
{
	unsigned int i, n, ways = 0;

	for (i = 0; i < TIMES; i++) {
		prepare();
		for (n = (unsigned int)rand() % STRANGE; n; n--)
			change_something();
		be_consistent();
		run(hook, &usual);
		run(hook, &long_one);
		ways += usual.cpu.judge.is.pad[0];
		same_worlds();
	}
	assert_in_range(ways, TIMES / 10, TIMES);
}

static int set_up(void **state)
{
	(void)state;
	enabled = 1;
	foreign_mask = FAKE_FOREIGN;
	sve_mask = FAKE_SVE;
	return 0;
}

static void where_saves_are_inferred(void **state)
{
	(void)state;
	settles = infers = true;
	has_sme = false;
	is_as_long(before_switch, do_switch);
	is_as_long(before_vload, do_vload);
	is_as_long(before_exit, do_exit);
	is_as_long(before_end, do_end);
}

static void where_they_have_hooks(void **state)
{
	(void)state;
	settles = infers = false;
	has_sme = true;
	is_as_long(before_hooked_switch, do_hooked_switch);
	is_as_long(before_task_save, do_save);
	is_as_long(before_run_save, do_save);
	is_as_long(before_load, do_load);
	is_as_long(before_bind, do_bind);
	is_as_long(before_bind, do_bind_probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_saves_are_inferred),
		cmocka_unit_test(where_they_have_hooks),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
