// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policies on needs written by hand: what each would have moved.
 *
 * A result is text: "2HS 2HL GS GL" is two saves and two loads of the host's
 * state, one save and one load of the guest's, all paid by the vcpu. BS and BL
 * are those of bystanders, U are states lost, R are NEON sections refused. An
 * interval is "0-1HS".
 */
#include <inttypes.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/counters.h"
#include "fpstat/model.h"
#include "need.h"
#include "policy.h"
#include "range_text.h"
#include "test.h"
#include "util.h"

enum {
	M = 0x1000, /* thread of a VMM */
	B = 0x2000, /* a task that uses FP */
	K = 0x3000, /* a kernel thread, or idle */
	V = 0x100000, /* M's vcpu .. */
	W = 0x200000, /* .. and another one */
	SLOT = 7,
	SLOT_W = 8,
	CPUS = 2,
	OPS = 24,
};

#define SWITCH(c, from, to)                                                    \
	{                                                                      \
		.kind = NEED_SWITCH, .cpu = (c), .task = (from), .next = (to)  \
	}
#define USER(c, t)                                                             \
	{                                                                      \
		.kind = NEED_USER, .use = TRI_YES, .cpu = (c), .task = (t)     \
	}
#define PERHAPS_USER(c, t)                                                     \
	{                                                                      \
		.kind = NEED_USER, .use = TRI_MAYBE, .cpu = (c), .task = (t)   \
	}
#define WAS_USER(c, t)                                                         \
	{                                                                      \
		.kind = NEED_WAS_USER, .cpu = (c), .task = (t)                 \
	}
#define LATE_EXIT(c, t)                                                        \
	{                                                                      \
		.kind = NEED_LATE_EXIT, .cpu = (c), .task = (t)                \
	}
#define RUN(c, t)                                                              \
	{                                                                      \
		.kind = NEED_RUN, .cpu = (c), .task = (t), .slot = SLOT        \
	}
#define VLOAD(c, t)                                                            \
	{                                                                      \
		.kind = NEED_VLOAD, .cpu = (c), .task = (t), .vcpu = V,        \
		.slot = SLOT                                                   \
	}
#define VLOAD_W(c, t)                                                          \
	{                                                                      \
		.kind = NEED_VLOAD, .cpu = (c), .task = (t), .vcpu = W,        \
		.slot = SLOT_W                                                 \
	}
#define VPUT(c, t)                                                             \
	{                                                                      \
		.kind = NEED_VPUT, .cpu = (c), .task = (t), .vcpu = V          \
	}
#define RUN_END(c, t)                                                          \
	{                                                                      \
		.kind = NEED_RUN_END, .cpu = (c), .task = (t)                  \
	}
#define ENTER(c, t, n, how)                                                    \
	{                                                                      \
		.kind = NEED_ENTER, .use = TRI_##how, .cpu = (c), .task = (t), \
		.vcpu = V, .count = (n)                                        \
	}
#define NEON(c, t)                                                             \
	{                                                                      \
		.kind = NEED_NEON, .use = TRI_YES, .cpu = (c), .task = (t)     \
	}
#define CLOBBER(c, t)                                                          \
	{                                                                      \
		.kind = NEED_CLOBBER, .cpu = (c), .task = (t)                  \
	}
#define FORGET_TASK(t)                                                         \
	{                                                                      \
		.kind = NEED_FORGET, .task = (t)                               \
	}
#define FORGET_VCPU(v)                                                         \
	{                                                                      \
		.kind = NEED_FORGET, .vcpu = (v)                               \
	}
#define DIES(t)                                                                \
	{                                                                      \
		.kind = NEED_DIES, .task = (t)                                 \
	}
#define END_TASK(t)                                                            \
	{                                                                      \
		.kind = NEED_END, .task = (t)                                  \
	}
#define END_VCPU(v)                                                            \
	{                                                                      \
		.kind = NEED_END, .vcpu = (v)                                  \
	}
#define GAP(c)                                                                 \
	{                                                                      \
		.kind = NEED_GAP, .cpu = (c)                                   \
	}
#define END                                                                    \
	{                                                                      \
		.kind = -1                                                     \
	}

/* M is in user mode, its registers live. */
#define IN_USER USER(0, M)
/* KVM_RUN was called, the vcpu is loaded. */
#define IN_RUN IN_USER, VLOAD(0, M)
/* The guest was entered, and used FP. */
#define LIVE IN_RUN, ENTER(0, M, 1, YES)
/* Was entered, and used none. */
#define IDLE IN_RUN, ENTER(0, M, 1, NO)
/* Preempted by a kernel thread that leaves the registers alone. */
#define PREEMPTED SWITCH(0, M, K), SWITCH(0, K, M), VLOAD(0, M)
#define BACK_IN_USER VPUT(0, M), RUN_END(0, M), USER(0, M)

struct scenario {
	const char *name;
	struct need before[OPS]; /* not counted */
	struct need need[OPS];
	const char *moves[POLICY_MAX];
};

/* ---- text ---- */

static struct policy_row sum_of(const struct policies *p, int policy)
{
	return policies__total(p, policy);
}

struct counts {
	struct policy_row vcpu;
	struct policy_row other;
};

static struct counts counts(const struct policies *p, int policy)
{
	return (struct counts){ sum_of(p, policy), policies__other(p, policy) };
}

static const char *text_of(const struct counts *now, const struct counts *then)
{
	static char text[256];

	text[0] = '\0';
#define PRINT(field, what)                                                     \
	range_text(text, sizeof(text), now->field, then->field, what)
	PRINT(vcpu.host.save.done, "HS");
	PRINT(vcpu.host.load.done, "HL");
	PRINT(vcpu.guest.save.done, "GS");
	PRINT(vcpu.guest.load.done, "GL");
	PRINT(other.host.save.done, "BS");
	PRINT(other.host.load.done, "BL");
	PRINT(vcpu.unsafe, "U");
	PRINT(vcpu.refused, "R");
#undef PRINT
	/* A guest's state is nobody else's. */
	assert_int_equal(now->other.guest.save.done.hi, 0);
	assert_int_equal(now->other.guest.load.done.hi, 0);
	assert_int_equal(now->other.unsafe.hi, 0);
	assert_int_equal(now->other.refused.hi, 0);
	return text;
}

static void feed(struct policies *p, const struct need *n)
{
	for (; (int)n->kind >= 0; n++)
		assert_int_equal(policies__step(p, n), 0);
}

/* Two CPUs that have just come up, and tasks outside of KVM_RUN. */
static struct policies *begin(void)
{
	static const struct need known[] = { CLOBBER(0, 0), CLOBBER(1, 0),
					     RUN_END(0, M), RUN_END(0, B),
					     RUN_END(0, K), END };
	struct policies *p = policies__new(CPUS);

	assert_non_null(p);
	feed(p, known);
	return p;
}

/*
 * ---- the counterfactual table ----
 *
 * What registers go through in the situations that decided the design
 * of 2018. Where one reads the papers another way than the sources, the sources
 * count:
 *  - martin-rfc saves the guest at each exit, so also at the one that ends the
 *    entry after d, e, f, g and h: one GS more than what is lost there.
 *  - uncond and defensive save and load the host around a run even if it holds
 *    garbage: the hypervisor looked at no flag. Around it the host's registers
 *    are a task's like any other, so after f and h the return to user mode loads
 *    them again, under uncond as under defensive.
 *  - block-neon in d moves nothing: there was no NEON.
 *  - dall after f: B's load takes the registers, so the guest's is not kept.
 */
static const struct scenario table[] = {
	{ "a: the guest uses no FP, three entries",
	  { IN_USER, END },
	  { VLOAD(0, M), ENTER(0, M, 3, NO), RUN_END(0, M), USER(0, M), END },
	  { "3HS 3HL 3GS 3GL", "", "", "", "", "", "HS HL" } },
	{ "b: the guest uses FP for the first time",
	  { IN_USER, END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "HS GS GL", "HS GL", "HS GL", "HS GL",
	    "HS GL" } },
	{ "c: entered twice more, live",
	  { LIVE, END },
	  { ENTER(0, M, 2, YES), END },
	  { "2HS 2HL 2GS 2GL", "2HS 2HL 2GS 2GL", "2GS", "", "", "", "" } },
	{ "d: NEON strikes between exit and entry",
	  { LIVE, END },
	  { NEON(0, M), ENTER(0, M, 1, YES), END },
	  { "2HS HL GS GL", "2HS HL GS GL", "GS GL", "GS GL U", "R", "GS GL",
	    "GS GL" } },
	{ "d': NEON strikes while the guest is not live",
	  { IDLE, END },
	  { NEON(0, M), RUN_END(0, M), USER(0, M), END },
	  { "HS HL", "HS HL", "HS HL", "HS HL", "HS HL", "HS HL", "HL" } },
	{ "e: preempted by a kernel thread, live",
	  { LIVE, END },
	  { PREEMPTED, ENTER(0, M, 1, YES), END },
	  { "2HS HL GS GL", "2HS HL GS GL", "GS", "GS", "GS", "GS GL",
	    "GS GL" } },
	{ "e': preempted by a kernel thread, not live",
	  { IDLE, END },
	  { PREEMPTED, END },
	  { "HS", "HS", "HS", "HS", "HS", "HS", "" } },
	{ "f: preempted by a task that uses FP, live",
	  { LIVE, END },
	  { SWITCH(0, M, B), USER(0, B), SWITCH(0, B, M), VLOAD(0, M),
	    ENTER(0, M, 1, YES), END },
	  { "2HS HL GS GL BS BL", "2HS HL GS GL BS BL", "GS GL BS BL",
	    "GS GL BS BL", "GS GL BS BL", "GS GL BS BL", "GS GL BS BL" } },
	{ "f': a second turn of that task, the guest uses no FP",
	  { IDLE, SWITCH(0, M, B), USER(0, B), SWITCH(0, B, M), VLOAD(0, M),
	    END },
	  { ENTER(0, M, 1, NO), SWITCH(0, M, B), USER(0, B), SWITCH(0, B, M),
	    VLOAD(0, M), END },
	  { "HS HL GS GL BS", "BS", "BS", "BS", "BS", "BS", "BS BL" } },
	{ "g: to user mode and back into the guest, live",
	  { LIVE, END },
	  { BACK_IN_USER, VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "HS HL GS GL", "HS HL GS GL",
	    "HS HL GS GL", "HS HL GS GL", "HS HL GS GL" } },
	{ "g': to user mode and back into the guest, not live",
	  { IDLE, END },
	  { RUN_END(0, M), USER(0, M), VLOAD(0, M), ENTER(0, M, 1, NO), END },
	  { "HS HL GS GL", "", "", "", "", "", "HS HL" } },
	{ "h: to another CPU, live",
	  { LIVE, END },
	  { SWITCH(0, M, K), SWITCH(1, K, M), VLOAD(1, M), ENTER(1, M, 1, YES),
	    END },
	  { "2HS HL GS GL", "2HS HL GS GL", "GS GL", "GS GL", "GS GL", "GS GL",
	    "GS GL" } },
	{ "h, and to user mode there",
	  { LIVE, SWITCH(0, M, K), SWITCH(1, K, M), VLOAD(1, M), END },
	  { RUN_END(1, M), USER(1, M), END },
	  { "HL", "HL", "HL", "HL", "HL", "HL", "HL" } },
};

/* ---- around the table ---- */

static const struct scenario corners[] = {
	{ "KVM_RUN ends with a live guest, nobody saw the put",
	  { LIVE, END },
	  { RUN_END(0, M), USER(0, M), END },
	  { "", "", "HL", "HL GS", "HL GS", "HL GS", "HL GS" } },
	{ "KVM_RUN that never enters the guest",
	  { IN_USER, END },
	  { VLOAD(0, M), RUN_END(0, M), USER(0, M), END },
	  { "", "", "", "", "", "", "HS HL" } },
	{ "KVM_RUN that never loads the vcpu",
	  { IN_USER, END },
	  { RUN_END(0, M), USER(0, M), END },
	  { "", "", "", "", "", "", "" } },
	{ "NEON before vcpu_load() is the vcpu's already",
	  { IN_USER, END },
	  { RUN(0, M), NEON(0, M), VLOAD(0, M), RUN_END(0, M), USER(0, M),
	    END },
	  { "HS HL", "HS HL", "HS HL", "HS HL", "HS HL", "HS HL", "HS HL" } },
	{ "NEON outside KVM_RUN is not",
	  { IN_USER, END },
	  { NEON(0, M), USER(0, M), END },
	  { "BS BL", "BS BL", "BS BL", "BS BL", "BS BL", "BS BL", "BS BL" } },
	{ "between the put and the end of KVM_RUN: preempted, then NEON",
	  { LIVE, END },
	  { VPUT(0, M), SWITCH(0, M, K), SWITCH(0, K, M), NEON(0, M),
	    RUN_END(0, M), USER(0, M), END },
	  /*
	   * dall has not put it: the switch saves, and then NEON finds it live,
	   * and saves it once more; nothing is lost. Who refuses NEON does so.
	   */
	  { "2HS HL", "2HS HL", "HL", "HL 2GS", "HL 2GS R", "HL GS",
	    "HL GS" } },
	{ "reset inside KVM_RUN: the live state is dropped by who keeps it",
	  { LIVE, END },
	  { VPUT(0, M), FORGET_VCPU(V), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "GS GL", "GL", "GL", "GS GL",
	    "GS GL" } },
	{ "put and load inside KVM_RUN, no reset",
	  { LIVE, END },
	  { VPUT(0, M), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "GS", "", "", "GS GL", "GS GL" } },
	{ "the guest's registers are written between two runs",
	  { LIVE, BACK_IN_USER, END },
	  { FORGET_VCPU(V), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "HS GS GL", "HS GL", "HS GL", "HS GL",
	    "HS GL" } },
	{ "another CPU still has what KVM_RUN dropped here",
	  { LIVE, SWITCH(0, M, K), SWITCH(1, K, M), VLOAD(1, M), RUN_END(1, M),
	    SWITCH(1, M, K), SWITCH(0, K, M), END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "GS GL", "GL", "GL", "GL", "GL" } },
	{ "two vcpus of one thread",
	  { LIVE, BACK_IN_USER, END },
	  { VLOAD_W(0, M), ENTER(0, M, 1, YES), RUN_END(0, M), USER(0, M),
	    END },
	  { "HS HL GS GL", "HS HL GS GL", "HS HL GS GL", "HS HL GS GL",
	    "HS HL GS GL", "HS HL GS GL", "HS HL GS GL" } },
	{ "NEON of another task, the guest's state still in the registers",
	  { LIVE, SWITCH(0, M, K), END },
	  { NEON(0, K), SWITCH(0, K, M), VLOAD(0, M), ENTER(0, M, 1, YES),
	    END },
	  /* Saved by the switch: not lost, not refused. */
	  { "HS HL GS GL", "HS HL GS GL", "GS GL", "GL", "GL", "GL", "GL" } },
	{ "preempted, and NEON before the next entry: what was saved is not lost",
	  { LIVE, SWITCH(0, M, K), SWITCH(0, K, M), END },
	  { NEON(0, M), VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "2HS HL GS GL", "2HS HL GS GL", "GS GL", "GS GL", "R", "GL",
	    "GL" } },
	{ "the same, but entered in between",
	  { LIVE, SWITCH(0, M, K), SWITCH(0, K, M), VLOAD(0, M),
	    ENTER(0, M, 1, YES), END },
	  { NEON(0, M), END },
	  { "HS", "HS", "", "GS U", "R", "GS", "GS" } },
	{ "a refused section is switched out and in: it clobbers nothing",
	  { LIVE, END },
	  { NEON(0, M), SWITCH(0, M, K), SWITCH(0, K, M), CLOBBER(0, M),
	    VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "2HS HL GS GL", "2HS HL GS GL", "GS GL", "GS GL U", "GS R", "GS GL",
	    "GS GL" } },
	{ "a power down takes the registers, too",
	  { IN_USER, SWITCH(0, M, K), END },
	  { NEON(0, K), SWITCH(0, K, M), USER(0, M), END },
	  { "BL", "BL", "BL", "BL", "BL", "BL", "BL" } },
	{ "exec: the state of current is in memory only",
	  { IN_USER, END },
	  { FORGET_TASK(M), SWITCH(0, M, K), SWITCH(0, K, M), USER(0, M), END },
	  { "BL", "BL", "BL", "BL", "BL", "BL", "BL" } },
	{ "killed after KVM_RUN: the load that it owes is never made",
	  { LIVE, END },
	  { VPUT(0, M), RUN_END(0, M), DIES(M), PERHAPS_USER(0, M),
	    SWITCH(0, M, K), END },
	  { "BS", "BS", "", "GS", "GS", "GS", "GS" } },
	{ "its memory goes to another task, which owes nothing",
	  { LIVE, VPUT(0, M), RUN_END(0, M), DIES(M), SWITCH(0, M, K),
	    END_TASK(M), END },
	  { SWITCH(0, K, M), RUN_END(0, M), USER(0, M), SWITCH(0, M, K), END },
	  { "BS BL", "BS BL", "BS BL", "BS BL", "BS BL", "BS BL", "BS BL" } },
	{ "a vcpu's memory goes to another one",
	  { LIVE, SWITCH(0, M, K), END_VCPU(V), SWITCH(0, K, M), END },
	  { VLOAD(0, M), ENTER(0, M, 1, YES), END },
	  { "HS HL GS GL", "HS HL GS GL", "GS GL", "GL", "GL", "GL", "GL" } },
};

/* ---- what cannot be known ---- */

static const struct scenario maybes[] = {
	{ "live, used or not",
	  { LIVE, END },
	  { ENTER(0, M, 5, MAYBE), END },
	  { "5HS 5HL 5GS 5GL", "0-5HS 0-5HL 0-5GS 0-5GL", "5GS", "", "", "",
	    "" } },
	{ "user mode or not, with what is live",
	  { IN_USER, END },
	  { PERHAPS_USER(0, M), SWITCH(0, M, K), END },
	  { "BS", "BS", "BS", "BS", "BS", "BS", "BS" } },
	{ "after KVM_RUN, user mode or not, then switched out",
	  { IDLE, RUN_END(0, M), END },
	  { PERHAPS_USER(0, M), SWITCH(0, M, K), END },
	  { "BS", "BS", "BS", "BS", "BS", "BS", "0-1HL 0-1BS" } },
	{ ".. and then surely: one load is the vcpu's, whenever it was made",
	  { IDLE, RUN_END(0, M), END },
	  { PERHAPS_USER(0, M), SWITCH(0, M, K), SWITCH(0, K, M), USER(0, M),
	    END },
	  { "BS", "BS", "BS", "BS", "BS", "BS", "HL 0-1BS" } },
	{ ".. but if it was made before, then the second is not the vcpu's",
	  { IDLE, RUN_END(0, M), END },
	  { PERHAPS_USER(0, M), SWITCH(0, M, K), NEON(0, K), SWITCH(0, K, M),
	    USER(0, M), END },
	  { "BS BL", "BS BL", "BS BL", "BS BL", "BS BL", "BS BL",
	    "HL 0-1BS 0-1BL" } },
	{ ".. and it was there some time: all but the second return would pay",
	  { IDLE, SWITCH(0, M, K), SWITCH(1, K, M), VLOAD(1, M), RUN_END(1, M),
	    SWITCH(1, M, K), SWITCH(0, K, M), END },
	  { PERHAPS_USER(0, M), NEON(0, M), PERHAPS_USER(0, M), WAS_USER(0, M),
	    END },
	  { "0-1HL BS", "0-1HL BS", "0-1HL BS", "0-1HL BS", "0-1HL BS",
	    "0-1HL BS", "HL 0-1BS 0-1BL" } },
	{ "an exit that is told after NEON",
	  { LIVE, SWITCH(0, M, K), SWITCH(0, K, M), VLOAD(0, M), END },
	  { LATE_EXIT(0, M), NEON(0, M), ENTER(0, M, 1, NO), END },
	  { "2HS HL GS GL", "HS", "0-1GS", "GS", "R", "", "" } },
	{ "perhaps two returns to user mode",
	  { IDLE, RUN_END(0, M), END },
	  { PERHAPS_USER(0, M), NEON(0, M), PERHAPS_USER(0, M), NEON(0, M),
	    END },
	  { "1-2BS 0-1BL", "1-2BS 0-1BL", "1-2BS 0-1BL", "1-2BS 0-1BL",
	    "1-2BS 0-1BL", "1-2BS 0-1BL", "0-1HL 0-2BS 0-1BL" } },
};

/* ---- the tests of the tables ---- */

static unsigned int wrong_moves(const struct scenario *s)
{
	struct policies *p = begin();
	struct counts then[POLICY_MAX], now;
	unsigned int i, wrong = 0;

	feed(p, s->before);
	for (i = 0; i < POLICY_MAX; i++)
		then[i] = counts(p, (int)i);
	feed(p, s->need);
	for (i = 0; i < POLICY_MAX; i++) {
		now = counts(p, (int)i);
		if (!strcmp(text_of(&now, &then[i]), s->moves[i]))
			continue;
		print_error("%s: %s moves '%s', not '%s'\n", s->name,
			    policy__name(i), text_of(&now, &then[i]),
			    s->moves[i]);
		wrong++;
	}
	policies__free(p);
	return wrong;
}

static void check_all(const struct scenario *s, size_t n)
{
	unsigned int wrong = 0;

	while (n-- > 0)
		wrong += wrong_moves(s++);
	assert_int_equal(wrong, 0);
}

static void counterfactual_table(void **state)
{
	(void)state;
	check_all(table, ARRAY_SIZE(table));
}

static void around_the_table(void **state)
{
	(void)state;
	check_all(corners, ARRAY_SIZE(corners));
}

static void what_cannot_be_known(void **state)
{
	(void)state;
	check_all(maybes, ARRAY_SIZE(maybes));
}

/* ---- nothing is known ---- */

/* From an unknown start nothing is certain, until something is loaded. */
static void unknown_start(void **state)
{
	static const struct need need[] = { VLOAD(0, M), ENTER(0, M, 1, YES),
					    NEON(0, M), END };
	static const char *const moves[POLICY_MAX] = {
		"1-2HS HL GS GL",   "1-2HS HL GS GL", "0-1HS GS 0-1GL",
		"0-1HS GS 0-1GL U", "0-1HS 0-1GL R",  "0-1HS GS 0-1GL",
		"0-1HS GS GL"
	};
	struct policies *p = policies__new(CPUS);
	struct counts now, zero = {};
	int i;

	(void)state;
	assert_non_null(p);
	feed(p, need);
	for (i = 0; i < POLICY_MAX; i++) {
		now = counts(p, i);
		assert_string_equal(text_of(&now, &zero), moves[i]);
	}
	policies__free(p);
}

static void neon_at_an_unknown_start(void **state)
{
	static const struct need need[] = { VLOAD(0, M), NEON(0, M), END };
	static const char *const moves[POLICY_MAX] = {
		"0-1HS",      "0-1HS",	     "0-1HS", "0-1HS 0-1GS 0-1U",
		"0-1HS 0-1R", "0-1HS 0-1GS", "0-1HS"
	};
	struct policies *p = policies__new(CPUS);
	struct counts now, zero = {};
	int i;

	(void)state;
	feed(p, need);
	for (i = 0; i < POLICY_MAX; i++) {
		now = counts(p, i);
		assert_string_equal(text_of(&now, &zero), moves[i]);
	}
	policies__free(p);
}

/*
 * After a gap M may be anywhere. B has been on CPU 1 all the time: it is inside
 * KVM_RUN still.
 */
static void gap_in_the_stream(void **state)
{
	static const struct need before[] = { IN_RUN, SWITCH(1, K, B),
					      USER(1, B), VLOAD_W(1, B), END };
	static const struct need gap[] = { GAP(0), ENTER(1, B, 2, NO), END };
	static const struct need after[] = {
		/* M has left KVM_RUN meanwhile: it pays for itself */
		PERHAPS_USER(0, M), SWITCH(0, M, K), END
	};
	struct policies *p = begin();
	struct counts then, now;

	(void)state;
	feed(p, before);
	then = counts(p, POLICY_UNCOND);
	feed(p, gap);
	now = counts(p, POLICY_UNCOND);
	assert_string_equal(text_of(&now, &then), "2HS 2HL 2GS 2GL");
	then = counts(p, POLICY_MARTIN);
	feed(p, after);
	now = counts(p, POLICY_MARTIN);
	assert_string_equal(text_of(&now, &then), "0-1BS 0-1BL");
	policies__free(p);
}

/* A task that was not seen before: perhaps it is in KVM_RUN. */
static void user_mode_unsure_after_a_gap(void **state)
{
	static const struct need need[] = { USER(0, M), RUN(0, M), END };
	struct policies *p = policies__new(CPUS);
	struct counts now, zero = {};

	(void)state;
	feed(p, need);
	now = counts(p, POLICY_MARTIN);
	assert_string_equal(text_of(&now, &zero), "0-1BL");
	policies__free(p);
}

/* ---- interrupts off ---- */

static void irqoff(void **state)
{
	static const struct need need[] = {
		IN_RUN,		 ENTER(0, M, 1, YES),
		NEON(0, M),	 ENTER(0, M, 1, YES),
		SWITCH(0, M, K), SWITCH(0, K, M),
		VLOAD(0, M),	 ENTER(0, M, 1, YES),
		BACK_IN_USER,	 END
	};
	/* host saves and loads, guest saves and loads */
	static const uint64_t off[POLICY_MAX][4] = {
		[POLICY_UNCOND] = { 3, 3, 3, 3 },
		[POLICY_DEFENSIVE] = { 3, 3, 3, 3 },
		[POLICY_MARTIN_RFC] = { 1, 0, 3, 2 },
		[POLICY_DALL] = { 1, 0, 1, 2 },
		[POLICY_BLOCK_NEON] = { 1, 0, 1, 1 },
		[POLICY_MARTIN] = { 1, 0, 2, 3 },
		[POLICY_EAGER_HOST] = { 1, 0, 2, 3 },
	};
	struct policies *p = begin();
	int i;

	(void)state;
	feed(p, need);
	for (i = 0; i < POLICY_MAX; i++) {
		const struct policy_row row = policies__total(p, i);

		assert_int_equal(row.host.save.irqoff.lo, off[i][0]);
		assert_int_equal(row.host.load.irqoff.lo, off[i][1]);
		assert_int_equal(row.guest.save.irqoff.lo, off[i][2]);
		assert_int_equal(row.guest.load.irqoff.lo, off[i][3]);
		assert_int_equal(row.host.save.irqoff.hi, off[i][0]);
		assert_int_equal(row.guest.save.irqoff.hi, off[i][2]);
	}
	policies__free(p);
}

/* ---- many ---- */

/* More than 16 bits hold, at once and one after the other. */
static void numbers_grow(void **state)
{
	static const struct need in_run[] = { IN_RUN, END };
	static const struct need enter[] = {
		ENTER(0, M, 30000, MAYBE), ENTER(0, M, 32767, YES),
		ENTER(0, M, 32768, YES),   ENTER(0, M, 5000000000, NO),
		ENTER(0, M, 1, YES),	   END
	};
	const uint64_t yes = 32767 + 32768 + 1, no = 5000000000;
	struct policies *p = begin();
	struct policy_row row;
	int i;

	(void)state;
	feed(p, in_run);
	for (i = 0; i < 100; i++)
		feed(p, enter);
	row = policies__total(p, POLICY_UNCOND);
	assert_int_equal(row.host.save.done.lo, 100 * (30000 + yes + no));
	assert_int_equal(row.host.load.irqoff.hi, 100 * (30000 + yes + no));
	row = policies__total(p, POLICY_DEFENSIVE);
	assert_int_equal(row.guest.save.done.lo, 100 * yes);
	assert_int_equal(row.guest.save.done.hi, 100 * (30000 + yes));
	assert_int_equal(row.guest.load.irqoff.lo, 100 * yes);
	policies__free(p);
}

/* ---- slots ---- */

static uint64_t guest_loads(const struct policies *p, uint32_t slot)
{
	const struct policy_row *rows = policies__rows(p, slot);

	return rows ? rows[POLICY_MARTIN].guest.load.done.lo : 0;
}

static void slots_come_and_go(void **state)
{
	static const struct need first[] = { LIVE, BACK_IN_USER, VLOAD_W(0, M),
					     ENTER(0, M, 1, YES), END };
	struct policies *p = begin();

	(void)state;
	assert_null(policies__rows(p, SLOT));
	feed(p, first);
	assert_int_equal(guest_loads(p, SLOT), 1);
	assert_int_equal(guest_loads(p, SLOT_W), 1);
	assert_null(policies__rows(p, FP_NO_SLOT));
	policies__end(p, SLOT);
	policies__end(p, FP_NO_SLOT);
	assert_int_equal(guest_loads(p, SLOT), 0);
	assert_int_equal(guest_loads(p, SLOT_W), 1);
	assert_int_equal(policies__total(p, POLICY_MARTIN).guest.load.done.lo,
			 2);
	policies__end(p, SLOT);
	assert_int_equal(policies__total(p, POLICY_MARTIN).guest.load.done.lo,
			 2);
	policies__free(p);
}

/* A slot that cannot be is no vcpu's: its operations are charged to none. */
static void slots_that_cannot_be(void **state)
{
	static const uint32_t slots[] = { FP_NO_SLOT, FP_MAX_VCPUS,
					  0x80000000 };
	static const struct need run[] = { IN_USER, END };
	static const struct need guest[] = { ENTER(0, M, 1, YES), RUN_END(0, M),
					     USER(0, M), END };
	struct policies *p = begin();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct need vload = VLOAD(0, M);

		vload.slot = slots[i];
		feed(p, run);
		assert_int_equal(policies__step(p, &vload), 0);
		feed(p, guest);
		assert_int_equal(
			policies__other(p, POLICY_MARTIN).guest.load.done.lo,
			i + 1);
	}
	assert_int_equal(policies__total(p, POLICY_MARTIN).guest.load.done.lo,
			 0);
	policies__free(p);
}

/* ---- streams that cannot be ---- */

static uint64_t random_state;

static uint32_t below(uint32_t n)
{
	random_state =
		random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % n;
}

/* Few buffers, so that tasks and vcpus are taken for each other. */
static uint64_t any_buf(void)
{
	return below(8) * 0x1000;
}

static uint32_t any_of(uint32_t n, uint32_t odd)
{
	return below(50) ? below(n) : odd;
}

static void impossible_needs(void **state)
{
	struct policies *p = begin();
	unsigned int i;
	int policy;

	(void)state;
	random_state = 1;
	for (i = 0; i < 200000; i++) {
		const struct need n = {
			.kind = below(NEED_GAP + (below(100) == 0)),
			.use = below(3),
			.cpu = any_of(CPUS, UINT32_MAX),
			.slot = any_of(4, UINT32_MAX - below(2)),
			.task = any_buf(),
			.next = any_buf(),
			.vcpu = any_buf(),
			.count = below(4),
		};

		assert_int_equal(policies__step(p, &n), 0);
		if (below(100) == 0)
			policies__end(p, below(5));
	}
	for (policy = 0; policy < POLICY_MAX; policy++) {
		const struct policy_row row = policies__total(p, policy);

		assert_true(row.guest.load.done.lo <= row.guest.load.done.hi);
		assert_true(row.host.load.done.lo <= row.host.load.done.hi);
		assert_true(row.guest.load.done.hi > 0);
	}
	policies__free(p);
}

static void impossible_records(void **state)
{
	struct policies *p = policies__new(CPUS);
	struct needs *needs = needs__new(CPUS);
	struct need need[NEEDS_MAX + 1];
	unsigned int i, j, n;

	(void)state;
	random_state = 2;
	for (i = 0; i < 200000; i++) {
		struct fp_rec r = {
			.ev = { .buf = any_buf(),
				.kind = (__u8)below(FP_EV_MAX + 1),
				.foreign = (__u8)below(2),
				.in_run = (__u8)below(2),
				.arg = (__u8)below(2) },
			.other = any_buf(),
			.slot = any_of(4, UINT32_MAX - below(2)),
			.cpu = any_of(CPUS, UINT32_MAX),
			.exits = any_of(4, UINT32_MAX),
			.live = any_of(4, UINT32_MAX),
			.flags = below(200) ? below(32) & ~FP_REC_GAP :
					      FP_REC_GAP,
		};
		uint32_t step = below(1u << 11) | below(FP_CAUSE_MAX) << 16;

		need[NEEDS_MAX].kind = NEED_GAP + 1;
		n = needs__of(needs, &r, step, need);
		assert_true(n <= NEEDS_MAX);
		assert_true(need[NEEDS_MAX].kind == NEED_GAP + 1);
		for (j = 0; j < n; j++)
			assert_int_equal(policies__step(p, &need[j]), 0);
	}
	needs__free(needs);
	policies__free(p);
}

static void nothing_at_all(void **state)
{
	(void)state;
	policies__free(NULL);
	needs__free(NULL);
	assert_int_equal(policy__by_name("no such"), POLICY_MAX);
	assert_int_equal(policy__by_name("dall"), POLICY_DALL);
	assert_true(policy__knows_sve(POLICY_EAGER_HOST));
	assert_false(policy__knows_sve(POLICY_DALL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counterfactual_table),
		cmocka_unit_test(around_the_table),
		cmocka_unit_test(what_cannot_be_known),
		cmocka_unit_test(unknown_start),
		cmocka_unit_test(neon_at_an_unknown_start),
		cmocka_unit_test(gap_in_the_stream),
		cmocka_unit_test(user_mode_unsure_after_a_gap),
		cmocka_unit_test(irqoff),
		cmocka_unit_test(numbers_grow),
		cmocka_unit_test(slots_come_and_go),
		cmocka_unit_test(slots_that_cannot_be),
		cmocka_unit_test(impossible_needs),
		cmocka_unit_test(impossible_records),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
