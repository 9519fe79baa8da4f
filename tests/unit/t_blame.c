// SPDX-License-Identifier: GPL-2.0-only
/* Who took the registers, on records written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/kvm.h>
#include <linux/types.h>

#include "blame.h"
#include "fpstat/charge.h"
#include "fpstat/model.h"

enum { CPUS = 2 };

static void name(void *ctx, enum blame_kind kind, uint64_t id, char *who,
		 size_t len)
{
	(void)ctx;
	snprintf(who, len, "%d:%llu", kind, (unsigned long long)id);
}

static const struct blame_namer namer = { .name = name };

static void tell(struct blame *b, struct fp_rec rec, uint32_t step)
{
	assert_int_equal(blame__feed(b, &rec, step), 0);
}

static void load(struct blame *b, unsigned int cpu, unsigned int slot)
{
	tell(b,
	     (struct fp_rec){
		     .cpu = cpu, .slot = slot, .ev.kind = FP_EV_BIND_VCPU },
	     FP_OP_GUEST_LOAD);
}

static void save(struct blame *b, unsigned int cpu, unsigned int slot,
		 uint32_t cause)
{
	tell(b,
	     (struct fp_rec){ .cpu = cpu, .slot = slot, .ev.kind = FP_EV_SAVE },
	     FP_OP_GUEST_SAVE | cause << 16);
}

/* @arg: the caller, the thread that comes or the reason. */
static void event(struct blame *b, unsigned int cpu, uint8_t kind, uint64_t arg)
{
	tell(b,
	     (struct fp_rec){ .cpu = cpu,
			      .slot = FP_NO_SLOT,
			      .other = arg,
			      .ev = { .kind = kind, .gen = (__u32)arg } },
	     0);
}

/* @row must be there, with so many saves and loads. */
static void expect(struct blame *b, uint8_t cause, uint8_t kind, uint64_t id,
		   uint64_t saves, uint64_t loads)
{
	size_t i, nr;
	const struct blame_row *row = blame__rows(b, &nr);
	char who[64];

	name(NULL, kind, id, who, sizeof(who));
	for (i = 0; i < nr; i++) {
		if (row[i].cause != cause || strcmp(row[i].who, who))
			continue;
		assert_int_equal(row[i].saves, saves);
		assert_int_equal(row[i].loads, loads);
		return;
	}
	fail_msg("no row for %s, %s", blame__cause(cause), who);
}

static void each_cause(void **state)
{
	struct blame *b = blame__new(CPUS, namer);
	size_t nr;

	(void)state;
	load(b, 0, 3);
	event(b, 0, FP_EV_NEON_SOFTIRQ, 0xabc);
	save(b, 0, 3, FP_CAUSE_SOFTIRQ_NEON);
	load(b, 0, 3);
	event(b, 0, FP_EV_SWITCH, 77);
	save(b, 0, 3, FP_CAUSE_PREEMPT);
	load(b, 0, 3);
	event(b, 0, FP_EV_SWITCH, 0);
	save(b, 0, 3, FP_CAUSE_BLOCK);
	load(b, 1, 3);
	save(b, 1, 3, FP_CAUSE_USER_RETURN);
	event(b, 1, FP_EV_RUN_END, KVM_EXIT_MMIO);
	load(b, 1, 3);
	save(b, 1, 3, FP_CAUSE_KVM_RELOAD);

	expect(b, BLAME_FIRST, BLAME_NOBODY, 0, 0, 1);
	expect(b, FP_CAUSE_SOFTIRQ_NEON, BLAME_FUNCTION, 0xabc, 1, 1);
	expect(b, FP_CAUSE_PREEMPT, BLAME_TASK, 77, 1, 1);
	expect(b, FP_CAUSE_BLOCK, BLAME_TASK, 0, 1, 0);
	expect(b, BLAME_MIGRATE, BLAME_NOBODY, 0, 0, 1);
	expect(b, FP_CAUSE_USER_RETURN, BLAME_EXIT, KVM_EXIT_MMIO, 1, 1);
	expect(b, FP_CAUSE_KVM_RELOAD, BLAME_NOBODY, 0, 1, 0);
	blame__rows(b, &nr);
	assert_int_equal(nr, 7);
	blame__free(b);
}

/* Each CPU has its own caller, and a thread that is switched out no reason. */
static void not_of_others(void **state)
{
	struct blame *b = blame__new(CPUS, namer);

	(void)state;
	event(b, 0, FP_EV_NEON_TASK, 1);
	event(b, 1, FP_EV_NEON_TASK, 2);
	save(b, 0, 0, FP_CAUSE_TASK_NEON);
	save(b, 1, 1, FP_CAUSE_TASK_NEON);
	save(b, 0, 0, FP_CAUSE_USER_RETURN);
	event(b, 0, FP_EV_SWITCH, 5);
	event(b, 0, FP_EV_RUN_END, KVM_EXIT_INTR);
	expect(b, FP_CAUSE_TASK_NEON, BLAME_FUNCTION, 1, 1, 0);
	expect(b, FP_CAUSE_TASK_NEON, BLAME_FUNCTION, 2, 1, 0);
	expect(b, FP_CAUSE_USER_RETURN, BLAME_NOBODY, 0, 1, 0);
	blame__free(b);
}

/* The slot of a vcpu that ended goes to another one: its load is its first. */
static void slots_are_used_again(void **state)
{
	struct blame *b = blame__new(CPUS, namer);

	(void)state;
	load(b, 0, 0);
	save(b, 0, 0, FP_CAUSE_PREEMPT);
	tell(b, (struct fp_rec){ .ev.kind = FP_EV_VCPU_END }, 0);
	load(b, 0, 0);
	expect(b, BLAME_FIRST, BLAME_NOBODY, 0, 0, 2);
	blame__free(b);
}

static void memory_is_bounded(void **state)
{
	struct blame *b = blame__new(CPUS, namer);
	const struct blame_row *row;
	uint64_t saves = 0;
	unsigned int i;
	size_t nr;

	(void)state;
	for (i = 0; i < 3 * BLAME_MAX; i++) {
		load(b, 0, 0);
		event(b, 0, FP_EV_SWITCH, 100 + i);
		save(b, 0, 0, FP_CAUSE_PREEMPT);
	}
	row = blame__rows(b, &nr);
	assert_true(nr <= BLAME_MAX + 1);
	for (i = 0; i < nr; i++)
		saves += row[i].saves;
	assert_int_equal(saves, 3 * BLAME_MAX);
	/* The first row was that of the first load. */
	expect(b, FP_CAUSE_PREEMPT, BLAME_OTHERS, 0, 2 * BLAME_MAX + 1,
	       2 * BLAME_MAX);
	blame__free(b);
}

static void bad_input(void **state)
{
	struct blame *b = blame__new(CPUS, namer);
	size_t nr;

	(void)state;
	save(b, CPUS, 0, FP_CAUSE_PREEMPT);
	save(b, 0, FP_NO_SLOT, FP_CAUSE_PREEMPT);
	load(b, 0, FP_NO_SLOT);
	blame__rows(b, &nr);
	assert_int_equal(nr, 1);
	assert_null(blame__exit_reason(UINT64_MAX));
	blame__free(b);
	blame__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause),
		cmocka_unit_test(not_of_others),
		cmocka_unit_test(slots_are_used_again),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(bad_input),
	};

	return cmocka_run_group_tests_name("blame", tests, NULL, NULL);
}
