// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "format.h"
#include "fpstat/model.h"
#include "prove.h"

struct cpu {
	/*
	 * SWITCH, VLOAD and VCPU_RESET come before the saves that they stand
	 * for, and the policy makes these at once: what it had before.
	 */
	struct policy_found before;
	uint8_t began; /* by which of these; 0: none */
	uint64_t task; /* and by whom; 0: whoever is current */
	bool late; /* the next record is of an event that a softirq came into */
	bool flushes; /* is about to: a softirq may still find the state bound */
	bool edits; /* sigreturn wrote the state: its load is no decision */
	struct fp_rec last[PROVE_EVENTS]; /* a ring */
	uint64_t nr_last;
};

struct prove {
	unsigned int nr_cpus;
	struct cpu *cpus;
	uint64_t records;
	enum policy policy; /* of this kernel; POLICY_MAX: no evidence yet */
	bool lost; /* were there records that nobody saw? */
	struct prove_kind kind[FP_EV_MAX];
	struct formats *formats;
	struct prove_format save, load;
	struct prove_first first;
};

struct prove *prove__new(unsigned int cpus)
{
	struct prove *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->nr_cpus = cpus;
	p->policy = POLICY_MAX;
	p->cpus = calloc(cpus, sizeof(*p->cpus));
	p->formats = formats__new();
	if (p->cpus && p->formats)
		return p;
	prove__free(p);
	return NULL;
}

void prove__free(struct prove *p)
{
	if (!p)
		return;
	formats__free(p->formats);
	free(p->cpus);
	free(p);
}

/* What the kinds of events are here. */
enum {
	DECIDES = 1, /* it tells TIF_FOREIGN_FPSTATE of current */
	BEGINS = 2, /* saves that it stands for come after it: see struct cpu */
	OF_VCPU = 4, /* it names a vcpu, and not current */
	IN_FLUSH = 8, /* it may come while current is about to flush */
};

static const uint8_t kinds[FP_EV_MAX] = {
	[FP_EV_SAVE] = DECIDES | IN_FLUSH,
	[FP_EV_LOAD] = DECIDES,
	[FP_EV_BIND_VCPU] = DECIDES | OF_VCPU,
	[FP_EV_SWITCH] = DECIDES | BEGINS,
	[FP_EV_VLOAD] = DECIDES | BEGINS,
	[FP_EV_VCPU_RESET] = BEGINS | OF_VCPU,
	[FP_EV_NEON_TASK] = DECIDES,
	[FP_EV_NEON_SOFTIRQ] = DECIDES | IN_FLUSH,
	[FP_EV_FORK] = DECIDES,
	[FP_EV_PRESERVE] = DECIDES,
	[FP_EV_RESTORE] = DECIDES,
	[FP_EV_EXEC] = DECIDES,
	[FP_EV_TASK_END] = DECIDES,
	[FP_EV_SVE_TRAP] = DECIDES,
	[FP_EV_SME_TRAP] = DECIDES,
	[FP_EV_SET_VL] = DECIDES,
	[FP_EV_CPU_PM] = DECIDES,
};

/* Not the load of what sigreturn wrote. */
static bool decides(const struct cpu *c, const struct fp_rec *r, uint8_t is)
{
	return is & DECIDES && !(r->flags & FP_REC_NO_STEP) &&
	       !(c->edits && r->ev.kind == FP_EV_LOAD);
}

/* Does @r come between one of those and the end of what it began? */
static bool goes_on(const struct fp_rec *r, const struct cpu *c)
{
	if (r->flags & FP_REC_NO_STEP)
		return true;
	if (r->ev.kind == FP_EV_RESUME_KERNEL)
		return c->began == FP_EV_SWITCH;
	if (r->ev.kind == FP_EV_SAVE && c->task && r->ev.buf != c->task)
		return false;
	return needs__while_loading(r) &&
	       (r->ev.kind == FP_EV_SAVE || c->began == FP_EV_VLOAD);
}

static enum prove_found found(const struct fp_rec *r, const struct prove_at *at)
{
	uint32_t ops = FP_OPS(at->step);

	if (r->ev.kind == FP_EV_LOAD)
		return PROVE_NOTHING; /* the flag is clear already */
	if (r->ev.foreign)
		return PROVE_NOTHING;
	if (ops & FP_OP_GUEST_SAVE)
		return PROVE_GUEST;
	if (ops & FP_OP_USER_SAVE)
		return PROVE_USER;
	return at->bound == FP_BOUND_VCPU ? PROVE_GUEST : PROVE_USER;
}

static bool undecided(const struct prove *p, const struct cpu *c,
		      const struct fp_rec *r, const struct prove_at *at)
{
	return p->policy == POLICY_MAX || r->flags & FP_REC_GAP || c->late ||
	       c->flushes || FP_OPS(at->step) & FP_OP_UNDECIDED ||
	       (!r->ev.foreign && at->bound == FP_BOUND_UNKNOWN);
}

static enum prove_found foretold(const struct policy_found *f)
{
	if (f->guest == TRI_YES)
		return PROVE_GUEST;
	if (f->user == TRI_YES)
		return PROVE_USER;
	if (f->guest == TRI_NO && f->user == TRI_NO)
		return PROVE_NOTHING;
	return PROVE_FOUND_MAX;
}

static void remember(struct cpu *c, const struct fp_rec *r)
{
	c->last[c->nr_last++ % PROVE_EVENTS] = *r;
}

static void note_first(struct prove *p, const struct cpu *c,
		       enum prove_found found, enum prove_found foretold)
{
	struct prove_first *f = &p->first;
	uint64_t i, n = c->nr_last < PROVE_EVENTS ? c->nr_last : PROVE_EVENTS;

	if (f->record)
		return;
	f->record = p->records;
	f->found = found;
	f->foretold = foretold;
	for (i = c->nr_last - n; i < c->nr_last; i++)
		f->events[f->nr_events++] = c->last[i % PROVE_EVENTS];
}

static void compare(struct prove *p, const struct cpu *c,
		    const struct fp_rec *r, const struct prove_at *at,
		    const struct policy_found *f, struct prove_answer *answer)
{
	struct prove_kind *k = &p->kind[r->ev.kind];
	enum prove_found is = found(r, at), told = foretold(f);

	if (undecided(p, c, r, at) || told == PROVE_FOUND_MAX) {
		k->unsure++;
		return;
	}
	if (told != is && p->lost) {
		k->unsure++; /* it may be what was lost */
		return;
	}
	if (told != is) {
		k->differs++;
		note_first(p, c, is, told);
	} else {
		k->found[is]++;
	}
	*answer = (struct prove_answer){ true, is, told };
}

static void compare_format(struct prove *p, const struct cpu *c,
			   const struct fp_rec *r, uint32_t step)
{
	struct prove_format *k = r->ev.kind == FP_EV_LOAD ? &p->load : &p->save;
	struct format_said said;
	bool sve;

	formats__step(p->formats, r, step, &said);
	if (!said.told)
		return;
	sve = said.found == FORMAT_SVE;
	if (!said.found || !said.foretold) {
		k->unsure++;
	} else if (said.found != said.foretold) {
		k->differs++;
		note_first(p, c, sve ? PROVE_SVE : PROVE_FPSIMD,
			   sve ? PROVE_FPSIMD : PROVE_SVE);
	} else {
		*(sve ? &k->sve : &k->fpsimd) += 1;
	}
}

/* Whose state the record is about, or 0: of whoever is current. */
static uint64_t task_of(const struct fp_rec *r, uint8_t is)
{
	return is & OF_VCPU ? 0 : r->ev.buf;
}

/* What the policy has now on the CPU of @r. */
static struct policy_found ask(const struct prove *p, struct policies *policies,
			       const struct fp_rec *r, uint8_t is)
{
	if (p->policy == POLICY_MAX)
		return (struct policy_found){ TRI_MAYBE, TRI_MAYBE };
	return policies__found(policies, p->policy, r->cpu, task_of(r, is));
}

static void learn(struct prove *p, uint32_t step)
{
	if (step & FP_OP_MARTIN)
		p->policy = POLICY_MARTIN;
	else if (step & FP_OP_EAGER && p->policy == POLICY_MAX)
		p->policy = POLICY_EAGER_HOST;
}

static void follow(struct cpu *c, const struct fp_rec *r, uint8_t is,
		   const struct policy_found *now)
{
	c->late = r->flags & FP_REC_NESTED;
	if (is & BEGINS) {
		c->before = *now;
		c->began = r->ev.kind;
		c->task = task_of(r, is);
	} else if (r->ev.kind == FP_EV_SAVE) {
		c->before = (struct policy_found){};
	}
}

void prove__step(struct prove *p, struct policies *policies,
		 const struct fp_rec *r, const struct prove_at *at,
		 struct prove_answer *answer)
{
	uint8_t is = kinds[r->ev.kind];
	struct policy_found now;
	struct cpu *c;
	bool decision;

	*answer = (struct prove_answer){};
	p->records++;
	if (r->cpu >= p->nr_cpus)
		return;
	c = &p->cpus[r->cpu];
	remember(c, r);
	compare_format(p, c, r, at->step);
	if (!(is & IN_FLUSH))
		c->flushes = r->ev.kind == FP_EV_FLUSH_TASK &&
			     !(r->flags & FP_REC_NO_STEP);
	learn(p, at->step);
	p->lost |= r->lost;
	if (c->began && !goes_on(r, c))
		c->began = 0;
	decision = decides(c, r, is);
	if (decision || is & BEGINS) {
		now = c->began ? c->before : ask(p, policies, r, is);
		if (decision)
			compare(p, c, r, at, &now, answer);
		follow(c, r, is, &now);
	}
	if (r->ev.kind == FP_EV_SIGRETURN)
		c->edits = true;
	else if (r->ev.kind == FP_EV_LOAD || r->ev.kind == FP_EV_SWITCH)
		c->edits = false;
}

void prove__forget(struct prove *p, uint32_t cpu)
{
	p->cpus[cpu].began = 0;
	p->cpus[cpu].before = (struct policy_found){};
}

const struct prove_kind *prove__kind(const struct prove *p,
				     enum fp_event_kind kind)
{
	return &p->kind[kind];
}

const struct prove_format *prove__format(const struct prove *p,
					 enum fp_event_kind kind)
{
	return kind == FP_EV_LOAD ? &p->load : &p->save;
}

const struct prove_first *prove__first(const struct prove *p)
{
	return &p->first;
}

const char *prove_found__name(enum prove_found found)
{
	static const char *const names[PROVE_NAMES] = {
		[PROVE_NOTHING] = "nothing", [PROVE_USER] = "user",
		[PROVE_GUEST] = "guest",     [PROVE_FPSIMD] = "fpsimd",
		[PROVE_SVE] = "sve",
	};

	return names[found];
}
