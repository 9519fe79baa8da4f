// SPDX-License-Identifier: GPL-2.0-only
/* The life of a slot, and that no row is lost between two of its states. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "conserve.h"
#include "slots.h"

enum { CPUS = 2 };

static struct fp_vcpu *vcpus;
static struct fp_percpu cpus[CPUS];
static struct slots *slots;

static int setup(void **state)
{
	(void)state;
	vcpus = calloc(FP_MAX_VCPUS, sizeof(*vcpus));
	memset(cpus, 0, sizeof(cpus));
	slots = slots__new(vcpus, cpus, CPUS, FP_FPSIMD_BYTES);
	return !vcpus || !slots;
}

static int teardown(void **state)
{
	(void)state;
	slots__free(slots);
	free(vcpus);
	return 0;
}

/* What take_slot() of BPF does. */
static struct fp_vcpu *take(uint32_t vcpu_id)
{
	struct fp_percpu *c = &cpus[0];
	struct fp_vcpu *v;

	assert_int_not_equal(c->free_head, c->free_tail);
	v = &vcpus[c->free[c->free_head++ % FP_FREE_RING]];
	assert_int_equal(v->state, FP_SLOT_FREE);
	v->vcpu_id = vcpu_id;
	v->slot = (uint32_t)(v - vcpus);
	v->gen++;
	v->state = FP_SLOT_LIVE;
	return v;
}

static struct snapshot read_all(void)
{
	struct snapshot s = {};
	char why[256];

	assert_int_equal(slots__snapshot(slots, vcpus, &s), 0);
	assert_true(conserve__check(&s, why, sizeof(why)));
	return s;
}

static const struct snap_vcpu *find(const struct snapshot *s, uint32_t vcpu_id)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].vcpu_id == vcpu_id)
			return &s->vcpus[i];
	}
	return NULL;
}

static uint64_t saves_of(uint32_t vcpu_id, enum snap_vcpu_state state)
{
	struct snapshot s = read_all();
	const struct snap_vcpu *row = find(&s, vcpu_id);
	uint64_t saves;

	assert_non_null(row);
	assert_int_equal(row->state, state);
	saves = row->guest.save.done;
	snapshot__free(&s);
	return saves;
}

/* It keeps its row whatever becomes of the slot. */
static void lives(void **state)
{
	struct fp_vcpu *v = take(7);

	(void)state;
	v->guest.save = v->guest.verdict[FP_VERDICT_NEEDED] = 3;
	assert_int_equal(saves_of(7, SNAP_VCPU_LIVE), 3);
	v->state = FP_SLOT_DEAD;
	assert_int_equal(slots__tick(slots), 0);
	assert_int_equal(v->state, FP_SLOT_DEAD); /* it rests */
	v->guest.save = v->guest.verdict[FP_VERDICT_NEEDED] = 4;
	assert_int_equal(slots__tick(slots), 0);
	assert_int_equal(v->state, FP_SLOT_FREE);
	assert_int_equal(v->guest.save, 0);
	assert_int_equal(saves_of(7, SNAP_VCPU_ENDED), 4);
}

/* A save that waits for its verdict keeps the slot. */
static void awaits(void **state)
{
	struct fp_judge *j = &cpus[1].judge;
	struct fp_vcpu *v = take(7);

	(void)state;
	v->guest.save = 1;
	j->who = FP_WHO_GUEST;
	j->slot = v->slot;
	j->pending = 1;
	v->state = FP_SLOT_DEAD;
	slots__tick(slots);
	slots__tick(slots);
	assert_int_equal(v->state, FP_SLOT_DEAD);
	v->guest.verdict[FP_VERDICT_DEAD] = 1;
	j->pending = 0;
	slots__tick(slots);
	assert_int_equal(v->state, FP_SLOT_FREE);
	assert_int_equal(saves_of(7, SNAP_VCPU_ENDED), 1);
}

static void folds(void **state)
{
	struct fp_vcpu *v;
	struct snapshot s;
	uint32_t i;

	(void)state;
	slots__keep(slots, 2);
	for (i = 0; i < 5; i++) {
		v = take(i);
		v->guest.save = v->guest.verdict[FP_VERDICT_NEEDED] = 10 + i;
		v->state = FP_SLOT_DEAD;
		slots__tick(slots);
		slots__tick(slots);
	}
	s = read_all();
	assert_int_equal(s.nr_vcpus, 2);
	assert_int_equal(s.folded, 3);
	assert_int_equal(s.folded_sum.guest.save.done, 10 + 11 + 12);
	assert_int_equal(find(&s, 4)->guest.save.done, 14);
	snapshot__free(&s);
}

/* Exits are counted by CPU, too; in a copy they stand still. */
static void quiet_exits(void **state)
{
	static struct fp_quiet rows[CPUS] = { { .live = 90 }, { .live = 10 } };
	struct fp_vcpu *v = take(7), *copy;
	struct snapshot s = {};

	(void)state;
	slots__quiet(slots, rows, true);
	v->exits = 5;
	v->quiet_live = fp_quiet_begin(v->quiet_live, 1, rows[1].live);
	v->quiet_away = fp_quiet_begin(v->quiet_away, 1, rows[1].away);
	rows[1].live += 3;
	rows[1].away += 4;
	copy = calloc(slots__high(slots), sizeof(*copy));
	assert_non_null(copy);
	memcpy(copy, vcpus, slots__high(slots) * sizeof(*copy));
	slots__copy_quiet(slots, copy);
	v->quiet_live = fp_quiet_end(v->quiet_live, rows[1].live);
	v->quiet_away = fp_quiet_end(v->quiet_away, rows[1].away);
	rows[1].live++; /* another one's */
	s = read_all();
	assert_int_equal(find(&s, 7)->exits, 5 + 3 + 4);
	assert_int_equal(find(&s, 7)->guest_runs_live, 3);
	snapshot__free(&s);
	v->exits++;
	assert_int_equal(slots__snapshot(slots, copy, &s), 0);
	assert_int_equal(find(&s, 7)->exits, 5 + 3 + 4);
	snapshot__free(&s);
	free(copy);
}

static bool stop;

/* Another CPU, on which a vcpu comes alive at any time. */
static void *flicker(void *slot)
{
	struct fp_vcpu *v = slot;
	uint32_t s = FP_SLOT_FREE;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		s = s == FP_SLOT_FREE ? FP_SLOT_LIVE : FP_SLOT_FREE;
		__atomic_store_n(&v->state, s, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Then a row behind it must not be pushed out. */
static void crowded(void **state)
{
	struct fp_vcpu *first = take(1), *last = take(2);
	bool found = true;
	struct snapshot s;
	pthread_t thread;
	int i;

	(void)state;
	assert_true(first < last);
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, flicker, first), 0);
	for (i = 0; found && i < 20000; i++) {
		s = read_all();
		found = find(&s, 2);
		snapshot__free(&s);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lives, setup, teardown),
		cmocka_unit_test_setup_teardown(awaits, setup, teardown),
		cmocka_unit_test_setup_teardown(folds, setup, teardown),
		cmocka_unit_test_setup_teardown(quiet_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(crowded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
