// SPDX-License-Identifier: GPL-2.0-only
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "fpstat/charge.h"
#include "need.h"
#include "policy.h"
#include "replay.h"
#include "rules.h"

#define WAITING 64 /* facts that wait for the records before them */

struct cpu {
	struct fp_rec ring[CHECK_EVENTS];
	uint64_t nr;
	uint8_t since; /* kind of the event that the flag follows from */
	uint8_t asks; /* kind of the event that the next save is for, or 0 .. */
	bool due; /* .. and there was none yet */
	bool down; /* the power was off, and nothing was loaded since */
	/* The flag of current must be set: nobody can have cleared it since. */
	bool set;
	bool last_known;
	uint64_t from; /* who was switched out last */
	uint64_t last; /* what a switch compares with, if it is known */
	uint64_t reading; /* whose state is about to be read, or 0 .. */
	bool saved; /* .. and somebody else saved it meanwhile */
	uint64_t edited; /* whose state was written in memory, or 0 */
	uint8_t edit; /* .. by an event of this kind */
};

struct check {
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct replay *replay;
	struct needs *needs;
	struct policies *policies;
	struct prove *prove;
	void (*on)(void *ctx, const struct violation *v);
	void *ctx;
	bool eager, martin;
	uint64_t records;
	uint64_t asked[FP_RULES];
	struct fp_fact waiting[WAITING];
	size_t nr_waiting;
};

/* One record, and what the others make of it. */
struct step {
	const struct fp_rec *rec;
	uint8_t bound; /* before it */
	uint64_t bound_to;
	uint32_t step; /* what fp_step() answered */
	bool newer; /* the registers, than memory, before it */
	bool lost; /* what the judge said */
	struct prove_answer answer;
};

struct check *check__new(unsigned int cpus,
			 void (*on)(void *ctx, const struct violation *v),
			 void *ctx)
{
	struct check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->nr_cpus = cpus;
	c->on = on;
	c->ctx = ctx;
	c->cpus = calloc(cpus, sizeof(*c->cpus));
	c->replay = replay__new(cpus);
	c->needs = needs__new(cpus);
	c->policies = policies__new(cpus);
	c->prove = prove__new(cpus);
	if (c->cpus && c->replay && c->needs && c->policies && c->prove)
		return c;
	check__free(c);
	return NULL;
}

void check__free(struct check *c)
{
	if (!c)
		return;
	prove__free(c->prove);
	policies__free(c->policies);
	needs__free(c->needs);
	replay__free(c->replay);
	free(c->cpus);
	free(c);
}

bool check__eager(const struct check *c)
{
	return c->eager && !c->martin;
}

/* ---- evidence ---- */

static bool gives_owner(const struct fp_rec *r)
{
	return r->ev.kind == FP_EV_LOAD || r->ev.kind == FP_EV_BIND_VCPU ||
	       r->ev.kind == FP_EV_BIND_KERNEL;
}

/*
 * The events up to @ns, from where the registers got the owner that they had when
 * the last thing happened that the flag follows from.
 */
static void take_events(const struct cpu *c, uint64_t ns, struct violation *v)
{
	uint64_t n = c->nr, first, i;
	bool since = false;

	first = n > CHECK_EVENTS ? n - CHECK_EVENTS : 0;
	while (n > first && c->ring[(n - 1) % CHECK_EVENTS].ns > ns)
		n--;
	for (i = n; i > first; i--) {
		const struct fp_rec *r = &c->ring[(i - 1) % CHECK_EVENTS];

		if (since && gives_owner(r))
			break;
		since |= i < n && r->ev.kind == c->since;
	}
	for (i -= i > first; i < n; i++)
		v->events[v->nr_events++] = c->ring[i % CHECK_EVENTS];
}

static void report(struct check *c, struct violation *v)
{
	v->rule = breach__rule(v->breach);
	v->record = c->records;
	c->on(c->ctx, v);
}

static void report_step(struct check *c, const struct step *s,
			enum fp_breach breach)
{
	struct violation v = {
		.breach = breach,
		.ns = s->rec->ns,
		.cpu = s->rec->cpu,
		.context = s->rec->ev.buf,
		.slot = s->rec->slot,
		.foretelling = s->answer.sure,
		.found = s->answer.found,
		.foretold = s->answer.foretold,
		.bound = s->bound,
	};

	take_events(&c->cpus[s->rec->cpu], v.ns, &v);
	report(c, &v);
}

static void report_fact(struct check *c, const struct fp_fact *f)
{
	struct violation v = {
		.breach = f->breach,
		.ns = f->ns,
		.cpu = f->cpu,
		.context = f->vcpu ? f->vcpu : f->task,
		.slot = FP_NO_SLOT,
		.fact = f,
		.bound = replay__bound(c->replay, f->cpu),
	};

	if (f->cpu < c->nr_cpus)
		take_events(&c->cpus[f->cpu], v.ns, &v);
	report(c, &v);
}

/* ---- what was seen where it happened ---- */

/* Those of before @ns on @cpu; of all CPUs with CPU FP_NO_CPU. */
static void pass_facts(struct check *c, uint32_t cpu, uint64_t ns)
{
	size_t i, kept = 0;

	for (i = 0; i < c->nr_waiting; i++) {
		const struct fp_fact *f = &c->waiting[i];

		if (cpu == FP_NO_CPU || (f->cpu == cpu && f->ns < ns))
			report_fact(c, f);
		else
			c->waiting[kept++] = *f;
	}
	c->nr_waiting = kept;
}

void check__fact(struct check *c, const struct fp_fact *fact)
{
	if (fact->breach >= FP_BREACHES)
		return;
	if (c->nr_waiting == WAITING)
		pass_facts(c, FP_NO_CPU, 0);
	c->waiting[c->nr_waiting++] = *fact;
}

void check__settle(struct check *c)
{
	pass_facts(c, FP_NO_CPU, 0);
}

void check__log(struct check *c, const char *line)
{
	struct violation v = {
		.breach = FP_BREACH_KERNEL_SAYS,
		.cpu = FP_NO_CPU,
		.slot = FP_NO_SLOT,
		.log = line,
	};

	report(c, &v);
}

/* ---- what can't be, by the automaton ---- */

static enum fp_breach ask(struct check *c, enum fp_rule rule, bool broken,
			  enum fp_breach breach)
{
	c->asked[rule]++;
	return broken ? breach : FP_BREACHES;
}

static bool bound_elsewhere(const struct check *c, const struct fp_rec *r)
{
	uint32_t i;

	for (i = 0; i < c->nr_cpus; i++) {
		if (i != r->cpu &&
		    replay__bound(c->replay, i) == FP_BOUND_VCPU &&
		    replay__bound_to(c->replay, i) == r->ev.buf)
			return true;
	}
	return false;
}

static enum fp_breach wrong_bind(struct check *c, const struct step *s)
{
	uint32_t ops = FP_OPS(s->step);
	enum fp_breach breach;

	breach = ask(c, FP_RULE_I14, bound_elsewhere(c, s->rec),
		     FP_BREACH_TWO_CPUS);
	if (breach != FP_BREACHES)
		return breach;
	if (ops & FP_OP_MISSED)
		return s->rec->ev.foreign ? FP_BREACH_GUEST_LOST :
					    FP_BREACH_OTHERS_REGS;
	if (!check__eager(c))
		return FP_BREACHES;
	return ask(c, FP_RULE_I9, ops & FP_OP_MARTIN, FP_BREACH_HOST_BOUND);
}

/* Before a save: @s->bound is what the kernel must have bound. */
static enum fp_breach wrong_save(struct check *c, const struct step *s)
{
	if (s->rec->ev.foreign || s->bound == FP_BOUND_UNKNOWN)
		return FP_BREACHES;
	return ask(c, FP_RULE_I6, FP_OPS(s->step) & FP_OP_MISSED,
		   FP_BREACH_WRONG_BUFFER);
}

static enum fp_breach wrong_by_model(struct check *c, const struct step *s)
{
	const struct fp_event *ev = &s->rec->ev;

	switch (ev->kind) {
	case FP_EV_SAVE:
		return wrong_save(c, s);
	case FP_EV_BIND_VCPU:
		return wrong_bind(c, s);
	case FP_EV_VLOAD:
		return ask(c, FP_RULE_I16, FP_OPS(s->step) & FP_OP_MISSED,
			   FP_BREACH_STILL_BOUND);
	case FP_EV_RUN_END:
		return ask(c, FP_RULE_I16,
			   !ev->foreign && s->bound == FP_BOUND_VCPU,
			   FP_BREACH_STILL_BOUND);
	case FP_EV_VCPU_END:
		return ask(c, FP_RULE_I22,
			   bound_elsewhere(c, s->rec) ||
				   (s->bound == FP_BOUND_VCPU &&
				    s->bound_to == ev->buf),
			   FP_BREACH_VCPU_BOUND);
	default:
		return FP_BREACHES;
	}
}

/* ---- what the policy of this kernel would not have ---- */

/* The flag is clear, and should not be. */
static enum fp_breach cleared(const struct cpu *c, bool eager)
{
	if (c->down)
		return FP_BREACH_SURVIVED;
	switch (c->since) {
	case FP_EV_SWITCH:
		return FP_BREACH_ADOPTED;
	case FP_EV_VLOAD:
		return eager ? FP_BREACH_HOST_BOUND : FP_BREACH_FLAG_CLEARED;
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
		return FP_BREACH_NEON_BOUND;
	case FP_EV_EXEC:
		return FP_BREACH_OLD_IMAGE;
	case FP_EV_RESTORE:
	case FP_EV_SIGRETURN:
	case FP_EV_SVE_TRAP:
	case FP_EV_SME_TRAP:
	case FP_EV_SET_VL:
		return FP_BREACH_EDIT_LOST;
	default:
		return FP_BREACH_FLAG_CLEARED;
	}
}

static enum fp_breach wrong_by_policy(struct check *c, const struct step *s)
{
	const struct cpu *cpu = &c->cpus[s->rec->cpu];
	const struct prove_answer *a = &s->answer;
	enum fp_breach breach = FP_BREACH_GIVEN_UP;

	if (!a->sure)
		return FP_BREACHES;
	if (a->foretold == PROVE_NOTHING)
		breach = cleared(cpu, check__eager(c));
	else if (a->found == PROVE_GUEST)
		breach = FP_BREACH_FLAG_CLEARED;
	/*
	 * What is in memory, too, may be given up. So it looks after a section of NEON
	 * that nobody saw: up to 6.6 a kprobe's program is dropped, and not a word said
	 * (in 5.10 by kprobe_flush_task(), where interrupts are on).
	 */
	if (breach == FP_BREACH_GIVEN_UP && !s->newer)
		return FP_BREACHES;
	return ask(c, breach__rule(breach), a->found != a->foretold, breach);
}

/* ---- what must follow ---- */

static bool is_neon(const struct fp_rec *r)
{
	return r->ev.kind == FP_EV_NEON_SOFTIRQ ||
	       r->ev.kind == FP_EV_NEON_TASK;
}

static bool is_save(const struct fp_rec *r)
{
	return r->ev.kind == FP_EV_SAVE || r->ev.kind == FP_EV_BIND_KERNEL ||
	       r->ev.kind == FP_EV_NEON_NEST;
}

/* Of what happens to registers, and not in memory. */
static bool is_step(const struct fp_rec *r)
{
	return !(r->flags & (FP_REC_NO_STEP | FP_REC_NO_JUDGE)) &&
	       r->ev.kind != FP_EV_RESUME_KERNEL;
}

static bool asks_for_save(const struct fp_rec *r)
{
	return is_neon(r) || r->ev.kind == FP_EV_SWITCH ||
	       r->ev.kind == FP_EV_VLOAD || r->ev.kind == FP_EV_CPU_PM;
}

/*
 * A switch asks for a save at once, and so does a softirq's section. A task's can be
 * preempted before it does, and a softirq may come.
 */
static enum fp_breach wrong_order(struct check *c, const struct cpu *cpu,
				  const struct fp_rec *r)
{
	if (!cpu->due || !is_step(r) || r->flags & FP_REC_NESTED)
		return FP_BREACHES;
	switch (cpu->asks) {
	case FP_EV_SWITCH:
		return ask(c, FP_RULE_I5, !is_save(r),
			   FP_BREACH_SWITCH_NO_SAVE);
	case FP_EV_NEON_TASK:
		if (is_neon(r) || r->ev.kind == FP_EV_SWITCH)
			return FP_BREACHES;
		return ask(c, FP_RULE_I21, !is_save(r), FP_BREACH_NEON_NO_SAVE);
	case FP_EV_NEON_SOFTIRQ:
		return ask(c, FP_RULE_I21, !is_save(r), FP_BREACH_NEON_NO_SAVE);
	default:
		return FP_BREACHES;
	}
}

/* Records that tell the flag as it was where no softirq could come in. */
static bool tells_flag(const struct fp_rec *r)
{
	return is_step(r) && !(r->flags & FP_REC_NESTED) &&
	       r->ev.kind != FP_EV_LOAD && r->ev.kind != FP_EV_BIND_KERNEL &&
	       r->ev.kind != FP_EV_NEON_NEST &&
	       r->ev.kind != FP_EV_VCPU_RESET && r->ev.kind != FP_EV_CPU_DEAD &&
	       r->ev.kind != FP_EV_FLUSH_TASK && r->ev.kind != FP_EV_SIGRETURN;
}

static enum fp_breach wrong_flag(struct check *c, const struct cpu *cpu,
				 const struct fp_rec *r)
{
	enum fp_breach breach = cleared(cpu, check__eager(c));

	if (!cpu->set || !tells_flag(r) ||
	    (cpu->asks == FP_EV_SWITCH && r->ev.buf == cpu->from))
		return FP_BREACHES;
	return ask(c, breach__rule(breach), !r->ev.foreign, breach);
}

/* current has been in user mode since the event before. */
static bool is_later(const struct fp_rec *r)
{
	switch (r->ev.kind) {
	case FP_EV_FORK:
	case FP_EV_RESTORE:
	case FP_EV_EXEC:
	case FP_EV_TASK_END:
	case FP_EV_VLOAD:
		return !r->ev.in_run;
	default:
		return false;
	}
}

/*
 * Who wants a copy of registers that are newer than memory has them saved. A save for
 * another reason may come first: then it is asked for once more while the flag is
 * clear.
 */
static enum fp_breach wrong_copy(struct check *c, struct cpu *cpu,
				 const struct fp_rec *r)
{
	enum fp_breach breach = FP_BREACHES;

	if (!cpu->reading || r->ev.buf != cpu->reading)
		return FP_BREACHES;
	if (r->ev.kind == FP_EV_SAVE && cpu->asks) {
		cpu->saved = true;
	} else if (r->ev.kind == FP_EV_SAVE || is_later(r) ||
		   r->ev.kind == FP_EV_LOAD) {
		breach = ask(c, FP_RULE_I24,
			     r->ev.kind != FP_EV_SAVE &&
				     (!cpu->saved ||
				      (is_later(r) && !r->ev.foreign)),
			     FP_BREACH_OLD_COPY);
		cpu->reading = 0;
	}
	return breach;
}

/* A state that was written in memory is loaded before its task goes on. */
static enum fp_breach wrong_edit(struct check *c, struct cpu *cpu,
				 const struct fp_rec *r)
{
	enum fp_breach breach = cpu->edit == FP_EV_EXEC ? FP_BREACH_OLD_IMAGE :
							  FP_BREACH_EDIT_LOST;

	if (!cpu->edited || r->ev.buf != cpu->edited || !is_later(r))
		return FP_BREACHES;
	cpu->edited = 0;
	return ask(c, breach__rule(breach), !r->ev.foreign, breach);
}

/* ---- all of it ---- */

/* vcpu_load() saves the host itself, with nothing else in between. */
static void learn(struct check *c, const struct cpu *cpu, const struct step *s)
{
	const struct fp_event *ev = &s->rec->ev;

	if (cpu->asks == FP_EV_VLOAD && ev->kind == FP_EV_SAVE && !ev->foreign)
		c->eager = true;
	if (FP_OPS(s->step) & FP_OP_MARTIN && !c->eager)
		c->martin = true;
}

/* Nothing is bound: what asked for this save flushes. */
static void flush(struct cpu *c)
{
	c->set = true;
	c->last_known = true;
	c->last = 0;
}

static void bound(struct cpu *c, uint64_t buf)
{
	c->set = false;
	c->last_known = true;
	c->last = buf;
	c->down = false;
}

/* A switch compares with what is bound here when all saves were made. */
static void follow_switch(struct cpu *c, const struct fp_rec *r)
{
	c->from = r->ev.buf;
	c->set = c->last_known && c->last != r->other;
	c->edited = 0;
	if (c->reading != r->ev.buf)
		c->reading = 0;
}

static void follow_save(struct check *check, struct cpu *c,
			const struct step *s)
{
	c->due = false;
	switch (c->asks) {
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
	case FP_EV_CPU_PM:
		flush(c);
		break;
	case FP_EV_VLOAD:
		if (check__eager(check))
			flush(c);
		break;
	case FP_EV_SWITCH: /* that of put_fp(), then its own */
		if (FP_OPS(s->step) & FP_OP_GUEST_SAVE) {
			c->last = 0;
			c->set = c->last_known;
		}
		return;
	default:
		if (FP_OPS(s->step) & FP_OP_GUEST_SAVE)
			flush(c);
		break;
	}
	c->asks = 0;
}

/* What the flag, and what is bound, follow from. */
static void follow(struct check *check, struct cpu *c, const struct step *s)
{
	const struct fp_rec *r = s->rec;

	if (!is_save(r) && !(r->flags & FP_REC_NO_STEP) &&
	    r->ev.kind != FP_EV_RESUME_KERNEL) {
		c->due = asks_for_save(r);
		c->asks = c->due ? r->ev.kind : 0;
	}
	switch (r->ev.kind) {
	case FP_EV_SAVE:
		follow_save(check, c, s);
		return;
	case FP_EV_LOAD:
	case FP_EV_BIND_VCPU:
		bound(c, r->ev.buf);
		c->edited = 0;
		break;
	case FP_EV_BIND_KERNEL:
	case FP_EV_NEON_NEST:
		c->last_known = false;
		c->asks = c->due = 0;
		return;
	case FP_EV_SWITCH:
		follow_switch(c, r);
		break;
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
		if (!r->ev.foreign) {
			c->reading = r->ev.buf;
			c->saved = false;
		}
		return;
	case FP_EV_EXEC:
	case FP_EV_SIGRETURN:
		c->edited = r->ev.buf;
		c->edit = r->ev.kind;
		c->set = false;
		break;
	case FP_EV_RESTORE:
	case FP_EV_SVE_TRAP:
	case FP_EV_SME_TRAP:
	case FP_EV_SET_VL:
		c->set = false;
		c->last_known = false;
		break;
	case FP_EV_CPU_PM:
	case FP_EV_CPU_DEAD:
		c->down = true;
		break;
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
		break;
	case FP_EV_VLOAD:
		if (!check__eager(check))
			return;
		break;
	case FP_EV_RUN_END:
		if (c->since != FP_EV_VLOAD)
			return;
		break;
	default:
		return;
	}
	c->since = r->ev.kind;
}

static void forget(struct cpu *c)
{
	*c = (struct cpu){};
}

static enum fp_breach judge(struct check *c, const struct step *s)
{
	struct cpu *cpu = &c->cpus[s->rec->cpu];
	const enum fp_breach wrong[] = {
		wrong_order(c, cpu, s->rec),
		wrong_copy(c, cpu, s->rec),
		wrong_edit(c, cpu, s->rec),
		wrong_by_model(c, s),
		wrong_flag(c, cpu, s->rec),
		wrong_by_policy(c, s),
		s->lost ? FP_BREACH_STATE_LOST : FP_BREACHES,
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (wrong[i] != FP_BREACHES)
			return wrong[i];
	}
	return FP_BREACHES;
}

/* Do the registers of @cpu hold a state that is newer than memory has it? */
static bool has_newer(const struct check *c, uint32_t cpu)
{
	const struct fp_judge *j = &replay__cpu(c->replay, cpu)->judge;

	return j->held == FP_HELD_STATE && j->dirty;
}

static int pass_on(struct check *c, const struct fp_rec *rec, uint32_t step)
{
	struct need need[NEEDS_MAX];
	unsigned int i, n = needs__of(c->needs, rec, step, need);
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = policies__step(c->policies, &need[i]);
	return err;
}

int check__feed(struct check *c, const struct fp_rec *rec)
{
	const struct replay_doubt *doubt = replay__doubt(c->replay);
	uint64_t lost = doubt->lost, doubts = doubt->count;
	struct fp_rec copy = *rec;
	enum fp_breach breach;
	struct prove_at at;
	struct step s;
	struct cpu *cpu;

	c->records++;
	if (rec->cpu >= c->nr_cpus)
		return 0;
	cpu = &c->cpus[rec->cpu];
	pass_facts(c, rec->cpu, rec->ns);
	if (rec->flags & FP_REC_GAP)
		forget(cpu);
	cpu->ring[cpu->nr++ % CHECK_EVENTS] = *rec;
	s = (struct step){
		.rec = rec,
		.bound = replay__bound(c->replay, rec->cpu),
		.bound_to = replay__bound_to(c->replay, rec->cpu),
		.newer = has_newer(c, rec->cpu),
	};
	s.step = replay__step(c->replay, rec);
	s.lost = doubt->lost != lost;
	at = (struct prove_at){ .bound = s.bound, .step = s.step };
	prove__step(c->prove, c->policies, rec, &at, &s.answer);
	learn(c, cpu, &s);
	breach = judge(c, &s);
	if (breach != FP_BREACHES)
		report_step(c, &s, breach);
	if (breach != FP_BREACHES || doubt->count != doubts ||
	    (s.answer.sure && s.answer.found != s.answer.foretold)) {
		copy.flags |= FP_REC_GAP; /* begin anew: it is told once */
		prove__forget(c->prove, rec->cpu);
		forget(cpu);
	}
	follow(c, cpu, &s);
	return pass_on(c, &copy, s.step);
}

uint64_t check__asked(const struct check *c, enum fp_rule rule)
{
	return c->asked[rule];
}

uint64_t check__records(const struct check *c)
{
	return c->records;
}
