// SPDX-License-Identifier: GPL-2.0-only
#include "whatif.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "recount.h"
#include "replay.h"
#include "sweep.h"
#include "util.h"

#define KEEP 1024 /* vcpus that ended, as rows of their own */

/* One that ended, and whose slot another one has now. */
struct ended {
	uint32_t slot;
	uint32_t gen;
	struct policy_row row[POLICY_MAX];
	struct policy_ops *swept; /* guests, by parameter; or NULL */
};

struct whatif {
	struct needs *needs;
	struct policies *policies;
	struct recount *recount;
	const struct replay *replay; /* in it, .. */
	const struct replay_doubt *doubt; /* .. and in that */
	struct prove *prove;
	struct blame *blame;
	struct sweep *sweep; /* or NULL */
	struct params params;
	bool missed; /* nobody knows how much */
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
	w->recount = recount__new(cpus);
	w->prove = prove__new(cpus);
	w->blame = blame__new(cpus, namer);
	if (!w->needs || !w->policies || !w->recount || !w->prove ||
	    !w->blame) {
		whatif__free(w);
		return NULL;
	}
	w->replay = recount__replay(w->recount);
	w->doubt = replay__doubt(w->replay);
	return w;
}

int whatif__sweep(struct whatif *w, unsigned int cpus,
		  const struct params *params)
{
	if (!params->nr)
		return 0;
	w->sweep = sweep__new(cpus, params);
	w->params = *params;
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
	recount__free(w->recount);
	prove__free(w->prove);
	blame__free(w->blame);
	free(w);
}

static struct policy_ops *copy_swept(const struct whatif *w, uint32_t slot)
{
	const struct policy_ops *guest = sweep__rows(w->sweep, slot);
	size_t size = w->params.nr * sizeof(*guest);
	struct policy_ops *copy = guest ? malloc(size) : NULL;

	return copy ? memcpy(copy, guest, size) : NULL;
}

/* The slot of vcpu number @gen in it goes to another one. */
static void archive(struct whatif *w, uint32_t slot, uint32_t gen)
{
	struct ended *e = &w->ended[w->nr_ended++ % KEEP];
	const struct policy_row *row = policies__rows(w->policies, slot);

	free(e->swept);
	*e = (struct ended){ .slot = slot, .gen = gen };
	if (row)
		memcpy(e->row, row, sizeof(e->row));
	policies__end(w->policies, slot);
	if (w->sweep) {
		e->swept = copy_swept(w, slot);
		sweep__end(w->sweep, slot);
	}
}

/* Returns what fp_step() answered. */
static uint32_t count(struct whatif *w, const struct fp_rec *rec)
{
	uint32_t gen, step;

	if (rec->ev.kind != FP_EV_VLOAD)
		return recount__step(w->recount, rec);
	gen = recount__gen(w->recount, rec->slot);
	step = recount__step(w->recount, rec);
	if (gen && gen != recount__gen(w->recount, rec->slot))
		archive(w, rec->slot, gen);
	return step;
}

int whatif__begin(struct whatif *w, const struct snapshot *since)
{
	const struct need gap = { .kind = NEED_GAP };

	if (since)
		recount__begin(w->recount, since);
	needs__begin(w->needs);
	return policies__step(w->policies, &gap);
}

void whatif__miss(struct whatif *w)
{
	w->missed = true;
}

bool whatif__missed(const struct whatif *w)
{
	return w->missed;
}

bool whatif__wider(const struct whatif *w)
{
	return policies__unseen(w->policies).any;
}

int whatif__feed(struct whatif *w, const struct fp_rec *rec)
{
	struct prove_at at = { .bound = replay__bound(w->replay, rec->cpu) };
	uint64_t doubts = w->doubt->count;
	struct need need[NEEDS_MAX];
	const struct need *n, *end;
	struct prove_answer answer; /* is counted there */
	struct fp_rec copy;
	int err;

	at.step = count(w, rec);
	if (w->doubt->count != doubts) {
		copy = *rec; /* something was not seen before it */
		copy.flags |= FP_REC_GAP;
		rec = &copy;
	}
	prove__step(w->prove, w->policies, rec, &at, &answer);
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
	return gen && recount__gen(w->recount, slot) == gen;
}

static const struct policy_row *rows_of(const struct whatif *w, uint32_t slot,
					uint32_t gen)
{
	const struct ended *e;

	if (has_slot(w, slot, gen))
		return policies__rows(w->policies, slot);
	e = find_ended(w, slot, gen);
	return e ? e->row : NULL;
}

bool whatif__row(const struct whatif *w, uint32_t slot, uint32_t gen,
		 enum policy policy, struct policy_row *row)
{
	const struct policy_row *rows = rows_of(w, slot, gen);

	if (!rows)
		return false;
	*row = rows[policy];
	policy_row__widen(row, policy, policies__unseen(w->policies));
	return true;
}

struct policy_row whatif__total(const struct whatif *w, enum policy policy)
{
	struct policy_row row = policies__total(w->policies, policy);

	policy_row__widen(&row, policy, policies__unseen(w->policies));
	return row;
}

const struct recount *whatif__recount(const struct whatif *w)
{
	return w->recount;
}

const struct prove *whatif__proof(const struct whatif *w)
{
	return w->prove;
}

/* The host's state is moved when martin moves it: see sweep.h. */
static struct policy_row with_guest(const struct whatif *w,
				    struct policy_row row,
				    struct policy_ops guest, unsigned int i)
{
	bool flushes = w->params.param[i].kind == PARAM_FLUSH_AFTER;

	row.guest = guest;
	policy_ops__widen(&row.guest, policies__unseen(w->policies), flushes,
			  flushes);
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
	const struct policy_ops *guest = swept(w, slot, gen);

	if (!guest || !whatif__row(w, slot, gen, POLICY_MARTIN, row))
		return false;
	*row = with_guest(w, *row, guest[i], i);
	return true;
}

struct policy_row whatif__swept_total(const struct whatif *w, unsigned int i)
{
	return with_guest(w, whatif__total(w, POLICY_MARTIN),
			  sweep__total(w->sweep, i), i);
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
	row = whatif__total(w, policy);
	snapshot__total(now, &high);
	snapshot__total(delta, &grew);
	return (whatif__wider(w) || foretold(w, &d)) &&
	       covers(&d, "guest saves", row.guest.save.done,
		      high.guest.save.done, grew.guest.save.done) &&
	       covers(&d, "guest loads", row.guest.load.done,
		      high.guest.load.done, grew.guest.load.done) &&
	       covers(&d, "host saves", row.host.save.done, high.host.save.done,
		      grew.host.save.done) &&
	       covers(&d, "host loads", row.host.load.done, high.host.load.done,
		      grew.host.load.done);
}
