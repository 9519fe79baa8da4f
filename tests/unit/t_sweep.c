// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies with a parameter: their names and values; scenarios by hand; their ends,
 * which are policies that are known; and a small kernel that moves values, asked
 * with each possible answer to what nobody can know.
 */
#include <inttypes.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/counters.h"
#include "need.h"
#include "param.h"
#include "policy.h"
#include "range_text.h"
#include "sweep.h"
#include "test.h"
#include "util.h"

#define INF PARAM_INF

/* By these indices, in all tests. */
static const struct params all = {
	.nr = 10,
	.param = {
		{ PARAM_FLUSH_AFTER, 0 },
		{ PARAM_FLUSH_AFTER, 1 },
		{ PARAM_FLUSH_AFTER, 2 },
		{ PARAM_FLUSH_AFTER, 5 },
		{ PARAM_FLUSH_AFTER, INF },
		{ PARAM_KEEP, 0 },
		{ PARAM_KEEP, 10 },
		{ PARAM_KEEP, 30 },
		{ PARAM_KEEP, 100 },
		{ PARAM_KEEP, INF },
	},
};

enum { FLUSH_0, FLUSH_1, FLUSH_2, FLUSH_5, FLUSH_INF };
enum { KEEP_0 = FLUSH_INF + 1, KEEP_10, KEEP_30, KEEP_100, KEEP_INF };

/* ---- names and values ---- */

static bool parse(enum param_kind kind, const char *value, uint64_t *got)
{
	struct param p = { .kind = kind };
	bool fine = param__parse(&p, value, strlen(value));

	*got = p.value;
	return fine;
}

static void values(void **state)
{
	static const struct {
		enum param_kind kind;
		const char *text;
		uint64_t value;
	} good[] = {
		{ PARAM_FLUSH_AFTER, "0", 0 },
		{ PARAM_FLUSH_AFTER, "8", 8 },
		{ PARAM_FLUSH_AFTER, "1000000000", 1000000000 },
		{ PARAM_FLUSH_AFTER, "inf", INF },
		{ PARAM_KEEP, "0", 0 },
		{ PARAM_KEEP, "1ns", 1 },
		{ PARAM_KEEP, "1500ns", 1500 },
		{ PARAM_KEEP, "50us", 50000 },
		{ PARAM_KEEP, "2ms", 2000000 },
		{ PARAM_KEEP, "1s", 1000000000 },
		{ PARAM_KEEP, "1000000000s", 1000000000000000000 },
		{ PARAM_KEEP, "inf", INF },
	};
	char text[PARAM_TEXT];
	uint64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		struct param p = { good[i].kind, good[i].value };

		assert_true(parse(good[i].kind, good[i].text, &got));
		assert_int_equal(got, good[i].value);
		param__value(&p, text, sizeof(text));
		assert_string_equal(text, good[i].text);
	}
	assert_true(parse(PARAM_KEEP, "0ms", &got));
	assert_int_equal(got, 0);
	assert_true(parse(PARAM_FLUSH_AFTER, "007", &got));
	assert_int_equal(got, 7);
	param__text(&all.param[KEEP_30], text, sizeof(text));
	assert_string_equal(text, "keep=30ns");
}

static void bad_values(void **state)
{
	static const struct {
		enum param_kind kind;
		const char *text;
	} bad[] = {
		{ PARAM_FLUSH_AFTER, "" },
		{ PARAM_FLUSH_AFTER, "-1" },
		{ PARAM_FLUSH_AFTER, "+1" },
		{ PARAM_FLUSH_AFTER, " 1" },
		{ PARAM_FLUSH_AFTER, "1 " },
		{ PARAM_FLUSH_AFTER, "1us" },
		{ PARAM_FLUSH_AFTER, "0x10" },
		{ PARAM_FLUSH_AFTER, "1e3" },
		{ PARAM_FLUSH_AFTER, "infinite" },
		{ PARAM_FLUSH_AFTER, "in" },
		{ PARAM_FLUSH_AFTER, "1000000001" },
		{ PARAM_FLUSH_AFTER, "18446744073709551616" },
		{ PARAM_KEEP, "" },
		{ PARAM_KEEP, "5" },
		{ PARAM_KEEP, "us" },
		{ PARAM_KEEP, "5u" },
		{ PARAM_KEEP, "5 us" },
		{ PARAM_KEEP, "5min" },
		{ PARAM_KEEP, "1.5ms" },
		{ PARAM_KEEP, "-5us" },
		{ PARAM_KEEP, "5US" },
		{ PARAM_KEEP, "99999999999999999999999s" },
	};
	uint64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i].kind, bad[i].text, &got))
			fail_msg("'%s' is %" PRIu64, bad[i].text, got);
	}
	assert_int_equal(param__by_name("keep", 4), PARAM_KEEP);
	assert_int_equal(param__by_name("keep", 3), PARAM_KINDS);
	assert_int_equal(param__by_name("keeper", 6), PARAM_KINDS);
	assert_int_equal(param__by_name("", 0), PARAM_KINDS);
}

static void curves(void **state)
{
	struct params p = {};
	unsigned int i, kind;

	(void)state;
	assert_true(params__add(&p, &all.param[FLUSH_1]));
	assert_true(params__add(&p, &all.param[FLUSH_1]));
	assert_int_equal(p.nr, 1);
	for (i = 0; i < PARAMS_SELECTED - 1; i++)
		assert_true(params__add(&p, &(struct param){ PARAM_KEEP, i }));
	assert_false(params__add(&p, &all.param[FLUSH_2]));
	for (kind = 0; kind < PARAM_KINDS; kind++) {
		p.nr = PARAMS_SELECTED;
		params__add_curve(&p, kind);
		assert_int_equal(p.curve, PARAMS_SELECTED);
		assert_true(p.nr <= PARAMS_MAX);
		assert_int_equal(p.param[p.curve].value, 0);
		assert_true(p.param[p.nr - 1].value == INF);
		for (i = p.curve; i < p.nr; i++)
			assert_int_equal(p.param[i].kind, kind);
		for (i = p.curve + 1; i < p.nr; i++)
			assert_true(p.param[i - 1].value < p.param[i].value);
	}
}

/* ---- needs ---- */

enum {
	M = 0x1000, /* thread of a VMM .. */
	L = 0x2000, /* .. and another one */
	B = 0x3000, /* a task that uses FP */
	K = 0x4000, /* a kernel thread, or idle */
	V = 0x100000, /* M's vcpu .. */
	W = 0x200000, /* .. and L's */
	SLOT = 7,
	SLOT_W = 8,
	CPUS = 2,
	OPS = 24,
};

/* clang-format off */
#define NEED(k, ...) { .kind = NEED_##k, __VA_ARGS__ }
#define SWITCH(c, from, to) NEED(SWITCH, .cpu = (c), .task = (from), .next = (to))
#define SWITCH_AT(c, from, to, t)                                              \
	NEED(SWITCH, .cpu = (c), .task = (from), .next = (to), .ns = (t))
#define USER(c, t) NEED(USER, .use = TRI_YES, .cpu = (c), .task = (t))
#define PERHAPS_USER(c, t) NEED(USER, .use = TRI_MAYBE, .cpu = (c), .task = (t))
#define VLOAD(c, t) NEED(VLOAD, .cpu = (c), .task = (t), .vcpu = V, .slot = SLOT)
#define VLOAD_AT(c, t, at)                                                     \
	NEED(VLOAD, .cpu = (c), .task = (t), .vcpu = V, .slot = SLOT, .ns = (at))
#define VLOAD_W(c, t) NEED(VLOAD, .cpu = (c), .task = (t), .vcpu = W, .slot = SLOT_W)
#define VPUT(c, t) NEED(VPUT, .cpu = (c), .task = (t), .vcpu = V)
#define RUN_END(c, t) NEED(RUN_END, .cpu = (c), .task = (t))
#define ENTER(c, t, n, how)                                                    \
	NEED(ENTER, .use = TRI_##how, .cpu = (c), .task = (t), .count = (n))
#define NEON(c, t) NEED(NEON, .use = TRI_YES, .cpu = (c), .task = (t))
#define CLOBBER(c, t) NEED(CLOBBER, .cpu = (c), .task = (t))
#define FORGET_VCPU(v) NEED(FORGET, .vcpu = (v))
#define END_VCPU(v) NEED(END, .vcpu = (v))
#define GAP(c) NEED(GAP, .cpu = (c))
#define END { .kind = -1 }
/* clang-format on */

#define IN_RUN USER(0, M), VLOAD(0, M)
#define LIVE IN_RUN, ENTER(0, M, 1, YES)
/* Switched out at 1000, and back with the vcpu loaded @ns later. */
#define AWAY(ns)                                                               \
	SWITCH_AT(0, M, K, 1000), SWITCH(0, K, M), VLOAD_AT(0, M, 1000 + (ns))

static void feed(struct sweep *s, const struct need *n)
{
	for (; (int)n->kind >= 0; n++)
		assert_int_equal(sweep__step(s, n), 0);
}

static const struct need known[] = { CLOBBER(0, 0),
				     CLOBBER(1, 0),
				     RUN_END(0, M),
				     RUN_END(0, L),
				     RUN_END(0, B),
				     RUN_END(0, K),
				     END };

/* CPUs that have just come up, tasks outside of KVM_RUN. */
static struct sweep *begin(void)
{
	struct sweep *s = sweep__new(CPUS, &all);

	assert_non_null(s);
	feed(s, known);
	return s;
}

/* ---- by hand ---- */

struct scenario {
	const char *name;
	struct need before[OPS]; /* not counted */
	struct need need[OPS];
	const char *moves[5]; /* of each value of one kind; as in t_policy.c */
};

static const struct scenario flushes[] = {
	{ "a guest that uses no FP",
	  { USER(0, M), END },
	  { VLOAD(0, M), ENTER(0, M, 9, NO), RUN_END(0, M), USER(0, M), END },
	  { "", "", "", "", "" } },
	{ "it uses FP once, and exits five times more, as martin's kernel sees it",
	  { IN_RUN, END },
	  { ENTER(0, M, 1, YES), ENTER(0, M, 5, MAYBE), END },
	  { "1-6GS 1-6GL", "1-3GS 1-3GL", "1-2GS 1-2GL", "GS GL", "GL" } },
	{ "the same, and KVM_RUN ends",
	  { IN_RUN, END },
	  { ENTER(0, M, 1, YES), ENTER(0, M, 5, MAYBE), RUN_END(0, M), END },
	  { "1-6GS 1-6GL", "1-3GS 1-3GL", "1-2GS 1-2GL", "GS GL", "GS GL" } },
	{ "one exit less: it is not flushed before",
	  { IN_RUN, END },
	  { ENTER(0, M, 1, YES), ENTER(0, M, 4, MAYBE), RUN_END(0, M), END },
	  { "1-5GS 1-5GL", "1-3GS 1-3GL", "1-2GS 1-2GL", "GS GL", "GS GL" } },
	{ "used each time, which is known",
	  { IN_RUN, END },
	  { ENTER(0, M, 6, YES), END },
	  { "6GS 6GL", "3GS 3GL", "2GS 2GL", "GS GL", "GL" } },
	{ "exits without use count, too, while it is live",
	  { IN_RUN, ENTER(0, M, 1, YES), END },
	  { ENTER(0, M, 1, NO), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS", "", "" } },
	{ "NEON finds it flushed, or saves it",
	  { LIVE, ENTER(0, M, 1, NO), END },
	  { NEON(0, M), END },
	  { "", "", "GS", "GS", "GS" } },
	{ "NEON: it is counted anew from the load",
	  { LIVE, END },
	  { NEON(0, M), ENTER(0, M, 2, YES), END },
	  { "2GS 2GL", "2GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "so does vcpu_put",
	  { LIVE, END },
	  { AWAY(5), ENTER(0, M, 2, YES), END },
	  { "2GS 2GL", "2GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "nobody knows: the registers after a gap elsewhere",
	  { LIVE, GAP(1), END },
	  { ENTER(0, M, 1, MAYBE), END },
	  { "0-1GS 0-1GL", "0-1GS 0-1GL", "0-1GS 0-1GL", "0-1GS 0-1GL",
	    "0-1GL" } },
	{ "nor after it is used: it may be flushed at once, and be old",
	  { LIVE, GAP(1), END },
	  { ENTER(0, M, 1, YES), ENTER(0, M, 1, NO), RUN_END(0, M), END },
	  { "GS GL", "0-3GS 0-1GL", "0-3GS 0-1GL", "0-3GS 0-1GL",
	    "GS 0-1GL" } },
};

static const struct scenario keeps[] = {
	{ "away for 9ns, a kernel thread meanwhile",
	  { LIVE, END },
	  { AWAY(9), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS", "GS", "GS", "GS" } },
	{ "away for 10ns: that is not less than 10ns",
	  { LIVE, END },
	  { AWAY(10), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS", "GS", "GS" } },
	{ "away three times: what counts is the longest",
	  { LIVE, END },
	  { AWAY(5), AWAY(50), AWAY(5), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS", "GS" } },
	{ "but not those before it was saved last",
	  { LIVE, AWAY(50), ENTER(0, M, 1, YES), END },
	  { AWAY(5), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS", "GS", "GS", "GS" } },
	{ "not used since: it is not saved again",
	  { LIVE, AWAY(5), END },
	  { ENTER(0, M, 3, NO), AWAY(5), ENTER(0, M, 1, YES), END },
	  { "GL", "", "", "", "" } },
	{ "a task that uses FP comes in",
	  { LIVE, END },
	  { SWITCH_AT(0, M, B, 1000), USER(0, B), SWITCH(0, B, M),
	    VLOAD_AT(0, M, 1005), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "one that may have",
	  { USER(0, B), PERHAPS_USER(1, M), SWITCH(1, M, K), SWITCH(0, B, M),
	    VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { SWITCH_AT(0, M, B, 1000), PERHAPS_USER(0, B), SWITCH(0, B, M),
	    VLOAD_AT(0, M, 1005), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS 0-1GL", "GS 0-1GL", "GS 0-1GL", "GS 0-1GL" } },
	{ "NEON strikes while it is away",
	  { LIVE, END },
	  { SWITCH_AT(0, M, K, 1000), NEON(0, K), SWITCH(0, K, M),
	    VLOAD_AT(0, M, 1005), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "or when it is back, but not used yet: no further save",
	  { LIVE, AWAY(5), END },
	  { NEON(0, M), ENTER(0, M, 1, YES), END },
	  { "GL", "GL", "GL", "GL", "GL" } },
	{ "or when it is used again",
	  { LIVE, AWAY(5), ENTER(0, M, 1, YES), END },
	  { NEON(0, M), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "to user mode and back: its thread's own state took the place",
	  { LIVE, END },
	  { VPUT(0, M), RUN_END(0, M), USER(0, M), VLOAD(0, M),
	    ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "KVM_RUN ends, and the next one is on the CPU that was left before",
	  { LIVE, VPUT(0, M), RUN_END(0, M), SWITCH(0, M, K), SWITCH(1, K, M),
	    USER(1, M), VLOAD(1, M), SWITCH(1, M, K), SWITCH(0, K, M), END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "GL", "GL", "GL", "GL", "GL" } },
	{ "to another CPU and back, not used there",
	  { LIVE, SWITCH_AT(0, M, K, 1000), SWITCH(1, K, M),
	    VLOAD_AT(1, M, 1005), SWITCH_AT(1, M, K, 2000), SWITCH(0, K, M),
	    END },
	  { VLOAD_AT(0, M, 2005), ENTER(0, M, 1, YES), END },
	  { "GL", "", "", "", "" } },
	{ "used there",
	  { LIVE, SWITCH_AT(0, M, K, 1000), SWITCH(1, K, M),
	    VLOAD_AT(1, M, 1005), ENTER(1, M, 1, YES), SWITCH_AT(1, M, K, 2000),
	    SWITCH(0, K, M), END },
	  { VLOAD_AT(0, M, 2005), ENTER(0, M, 1, YES), END },
	  { "GL", "GL", "GL", "GL", "GL" } },
	{ "used there, and lost to NEON: what was left here is old",
	  { LIVE, SWITCH(0, M, K), SWITCH(1, K, M), VLOAD(1, M),
	    ENTER(1, M, 1, YES), NEON(1, M), SWITCH(1, M, K), SWITCH(0, K, M),
	    END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "GL", "GL", "GL", "GL", "GL" } },
	{ "another vcpu is loaded meanwhile, but uses no FP",
	  { LIVE, SWITCH_AT(0, M, L, 1000), VLOAD_W(0, L), ENTER(0, L, 2, NO),
	    SWITCH(0, L, M), END },
	  { VLOAD_AT(0, M, 1005), ENTER(0, M, 1, YES), END },
	  { "GL", "", "", "", "" } },
	{ "put and load inside KVM_RUN",
	  { LIVE, END },
	  { VPUT(0, M), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS", "GS", "GS", "GS" } },
	{ "reset inside KVM_RUN",
	  { LIVE, END },
	  { VPUT(0, M), FORGET_VCPU(V), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "GS GL", "GS GL", "GS GL", "GS GL", "GS GL" } },
	{ "its memory goes to another vcpu",
	  { LIVE, SWITCH(0, M, K), END_VCPU(V), SWITCH(0, K, M), END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "GL", "GL", "GL", "GL", "GL" } },
	{ "perhaps it was used before, and left",
	  { IN_RUN, NEON(0, M), ENTER(0, M, 1, MAYBE), AWAY(5), END },
	  { ENTER(0, M, 1, YES), END },
	  { "GL", "0-1GL", "0-1GL", "0-1GL", "0-1GL" } },
	{ "perhaps it was used on another CPU, of which nothing is known",
	  { GAP(0), VLOAD(1, M), ENTER(1, M, 1, YES), SWITCH_AT(1, M, K, 1000),
	    SWITCH(0, K, M), VLOAD_AT(0, M, 1005), SWITCH_AT(0, M, K, 2000),
	    SWITCH(1, K, M), END },
	  { VLOAD_AT(1, M, 2005), ENTER(1, M, 1, YES), END },
	  { "GL", "0-1GL", "0-1GL", "0-1GL", "0-1GL" } },
	{ "a gap: nobody knows whose state is left",
	  { LIVE, AWAY(5), GAP(1), END },
	  { ENTER(0, M, 1, YES), END },
	  { "0-1GL", "0-1GL", "0-1GL", "0-1GL", "0-1GL" } },
};

static const char *text_of(const struct policy_ops *now,
			   const struct policy_ops *then)
{
	static char text[64];

	text[0] = '\0';
	range_text(text, sizeof(text), now->save.done, then->save.done, "GS");
	range_text(text, sizeof(text), now->load.done, then->load.done, "GL");
	return text;
}

/* @first: the index of the first value. */
static unsigned int wrong_moves(const struct scenario *sc, unsigned int first)
{
	struct policy_ops then[5], now;
	struct sweep *s = begin();
	unsigned int i, wrong = 0;
	char name[PARAM_TEXT];

	feed(s, sc->before);
	for (i = 0; i < ARRAY_SIZE(then); i++)
		then[i] = sweep__total(s, first + i);
	feed(s, sc->need);
	for (i = 0; i < ARRAY_SIZE(then); i++) {
		now = sweep__total(s, first + i);
		if (!strcmp(text_of(&now, &then[i]), sc->moves[i]))
			continue;
		param__text(&all.param[first + i], name, sizeof(name));
		print_error("%s: %s moves '%s', not '%s'\n", sc->name, name,
			    text_of(&now, &then[i]), sc->moves[i]);
		wrong++;
	}
	sweep__free(s);
	return wrong;
}

static void by_hand(void **state)
{
	unsigned int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flushes); i++)
		wrong += wrong_moves(&flushes[i], FLUSH_0);
	for (i = 0; i < ARRAY_SIZE(keeps); i++)
		wrong += wrong_moves(&keeps[i], KEEP_0);
	assert_int_equal(wrong, 0);
}

/* ---- the ends are policies that are known ---- */

static uint64_t random_state;

static uint32_t below(uint32_t n)
{
	random_state =
		random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % n;
}

static bool same_range(const struct range *a, const struct range *b)
{
	return a->lo == b->lo && a->hi == b->hi;
}

static bool same(const struct policy_xfer *a, const struct policy_xfer *b)
{
	return same_range(&a->done, &b->done) &&
	       same_range(&a->irqoff, &b->irqoff);
}

static bool same_ops(const struct policy_ops *a, const struct policy_ops *b)
{
	return same(&a->save, &b->save) && same(&a->load, &b->load);
}

/* No number is less than with the larger value; saves, if all is known. */
static void check_falling(const struct policy_ops *ops, bool whole)
{
	unsigned int i;

	for (i = FLUSH_0; i < KEEP_INF; i++) {
		const struct policy_ops *a = &ops[i], *b = &ops[i + 1];

		if (i == FLUSH_INF)
			continue;
		assert_true(a->load.done.lo >= b->load.done.lo);
		assert_true(a->load.done.hi >= b->load.done.hi);
		if (!whole)
			continue;
		assert_true(a->save.done.lo >= b->save.done.lo);
		assert_true(a->save.done.hi >= b->save.done.hi);
		assert_true(a->save.done.lo <= a->save.done.hi);
	}
}

static void check_ends(const struct policy_ops *ops,
		       const struct policy_row *row)
{
	const struct policy_ops *martin = &row[POLICY_MARTIN].guest;
	unsigned int i;

	assert_true(same_ops(&ops[FLUSH_INF], martin));
	assert_true(same_ops(&ops[KEEP_0], martin));
	assert_true(same_ops(&ops[FLUSH_0], &row[POLICY_DEFENSIVE].guest));
	for (i = KEEP_10; i <= KEEP_INF; i++)
		assert_true(same(&ops[i].save, &martin->save));
}

struct both_of {
	struct sweep *sweep;
	struct policies *policies;
};

static void step_both(const struct both_of *b, const struct need *n)
{
	assert_int_equal(sweep__step(b->sweep, n), 0);
	assert_int_equal(policies__step(b->policies, n), 0);
}

static uint64_t any_buf(uint64_t size)
{
	return below(5) * size;
}

static uint32_t any_of(uint32_t n, uint32_t odd)
{
	return below(50) ? below(n) : odd;
}

/* With @vcpu_size as tasks have it, one is taken for the other. */
static void impossible_stream(uint64_t vcpu_size)
{
	struct both_of b = { sweep__new(CPUS, &all), policies__new(CPUS) };
	unsigned int i, slot, compared = 0;
	bool ends = vcpu_size != 0x1000;
	uint64_t ns = 0;

	assert_true(b.sweep && b.policies);
	random_state = 3;
	for (i = 0; i < 200000; i++) {
		struct need n = {
			.kind = below(NEED_GAP + (below(100) == 0)),
			.use = below(3),
			.cpu = any_of(CPUS, UINT32_MAX),
			.slot = any_of(4, UINT32_MAX - below(2)),
			.task = any_buf(0x1000),
			.next = any_buf(0x1000),
			.vcpu = any_buf(vcpu_size) + vcpu_size,
			.count = 1 + below(9),
			.ns = below(100) ? ns : 0, /* or back in time */
		};

		ns += below(30);
		if (ends && n.kind == NEED_END && !n.task)
			n.kind = NEED_FORGET; /* not while it is loaded */
		step_both(&b, &n);
		if (below(100) == 0) {
			slot = below(5);
			sweep__end(b.sweep, slot);
			policies__end(b.policies, slot);
		}
		for (slot = 0; ends && slot < 4; slot++) {
			const struct policy_row *row =
				policies__rows(b.policies, slot);

			if (row)
				check_ends(sweep__rows(b.sweep, slot), row);
			compared += row != NULL;
		}
	}
	for (i = 0; i < all.nr; i++) {
		const struct policy_ops ops = sweep__total(b.sweep, i);

		assert_true(ops.load.done.hi > 0);
		assert_true(ops.save.done.hi > 0);
	}
	if (ends)
		print_message("# %u rows compared\n", compared);
	assert_null(sweep__rows(b.sweep, FP_NO_SLOT));
	sweep__end(b.sweep, FP_NO_SLOT);
	sweep__free(b.sweep);
	policies__free(b.policies);
}

static void ends_of_impossible_streams(void **state)
{
	(void)state;
	impossible_stream(0x100000);
	impossible_stream(0x1000);
	sweep__free(NULL);
}

/*
 * ---- a small kernel that moves values ----
 *
 * One VMM thread on two CPUs, another one, and a task. It keeps the books of
 * martin's kernel with one value of one parameter, and knows nothing of sweep.c.
 */
enum who { OF_M, OF_L, OF_B, OF_V, OF_W, STATES, NOBODY = -1 };

static const uint64_t name_of[STATES] = { M, L, B, V, W };

struct kernel {
	const struct param *param;
	struct {
		unsigned int mem, newest;
		int cpu; /* fpsimd_cpu, or the same of a vcpu */
	} state[STATES];
	struct {
		int last; /* fpsimd_last_state.st */
		int of; /* what is in the registers */
		unsigned int value;
	} cpu[CPUS];
	bool foreign; /* TIF_FOREIGN_FPSTATE of current, which is inside KVM_RUN */
	bool owns; /* its guest's state is what that speaks of */
	uint64_t exits; /* with that */
	/* V's and W's */
	uint64_t left[2]; /* when its thread was switched out */
	uint64_t saves[2], irqoff[2], loads[2];
};

static void kernel_use(struct kernel *k, int c, int x)
{
	assert_int_equal(k->cpu[c].of, x);
	assert_int_equal(k->cpu[c].value, k->state[x].newest);
	k->cpu[c].value = ++k->state[x].newest;
}

static void kernel_load(struct kernel *k, int c, int x)
{
	assert_int_equal(k->state[x].mem, k->state[x].newest);
	k->cpu[c].of = x;
	k->cpu[c].value = k->state[x].mem;
	k->loads[x == OF_W] += x >= OF_V;
}

static void kernel_bind(struct kernel *k, int c, int x)
{
	k->cpu[c].last = x;
	k->state[x].cpu = c;
	k->foreign = false;
}

static void kernel_save(struct kernel *k, int c, bool irqoff)
{
	int x = k->cpu[c].last;

	if (k->foreign)
		return;
	assert_int_equal(k->cpu[c].of, x);
	assert_int_equal(k->cpu[c].value, k->state[x].newest);
	k->state[x].mem = k->cpu[c].value;
	if (x < OF_V)
		return;
	k->saves[x == OF_W]++;
	k->irqoff[x == OF_W] += irqoff;
}

static void kernel_flush(struct kernel *k, int c)
{
	k->cpu[c].last = NOBODY;
	k->foreign = true;
	k->owns = false;
}

static void kernel_neon(struct kernel *k, int c)
{
	kernel_save(k, c, false);
	kernel_flush(k, c);
	k->cpu[c].of = NOBODY;
}

static void kernel_put(struct kernel *k, int c)
{
	bool keep = k->param->kind == PARAM_KEEP && k->param->value;
	int x = k->cpu[c].last;

	if (!k->owns)
		return;
	kernel_save(k, c, true);
	kernel_flush(k, c);
	if (keep)
		k->cpu[c].last = x;
}

/* @next comes in: is what the registers are bound to its own? */
static void kernel_switch(struct kernel *k, int c, int next)
{
	kernel_put(k, c);
	kernel_save(k, c, true);
	k->owns = false;
	k->foreign = next == NOBODY || k->cpu[c].last != next ||
		     k->state[next].cpu != c;
}

static void kernel_vload(struct kernel *k, int v, uint64_t now)
{
	uint64_t *left = &k->left[v == OF_W];

	if (*left && k->param->kind == PARAM_KEEP &&
	    now - *left >= k->param->value)
		k->state[v].cpu = NOBODY; /* too long ago */
	*left = 0;
	k->owns = false;
}

static void kernel_user(struct kernel *k, int c, int t)
{
	if (k->foreign) {
		kernel_load(k, c, t);
		kernel_bind(k, c, t);
	}
	kernel_use(k, c, t);
}

static void kernel_enter(struct kernel *k, int c, int v, bool use)
{
	if (use && !k->owns) {
		kernel_save(k, c, true);
		if (k->cpu[c].last != v || k->state[v].cpu != c)
			kernel_load(k, c, v);
		kernel_bind(k, c, v);
		k->owns = true;
		k->exits = 0;
	}
	if (use)
		kernel_use(k, c, v);
	if (k->owns && k->param->kind == PARAM_FLUSH_AFTER &&
	    k->exits++ == k->param->value) {
		kernel_save(k, c, true);
		kernel_flush(k, c);
	}
}

static void kernel_forget(struct kernel *k, int v)
{
	k->state[v].cpu = NOBODY;
}

static void kernel_edit(struct kernel *k, int v)
{
	kernel_forget(k, v);
	k->state[v].mem = ++k->state[v].newest;
}

static void kernel_begin(struct kernel *k, const struct param *param)
{
	int i;

	*k = (struct kernel){ .param = param, .foreign = true };
	for (i = 0; i < STATES; i++)
		k->state[i].cpu = NOBODY;
	for (i = 0; i < CPUS; i++)
		k->cpu[i].last = k->cpu[i].of = NOBODY;
}

/* ---- what happens to it, and which needs that is ---- */

enum op {
	DO_ENTER,
	DO_NEON,
	DO_IDLE, /* away for a while */
	DO_TASK, /* the same, and B runs in user mode meanwhile */
	DO_GUEST, /* the same, and L's guest runs */
	DO_MOVE, /* to the other CPU */
	DO_RELOAD, /* put and load inside KVM_RUN */
	DO_RESET,
	DO_RETURN, /* to user mode, and KVM_RUN again */
	DO_GAP, /* on a CPU that has nothing to do with it */
	DO_MAX
};

struct act {
	enum op op;
	uint64_t ns; /* how long */
	bool use; /* of FP, by the guest that is entered */
};

enum { ACTS = 14, NEEDS = 6 * ACTS + 8, MAYBES = 8 };

struct script {
	struct act act[ACTS];
	unsigned int nr;
	int maybe[ACTS]; /* indices of acts .. */
	unsigned int maybes; /* .. whose use nobody knows */
	bool gap;
	struct need need[NEEDS];
	unsigned int needs;
	/* while it is written */
	uint32_t cpu;
	uint64_t ns;
	bool live; /* under martin */
};

static void need(struct script *s, enum need_kind kind, int who, int other)
{
	struct need *n = &s->need[s->needs++];

	assert_true(s->needs <= NEEDS);
	*n = (struct need){
		.kind = kind,
		.cpu = s->cpu,
		.task = who == NOBODY ? K : name_of[who],
		.ns = s->ns,
		.use = TRI_YES,
	};
	if (kind == NEED_SWITCH)
		n->next = other == NOBODY ? K : name_of[other];
	if (kind == NEED_VLOAD) {
		n->vcpu = name_of[other];
		n->slot = other == OF_V ? SLOT : SLOT_W;
	}
}

/* As the stream of martin's kernel tells it. */
static void need_enter(struct script *s, int who, enum tri use)
{
	need(s, NEED_ENTER, who, NOBODY);
	s->need[s->needs - 1].use = use;
	s->need[s->needs - 1].count = 1;
}

static void script_away(struct script *s, const struct act *a)
{
	int meanwhile = a->op == DO_TASK  ? OF_B :
			a->op == DO_GUEST ? OF_L :
					    NOBODY;

	need(s, NEED_SWITCH, OF_M, meanwhile);
	s->ns += a->ns;
	if (a->op == DO_TASK)
		need(s, NEED_USER, OF_B, NOBODY);
	if (a->op == DO_GUEST) {
		need(s, NEED_VLOAD, OF_L, OF_W);
		need_enter(s, OF_L, a->use ? TRI_YES : TRI_NO);
	}
	need(s, NEED_SWITCH, meanwhile, OF_M);
	need(s, NEED_VLOAD, OF_M, OF_V);
}

static void script_act(struct script *s, unsigned int i)
{
	const struct act *a = &s->act[i];

	switch (a->op) {
	case DO_ENTER:
		if (s->live)
			s->maybe[s->maybes++] = (int)i;
		need_enter(s, OF_M,
			   s->live ? TRI_MAYBE :
			   a->use  ? TRI_YES :
				     TRI_NO);
		s->live |= a->use;
		return;
	case DO_NEON:
		need(s, NEED_NEON, OF_M, NOBODY);
		break;
	case DO_MOVE:
		need(s, NEED_SWITCH, OF_M, NOBODY);
		s->cpu = !s->cpu;
		s->ns += a->ns;
		need(s, NEED_SWITCH, NOBODY, OF_M);
		need(s, NEED_VLOAD, OF_M, OF_V);
		break;
	case DO_RELOAD:
	case DO_RESET:
		need(s, NEED_VPUT, OF_M, NOBODY);
		if (a->op == DO_RESET) {
			need(s, NEED_FORGET, NOBODY, NOBODY);
			s->need[s->needs - 1].task = 0;
			s->need[s->needs - 1].vcpu = V;
		}
		need(s, NEED_VLOAD, OF_M, OF_V);
		break;
	case DO_RETURN:
		need(s, NEED_VPUT, OF_M, NOBODY);
		need(s, NEED_RUN_END, OF_M, NOBODY);
		need(s, NEED_USER, OF_M, NOBODY);
		need(s, NEED_VLOAD, OF_M, OF_V);
		break;
	case DO_GAP:
		need(s, NEED_GAP, NOBODY, NOBODY);
		s->need[s->needs - 1].cpu = !s->cpu;
		return; /* what is live still is */
	default:
		script_away(s, a);
		break;
	}
	s->live = false;
}

static void away(struct kernel *k, const struct act *a, int *cpu, uint64_t *ns)
{
	int c = *cpu;

	k->left[0] = *ns;
	*ns += a->ns;
	if (a->op == DO_TASK) {
		kernel_switch(k, c, OF_B);
		kernel_user(k, c, OF_B);
	} else if (a->op == DO_GUEST) {
		kernel_switch(k, c, OF_L);
		kernel_vload(k, OF_W, *ns);
		kernel_enter(k, c, OF_W, a->use);
		k->left[1] = *ns;
	} else {
		kernel_switch(k, c, NOBODY);
	}
	*cpu = a->op == DO_MOVE ? !c : c;
	kernel_switch(k, *cpu, OF_M);
	kernel_vload(k, OF_V, *ns);
}

static void act(struct kernel *k, const struct act *a, int *cpu, uint64_t *ns)
{
	int c = *cpu;

	switch (a->op) {
	case DO_ENTER:
		kernel_enter(k, c, OF_V, a->use);
		break;
	case DO_NEON:
		kernel_neon(k, c);
		break;
	case DO_RESET:
	case DO_RELOAD:
		kernel_put(k, c);
		if (a->op == DO_RESET)
			kernel_edit(k, OF_V);
		kernel_vload(k, OF_V, *ns);
		break;
	case DO_RETURN:
		kernel_put(k, c);
		kernel_forget(k, OF_V);
		kernel_user(k, c, OF_M);
		kernel_vload(k, OF_V, *ns);
		break;
	case DO_GAP:
		break;
	default:
		away(k, a, cpu, ns);
		break;
	}
}

/* @answers: bit per maybe. */
static void play(struct kernel *k, const struct script *s,
		 const struct param *param, unsigned int answers)
{
	struct act a;
	uint64_t ns = 1000;
	unsigned int i, m = 0;
	int cpu = 0;

	kernel_begin(k, param);
	kernel_user(k, cpu, OF_M);
	for (i = 0; i < s->nr; i++) {
		a = s->act[i];
		if (m < s->maybes && s->maybe[m] == (int)i)
			a.use = answers >> m++ & 1;
		act(k, &a, &cpu, &ns);
	}
}

/* ---- each answer, one after the other ---- */

struct truth {
	struct range saves, irqoff, loads;
};

static void include(struct range *r, uint64_t n, bool first)
{
	r->lo = first || n < r->lo ? n : r->lo;
	r->hi = n > r->hi ? n : r->hi;
}

static void ask_all(const struct script *s, const struct param *param,
		    struct truth truth[2])
{
	struct kernel k;
	unsigned int answers;
	int v;

	for (answers = 0; answers < 1u << s->maybes; answers++) {
		play(&k, s, param, answers);
		for (v = 0; v < 2; v++) {
			include(&truth[v].saves, k.saves[v], !answers);
			include(&truth[v].irqoff, k.irqoff[v], !answers);
			include(&truth[v].loads, k.loads[v], !answers);
		}
	}
}

static uint64_t asked, exact, wider, width;

/* The truth must be in it, and fill it if all was seen. */
static void check_range(const struct script *s, const struct param *p,
			const char *what, const struct range *r,
			const struct range *truth)
{
	char name[PARAM_TEXT];
	unsigned int i;

	asked++;
	exact += same_range(r, truth);
	wider += (r->hi - r->lo) - (truth->hi - truth->lo);
	width += truth->hi - truth->lo;
	if (r->lo <= truth->lo && truth->hi <= r->hi &&
	    (s->gap || same_range(r, truth)))
		return;
	param__text(p, name, sizeof(name));
	for (i = 0; i < s->nr; i++)
		print_error("# %d use %d for %" PRIu64 "\n", s->act[i].op,
			    s->act[i].use, s->act[i].ns);
	fail_msg("%s: %" PRIu64 "-%" PRIu64 " %s, not %" PRIu64 "-%" PRIu64,
		 name, truth->lo, truth->hi, what, r->lo, r->hi);
}

static void check_guest(const struct script *s, const struct policy_ops *ops,
			uint32_t slot)
{
	struct truth truth[2] = {};
	unsigned int i;

	for (i = 0; i < all.nr; i++) {
		const struct truth *t = &truth[slot == SLOT_W];

		memset(truth, 0, sizeof(truth));
		ask_all(s, &all.param[i], truth);
		check_range(s, &all.param[i], "saves", &ops[i].save.done,
			    &t->saves);
		check_range(s, &all.param[i], "saves with interrupts off",
			    &ops[i].save.irqoff, &t->irqoff);
		check_range(s, &all.param[i], "loads", &ops[i].load.done,
			    &t->loads);
	}
}

static void write_script(struct script *s, bool gaps)
{
	unsigned int calm = below(3), entries = 0;

	*s = (struct script){ .ns = 1000 };
	need(s, NEED_USER, OF_M, NOBODY);
	need(s, NEED_VLOAD, OF_M, OF_V);
	while (s->nr < ACTS && s->maybes < MAYBES) {
		struct act *a = &s->act[s->nr];

		a->op = below(3) <= calm ? DO_ENTER : below(DO_MAX);
		if (a->op == DO_GAP && !gaps)
			continue;
		s->gap |= a->op == DO_GAP;
		entries += a->op == DO_ENTER;
		a->use = below(3);
		a->ns = (uint64_t[]){ 0, 5, 10, 20, 50, 200 }[below(6)];
		script_act(s, s->nr++);
	}
}

static void check_script(const struct script *s)
{
	struct both_of b = { begin(), policies__new(CPUS) };
	const struct policy_ops *ops;
	uint32_t slot;
	unsigned int i;

	assert_non_null(b.policies);
	for (i = 0; i < ARRAY_SIZE(known) - 1; i++)
		assert_int_equal(policies__step(b.policies, &known[i]), 0);
	for (i = 0; i < s->needs; i++)
		step_both(&b, &s->need[i]);
	for (slot = SLOT; slot <= SLOT_W; slot++) {
		static const struct policy_row none[POLICY_MAX];
		const struct policy_row *row = policies__rows(b.policies, slot);

		if (!row)
			row = none;
		ops = sweep__rows(b.sweep, slot);
		check_ends(ops, row);
		check_falling(ops, !s->gap);
		check_guest(s, ops, slot);
		/* The promise of the RFC, to the load. */
		if (!s->gap)
			assert_true(same(&ops[KEEP_INF].load,
					 &row[POLICY_MARTIN_RFC].guest.load));
	}
	sweep__free(b.sweep);
	policies__free(b.policies);
}

static void each_answer(void **state)
{
	struct script s;
	unsigned int i;

	(void)state;
	random_state = 4;
	for (i = 0; i < 2500; i++) {
		write_script(&s, i % 4 == 0);
		check_script(&s);
	}
	print_message("# %" PRIu64 " intervals, %" PRIu64 " of them exact, "
		      "true width %" PRIu64 ", %" PRIu64 " wider\n",
		      asked, exact, width, wider);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(curves),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(ends_of_impossible_streams),
		cmocka_unit_test(each_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
