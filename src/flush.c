// SPDX-License-Identifier: GPL-2.0-only
#include "flush.h"

#include "param.h"

struct turns {
	uint64_t loads;
	uint64_t flushes;
	uint64_t live; /* exits since the load, 0: flushed */
};

/* @n entries, each with use of FP or none, @live exits after the load. */
static struct turns turns(uint64_t live, uint64_t n, bool use, uint64_t stay)
{
	struct turns t = { .live = live + n };

	if (live && t.live < stay)
		return t;
	if (live) {
		n = t.live - stay;
		t.flushes = 1;
	}
	t.loads = use ? n / stay + !!(n % stay) : 0;
	t.flushes += use ? n / stay : 0;
	t.live = use ? n % stay : 0;
	return t;
}

/* Entries from the load to the exit at which it is flushed. */
static uint64_t stay(uint64_t max)
{
	return max == PARAM_INF ? PARAM_INF : max + 1;
}

static void count(struct policy_xfer *x, uint64_t lo, uint64_t hi, bool irqoff)
{
	x->done.lo += lo;
	x->done.hi += hi;
	x->irqoff.lo += irqoff ? lo : 0;
	x->irqoff.hi += irqoff ? hi : 0;
}

/*
 * Nobody knows if it is live, and since when. From here on it is loaded most often
 * if it is gone, and least often if it is new; flushed most often if it is old, and
 * least often if it is gone.
 */
static void enter_lost(struct flush *f, struct policy_ops *ops, uint64_t max,
		       const struct need *n)
{
	bool yes = n->use == TRI_YES, perhaps = n->use != TRI_NO;
	bool never = max == PARAM_INF;
	struct turns gone = turns(0, n->count, perhaps, stay(max));
	struct turns new = turns(max > 0, n->count, perhaps, stay(max));
	struct turns old = turns(never ? 1 : max, n->count, perhaps, stay(max));

	count(&ops->load, yes ? new.loads : 0, gone.loads, true);
	count(&ops->save, yes ? gone.flushes : 0, old.flushes, true);
	f->lo = f->hi = max > 0;
	f->lost = max > 0 && !never;
}

void flush__enter(struct flush *f, struct policy_ops *ops, uint64_t max,
		  enum tri live, const struct need *n)
{
	struct turns lo, hi;

	if (live == TRI_NO && n->use == TRI_NO)
		return;
	if (live == TRI_NO)
		*f = (struct flush){};
	if (live == TRI_MAYBE || f->lost) {
		enter_lost(f, ops, max, n);
		return;
	}
	lo = turns(f->lo, n->count, n->use == TRI_YES, stay(max));
	hi = turns(f->hi, n->count, n->use != TRI_NO, stay(max));
	count(&ops->load, lo.loads, hi.loads, true);
	count(&ops->save, lo.flushes, hi.flushes, true);
	f->lo = lo.live;
	f->hi = hi.live;
}

void flush__save(const struct flush *f, struct policy_ops *ops, uint64_t max,
		 enum tri live, bool irqoff)
{
	if (live == TRI_YES && !f->lost)
		count(&ops->save, !!f->lo, !!f->hi, irqoff);
	else if (live != TRI_NO && max)
		count(&ops->save, 0, 1, irqoff);
}
