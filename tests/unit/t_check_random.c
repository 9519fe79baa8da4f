// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker against kernels with a fault, in a random world.
 *
 * A kernel without one breaks no rule, however long one looks. One with a fault is
 * told of by the rule that is there for it; and whenever a state was wrong since,
 * something was told, unless nobody at EL1 can see it.
 */
#include <inttypes.h>

#include "check.h"
#include "fpstat/look.h"
#include "random_world.h"
#include "rules.h"
#include "snapshot.h"

enum { SEEDS = 100, STEPS = 2500 };

static struct check *check;
static struct violation first; /* of this run, if there is one */
static bool told;

static void on_violation(void *ctx, const struct violation *v)
{
	(void)ctx;
	if (!told)
		first = *v;
	told = true;
}

static void feed(struct observer *o, const struct fp_rec *rec)
{
	(void)o;
	assert_int_equal(check__feed(check, rec), 0);
}

static struct fp_look look_of(const struct machine *m, int c)
{
	int t = w.current[c], v = w.thread[t].loaded;

	return (struct fp_look){
		.last = addr(m->cpu[c].last),
		.task = addr(t),
		.vcpu = v == NOBODY ? 0 : addr(vstate(v)),
		.cpu = (__u32)c,
		.home = (__u32)m->state[t].cpu,
		.nr_cpus = CPUS,
		.foreign = m->task[t].foreign,
		.owner = v != NOBODY && m->vcpu[v].owns ? FP_HINT_GUEST :
							  FP_HINT_HOST,
		.has_ctxflush = m->policy == POLICY_EAGER_HOST,
		.eager = check__eager(check),
	};
}

/* As bpf/live_rules.h, with each entry and each exit looked at. */
static __u8 breach(struct observer *o, int c, enum where where,
		   const struct fp_look *l)
{
	const struct fp_cpu *model = &o->side[c].model;
	int v = w.thread[w.current[c]].loaded;
	bool ran = v != NOBODY && o->ran[v] && l->owner == FP_HINT_GUEST;
	__u8 found = FP_BREACHES;

	switch (where) {
	case AT_ENTRY:
		o->ran[v] = true;
		return fp_look_entry(l);
	case AT_BIND:
		return fp_look_bind(l, model->bound == FP_BOUND_VCPU &&
					       model->buf == l->vcpu);
	case AT_EXIT:
		return ran ? fp_look_exit(l) : FP_BREACHES;
	case AT_EXEC:
		return l->foreign ? FP_BREACHES : FP_BREACH_OLD_IMAGE;
	case AT_NEON:
	case AT_SAVE:
		if (ran)
			found = fp_look_exit(l);
		if (where == AT_SAVE && found == FP_BREACHES && !l->foreign)
			found = fp_look_save(l);
		break;
	case AT_LOAD:
		break;
	}
	if (v != NOBODY)
		o->ran[v] = false;
	return found;
}

static void look(struct machine *m, int c, enum where where)
{
	struct fp_look l = look_of(m, c);
	struct fp_fact fact = { .ns = w.step, .cpu = (__u32)c };

	if (!m->seen_by)
		return;
	fact.breach = breach(m->seen_by, c, where, &l);
	check__fact(check, &fact);
	check__settle(check);
}

static const struct {
	const char *name, *what;
	const char *rules[2]; /* as seen[] */
} faults[FAULTS] = {
#define X(name, what, martin, eager) { #name, what, { martin, eager } },
	FAULT_MAP(X)
#undef X
};

static struct machine *const seen[] = { &machine[POLICY_MARTIN],
					&machine[POLICY_EAGER_HOST] };

static void begin(unsigned int seed, struct machine *m, enum fault fault)
{
	static struct observer o;
	int i;

	begin_world(seed);
	o = (struct observer){};
	for (i = 0; i < VCPUS; i++)
		o.home[i] = NOWHERE;
	told = false;
	check = check__new(CPUS, on_violation, NULL);
	assert_non_null(check);
	m->seen_by = &o;
	m->fault = fault;
	m->after = seed % 8;
}

static void run(unsigned int steps)
{
	while (steps-- > 0)
		step((int)below(CPUS));
}

static void fail_told(const struct machine *m)
{
	unsigned int i;

	for (i = 0; i < first.nr_events; i++)
		print_message("# step %5u %-13s flag %u buffer %#" PRIx64 "\n",
			      (unsigned int)first.events[i].ns,
			      snap_event__name(first.events[i].ev.kind),
			      first.events[i].ev.foreign,
			      (uint64_t)first.events[i].ev.buf);
	fail_msg("%s, seed %u, step %u, fault %s: %s: %s", m->name, w.seed,
		 (unsigned int)first.ns,
		 m->hit ? faults[m->fault].name : "none", rule__id(first.rule),
		 breach__says(first.breach));
}

/* Those that a stream can break, and nothing here does: there is no power to lose. */
static bool is_asked(enum fp_rule rule)
{
	return rules[rule].how & RULE_STREAM && rule != FP_RULE_I19;
}

static void no_fault(void **state)
{
	uint64_t asked[FP_RULES] = {};
	unsigned int seed, i, r;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		for (i = 0; i < ARRAY_SIZE(seen); i++) {
			begin(seed, seen[i], FAULTS);
			run(STEPS);
			for (r = 0; r < FP_RULES; r++)
				asked[r] += check__asked(check, r);
			check__free(check);
			if (told)
				fail_told(seen[i]);
		}
	}
	for (r = 0; r < FP_RULES; r++) {
		if (is_asked(r) && !asked[r])
			fail_msg("%s was never asked", rule__id(r));
	}
}

static bool names(const char *list, const char *id)
{
	size_t len = strlen(id);

	for (; list; list = strchr(list, ' ')) {
		list += *list == ' ';
		if (!strncmp(list, id, len) && (list[len] == ' ' || !list[len]))
			return true;
	}
	return false;
}

/* Nothing asks for a save, and then the task is preempted: that saves. */
static bool hides(enum fault fault)
{
	return fault == FAULT_SKIP_PRESERVE || fault == FAULT_SKIP_RESTORE;
}

/* One fault on one kernel, in many worlds: how often it was hit, did harm, was told. */
static void try_fault(enum fault fault, unsigned int nr)
{
	struct machine *m = seen[nr];
	const char *list = faults[fault].rules[nr];
	unsigned int seed, hit = 0, corrupt = 0, unseen = 0, by[FP_RULES] = {};
	unsigned int r, all = 0;

	for (seed = 1; seed <= SEEDS; seed++) {
		begin(seed, m, fault);
		run(STEPS);
		check__free(check);
		hit += m->hit;
		corrupt += m->corrupt > 0;
		unseen += m->corrupt > 0 && !told;
		if (told && !names(list, rule__id(first.rule)))
			fail_told(m);
		by[first.rule] += told;
		all += told;
	}
	print_message("# %-15s %-10s hit %3u, harm %3u, of it not told %3u:",
		      faults[fault].name, m->name, hit, corrupt, unseen);
	for (r = 0; r < FP_RULES; r++) {
		if (by[r])
			print_message(" %s %u", rule__id(r), by[r]);
	}
	print_message("\n");
	assert_true(hit);
	if (*list)
		assert_true(all);
	/* What a task does in user mode is not seen: others pass in its shadow. */
	if (*list && !hides(fault) && unseen * 4 > corrupt + 3)
		fail_msg("%s on %s: not told", faults[fault].what, m->name);
}

static void with_fault(void **state)
{
	unsigned int f, i;

	(void)state;
	for (f = 0; f < FAULTS; f++) {
		for (i = 0; i < ARRAY_SIZE(seen); i++)
			try_fault(f, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_fault),
		cmocka_unit_test(with_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
