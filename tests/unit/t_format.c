// SPDX-License-Identifier: GPL-2.0-only
/*
 * In which format a user state is moved: some cases by hand, and then a kernel that
 * keeps TIF_SVE and fp_type as 5.10, 6.1 and 6.12 do. What it moves must be
 * foretold from its records, or be left open; and never wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format.h"
#include "fpstat/model.h"

enum { TASK = 0x1000, SVE_BYTES = 2192 };

static struct format_said feed(struct formats *f, struct fp_event ev,
			       uint64_t bytes, uint32_t step)
{
	const struct fp_rec rec = { .ev = ev, .other = bytes };
	struct format_said said;

	formats__step(f, &rec, step, &said);
	return said;
}

/* By the thread with this number; 0: by another one, which does not know it. */
#define BY(n, k, ...)                                                          \
	((struct fp_event){                                                    \
		.kind = FP_EV_##k, .buf = TASK, .gen = n, ##__VA_ARGS__ })
#define TELL(f, ...) ((void)feed(f, BY(1, __VA_ARGS__), 0, 0))
#define SAVE(f, bytes, ...)                                                    \
	feed(f, BY(1, SAVE, ##__VA_ARGS__), bytes, FP_OP_USER_SAVE)
#define SAVE_OF(f, ops) feed(f, BY(1, SAVE), 0, ops)
#define LOAD_BY(f, n, bytes) feed(f, BY(n, LOAD), bytes, FP_OP_USER_LOAD)
#define LOAD(f, bytes) LOAD_BY(f, 1, bytes)

static void check(struct format_said said, enum format found,
		  enum format foretold)
{
	assert_true(said.told);
	assert_int_equal(said.found, found);
	assert_int_equal(said.foretold, foretold);
}

static int setup(void **state)
{
	*state = formats__new();
	return !*state;
}

static int teardown(void **state)
{
	formats__free(*state);
	return 0;
}

/* Nothing is known at first; then a load takes what a save left. */
static void what_was_saved(void **state)
{
	struct formats *f = *state;

	check(LOAD(f, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
	TELL(f, SVE_TRAP);
	check(SAVE(f, SVE_BYTES), FORMAT_SVE, FORMAT_UNKNOWN);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_SVE);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_FPSIMD); /* wrong */
}

static void plain_until_it_traps(void **state)
{
	struct formats *f = *state;

	LOAD(f, 520);
	check(SAVE(f, SVE_BYTES), FORMAT_SVE, FORMAT_FPSIMD); /* wrong */
	LOAD(f, 520);
	TELL(f, SVE_TRAP);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
}

/* Inside KVM_RUN and fork() it is in a system call, whatever it used before. */
static void in_system_calls(void **state)
{
	struct formats *f = *state;

	LOAD(f, SVE_BYTES);
	check(SAVE(f, 520, .in_run = 1), FORMAT_FPSIMD, FORMAT_FPSIMD);
	TELL(f, FORK);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
}

/* In 5.10 the guest's trap saves it, out of sight. */
static void in_the_hypervisor(void **state)
{
	struct formats *f = *state;

	SAVE(f, SVE_BYTES);
	TELL(f, VLOAD, .foreign = 1);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_SVE);
	TELL(f, VLOAD);
	check(LOAD(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
}

/* The trap converts what is in memory, if it must. */
static void converted(void **state)
{
	struct formats *f = *state;

	LOAD(f, 520);
	TELL(f, SVE_TRAP);
	SAVE(f, 520);
	TELL(f, FLUSH_TASK);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_SVE);
	TELL(f, SVE_TRAP);
	TELL(f, PRESERVE); /* a signal, later */
	SAVE(f, 520);
	TELL(f, FLUSH_TASK);
	check(LOAD(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
}

static void edited(void **state)
{
	struct formats *f = *state;

	LOAD(f, 520);
	TELL(f, RESTORE);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_UNKNOWN);
	TELL(f, EXEC);
	check(SAVE(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
	check(LOAD(f, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
	feed(f, BY(0, PTRACE), 0, 0);
	check(LOAD(f, SVE_BYTES), FORMAT_SVE, FORMAT_UNKNOWN);
}

/* The memory of a thread goes to another one; records are lost. */
static void forgotten(void **state)
{
	struct formats *f = *state;
	const struct fp_rec gap = { .ev = { .kind = FP_EV_SWITCH },
				    .flags = FP_REC_GAP };
	struct format_said said;

	LOAD(f, 520);
	check(LOAD_BY(f, 2, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
	check(LOAD_BY(f, 2, 520), FORMAT_FPSIMD, FORMAT_FPSIMD);
	feed(f, BY(2, TASK_END), 0, 0);
	check(LOAD_BY(f, 2, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
	formats__step(f, &gap, 0, &said);
	check(LOAD_BY(f, 2, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
}

/* No word on hosts without SVE; where it was not seen, nothing is known. */
static void not_seen(void **state)
{
	struct formats *f = *state;

	assert_false(LOAD(f, 0).told);
	assert_false(SAVE_OF(f, FP_OP_GUEST_SAVE).told);
	assert_false(SAVE_OF(f, 0).told);
	check(SAVE(f, FP_BYTES_UNSEEN), FORMAT_UNKNOWN, FORMAT_UNKNOWN);
	check(LOAD(f, 520), FORMAT_FPSIMD, FORMAT_UNKNOWN);
}

/* ---- a kernel ---- */

enum { TASKS = 3, STEPS = 300000 };

/* The rules that differ: 5.10, 6.1, 6.12. */
static const struct rules {
	bool discards; /* a system call begins without TIF_SVE */
	bool through_memory; /* the trap always goes there */
	bool by_type; /* fp_type decides what is loaded, and TIF_SVE follows */
} kernels[] = { { true, true, false },
		{ true, false, false },
		{ false, false, true } };

struct thread {
	bool sve; /* TIF_SVE */
	bool type; /* SVE is what memory holds */
	bool live; /* not TIF_FOREIGN_FPSTATE */
	bool calls;
};

struct world {
	const struct rules *k;
	struct formats *f;
	struct thread t[TASKS];
	unsigned int now; /* current */
	uint64_t same[3], open;
};

static unsigned int dice(unsigned int n)
{
	return (unsigned int)rand() % n;
}

static struct fp_event about(const struct world *w, uint8_t kind)
{
	return (struct fp_event){ .kind = kind,
				  .buf = TASK + w->now * 0x1000,
				  .gen = w->now + 1,
				  .foreign = !w->t[w->now].live };
}

static void tell(struct world *w, uint8_t kind)
{
	feed(w->f, about(w, kind), 0, 0);
}

static void move(struct world *w, uint8_t kind, bool sve, uint32_t step)
{
	struct format_said said =
		feed(w->f, about(w, kind), sve ? SVE_BYTES : 520, step);

	assert_int_equal(said.found, sve ? FORMAT_SVE : FORMAT_FPSIMD);
	if (!said.foretold) {
		w->open++;
		return;
	}
	assert_int_equal(said.foretold, said.found);
	w->same[said.found]++;
}

static void save(struct world *w)
{
	struct thread *t = &w->t[w->now];

	if (!t->live)
		return;
	t->type = t->sve && !(t->calls && w->k->by_type);
	move(w, FP_EV_SAVE, t->type, FP_OP_USER_SAVE);
}

static void to_user(struct world *w)
{
	struct thread *t = &w->t[w->now];
	bool sve = w->k->by_type ? t->type : t->sve;

	t->calls = false;
	if (t->live)
		return;
	move(w, FP_EV_LOAD, sve, FP_OP_USER_LOAD);
	t->sve = sve;
	t->live = true;
}

static void enter_call(struct world *w)
{
	to_user(w);
	w->t[w->now].calls = true;
	if (w->k->discards)
		w->t[w->now].sve = false;
}

static void switch_to(struct world *w, unsigned int next)
{
	save(w);
	w->t[w->now].live = false;
	w->now = next;
}

static void trap(struct world *w)
{
	struct thread *t = &w->t[w->now];

	to_user(w);
	if (t->sve)
		return;
	tell(w, FP_EV_SVE_TRAP);
	if (w->k->through_memory || dice(4) == 0) {
		save(w); /* also by a preemption */
		tell(w, FP_EV_FLUSH_TASK);
		t->live = false;
		t->type = true;
	}
	t->sve = true;
	to_user(w);
}

/* What is done to the state in memory, in a system call. */
static void edit_state(struct world *w, uint8_t kind, bool sve)
{
	struct thread *t = &w->t[w->now];

	enter_call(w);
	tell(w, kind);
	t->live = false;
	tell(w, FP_EV_FLUSH_TASK);
	t->sve = t->type = sve;
	to_user(w);
}

/* From 6.16 on a signal flushes, too. */
static void signals(struct world *w)
{
	to_user(w);
	if (dice(2))
		enter_call(w);
	tell(w, FP_EV_PRESERVE);
	save(w);
	if (w->k->by_type) {
		tell(w, FP_EV_FLUSH_TASK);
		w->t[w->now].live = false;
	}
	to_user(w);
}

static void something(struct world *w)
{
	switch (dice(8)) {
	case 0:
		trap(w);
		break;
	case 1:
		enter_call(w);
		break;
	case 2:
		switch_to(w, dice(TASKS));
		break;
	case 3:
		edit_state(w, FP_EV_RESTORE, dice(2));
		break;
	case 4:
		edit_state(w, FP_EV_EXEC, false);
		break;
	case 5:
		enter_call(w);
		tell(w, FP_EV_FORK);
		save(w);
		break;
	case 6:
		signals(w);
		break;
	default:
		to_user(w);
		break;
	}
}

static void as_a_kernel_does(void **state)
{
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		struct world w = { .k = &kernels[i], .f = formats__new() };

		assert_non_null(w.f);
		srand(1);
		for (n = 0; n < STEPS; n++)
			something(&w);
		print_message("kernel %zu: %llu FPSIMD, %llu SVE, %llu open\n",
			      i, (unsigned long long)w.same[FORMAT_FPSIMD],
			      (unsigned long long)w.same[FORMAT_SVE],
			      (unsigned long long)w.open);
		assert_true(w.same[FORMAT_FPSIMD] > STEPS / 10);
		assert_true(w.same[FORMAT_SVE] > STEPS / 100);
		formats__free(w.f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved),
		TEST(plain_until_it_traps),
		TEST(in_system_calls),
		TEST(in_the_hypervisor),
		TEST(converted),
		TEST(edited),
		TEST(forgotten),
		TEST(not_seen),
		cmocka_unit_test(as_a_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
