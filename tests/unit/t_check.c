// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker, on streams written by hand: what no random world comes to, the order of
 * what is told, and the events that it shows.
 */
#include <linux/types.h>

#include "check.h"
#include "fpstat/charge.h"
#include "fpstat/look.h"
#include "rules.h"
#include "test.h"

enum { CPUS = 2, TASK = 0x1000, OTHER = 0x2000, VCPU = 0x3000, SLOT = 7 };

static struct violation told;
static unsigned int nr_told;
static uint64_t now;

static void on_violation(void *ctx, const struct violation *v)
{
	(void)ctx;
	if (!nr_told++)
		told = *v;
}

static struct check *begin(void)
{
	struct check *c = check__new(CPUS, on_violation, NULL);

	assert_non_null(c);
	nr_told = 0;
	now = 1000;
	return c;
}

static void feed(struct check *c, uint32_t cpu, uint8_t kind, uint64_t buf,
		 bool foreign)
{
	struct fp_rec rec = {
		.ns = now += 1000,
		.cpu = cpu,
		.slot = buf == VCPU ? SLOT : FP_NO_SLOT,
		.ev = { .buf = buf,
			.gen = 1,
			.kind = kind,
			.foreign = foreign,
			.in_run = buf == VCPU },
	};

	if (kind == FP_EV_SWITCH)
		rec.other = buf == TASK ? OTHER : TASK;
	if (kind == FP_EV_RUN_END)
		rec.flags = FP_REC_NO_JUDGE;
	if (kind == FP_EV_VCPU_END || (kind == FP_EV_FLUSH_TASK && cpu))
		rec.flags = FP_REC_NO_STEP | FP_REC_NO_JUDGE;
	assert_int_equal(check__feed(c, &rec), 0);
}

static void expect(struct check *c, enum fp_breach breach)
{
	check__settle(c);
	check__free(c);
	assert_int_equal(nr_told, 1);
	assert_int_equal(told.breach, breach);
	assert_int_equal(told.rule, breach__rule(breach));
}

static void bound_twice(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 1, FP_EV_BIND_VCPU, VCPU, true);
	expect(c, FP_BREACH_TWO_CPUS);
}

static void bound_at_its_end(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 1, FP_EV_VCPU_END, VCPU, false);
	expect(c, FP_BREACH_VCPU_BOUND);
}

static void bound_at_its_end_here(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 0, FP_EV_VCPU_END, VCPU, false);
	expect(c, FP_BREACH_VCPU_BOUND);
}

static void loaded_again(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	expect(c, FP_BREACH_GUEST_LOST);
}

/* The first KVM_RUN shows that vcpu_load() saves the host. */
static struct check *eager(void)
{
	struct check *c = begin();

	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_VLOAD, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
	assert_true(check__eager(c));
	return c;
}

static void host_bound_at_exit(void **state)
{
	struct check *c = eager();

	(void)state;
	feed(c, 0, FP_EV_RUN_END, TASK, true);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, false);
	expect(c, FP_BREACH_HOST_BOUND);
}

static void host_bound_after_load(void **state)
{
	struct check *c = eager();

	(void)state;
	feed(c, 0, FP_EV_RUN_END, TASK, true);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_VLOAD, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
	expect(c, FP_BREACH_HOST_BOUND);
}

static void no_save_in_softirq(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_NEON_SOFTIRQ, 0, false);
	feed(c, 0, FP_EV_FORK, TASK, true);
	expect(c, FP_BREACH_NEON_NO_SAVE);
}

static void bound_after_put(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 0, FP_EV_RUN_END, TASK, false);
	expect(c, FP_BREACH_STILL_BOUND);
}

static void bound_at_load(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 0, FP_EV_VLOAD, TASK, false);
	expect(c, FP_BREACH_STILL_BOUND);
}

static void saved_over_another(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, OTHER, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
	expect(c, FP_BREACH_WRONG_BUFFER);
}

static void no_save_at_switch(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_SWITCH, TASK, false);
	feed(c, 0, FP_EV_SWITCH, OTHER, true);
	expect(c, FP_BREACH_SWITCH_NO_SAVE);
}

/* OTHER comes in, and what is bound is TASK's. */
static struct check *adopted(void)
{
	struct check *c = begin();

	feed(c, 0, FP_EV_LOAD, OTHER, false);
	feed(c, 0, FP_EV_SAVE, OTHER, false);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_SWITCH, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
	feed(c, 0, FP_EV_FORK, OTHER, false);
	return c;
}

static void took_over(void **state)
{
	(void)state;
	expect(adopted(), FP_BREACH_ADOPTED);
}

static void shows_what_led_there(void **state)
{
	(void)state;
	check__free(adopted());
	assert_int_equal(told.nr_events, 4);
	assert_int_equal(told.events[0].ev.kind, FP_EV_LOAD);
	assert_int_equal(told.events[1].ev.kind, FP_EV_SWITCH);
	assert_int_equal(told.events[3].ev.kind, FP_EV_FORK);
}

static void wrong_memory(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_PRESERVE, TASK, false);
	feed(c, 0, FP_EV_EXEC, TASK, false);
	expect(c, FP_BREACH_OLD_COPY);
}

static void wrong_memory_then_load(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_PRESERVE, TASK, false);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	expect(c, FP_BREACH_OLD_COPY);
}

static void edit_not_loaded(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_RESTORE, TASK, false);
	feed(c, 0, FP_EV_SIGRETURN, TASK, false);
	feed(c, 0, FP_EV_FORK, TASK, false);
	expect(c, FP_BREACH_EDIT_LOST);
}

/* TASK is switched out, which saves it .. */
static void leave(struct check *c)
{
	feed(c, 0, FP_EV_SWITCH, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, false);
}

/* .. and in again. */
static void come_back(struct check *c)
{
	feed(c, 0, FP_EV_SWITCH, OTHER, true);
	feed(c, 0, FP_EV_SAVE, OTHER, true);
	feed(c, 0, FP_EV_LOAD, TASK, false);
}

/* A debugger on another CPU: what is bound is not TASK's newest state any more. */
static void edited_elsewhere(void **state)
{
	struct check *c = eager();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	leave(c);
	feed(c, 1, FP_EV_FLUSH_TASK, TASK, false);
	come_back(c);
	check__free(c);
	assert_int_equal(nr_told, 0);
}

/* TASK was saved when it was switched out, and is loaded once more. */
static void given_up_but_saved(void **state)
{
	struct check *c = eager();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	leave(c);
	come_back(c);
	assert_int_equal(nr_told, 0);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	expect(c, FP_BREACH_GIVEN_UP);
}

static void old_image(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_EXEC, TASK, false);
	feed(c, 0, FP_EV_FORK, TASK, false);
	expect(c, FP_BREACH_OLD_IMAGE);
}

/* After a violation that CPU is not known: it is told once. */
static void tells_once(void **state)
{
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_BIND_VCPU, VCPU, true);
	feed(c, 0, FP_EV_RUN_END, TASK, false);
	feed(c, 0, FP_EV_FORK, TASK, false);
	feed(c, 0, FP_EV_SAVE, TASK, true);
	expect(c, FP_BREACH_STILL_BOUND);
}

/* A fact waits for the records before it, and not for those after. */
static void facts_in_order(void **state)
{
	struct fp_fact fact = { .ns = 2500,
				.cpu = 0,
				.breach = FP_BREACH_NOT_SYNCED };
	struct check *c = begin();

	(void)state;
	check__fact(c, &fact);
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 1, FP_EV_LOAD, OTHER, false);
	assert_int_equal(nr_told, 0);
	feed(c, 0, FP_EV_SWITCH, TASK, false);
	assert_int_equal(nr_told, 1);
	assert_int_equal(told.nr_events, 1);
	assert_int_equal(told.events[0].ev.kind, FP_EV_LOAD);
	expect(c, FP_BREACH_NOT_SYNCED);
}

static void the_log(void **state)
{
	struct check *c = begin();

	(void)state;
	check__log(c, "kernel BUG at arch/arm64/kernel/fpsimd.c:1904!");
	expect(c, FP_BREACH_KERNEL_SAYS);
}

/* What is lost makes nothing known, and nothing broken. */
static void a_gap(void **state)
{
	struct fp_rec rec = { .ns = 9000,
			      .slot = FP_NO_SLOT,
			      .flags = FP_REC_GAP,
			      .ev = { .buf = OTHER, .kind = FP_EV_LOAD } };
	struct check *c = begin();

	(void)state;
	feed(c, 0, FP_EV_LOAD, TASK, false);
	feed(c, 0, FP_EV_SWITCH, TASK, false);
	assert_int_equal(check__feed(c, &rec), 0);
	check__free(c);
	assert_int_equal(nr_told, 0);
}

static void each_rule_is_told_of(void **state)
{
	unsigned int i, b;

	(void)state;
	for (i = 0; i < FP_RULES; i++) {
		assert_non_null(rules[i].kernels);
		assert_non_null(rules[i].guards);
		assert_non_null(rules[i].needs);
		assert_non_null(rules[i].breaks);
		assert_non_null(rules[i].mirrors);
		assert_non_null(rules[i].bug);
		assert_int_equal(rule__by_id(rule__id(i)), i);
		for (b = 0; b < FP_BREACHES && breach__rule(b) != i; b++)
			;
		/* It can be broken if it is asked, and only then. */
		assert_int_equal(b < FP_BREACHES, rules[i].how != RULE_NEVER);
	}
}

/* What is looked at in the kernel, case by case. */
static void looks(void **state)
{
	struct fp_look l = { .last = VCPU,
			     .task = TASK,
			     .vcpu = VCPU,
			     .home = 0,
			     .nr_cpus = 2,
			     .owner = FP_HINT_GUEST,
			     .has_ctxflush = 1,
			     .eager = 1 };

	(void)state;
	assert_int_equal(fp_look_entry(&l), FP_BREACHES);
	l.owner = FP_HINT_HOST;
	assert_int_equal(fp_look_entry(&l), FP_BREACH_OWNER_FORGOT);
	l.last = TASK;
	assert_int_equal(fp_look_entry(&l), FP_BREACH_HOST_BOUND);
	l.eager = 0;
	assert_int_equal(fp_look_entry(&l), FP_BREACHES);
	l.owner = FP_HINT_GUEST;
	assert_int_equal(fp_look_entry(&l), FP_BREACH_OTHERS_REGS);
	l.owner = FP_HINT_HOST;
	l.last = OTHER;
	assert_int_equal(fp_look_entry(&l), FP_BREACH_OTHERS_REGS);
	l.foreign = 1;
	assert_int_equal(fp_look_entry(&l), FP_BREACHES);
	l.owner = FP_HINT_GUEST;
	assert_int_equal(fp_look_entry(&l), FP_BREACH_OWNER_STALE);
	l.has_ctxflush = 0;
	assert_int_equal(fp_look_entry(&l), FP_BREACHES);

	assert_int_equal(fp_look_bind(&l, 1), FP_BREACHES);
	l.foreign = 0;
	assert_int_equal(fp_look_bind(&l, 1), FP_BREACH_NOT_BOUND);
	assert_int_equal(fp_look_bind(&l, 0), FP_BREACH_OTHERS_REGS);
	l.last = TASK;
	assert_int_equal(fp_look_bind(&l, 0), FP_BREACHES);
	l.eager = 1;
	assert_int_equal(fp_look_bind(&l, 0), FP_BREACH_HOST_BOUND);
	l.last = VCPU;
	assert_int_equal(fp_look_bind(&l, 0), FP_BREACHES);

	assert_int_equal(fp_look_exit(&l), FP_BREACHES);
	l.last = TASK;
	assert_int_equal(fp_look_exit(&l), FP_BREACH_NOT_BOUND);
	l.foreign = 1;
	assert_int_equal(fp_look_exit(&l), FP_BREACH_NOT_SYNCED);
	l.last = VCPU;
	l.foreign = 0;

	assert_int_equal(fp_look_save(&l), FP_BREACHES);
	l.owner = FP_HINT_HOST;
	assert_int_equal(fp_look_save(&l), FP_BREACH_OWNER_FORGOT);
	l.last = OTHER;
	assert_int_equal(fp_look_save(&l), FP_BREACH_WRONG_BUFFER);
	l.last = 0;
	assert_int_equal(fp_look_save(&l), FP_BREACH_NO_BUFFER);
	l.last = TASK;
	assert_int_equal(fp_look_save(&l), FP_BREACHES);
	l.home = 1;
	assert_int_equal(fp_look_save(&l), FP_BREACH_WRONG_HOME);
	l.home = 2; /* no CPU */
	assert_int_equal(fp_look_save(&l), FP_BREACHES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_twice),
		cmocka_unit_test(bound_at_its_end),
		cmocka_unit_test(bound_at_its_end_here),
		cmocka_unit_test(loaded_again),
		cmocka_unit_test(host_bound_at_exit),
		cmocka_unit_test(host_bound_after_load),
		cmocka_unit_test(no_save_in_softirq),
		cmocka_unit_test(bound_after_put),
		cmocka_unit_test(bound_at_load),
		cmocka_unit_test(saved_over_another),
		cmocka_unit_test(no_save_at_switch),
		cmocka_unit_test(took_over),
		cmocka_unit_test(shows_what_led_there),
		cmocka_unit_test(wrong_memory),
		cmocka_unit_test(wrong_memory_then_load),
		cmocka_unit_test(edit_not_loaded),
		cmocka_unit_test(edited_elsewhere),
		cmocka_unit_test(given_up_but_saved),
		cmocka_unit_test(old_image),
		cmocka_unit_test(tells_once),
		cmocka_unit_test(facts_in_order),
		cmocka_unit_test(the_log),
		cmocka_unit_test(a_gap),
		cmocka_unit_test(each_rule_is_told_of),
		cmocka_unit_test(looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
