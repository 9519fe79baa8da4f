// SPDX-License-Identifier: GPL-2.0-only
/* A kernel that does not do what its policy says, and the first such decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view.h"
#include "whatif.h"

enum { CPUS = 2, TASK = 0x1000, KTHREAD = 0x2000, VCPU = 0x3000, SLOT = 7 };

struct event {
	uint8_t kind;
	bool foreign;
	bool in_run;
	uint64_t other;
};

static void feed(struct whatif *w, const struct event *e)
{
	struct fp_rec rec = {
		.ev = { .buf = TASK,
			.kind = e->kind,
			.foreign = e->foreign,
			.in_run = e->in_run },
		.other = e->other,
		.slot = e->in_run || e->kind == FP_EV_VLOAD ? SLOT : FP_NO_SLOT,
	};

	if (e->kind == FP_EV_BIND_VCPU)
		rec.ev.buf = VCPU;
	assert_int_equal(whatif__feed(w, &rec), 0);
}

#define FEED(w, ...)                                                           \
	do {                                                                   \
		const struct event list[] = { __VA_ARGS__ };                   \
		size_t i_;                                                     \
		for (i_ = 0; i_ < sizeof(list) / sizeof(list[0]); i_++)        \
			feed(w, &list[i_]);                                    \
	} while (0)

#define USER_LOAD                                                              \
	{                                                                      \
		FP_EV_LOAD, .foreign = false                                   \
	}
#define EAGER_VLOAD                                                            \
	{ .kind = FP_EV_VLOAD, .other = VCPU },                                \
	{                                                                      \
		FP_EV_SAVE, .in_run = true                                     \
	}
#define GUEST_LOAD                                                             \
	{                                                                      \
		FP_EV_BIND_VCPU, .foreign = true, .in_run = true               \
	}
#define GUEST_SAVE                                                             \
	{                                                                      \
		FP_EV_SAVE, .in_run = true                                     \
	}
#define RUN_END                                                                \
	{                                                                      \
		FP_EV_RUN_END, .foreign = true                                 \
	}

static const struct blame_namer no_names;

/* The first run shows which policy it is; the second is foretold. */
static struct whatif *eager(void)
{
	struct whatif *w = whatif__new(CPUS, no_names);

	FEED(w, USER_LOAD, EAGER_VLOAD, GUEST_LOAD, GUEST_SAVE, RUN_END,
	     USER_LOAD, EAGER_VLOAD, GUEST_LOAD, GUEST_SAVE, RUN_END,
	     USER_LOAD);
	return w;
}

static void foretold(void **state)
{
	struct whatif *w = eager();
	const struct prove *p = whatif__proof(w);

	(void)state;
	assert_int_equal(prove__first(p)->record, 0);
	assert_int_equal(prove__kind(p, FP_EV_SAVE)->found[PROVE_USER], 1);
	assert_int_equal(prove__kind(p, FP_EV_SAVE)->found[PROVE_GUEST], 2);
	assert_int_equal(prove__kind(p, FP_EV_SAVE)->unsure, 1);
	assert_int_equal(prove__kind(p, FP_EV_BIND_VCPU)->found[PROVE_NOTHING],
			 2);
	assert_int_equal(prove__kind(p, FP_EV_LOAD)->found[PROVE_NOTHING], 2);
	assert_int_equal(prove__kind(p, FP_EV_LOAD)->unsure, 1);
	assert_int_equal(prove__kind(p, FP_EV_VLOAD)->found[PROVE_USER], 1);
	whatif__free(w);
}

static void check_first(struct whatif *w, uint64_t record, uint8_t kind,
			enum prove_found found, enum prove_found foretold)
{
	const struct prove *p = whatif__proof(w);
	const struct prove_first *f = prove__first(p);

	assert_int_equal(f->record, record);
	assert_int_equal(f->found, found);
	assert_int_equal(f->foretold, foretold);
	assert_int_equal(f->events[f->nr_events - 1].ev.kind, kind);
	assert_int_equal(prove__kind(p, kind)->differs, 1);
	whatif__free(w);
}

static void check_print(const struct whatif *w)
{
	const struct view v = { .whatif = w };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	view_prove__print(out, &v, true);
	fclose(out);
	assert_non_null(strstr(text, "open: 3; wrong: 1\n"));
	assert_non_null(strstr(text, "  switch             0          0"));
	assert_non_null(strstr(text, "record 16 of the stream: found user, "
				     "foretold nothing"));
	assert_non_null(
		strstr(text, " switch        0000000000001000, 0 exits"));
	free(text);
}

/* vcpu_load() saves and drops the host, but not this time. */
static void not_dropped(void **state)
{
	struct whatif *w = eager();

	(void)state;
	FEED(w, EAGER_VLOAD, { .kind = FP_EV_SWITCH, .other = KTHREAD });
	check_print(w);
	check_first(w, 16, FP_EV_SWITCH, PROVE_USER, PROVE_NOTHING);
}

/* Its state was saved by vcpu_put(), and is still taken for live. */
static void guest_kept(void **state)
{
	struct whatif *w = eager();

	(void)state;
	FEED(w, EAGER_VLOAD, GUEST_LOAD, GUEST_SAVE,
	     { .kind = FP_EV_SWITCH, .other = KTHREAD });
	check_first(w, 18, FP_EV_SWITCH, PROVE_USER, PROVE_NOTHING);
}

/* It returned to user mode with a load, though nobody took the registers. */
static void needless_load(void **state)
{
	struct whatif *w = eager();

	(void)state;
	FEED(w, { .kind = FP_EV_FORK }, { .kind = FP_EV_SAVE }, USER_LOAD);
	check_first(w, 16, FP_EV_LOAD, PROVE_NOTHING, PROVE_USER);
}

/* A NEON section took the registers, and FOREIGN was not set. */
static void flag_forgotten(void **state)
{
	struct whatif *w = eager();

	(void)state;
	FEED(w, { .kind = FP_EV_NEON_SOFTIRQ }, { .kind = FP_EV_SAVE },
	     { .kind = FP_EV_SWITCH, .other = KTHREAD });
	check_first(w, 16, FP_EV_SWITCH, PROVE_USER, PROVE_NOTHING);
}

/* The state that sigreturn wrote is loaded, whatever was in the registers. */
static void sigreturn(void **state)
{
	struct whatif *w = eager();
	const struct prove *p = whatif__proof(w);

	(void)state;
	FEED(w, { .kind = FP_EV_RESTORE }, { .kind = FP_EV_SIGRETURN },
	     USER_LOAD, { .kind = FP_EV_SWITCH, .other = KTHREAD });
	assert_int_equal(prove__first(p)->record, 0);
	assert_int_equal(prove__kind(p, FP_EV_RESTORE)->found[PROVE_USER], 1);
	whatif__free(w);
}

/* A softirq came before fpsimd_flush_task_state() did anything, or after. */
static void about_to_flush(void **state)
{
	struct whatif *w = eager();
	const struct prove *p = whatif__proof(w);
	uint64_t unsure = prove__kind(p, FP_EV_NEON_SOFTIRQ)->unsure;

	(void)state;
	FEED(w, { .kind = FP_EV_FLUSH_TASK }, { .kind = FP_EV_NEON_SOFTIRQ },
	     { .kind = FP_EV_SAVE }, USER_LOAD);
	assert_int_equal(prove__first(p)->record, 0);
	assert_int_equal(prove__kind(p, FP_EV_NEON_SOFTIRQ)->unsure,
			 unsure + 1);
	FEED(w, { .kind = FP_EV_FLUSH_TASK }, { .kind = FP_EV_PRESERVE });
	check_first(w, 19, FP_EV_PRESERVE, PROVE_USER, PROVE_NOTHING);
}

/* What was saved as FPSIMD is loaded as SVE. */
static void other_format(void **state)
{
	struct whatif *w = eager();
	const struct view v = { .whatif = w };
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	(void)state;
	FEED(w, { FP_EV_LOAD, .other = 520 }, { FP_EV_SAVE, .other = 520 },
	     { FP_EV_LOAD, .other = 2192 });
	out = open_memstream(&text, &len);
	view_prove__print(out, &v, true);
	fclose(out);
	assert_non_null(strstr(text,
			       "Formats of user states that were foretold: "
			       "1; open: 1; wrong: 1\n"));
	assert_non_null(strstr(text, "  save               1          0 "));
	assert_non_null(strstr(text, "found sve, foretold fpsimd"));
	free(text);
	assert_int_equal(prove__format(whatif__proof(w), FP_EV_LOAD)->differs,
			 1);
	whatif__free(w);
}

/* Before any record tells a format there was a trap: it may be converted in memory. */
static void trap_first(void **state)
{
	struct whatif *w = whatif__new(CPUS, no_names);
	const struct prove *p = whatif__proof(w);

	(void)state;
	FEED(w, { .kind = FP_EV_SVE_TRAP }, { FP_EV_SAVE, .other = 520 },
	     { .kind = FP_EV_FLUSH_TASK }, { FP_EV_LOAD, .other = 2192 });
	assert_int_equal(prove__format(p, FP_EV_LOAD)->differs, 0);
	assert_int_equal(prove__format(p, FP_EV_LOAD)->sve, 1);
	whatif__free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foretold),
		cmocka_unit_test(not_dropped),
		cmocka_unit_test(guest_kept),
		cmocka_unit_test(needless_load),
		cmocka_unit_test(flag_forgotten),
		cmocka_unit_test(sigreturn),
		cmocka_unit_test(about_to_flush),
		cmocka_unit_test(other_format),
		cmocka_unit_test(trap_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
