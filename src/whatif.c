// SPDX-License-Identifier: GPL-2.0-only
#include "whatif.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "replay.h"
#include "sweep.h"
#include "util.h"

#define KEEP 1024 /* vcpus that ended, as rows of their own */

/* One that ended, and whose slot another one has now. */
struct ended {
	uint32_t slot;
	uint32_t gen;
	struct replay_vcpu replay;
	struct policy_row row[POLICY_MAX];
	struct policy_ops *swept; /* guests, by parameter; or NULL */
};

/* Who has a slot now. */
struct life {
	uint32_t gen; /* as fp_vcpu.gen: 1 is the first */
	bool over;
};

struct whatif {
	struct needs *needs;
	struct policies *policies;
	struct replay *replay;
	struct prove *prove;
	struct blame *blame;
	struct sweep *sweep; /* or NULL */
	unsigned int nr_params;
	struct life life[FP_MAX_VCPUS];
	struct ended ended[KEEP];
	size_t nr_ended; /* ever; the last KEEP are here */
};

struct whatif *whatif__new(unsigned int cpus, struct blame_namer namer)
{
	struct whatif *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->needs = needs__new(cpus);
	w->policies = policies__new(cpus);
	w->replay = replay__new(cpus);
	w->prove = prove__new(cpus);
	w->blame = blame__new(cpus, namer);
	if (w->needs && w->policies && w->replay && w->prove && w->blame)
		return w;
	whatif__free(w);
	return NULL;
}

int whatif__sweep(struct whatif *w, unsigned int cpus,
		  const struct params *params)
{
	if (!params->nr)
		return 0;
	w->sweep = sweep__new(cpus, params);
	w->nr_params = params->nr;
	return w->sweep ? 0 : -ENOMEM;
}

void whatif__free(struct whatif *w)
{
	size_t i;

	if (!w)
		return;
	for (i = 0; w->sweep && i < KEEP; i++)
		free(w->ended[i].swept);
	sweep__free(w->sweep);
	needs__free(w->needs);
	policies__free(w->policies);
	replay__free(w->replay);
	prove__free(w->prove);
	blame__free(w->blame);
	free(w);
}

static struct policy_ops *copy_swept(const struct whatif *w, uint32_t slot)
{
	const struct policy_ops *guest = sweep__rows(w->sweep, slot);
	size_t size = w->nr_params * sizeof(*guest);
	struct policy_ops *copy = guest ? malloc(size) : NULL;

	return copy ? memcpy(copy, guest, size) : NULL;
}

/* The slot goes to another vcpu: nothing of the last one is pending any more. */
static void archive(struct whatif *w, uint32_t slot)
{
	struct ended *e = &w->ended[w->nr_ended++ % KEEP];
	const struct replay_vcpu *v = replay__vcpu(w->replay, slot);
	const struct policy_row *row = policies__rows(w->policies, slot);

	free(e->swept);
	*e = (struct ended){ .slot = slot, .gen = w->life[slot].gen };
	if (v)
		e->replay = *v;
	if (row)
		memcpy(e->row, row, sizeof(e->row));
	policies__end(w->policies, slot);
	if (w->sweep) {
		e->swept = copy_swept(w, slot);
		sweep__end(w->sweep, slot);
	}
	replay__forget(w->replay, slot);
}

static void follow_slot(struct whatif *w, const struct fp_rec *rec)
{
	struct life *life;

	if (rec->slot >= FP_MAX_VCPUS)
		return;
	life = &w->life[rec->slot];
	if (rec->ev.kind == FP_EV_VCPU_END) {
		life->over = true;
	} else if (life->over || !life->gen) {
		if (life->over)
			archive(w, rec->slot);
		life->gen++;
		life->over = false;
	}
}

int whatif__feed(struct whatif *w, const struct fp_rec *rec)
{
	uint64_t doubts = replay__doubt(w->replay)->count;
	struct prove_at at = { .bound = replay__bound(w->replay, rec->cpu) };
	struct need need[NEEDS_MAX];
	const struct need *n, *end;
	struct fp_rec copy;
	int err;

	if (rec->ev.kind == FP_EV_VLOAD || rec->ev.kind == FP_EV_VCPU_END)
		follow_slot(w, rec);
	at.step = replay__step(w->replay, rec);
	if (replay__doubt(w->replay)->count != doubts) {
		copy = *rec; /* something was not seen before it */
		copy.flags |= FP_REC_GAP;
		rec = &copy;
	}
	prove__step(w->prove, w->policies, rec, &at);
	end = need + needs__of(w->needs, rec, at.step, need);
	for (n = need; n < end; n++) {
		err = policies__step(w->policies, n);
		if (!err && w->sweep)
			err = sweep__step(w->sweep, n);
		if (err)
			return err;
	}
	return blame__feed(w->blame, rec, at.step);
}

static const struct ended *find_ended(const struct whatif *w, uint32_t slot,
				      uint32_t gen)
{
	size_t i, n = w->nr_ended < KEEP ? w->nr_ended : KEEP;

	for (i = 0; i < n; i++) {
		if (w->ended[i].slot == slot && w->ended[i].gen == gen)
			return &w->ended[i];
	}
	return NULL;
}

static bool has_slot(const struct whatif *w, uint32_t slot, uint32_t gen)
{
	return slot < FP_MAX_VCPUS && w->life[slot].gen == gen;
}

const struct policy_row *whatif__rows(const struct whatif *w, uint32_t slot,
				      uint32_t gen)
{
	const struct ended *e;

	if (has_slot(w, slot, gen))
		return policies__rows(w->policies, slot);
	e = find_ended(w, slot, gen);
	return e ? e->row : NULL;
}

static const struct replay_vcpu *replayed(const struct whatif *w, uint32_t slot,
					  uint32_t gen)
{
	const struct ended *e;

	if (has_slot(w, slot, gen))
		return replay__vcpu(w->replay, slot);
	e = find_ended(w, slot, gen);
	return e ? &e->replay : NULL;
}

struct policy_row whatif__total(const struct whatif *w, enum policy policy)
{
	return policies__total(w->policies, policy);
}

const struct prove *whatif__proof(const struct whatif *w)
{
	return w->prove;
}

/* The host's state is moved when martin moves it: see sweep.h. */
static struct policy_row with_guest(struct policy_row row,
				    const struct policy_ops *guest)
{
	row.guest = *guest;
	return row;
}

static const struct policy_ops *swept(const struct whatif *w, uint32_t slot,
				      uint32_t gen)
{
	const struct ended *e;

	if (has_slot(w, slot, gen))
		return sweep__rows(w->sweep, slot);
	e = find_ended(w, slot, gen);
	return e ? e->swept : NULL;
}

bool whatif__swept(const struct whatif *w, uint32_t slot, uint32_t gen,
		   unsigned int i, struct policy_row *row)
{
	const struct policy_row *rows = whatif__rows(w, slot, gen);
	const struct policy_ops *guest = swept(w, slot, gen);

	if (!rows || !guest)
		return false;
	*row = with_guest(rows[POLICY_MARTIN], &guest[i]);
	return true;
}

struct policy_row whatif__swept_total(const struct whatif *w, unsigned int i)
{
	struct policy_ops guest = sweep__total(w->sweep, i);

	return with_guest(whatif__total(w, POLICY_MARTIN), &guest);
}

const struct blame_row *whatif__blame(const struct whatif *w, size_t *nr)
{
	return blame__rows(w->blame, nr);
}

/* ---- does it fit the counters? ---- */

struct doubt { /* what to say */
	char *why;
	size_t len;
};

/*
 * The stream was read between two looks at the counters: @high is what the second
 * said, and @grew how much more that was.
 */
static bool between(struct doubt *d, const char *who, const char *what,
		    uint64_t n, uint64_t high, uint64_t grew)
{
	if (n <= high && high - n <= grew)
		return true;
	snprintf(d->why, d->len,
		 "the stream says %" PRIu64
		 " %s of %s, the counters say %" PRIu64,
		 n, what, who, high);
	return false;
}

static bool ops_between(struct doubt *d, const char *who,
			const struct fp_ops *ops, const struct snap_ops *high,
			const struct snap_ops *grew)
{
	const struct snap_ops n = snap_ops__read(ops, SNAP_NA);

#define BETWEEN(what, field)                                                   \
	between(d, who, what, n.field, high->field, grew->field)
	return BETWEEN("saves", save.done) && BETWEEN("loads", load.done) &&
	       BETWEEN("needed saves", save.needed) &&
	       BETWEEN("clean saves", save.clean) &&
	       BETWEEN("unclobbered saves", save.unclobbered) &&
	       BETWEEN("dead saves", save.dead) &&
	       BETWEEN("unknown saves", save.unknown) &&
	       BETWEEN("needed loads", load.needed) &&
	       BETWEEN("live loads", load.redundant);
#undef BETWEEN
}

static bool vcpu_between(struct doubt *d, const struct replay_vcpu *n,
			 const struct snap_vcpu *high,
			 const struct snap_vcpu *grew)
{
	static const struct replay_vcpu none;
	char who[128], what[160];
	int i;

	if (!n)
		n = &none;
	snprintf(who, sizeof(who), "%s/%u", high->vm, high->vcpu_id);
	for (i = 0; i < FP_CAUSE_MAX; i++) {
		snprintf(what, sizeof(what), "guest saves (%s)",
			 snap_cause__name(i));
		if (!between(d, who, what, n->cause[i], high->cause[i],
			     grew->cause[i]))
			return false;
	}
	snprintf(what, sizeof(what), "guest of %s", who);
	if (!ops_between(d, what, &n->guest, &high->guest, &grew->guest))
		return false;
	snprintf(what, sizeof(what), "host of %s", who);
	return ops_between(d, what, &n->host, &high->host, &grew->host) &&
	       between(d, who, "exits", n->exits, high->exits, grew->exits) &&
	       between(d, who, "live entries", n->runs_live,
		       high->guest_runs_live, grew->guest_runs_live);
}

static bool impossible(const struct whatif *w, char *why, size_t len)
{
	const struct replay_doubt *d = replay__doubt(w->replay);

	if (d->count)
		snprintf(why, len,
			 "%" PRIu64
			 " records cannot be, the first is number %" PRIu64
			 " (CPU %u, at %.6f s): %s",
			 d->count, d->first, d->cpu, (double)d->ns / 1e9,
			 d->what);
	return d->count;
}

bool whatif__agrees(const struct whatif *w, const struct snapshot *now,
		    const struct snapshot *delta, char *why, size_t len)
{
	struct fp_ops task = replay__task(w->replay);
	struct fp_ops kernel = replay__kernel(w->replay);
	struct doubt d = { why, len };
	size_t i;

	if (impossible(w, why, len))
		return false;
	if (now->lost) {
		snprintf(why, len,
			 "%" PRIu64 " records of the stream were lost",
			 now->lost);
		return false;
	}
	if (snapshot__guests_hidden(now))
		return true; /* and nothing is derived */
	for (i = 0; i < now->nr_vcpus; i++) {
		const struct snap_vcpu *v = &now->vcpus[i];

		if (!vcpu_between(&d, replayed(w, v->slot, v->gen), v,
				  &delta->vcpus[i]))
			return false;
	}
	return ops_between(&d, "tasks", &task, &now->task, &delta->task) &&
	       ops_between(&d, "kernel NEON", &kernel, &now->kernel_neon,
			   &delta->kernel_neon);
}

static bool covers(struct doubt *d, const char *what, struct range r,
		   uint64_t high, uint64_t grew)
{
	if (r.lo <= high && high - grew <= r.hi)
		return true;
	snprintf(d->why, d->len,
		 "its own policy comes to %" PRIu64
		 " %s, this kernel made %" PRIu64,
		 r.lo > high ? r.lo : r.hi, what, high);
	return false;
}

static bool foretold(const struct whatif *w, struct doubt *d)
{
	const struct prove_first *f = prove__first(w->prove);

	if (f->record)
		snprintf(d->why, d->len,
			 "record %" PRIu64
			 " of the stream: this kernel had %s in its registers, "
			 "its own policy %s",
			 f->record, prove_found__name(f->found),
			 prove_found__name(f->foretold));
	return !f->record;
}

static enum policy running(const struct snapshot *s)
{
	switch (s->policy) {
	case SNAP_POLICY_MARTIN:
		return POLICY_MARTIN;
	case SNAP_POLICY_EAGER_HOST:
		return POLICY_EAGER_HOST;
	default:
		return POLICY_MAX;
	}
}

bool whatif__proves(const struct whatif *w, const struct snapshot *now,
		    const struct snapshot *delta, char *why, size_t len)
{
	enum policy policy = running(now);
	struct doubt d = { why, len };
	struct snap_vcpu high, grew;
	struct policy_row row;

	if (policy == POLICY_MAX)
		return true;
	row = policies__total(w->policies, policy);
	snapshot__total(now, &high);
	snapshot__total(delta, &grew);
	return foretold(w, &d) &&
	       covers(&d, "guest saves", row.guest.save.done,
		      high.guest.save.done, grew.guest.save.done) &&
	       covers(&d, "guest loads", row.guest.load.done,
		      high.guest.load.done, grew.guest.load.done) &&
	       covers(&d, "host saves", row.host.save.done, high.host.save.done,
		      grew.host.save.done) &&
	       covers(&d, "host loads", row.host.load.done, high.host.load.done,
		      grew.host.load.done);
}
