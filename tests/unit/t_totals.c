// SPDX-License-Identifier: GPL-2.0-only
/* The sums of a host are those of its vcpus, tasks and kernel NEON, at each record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../fuzz/record.h"
#include "fpstat/judge.h"
#include "fpstat/model.h"
#include "replay.h"
#include "totals.h"

static void add(struct totals_ops *sum, const struct fp_ops *o)
{
	sum->saves += o->save;
	sum->loads += o->load;
	sum->redundant_saves += o->verdict[FP_VERDICT_CLEAN] +
				o->verdict[FP_VERDICT_UNCLOBBERED] +
				o->verdict[FP_VERDICT_DEAD];
	sum->redundant_loads += o->verdict[FP_VERDICT_LOAD_LIVE];
}

static struct totals sum_of(const struct replay *r)
{
	const struct fp_ops task = replay__task(r), kernel = replay__kernel(r);
	struct totals sum = {};
	uint32_t slot;

	for (slot = 0; slot < FUZZ_SLOTS; slot++) {
		const struct replay_vcpu *v = replay__vcpu(r, slot);

		if (!v)
			continue;
		sum.exits += v->exits;
		sum.live += v->runs_live;
		add(&sum.guest, &v->guest);
		add(&sum.host, &v->host);
	}
	add(&sum.other, &task);
	add(&sum.other, &kernel);
	return sum;
}

/* All that happens to a guest is charged to one that has a slot. */
static struct fp_rec make_record(uint64_t ns)
{
	uint8_t bytes[FUZZ_RECORD];
	struct fp_rec rec;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(random() >> 8);
	rec = fuzz_record(bytes, ns);
	if (random() % 4)
		rec.flags = 0;
	if (rec.slot == FP_NO_SLOT &&
	    (rec.ev.in_run || rec.ev.kind == FP_EV_VLOAD ||
	     rec.ev.kind == FP_EV_BIND_VCPU))
		rec.slot = 0;
	return rec;
}

static void same_ops(const struct totals_ops *a, const struct totals_ops *b)
{
	assert_int_equal(a->saves, b->saves);
	assert_int_equal(a->loads, b->loads);
	assert_int_equal(a->redundant_saves, b->redundant_saves);
	assert_int_equal(a->redundant_loads, b->redundant_loads);
}

static void step(struct replay *r, struct totals *t, const struct fp_rec *rec)
{
	struct totals sum;

	replay__step(r, rec);
	totals__add(t, rec, r);
	sum = sum_of(r);
	assert_int_equal(t->exits, sum.exits);
	assert_int_equal(t->live, sum.live);
	same_ops(&t->guest, &sum.guest);
	same_ops(&t->host, &sum.host);
	same_ops(&t->other, &sum.other);
}

/* A softirq's NEON that looked nested was counted; now it turns out that it was not. */
static bool may_revoke(const struct replay *r, const struct fp_rec *last)
{
	return last->ev.kind == FP_EV_NEON_NEST &&
	       replay__step_made(r) & FP_OP_KERNEL_SAVE;
}

static void at_random(void **state)
{
	struct replay *r = replay__new(FUZZ_CPUS);
	struct fp_rec rec = {};
	struct totals t;
	uint64_t ns = 0;
	uint32_t cpu;
	int i;

	(void)state;
	srandom(1);
	assert_non_null(r);
	assert_int_equal(totals__init(&t, FUZZ_CPUS), 0);
	for (cpu = 0; cpu < FUZZ_CPUS; cpu++) {
		rec = (struct fp_rec){ .ev.kind = FP_EV_VLOAD, .cpu = cpu };
		step(r, &t, &rec);
	}
	for (i = 0; i < 200000; i++) {
		bool revoked = may_revoke(r, &rec) && random() % 2;

		cpu = rec.cpu;
		rec = make_record(ns += 1000);
		if (revoked) {
			rec.cpu = cpu;
			rec.flags |= FP_REC_REVOKE;
		}
		step(r, &t, &rec);
	}
	assert_true(t.guest.redundant_saves && t.guest.redundant_loads);
	assert_true(t.host.redundant_saves && t.host.redundant_loads);
	assert_true(t.other.redundant_saves && t.other.redundant_loads);
	totals__free(&t);
	replay__free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
