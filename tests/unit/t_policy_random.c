// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policies against real kernels that follow them, in a random world.
 *
 * Two of the machines are observed: martin as 5.10, eager-host as 6.1 and 6.12.
 * What our hooks would record there is all that replay, needs and policies get.
 * From it they must say
 *  - what the observed machine did, exactly;
 *  - of each other machine an interval that holds what that one did;
 *  - if records are lost, or begin in the middle, such an interval of each;
 *  - and of each transfer what the kernel's own judge says, or nothing.
 */
#include <inttypes.h>

#include "need.h"
#include "prove.h"
#include "random_world.h"
#include "replay.h"
#include "sweep.h"

static struct observer observer[POLICY_MAX];

static bool may_say(__u8 verdict, __u8 kernels)
{
	return verdict == FP_VERDICT_NONE || verdict == FP_VERDICT_UNKNOWN ||
	       verdict == kernels;
}

/* Who has not seen all records knows less, or later, but nothing else. */
static void check_verdicts(const struct observer *o, const struct fp_rec *rec)
{
	const struct side *side = &o->side[rec->cpu];
	const struct fp_verdicts is = replay__verdicts(o->replay, rec);
	struct fp_judge kernel = side->judge;

	fp_judge_step(&kernel, &rec->ev, side->step);
	CHECK(may_say(is.old, kernel.is.old ? kernel.is.old : side->decided));
	CHECK(may_say(is.save, kernel.is.save));
	CHECK(may_say(is.load, kernel.is.load));
	CHECK(may_say(is.resumed, kernel.is.resumed));
}

static void feed(struct observer *o, const struct fp_rec *rec)
{
	struct need need[NEEDS_MAX];
	struct prove_answer answer;
	struct prove_at at = { .bound = replay__bound(o->replay, rec->cpu) };
	unsigned int i, n;

	at.step = replay__step(o->replay, rec);
	check_verdicts(o, rec);
	prove__step(o->prove, o->policies, rec, &at, &answer);
	n = needs__of(o->needs, rec, at.step, need);
	CHECK(n <= NEEDS_MAX);
	for (i = 0; i < n; i++)
		CHECK(policies__step(o->policies, &need[i]) == 0 &&
		      sweep__step(o->sweep, &need[i]) == 0);
}

static void look(struct machine *m, int c, enum where where)
{
	(void)m;
	(void)c;
	(void)where;
}

static void observe(struct machine *m)
{
	struct observer *o = &observer[m->policy];
	int i;

	*o = (struct observer){};
	o->replay = replay__new(CPUS);
	o->prove = prove__new(CPUS);
	o->needs = needs__new(CPUS);
	o->policies = policies__new(CPUS);
	o->sweep = sweep__new(CPUS, &params);
	assert_non_null(o->replay);
	assert_non_null(o->prove);
	assert_non_null(o->needs);
	assert_non_null(o->policies);
	assert_non_null(o->sweep);
	for (i = 0; i < VCPUS; i++)
		o->home[i] = NOWHERE;
	m->seen_by = o;
}

static void observe_no_more(struct machine *m)
{
	struct observer *o = m->seen_by;

	replay__free(o->replay);
	prove__free(o->prove);
	needs__free(o->needs);
	policies__free(o->policies);
	sweep__free(o->sweep);
	m->seen_by = NULL;
}

static void run(unsigned int steps)
{
	while (steps-- > 0)
		step((int)below(CPUS));
}

/* As stream__rest(): the exits that are waiting for a record. */
static void tell_exits(struct observer *o)
{
	const struct fp_event none = { .kind = FP_EV_EXIT };
	int c;

	for (c = 0; c < CPUS; c++)
		record(o, c, &none, OTHER, 0, FP_REC_NO_STEP | FP_REC_NO_JUDGE);
}

/* Is something half done, or was done and will be told later? */
static bool amid(const struct observer *o)
{
	int c;

	for (c = 0; c < CPUS; c++) {
		const struct thread *t = &w.thread[w.current[c]];
		enum op next = t->next < t->ops ? t->op[t->next] : NOTHING;

		if (next == EXIT_TP || next == LOAD_FP || t->sched_in == 1 ||
		    o->silent[w.current[c]])
			return true;
	}
	return false;
}

/* ---- is it in the interval? ---- */

enum { HS, HL, GS, GL, UNSAFE, REFUSED, KINDS };

static const char *const kinds[KINDS] = { "host saves",	 "host loads",
					  "guest saves", "guest loads",
					  "unsafe",	 "refused" };

/* Sums over all runs: printed as truth (width of the interval). */
static struct {
	uint64_t truth;
	uint64_t width;
} widths[POLICY_MAX][MACHINES][KINDS];
static uint64_t checks;

struct about {
	const struct machine *seen;
	const struct machine *m;
	const struct truth *truth; /* of m, in .. */
	int slot;
	bool gaps;
};

static void check_range(const struct about *a, const char *what, uint64_t truth,
			const struct range *r, uint64_t slack)
{
	checks++;
	if (r->lo <= truth + slack && truth <= r->hi + slack &&
	    (a->seen != a->m || a->gaps || slack || r->lo == r->hi))
		return;
	fail_msg("seed %u, step %u: seen from %s, %s makes %" PRIu64
		 " %s in slot %d, not %" PRIu64 " to %" PRIu64,
		 w.seed, w.step, policy__name(a->seen->policy),
		 a->m->name, truth, what, a->slot, r->lo, r->hi);
}

/* A softirq that overtook vcpu_load() has saved with interrupts on. */
static void check_xfer(const struct about *a, int kind, const struct xfer *x,
		       const struct policy_xfer *p)
{
	check_range(a, kinds[kind], x->done, &p->done, 0);
	check_range(a, "irqoff", x->irqoff, &p->irqoff,
		    kind == HS ? w.overtaken : 0);
}

static void check_host(const struct about *a, const struct policy_ops *host)
{
	const struct truth *t = a->truth;

	check_xfer(a, HS, &t->host_save, &host->save);
	check_xfer(a, HL, &t->host_load, &host->load);
}

static void check_guest(const struct about *a, const struct policy_ops *guest)
{
	const struct truth *t = a->truth;

	check_xfer(a, GS, &t->guest_save, &guest->save);
	check_xfer(a, GL, &t->guest_load, &guest->load);
}

static void check_row(const struct about *a, const struct policy_row *row)
{
	const struct truth *t = a->truth;

	check_host(a, &row->host);
	check_range(a, "unsafe", t->unsafe, &row->unsafe, 0);
	check_range(a, "refused", t->refused, &row->refused, 0);
	if (!a->m->param)
		check_guest(a, &row->guest);
}

static struct policy_row total_of(const struct observer *o,
				  const struct machine *m)
{
	struct policy_row row = policies__total(o->policies, m->policy);

	if (m->param)
		row.guest = sweep__total(
			o->sweep, (unsigned int)(m->param - params.param));
	return row;
}

static void check_machine(const struct machine *seen, const struct machine *m)
{
	static const struct policy_row none[POLICY_MAX];
	static const struct policy_ops no_guest[PARAMS_MAX];
	const struct observer *o = seen->seen_by;
	struct about a = { seen, m, &m->truth[OTHER], OTHER, false };
	struct policy_row other = policies__other(o->policies, m->policy);

	check_host(&a, &other.host);
	for (a.slot = 0; a.slot < w.slots; a.slot++) {
		const struct policy_row *rows =
			policies__rows(o->policies, (uint32_t)a.slot);
		const struct policy_ops *guests =
			sweep__rows(o->sweep, (uint32_t)a.slot);

		a.truth = &m->truth[a.slot];
		check_row(&a, &(rows ? rows : none)[m->policy]);
		if (m->param)
			check_guest(&a, &(guests ? guests : no_guest)
						[m->param - params.param]);
	}
}

static void check_same(const char *what, uint64_t truth, uint64_t replayed)
{
	checks++;
	if (truth != replayed)
		fail_msg("%s, seed %u, step %u: %" PRIu64 " %s, not %" PRIu64,
			 machine_name, w.seed, w.step, truth, what, replayed);
}

/* Does each decision of this machine follow from its needs? */
static void check_proof(const struct prove *p)
{
	static const char *const names[] = {
#define X(id, name, where) name,
		FP_EVENT_MAP(X)
#undef X
	};
	const struct prove_first *f = prove__first(p);
	unsigned int i;

	for (i = 0; i < f->nr_events; i++) {
		const struct fp_rec *r = &f->events[i];

		printf("# CPU %u %s %" PRIx64 " other %" PRIx64 " foreign %u "
		       "in_run %u flags %u exits %u live %u\n",
		       r->cpu, names[r->ev.kind], (uint64_t)r->ev.buf,
		       (uint64_t)r->other, r->ev.foreign, r->ev.in_run,
		       r->flags, r->exits, r->live);
	}
	if (f->record)
		printf("# found %s, foretold %s\n",
		       prove_found__name(f->found),
		       prove_found__name(f->foretold));
	check_same("wrong", 0, f->record);
}

static void check_replay(const struct machine *m)
{
	const struct replay *r = m->seen_by->replay;
	const struct truth *other = &m->truth[OTHER];
	static const struct replay_vcpu none;
	int i;

	for (i = 0; i < w.slots; i++) {
		const struct replay_vcpu *v = replay__vcpu(r, (uint32_t)i);
		const struct truth *t = &m->truth[i];

		if (!v)
			v = &none;
		check_same("exits", t->exits, v->exits);
		check_same("live", t->live, v->runs_live);
		check_same(kinds[HS], t->host_save.done, v->host.save);
		check_same(kinds[HL], t->host_load.done, v->host.load);
		check_same(kinds[GS], t->guest_save.done, v->guest.save);
		check_same(kinds[GL], t->guest_load.done, v->guest.load);
	}
	check_same("task saves", other->host_save.done + m->reads,
		   replay__task(r).save);
	check_same("task loads", other->host_load.done, replay__task(r).load);
	check_same("kernel saves", m->neon_saves, replay__kernel(r).save);
	check_same("kernel loads", m->neon_loads, replay__kernel(r).load);
	check_same("impossible", 0, replay__doubt(r)->count);
}

static bool check_if_settled(const struct machine *seen)
{
	const struct machine *m;

	machine_name = policy__name(seen->policy);
	if (amid(seen->seen_by))
		return false;
	tell_exits(seen->seen_by);
	check_replay(seen);
	check_proof(seen->seen_by->prove);
	EACH(m)
		check_machine(seen, m);
	return true;
}

static void add_width(uint64_t truth, const struct range *r, int seen, int m,
		      int kind)
{
	widths[seen][m][kind].truth += truth;
	widths[seen][m][kind].width += r->hi - r->lo;
}

static void measure(const struct machine *seen, const struct machine *m)
{
	const struct policy_row row = total_of(seen->seen_by, m);
	int i, s = seen->policy, p = (int)(m - machine);

	for (i = 0; i < w.slots; i++) {
		const struct truth *t = &m->truth[i];
		const struct range zero = {};

		add_width(t->host_save.done, &zero, s, p, HS);
		add_width(t->host_load.done, &zero, s, p, HL);
		add_width(t->guest_save.done, &zero, s, p, GS);
		add_width(t->guest_load.done, &zero, s, p, GL);
		add_width(t->unsafe, &zero, s, p, UNSAFE);
		add_width(t->refused, &zero, s, p, REFUSED);
	}
	add_width(0, &row.host.save.done, s, p, HS);
	add_width(0, &row.host.load.done, s, p, HL);
	add_width(0, &row.guest.save.done, s, p, GS);
	add_width(0, &row.guest.load.done, s, p, GL);
	add_width(0, &row.unsafe, s, p, UNSAFE);
	add_width(0, &row.refused, s, p, REFUSED);
}

static struct machine *const seen[] = { &machine[POLICY_MARTIN],
					&machine[POLICY_EAGER_HOST] };

/*
 * CPUs that come up: what they hold is known. And so is whether vcpu_load() saves
 * the host: the first KVM_RUN shows it, but until then the save of a NEON section
 * that was switched out at its begin can be taken for that one.
 */
static void bring_up(struct machine *m)
{
	const struct fp_event dead = { .kind = FP_EV_CPU_DEAD };
	const struct fp_rec rec = { .ev = dead };
	struct need need[NEEDS_MAX];
	int c;

	if (m->policy == POLICY_MARTIN)
		needs__of(m->seen_by->needs, &rec, FP_OP_MARTIN, need);
	for (c = 0; c < CPUS; c++)
		hear_with(m, c, dead, OTHER, 0, 0);
}

enum { SEEDS = 1000, STEPS = 3000, EACH_CHECK = 40 };

static void print_widths(void)
{
	int s, p, k;

	for (s = 0; s < POLICY_MAX; s++) {
		for (p = 0; p < MACHINES; p++) {
			if (!widths[s][p][HS].truth)
				continue;
			print_message("# %-13s on %-10s:", machine[p].name,
				      policy__name(s));
			for (k = 0; k < KINDS; k++)
				print_message(" %s %" PRIu64 " (%" PRIu64 ")",
					      kinds[k], widths[s][p][k].truth,
					      widths[s][p][k].width);
			print_message("\n");
		}
	}
}

static void from_the_start(void **state)
{
	unsigned int seed, i, j, settled = 0;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		begin_world(seed);
		for (i = 0; i < ARRAY_SIZE(seen); i++) {
			observe(seen[i]);
			bring_up(seen[i]);
		}
		for (j = 0; j < STEPS / EACH_CHECK; j++) {
			run(EACH_CHECK);
			for (i = 0; i < ARRAY_SIZE(seen); i++)
				settled += check_if_settled(seen[i]);
		}
		for (i = 0; i < ARRAY_SIZE(seen); i++) {
			for (j = 0; j < MACHINES; j++)
				measure(seen[i], &machine[j]);
			observe_no_more(seen[i]);
		}
	}
	print_message("# settled %u times, %" PRIu64 " checks\n", settled,
		      checks);
	print_widths();
}

/* ---- what was not seen ---- */

/* Of all vcpus. */
static struct truth sum_of(const struct machine *m)
{
	struct truth sum = {};
	int i;

	for (i = 0; i < SLOTS; i++) {
		sum.host_save.irqoff += m->truth[i].host_save.irqoff;
		sum.host_load.irqoff += m->truth[i].host_load.irqoff;
		sum.guest_save.irqoff += m->truth[i].guest_save.irqoff;
		sum.guest_load.irqoff += m->truth[i].guest_load.irqoff;
		sum.host_save.done += m->truth[i].host_save.done;
		sum.host_load.done += m->truth[i].host_load.done;
		sum.guest_save.done += m->truth[i].guest_save.done;
		sum.guest_load.done += m->truth[i].guest_load.done;
		sum.unsafe += m->truth[i].unsafe;
		sum.refused += m->truth[i].refused;
	}
	return sum;
}

static void widen(const struct observer *o, const struct machine *m,
		  struct policy_row *row)
{
	const struct policy_unseen u = policies__unseen(o->policies);
	bool flushes = m->param && m->param->kind == PARAM_FLUSH_AFTER;

	policy_row__widen(row, m->policy, u);
	if (flushes) /* at exits, too */
		policy_ops__widen(&row->guest,
				  (struct policy_unseen){ .exits = u.exits },
				  true, true);
}

static void check_wide_row(struct about *a, const struct truth *truth,
			   struct policy_row row)
{
	widen(a->seen->seen_by, a->m, &row);
	a->truth = truth;
	check_row(a, &row);
	if (a->m->param)
		check_guest(a, &row.guest);
}

static struct policy_row row_of(const struct observer *o,
				const struct machine *m, int slot)
{
	const struct policy_row *rows =
		policies__rows(o->policies, (uint32_t)slot);
	const struct policy_ops *guests = sweep__rows(o->sweep, (uint32_t)slot);
	struct policy_row row = {};

	if (rows)
		row = rows[m->policy];
	if (m->param)
		row.guest = guests ? guests[m->param - params.param] :
				     (struct policy_ops){};
	return row;
}

/* Of each vcpu, and of all. */
static void check_wide(const struct machine *seen, const struct machine *m)
{
	const struct observer *o = seen->seen_by;
	const struct truth sum = sum_of(m);
	struct about a = { .seen = seen, .m = m, .gaps = true };

	for (; a.slot < w.slots; a.slot++)
		check_wide_row(&a, &m->truth[a.slot], row_of(o, m, a.slot));
	check_wide_row(&a, &sum, total_of(o, m));
}

/* The stream begins when guests are running. */
static void begin_in_middle(struct machine *m)
{
	const struct need gap = { .kind = NEED_GAP };

	observe(m);
	needs__begin(m->seen_by->needs);
	assert_int_equal(policies__step(m->seen_by->policies, &gap), 0);
}

static void end_wide(void)
{
	unsigned int i;
	struct machine *m;

	while (amid(seen[0]->seen_by) || amid(seen[1]->seen_by))
		run(1);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		seen[i]->seen_by->lose = seen[i]->seen_by->left = 0;
		tell_exits(seen[i]->seen_by);
		EACH(m) {
			check_wide(seen[i], m);
			measure(seen[i], m);
		}
		observe_no_more(seen[i]);
	}
}

static void from_the_middle(void **state)
{
	static const struct observer nobody;
	unsigned int seed, i;
	struct machine *m;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		begin_world(seed);
		run(STEPS / 8 + seed);
		while (amid(&nobody))
			run(1);
		for (i = 0; i < ARRAY_SIZE(seen); i++)
			begin_in_middle(seen[i]);
		EACH(m)
			memset(m->truth, 0, sizeof(m->truth));
		run(STEPS / 4);
		end_wide();
	}
}

/* From few to many, one by one or as when a ring is full. */
static void with_gaps(void **state)
{
	unsigned int seed, i;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		begin_world(seed);
		for (i = 0; i < ARRAY_SIZE(seen); i++) {
			observe(seen[i]);
			bring_up(seen[i]);
			seen[i]->seen_by->lose = 1u << seed % 9;
			seen[i]->seen_by->burst = seed / 9 % 3 * 100;
		}
		run(STEPS / 2);
		end_wide();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_start),
		cmocka_unit_test(from_the_middle),
		cmocka_unit_test(with_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
