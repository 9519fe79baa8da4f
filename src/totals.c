// SPDX-License-Identifier: GPL-2.0-only
#include "totals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/charge.h"
#include "fpstat/judge.h"
#include "replay.h"
#include "util.h"

#define SAVES (FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE)
#define LOADS (FP_OP_GUEST_LOAD | FP_OP_USER_LOAD | FP_OP_KERNEL_LOAD)

int totals__init(struct totals *t, unsigned int cpus)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->waits = calloc(cpus, sizeof(*t->waits));
	if (!t->waits)
		return -ENOMEM;
	t->cpus = cpus;
	for (i = 0; i < cpus; i++)
		t->waits[i] = &t->other;
	return 0;
}

void totals__free(struct totals *t)
{
	free(t->waits);
	memset(t, 0, sizeof(*t));
}

static struct totals_ops *of(struct totals *t, uint32_t who)
{
	switch (who) {
	case FP_WHO_NOBODY:
	case FP_WHO_GUEST:
		return &t->guest;
	case FP_WHO_HOST:
		return &t->host;
	default:
		return &t->other;
	}
}

/* As a replay does: the section that looked nested was none. */
static void revoke(struct totals_ops *o)
{
	o->saves = sat_sub(o->saves, 1);
	o->loads = sat_sub(o->loads, 1);
}

void totals__add(struct totals *t, const struct fp_rec *rec,
		 const struct replay *r)
{
	uint32_t ops = FP_OPS(replay__step_made(r));
	struct totals_ops *saved = of(t, fp_saved_who(rec->slot, ops));
	struct totals_ops *loaded = of(t, fp_loaded_who(rec->slot, ops));
	struct fp_verdicts is = replay__verdicts(r, rec);

	if (rec->cpu >= t->cpus)
		return;
	if (rec->flags & FP_REC_REVOKE)
		revoke(&t->other);
	t->exits += rec->exits;
	t->live += rec->live + !!(ops & FP_OP_LIVE);
	saved->saves += !!(ops & SAVES);
	loaded->loads += !!(ops & LOADS);
	t->waits[rec->cpu]->redundant_saves += fp_redundant(is.old);
	saved->redundant_saves += fp_redundant(is.save);
	loaded->redundant_loads += fp_redundant(is.load);
	t->other.redundant_loads += fp_redundant(is.resumed);
	if (is.save == FP_VERDICT_PENDING)
		t->waits[rec->cpu] = saved;
}
