// SPDX-License-Identifier: GPL-2.0-only
/* What each vcpu would have paid for. */
#include <stdlib.h>
#include <linux/types.h>
#include <string.h>

#include "fpstat/counters.h"
#include "policy_state.h"
#include "util.h"

struct account *account__of(struct policies *p, uint32_t slot)
{
	if (slot >= FP_MAX_VCPUS)
		return p->other;
	if (!p->account[slot])
		p->account[slot] = calloc(1, sizeof(struct account));
	return p->account[slot];
}

static void add_to(struct policy_xfer *x, uint64_t lo, uint64_t hi, bool irqoff)
{
	x->done.lo += lo;
	x->done.hi += hi;
	if (!irqoff)
		return;
	x->irqoff.lo += lo;
	x->irqoff.hi += hi;
}

static void add_one(struct policy_row *row, enum xfer xfer, uint64_t lo,
		    uint64_t hi, bool irqoff)
{
	if (xfer == GUEST_SAVE || xfer == SWAP)
		add_to(&row->guest.save, lo, hi, irqoff);
	if (xfer == GUEST_LOAD || xfer == SWAP)
		add_to(&row->guest.load, lo, hi, irqoff);
	if (xfer == HOST_SAVE || xfer == SWAP)
		add_to(&row->host.save, lo, hi, irqoff);
	if (xfer == HOST_LOAD || xfer == SWAP)
		add_to(&row->host.load, lo, hi, irqoff);
}

void account__add_many(struct account *a, enum xfer xfer, struct which sure,
		       uint64_t n, bool irqoff)
{
	int i;

	for (i = 0; i < POLICY_MAX; i++)
		add_one(&a->row[i], xfer, sure.lo >> i & 1 ? n : 0,
			sure.hi >> i & 1 ? n : 0, irqoff);
}

void account__flush(struct account *a)
{
	int i, xfer, irqoff;

	if (!a->most)
		return;
	for (i = 0; i < POLICY_MAX; i++) {
		for (xfer = 0; xfer < XFERS; xfer++) {
			for (irqoff = 0; irqoff < 2; irqoff++)
				add_one(&a->row[i], xfer,
					a->recent[xfer][irqoff].lo[i],
					a->recent[xfer][irqoff].hi[i], irqoff);
		}
	}
	memset(a->recent, 0, sizeof(a->recent));
	a->most = 0;
}

/* ---- results ---- */

static void add(struct policy_row *to, const struct policy_row *from)
{
	uint64_t *dst = (uint64_t *)to;
	const uint64_t *src = (const uint64_t *)from;
	size_t i;

	_Static_assert(sizeof(*to) % sizeof(*dst) == 0, "counters only");
	for (i = 0; i < sizeof(*to) / sizeof(*dst); i++)
		dst[i] += src[i];
}

static struct account *known(const struct policies *p, size_t slot)
{
	return slot < FP_MAX_VCPUS ? p->account[slot] : NULL;
}

const struct policy_row *policies__rows(const struct policies *p, uint32_t slot)
{
	struct account *a = known(p, slot);

	if (!a)
		return NULL;
	account__flush(a);
	return a->row;
}

void policies__end(struct policies *p, uint32_t slot)
{
	struct account *a = known(p, slot);
	int i;

	if (!a)
		return;
	account__flush(a);
	for (i = 0; i < POLICY_MAX; i++)
		add(&p->ended[i], &a->row[i]);
	*a = (struct account){};
}

struct policy_row policies__total(const struct policies *p, enum policy policy)
{
	struct policy_row sum = p->ended[policy];
	const struct policy_row *rows;
	uint32_t slot;

	for (slot = 0; slot < FP_MAX_VCPUS; slot++) {
		rows = policies__rows(p, slot);
		if (rows)
			add(&sum, &rows[policy]);
	}
	return sum;
}

struct policy_row policies__other(const struct policies *p, enum policy policy)
{
	account__flush(p->other);
	return p->other->row[policy];
}

struct policy_unseen policies__unseen(const struct policies *p)
{
	return p->unseen;
}

static void widen(struct range *r, uint64_t lower, uint64_t higher)
{
	r->lo = sat_sub(r->lo, lower);
	r->hi += higher;
}

static void widen_xfer(struct policy_xfer *x, uint64_t lower, uint64_t higher)
{
	widen(&x->done, lower, higher);
	widen(&x->irqoff, lower, higher);
}

void policy_ops__widen(struct policy_ops *o, struct policy_unseen u, bool saves,
		       bool loads)
{
	widen_xfer(&o->save, u.lost, u.moves + (saves ? u.exits : 0));
	widen_xfer(&o->load, u.lost, u.moves + (loads ? u.exits : 0));
}

void policy_row__widen(struct policy_row *row, enum policy policy,
		       struct policy_unseen u)
{
	bool swaps = policy == POLICY_UNCOND || policy == POLICY_DEFENSIVE;

	policy_ops__widen(&row->host, u, swaps, swaps);
	policy_ops__widen(&row->guest, u, swaps || policy == POLICY_MARTIN_RFC,
			  swaps);
	widen(&row->unsafe, u.lost, policy == POLICY_DALL ? u.moves : 0);
	widen(&row->refused, u.lost, policy == POLICY_BLOCK_NEON ? u.moves : 0);
}
