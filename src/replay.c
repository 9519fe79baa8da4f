// SPDX-License-Identifier: GPL-2.0-only
/* As bpf/account.h and bpf/verdict.h, on the records that these made. */
#include <stdlib.h>

#include "replay.h"

#define NESTED_NS 10000000000ull /* more than one that came in between takes */

struct replay {
	unsigned int nr_cpus;
	struct replay_cpu *cpus;
	struct replay_vcpu **vcpu; /* by slot, as they come up */
	struct replay_vcpu unpaid; /* without a slot, or not known whose */
	uint64_t records;
	uint32_t step; /* of the last one */
	struct replay_doubt doubt;
};

struct replay *replay__new(unsigned int cpus)
{
	struct replay *r = calloc(1, sizeof(*r));
	unsigned int i;

	if (!r)
		return NULL;
	r->nr_cpus = cpus;
	r->cpus = calloc(cpus, sizeof(*r->cpus));
	r->vcpu = calloc(FP_MAX_VCPUS, sizeof(*r->vcpu));
	if (!r->cpus || !r->vcpu) {
		replay__free(r);
		return NULL;
	}
	for (i = 0; i < cpus; i++)
		r->cpus[i].slot = FP_NO_SLOT;
	return r;
}

void replay__free(struct replay *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; r->vcpu && i < FP_MAX_VCPUS; i++)
		free(r->vcpu[i]);
	free(r->vcpu);
	free(r->cpus);
	free(r);
}

static struct replay_vcpu *new_vcpu(struct replay *r, uint32_t slot)
{
	r->vcpu[slot] = calloc(1, sizeof(struct replay_vcpu));
	return r->vcpu[slot] ? r->vcpu[slot] : &r->unpaid;
}

static struct replay_vcpu *vcpu_of(struct replay *r, uint32_t slot)
{
	struct replay_vcpu *v;

	if (slot >= FP_MAX_VCPUS)
		return &r->unpaid;
	v = r->vcpu[slot];
	return v ? v : new_vcpu(r, slot);
}

static struct fp_ops *host_of(struct replay_cpu *c, struct replay_vcpu *v,
			      uint32_t slot)
{
	return slot == FP_NO_SLOT ? &c->task : &v->host;
}

/* In the format that @rec tells. */
static void account_user(struct fp_ops *o, const struct fp_rec *rec,
			 uint32_t ops)
{
	bool save = ops & FP_OP_USER_SAVE;

	*(save ? &o->save : &o->load) += 1;
	if (rec->ev.kind != FP_EV_SAVE && rec->ev.kind != FP_EV_LOAD)
		return;
	if (rec->other == FP_BYTES_UNSEEN)
		o->unseen++;
	else if (rec->other)
		*(save ? &o->save_more : &o->load_more) +=
			rec->other - FP_FPSIMD_BYTES;
}

static void account(struct replay *r, struct replay_cpu *c,
		    const struct fp_rec *rec, uint32_t step)
{
	uint32_t ops = FP_OPS(step), slot = rec->slot;
	struct replay_vcpu *v;

	if (!ops)
		return;
	v = vcpu_of(r, slot);
	if (ops & FP_OP_GUEST_SAVE) {
		v->guest.save++;
		v->cause[FP_CAUSE(step) % FP_CAUSE_SLOTS]++;
	}
	if (ops & FP_OP_GUEST_LOAD)
		v->guest.load++;
	if (ops & FP_OP_LIVE)
		v->runs_live++;
	if (ops & (FP_OP_USER_SAVE | FP_OP_USER_LOAD))
		account_user(host_of(c, v, slot), rec, ops);
	if (ops & FP_OP_KERNEL_SAVE)
		c->kernel.save++;
	if (ops & FP_OP_KERNEL_LOAD)
		c->kernel.load++;
}

static inline void decide(struct replay *r, struct replay_cpu *c, uint32_t who,
			  uint32_t slot, uint8_t verdict)
{
	switch (who) {
	case FP_WHO_GUEST:
		vcpu_of(r, slot)->guest.verdict[verdict]++;
		break;
	case FP_WHO_HOST:
		vcpu_of(r, slot)->host.verdict[verdict]++;
		break;
	case FP_WHO_TASK:
		c->task.verdict[verdict]++;
		break;
	case FP_WHO_KERNEL:
		c->kernel.verdict[verdict]++;
		break;
	default:
		break;
	}
}

static void doubt(struct replay *r, const struct fp_rec *rec, const char *what)
{
	if (r->doubt.count++)
		return;
	r->doubt.first = r->records;
	r->doubt.cpu = rec->cpu;
	r->doubt.ns = rec->ns;
	r->doubt.what = what;
}

static void judge(struct replay *r, struct replay_cpu *c,
		  const struct fp_rec *rec, uint32_t step)
{
	struct fp_judge *j = &c->judge;
	uint32_t who = j->who, slot = j->slot, ops = FP_OPS(step);

	j->letter = rec->letter;
	fp_judge_step(j, &rec->ev, step);
	if (j->is.old)
		decide(r, c, who, slot, j->is.old);
	if (j->is.save == FP_VERDICT_PENDING) {
		j->who = fp_saved_who(rec->slot, ops);
		j->slot = rec->slot;
	} else if (j->is.save) {
		decide(r, c, fp_saved_who(rec->slot, ops), rec->slot,
		       j->is.save);
	}
	if (j->is.load)
		decide(r, c, fp_loaded_who(rec->slot, ops), rec->slot,
		       j->is.load);
	if (j->is.resumed)
		decide(r, c, FP_WHO_KERNEL, rec->slot, j->is.resumed);
	if (j->is.impossible) {
		doubt(r, rec, "a state was lost");
		r->doubt.lost++;
	}
}

/* Nothing is known of the registers any more. */
static void judge_nothing(struct replay *r, struct replay_cpu *c)
{
	if (c->judge.pending)
		decide(r, c, c->judge.who, c->judge.slot, FP_VERDICT_UNKNOWN);
	c->judge.pending = 0;
	fp_judge_hold(&c->judge, FP_HELD_UNKNOWN, 0, 0);
}

static void judge_nested(struct replay *r, struct replay_cpu *c,
			 const struct fp_rec *rec, uint32_t ops)
{
	if (ops & (FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE))
		decide(r, c, fp_saved_who(rec->slot, ops), rec->slot,
		       FP_VERDICT_UNKNOWN);
	judge_nothing(r, c);
}

/* The section that looked nested was none: it is taken back. */
static void revoke_nested(struct replay_cpu *c)
{
	c->kernel.save--;
	c->kernel.load--;
	c->kernel.verdict[FP_VERDICT_NEEDED]--;
	c->kernel.verdict[FP_VERDICT_LOAD_NEEDED]--;
}

static void begin_anew(struct replay *r, struct replay_cpu *c)
{
	judge_nothing(r, c);
	c->judge = (struct fp_judge){};
	c->model = (struct fp_cpu){};
}

/*
 * The record of a switch was lost, and the next one goes on inside kernel_neon_begin().
 * The save that comes may be that of the task before.
 */
static void lack_switch(struct replay_cpu *c)
{
	if (c->judge.after == FP_AFTER_CLOBBER)
		c->judge.after = FP_AFTER_DOUBT;
}

static void take_back(struct replay *r, struct replay_cpu *c, uint32_t flags)
{
	if (flags & FP_REC_GAP)
		begin_anew(r, c);
	if (flags & FP_REC_REVOKE)
		revoke_nested(c);
}

static void exits(struct replay *r, struct replay_cpu *c,
		  const struct fp_rec *rec)
{
	struct replay_vcpu *v;

	if (!rec->exits && !rec->live)
		return;
	v = vcpu_of(r, c->slot);
	v->exits += rec->exits;
	v->runs_live += rec->live;
}

/*
 * The record of a softirq, or since 7.0 of another task, may be older than the one
 * that it came into; and a machine that is itself a guest may stand still there.
 */
static void check_time(struct replay *r, struct replay_cpu *c,
		       const struct fp_rec *rec)
{
	if (rec->ns + NESTED_NS < c->ns) {
		doubt(r, rec, "the time went back");
		judge_nothing(r, c);
	}
	c->ns = rec->ns;
}

uint32_t replay__step(struct replay *r, const struct fp_rec *rec)
{
	struct replay_cpu *c;
	uint32_t step = 0;

	r->records++;
	r->step = 0;
	if (rec->cpu >= r->nr_cpus) {
		doubt(r, rec, "there is no such CPU");
		return 0;
	}
	c = &r->cpus[rec->cpu];
	check_time(r, c, rec);
	if (rec->flags & (FP_REC_GAP | FP_REC_REVOKE))
		take_back(r, c, rec->flags);
	/* Its vcpu_load() may have been no event: nothing came of it. */
	if (rec->ev.kind == FP_EV_RUN_END && rec->slot != FP_NO_SLOT)
		c->slot = rec->slot;
	exits(r, c, rec);
	if (rec->ev.kind == FP_EV_VLOAD || rec->ev.kind == FP_EV_BIND_VCPU)
		c->slot = rec->slot;
	if (!(rec->flags & FP_REC_NO_STEP))
		step = fp_step(&c->model, &rec->ev);
	r->step = step;
	account(r, c, rec, step);
	if (rec->flags & FP_REC_NESTED)
		judge_nested(r, c, rec, FP_OPS(step));
	else if (!(rec->flags & FP_REC_NO_JUDGE))
		judge(r, c, rec, step);
	if (rec->flags & FP_REC_GAP && rec->flags & FP_REC_NO_STEP)
		lack_switch(c);
	return step;
}

uint32_t replay__step_made(const struct replay *r)
{
	return r->step;
}

struct fp_verdicts replay__verdicts(const struct replay *r,
				    const struct fp_rec *rec)
{
	if (rec->cpu >= r->nr_cpus ||
	    rec->flags & (FP_REC_NO_JUDGE | FP_REC_NESTED))
		return (struct fp_verdicts){};
	return r->cpus[rec->cpu].judge.is;
}

const struct replay_cpu *replay__cpu(const struct replay *r, uint32_t cpu)
{
	return cpu < r->nr_cpus ? &r->cpus[cpu] : NULL;
}

uint8_t replay__bound(const struct replay *r, uint32_t cpu)
{
	return cpu < r->nr_cpus ? r->cpus[cpu].model.bound : FP_BOUND_UNKNOWN;
}

uint64_t replay__bound_to(const struct replay *r, uint32_t cpu)
{
	return cpu < r->nr_cpus ? r->cpus[cpu].model.buf : 0;
}

const struct replay_vcpu *replay__vcpu(const struct replay *r, uint32_t slot)
{
	return slot < FP_MAX_VCPUS ? r->vcpu[slot] : NULL;
}

uint64_t replay__unpaid(const struct replay *r)
{
	return r->unpaid.exits + r->unpaid.runs_live;
}

void replay__expect(struct replay *r, uint32_t slot)
{
	(void)vcpu_of(r, slot);
}

void replay__forget(struct replay *r, uint32_t slot)
{
	if (slot >= FP_MAX_VCPUS)
		return;
	free(r->vcpu[slot]);
	r->vcpu[slot] = NULL;
}

static void add(struct fp_ops *to, const struct fp_ops *from)
{
	int i;

	to->save += from->save;
	to->load += from->load;
	to->save_more += from->save_more;
	to->load_more += from->load_more;
	to->unseen += from->unseen;
	for (i = 0; i < FP_VERDICTS; i++)
		to->verdict[i] += from->verdict[i];
}

struct fp_ops replay__task(const struct replay *r)
{
	struct fp_ops sum = {};
	unsigned int i;

	for (i = 0; i < r->nr_cpus; i++)
		add(&sum, &r->cpus[i].task);
	return sum;
}

struct fp_ops replay__kernel(const struct replay *r)
{
	struct fp_ops sum = {};
	unsigned int i;

	for (i = 0; i < r->nr_cpus; i++)
		add(&sum, &r->cpus[i].kernel);
	return sum;
}

const struct replay_doubt *replay__doubt(const struct replay *r)
{
	return &r->doubt;
}
