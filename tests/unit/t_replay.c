// SPDX-License-Identifier: GPL-2.0-only
/* Streams that cannot be: where that is noticed, and what is known after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "replay.h"
#include "whatif.h"

enum { CPUS = 2, TASK = 0x1000, OTHER = 0x2000, VCPU = 0x3000, SLOT = 7 };

static struct fp_rec record(uint8_t kind, uint64_t buf, bool foreign,
			    uint64_t ns)
{
	return (struct fp_rec){
		.ns = ns,
		.ev = { .buf = buf, .gen = 1, .kind = kind, .foreign = foreign },
		.slot = FP_NO_SLOT,
	};
}

static void step(struct replay *r, uint8_t kind, uint64_t buf, bool foreign,
		 uint64_t ns)
{
	const struct fp_rec rec = record(kind, buf, foreign, ns);

	replay__step(r, &rec);
}

static void check_doubt(const struct replay *r, uint64_t first, uint64_t ns,
			const char *what)
{
	const struct replay_doubt *d = replay__doubt(r);

	assert_int_equal(d->count, 1);
	assert_int_equal(d->first, first);
	assert_int_equal(d->ns, ns);
	assert_string_equal(d->what, what);
}

/* A task is loaded over one that was never saved. */
static void lost_state(void **state)
{
	struct replay *r = replay__new(CPUS);
	struct fp_ops task;

	(void)state;
	step(r, FP_EV_LOAD, TASK, true, 10);
	step(r, FP_EV_LOAD, OTHER, true, 20);
	check_doubt(r, 2, 20, "a state was lost");
	task = replay__task(r);
	assert_int_equal(task.load, 2);
	assert_int_equal(task.verdict[FP_VERDICT_LOAD_NEEDED], 0);
	assert_int_equal(task.verdict[FP_VERDICT_LOAD_LIVE], 0);

	/* What it holds is known again from the next load. */
	step(r, FP_EV_SAVE, OTHER, false, 30);
	step(r, FP_EV_LOAD, OTHER, true, 40);
	step(r, FP_EV_SAVE, OTHER, false, 50);
	step(r, FP_EV_LOAD, TASK, true, 60);
	task = replay__task(r);
	assert_int_equal(task.verdict[FP_VERDICT_UNKNOWN], 1);
	assert_int_equal(task.verdict[FP_VERDICT_NEEDED], 1);
	assert_int_equal(task.verdict[FP_VERDICT_LOAD_NEEDED], 1);
	assert_int_equal(replay__doubt(r)->count, 1);
	replay__free(r);
}

/* What was moved beyond FPSIMD; of a save by the guest's trap nothing is told. */
static void formats(void **state)
{
	struct replay *r = replay__new(CPUS);
	struct fp_rec load = record(FP_EV_LOAD, TASK, false, 10);
	struct fp_rec save = record(FP_EV_SAVE, TASK, false, 20);
	struct fp_ops task;

	(void)state;
	load.other = 2192;
	replay__step(r, &load);
	save.other = 520;
	replay__step(r, &save);
	save.other = 1644;
	replay__step(r, &save);
	task = replay__task(r);
	assert_int_equal(task.load_more, 2192 - 520);
	assert_int_equal(task.save_more, 1644 - 520);
	assert_int_equal(task.unseen, 0);
	save.other = FP_BYTES_UNSEEN;
	replay__step(r, &save);
	assert_int_equal(replay__task(r).unseen, 1);
	assert_int_equal(replay__task(r).save_more, 1644 - 520);
	step(r, FP_EV_BIND_VCPU, VCPU, false, 30);
	assert_int_equal(replay__task(r).save, 4);
	assert_int_equal(replay__task(r).save_more, 1644 - 520);
	replay__free(r);
}

/* One CPU has the newest value of a state, and another one loads it. */
static void two_newest_values(void **state)
{
	struct replay *r = replay__new(CPUS);
	struct fp_rec rec = record(FP_EV_SWITCH, OTHER, true, 20);

	(void)state;
	step(r, FP_EV_LOAD, TASK, true, 10);
	rec.letter = TASK | FP_NOTE_MOVED;
	replay__step(r, &rec);
	check_doubt(r, 2, 20, "a state was lost");
	replay__free(r);
}

/* Whoever saves may have died in the gap, or NEON may have begun: nothing is redundant. */
static void a_save_after_a_gap(void **state)
{
	struct replay *r = replay__new(CPUS);
	struct fp_rec rec = record(FP_EV_SAVE, TASK, false, 20);
	struct fp_ops task;

	(void)state;
	step(r, FP_EV_LOAD, TASK, true, 10);
	rec.flags = FP_REC_GAP;
	replay__step(r, &rec);
	step(r, FP_EV_LOAD, TASK, true, 30);
	task = replay__task(r);
	assert_int_equal(task.save, 1);
	assert_int_equal(task.verdict[FP_VERDICT_UNKNOWN], 1);
	assert_int_equal(task.load, 2);
	assert_int_equal(task.verdict[FP_VERDICT_LOAD_LIVE], 0);
	assert_int_equal(task.verdict[FP_VERDICT_LOAD_NEEDED], 0);
	replay__free(r);
}

/* No softirq takes so long that its record may be so late. */
static void time_goes_back(void **state)
{
	struct replay *r = replay__new(CPUS);

	(void)state;
	step(r, FP_EV_LOAD, TASK, true, 20000000000);
	step(r, FP_EV_SAVE, TASK, false, 20000000001);
	step(r, FP_EV_SWITCH, TASK, false, 10000000101); /* a softirq's */
	assert_int_equal(replay__doubt(r)->count, 0);
	step(r, FP_EV_LOAD, OTHER, true, 1);
	check_doubt(r, 4, 1, "the time went back");
	assert_int_equal(replay__task(r).verdict[FP_VERDICT_UNKNOWN], 1);
	assert_int_equal(replay__task(r).verdict[FP_VERDICT_NEEDED], 0);
	replay__free(r);
}

static void no_such_cpu(void **state)
{
	struct replay *r = replay__new(CPUS);
	struct fp_rec rec = record(FP_EV_LOAD, TASK, true, 5);

	(void)state;
	rec.cpu = CPUS;
	replay__step(r, &rec);
	check_doubt(r, 1, 5, "there is no such CPU");
	assert_int_equal(replay__task(r).load, 0);
	replay__free(r);
}

static void feed(struct whatif *w, uint8_t kind, uint64_t ns)
{
	struct fp_rec rec = record(kind, TASK, true, ns);

	rec.slot = SLOT;
	rec.ev.foreign = kind != FP_EV_VLOAD && kind != FP_EV_SAVE;
	rec.ev.in_run = kind == FP_EV_SAVE;
	if (kind == FP_EV_VLOAD)
		rec.other = VCPU;
	else if (kind == FP_EV_BIND_VCPU)
		rec.ev.buf = VCPU;
	assert_int_equal(whatif__feed(w, &rec), 0);
}

/* A KVM_RUN in which the guest loads its state. */
static struct range run(struct whatif *w, uint64_t ns)
{
	feed(w, FP_EV_VLOAD, ns);
	feed(w, FP_EV_SAVE, ns);
	feed(w, FP_EV_BIND_VCPU, ns);
	feed(w, FP_EV_SAVE, ns);
	feed(w, FP_EV_RUN_END, ns);
	feed(w, FP_EV_LOAD, ns);
	return whatif__total(w, POLICY_MARTIN).guest.load.done;
}

static const struct blame_namer no_names;

/* From there on no policy is certain of what it would find. */
static void policies_are_unsure_after_it(void **state)
{
	struct whatif *w = whatif__new(CPUS, no_names);
	struct range before, sure, unsure;

	(void)state;
	before = run(w, 20000000000);
	sure = run(w, 20000000000);
	assert_int_equal(sure.lo, before.lo + 1);
	assert_int_equal(sure.hi, before.hi + 1);
	unsure = run(w, 1);
	assert_int_equal(unsure.lo, sure.lo);
	assert_true(unsure.hi > sure.hi);
	whatif__free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_state),
		cmocka_unit_test(formats),
		cmocka_unit_test(two_newest_values),
		cmocka_unit_test(a_save_after_a_gap),
		cmocka_unit_test(time_goes_back),
		cmocka_unit_test(no_such_cpu),
		cmocka_unit_test(policies_are_unsure_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
