// SPDX-License-Identifier: GPL-2.0-only
#include "whatif_sum.h"

#include "recount.h"
#include "whatif.h"

static const struct range na = { SNAP_NA, SNAP_NA };

bool range__na(struct range r)
{
	return r.lo == SNAP_NA;
}

struct range range__add(struct range a, struct range b)
{
	if (range__na(a) || range__na(b))
		return na;
	return (struct range){ a.lo + b.lo, a.hi + b.hi };
}

static struct range times(struct range r, uint64_t n)
{
	return range__na(r) ? na : (struct range){ r.lo * n, r.hi * n };
}

static void add(struct range *to, struct range from)
{
	*to = range__add(*to, from);
}

void whatif_sum__add(struct whatif_sum *to, const struct whatif_sum *from)
{
	if (from->why)
		to->why = from->why;
	add(&to->host_save, from->host_save);
	add(&to->host_load, from->host_load);
	add(&to->guest_save, from->guest_save);
	add(&to->guest_load, from->guest_load);
	add(&to->irqoff, from->irqoff);
	add(&to->save_bytes, from->save_bytes);
	add(&to->load_bytes, from->load_bytes);
	add(&to->irqoff_bytes, from->irqoff_bytes);
	add(&to->unsafe, from->unsafe);
	add(&to->refused, from->refused);
}

static void count_bytes(struct whatif_sum *sum, uint64_t guest)
{
	sum->save_bytes = range__add(times(sum->host_save, FP_FPSIMD_BYTES),
				     times(sum->guest_save, guest));
	sum->load_bytes = range__add(times(sum->host_load, FP_FPSIMD_BYTES),
				     times(sum->guest_load, guest));
}

/* ---- the running kernel ---- */

static struct range exactly(uint64_t n)
{
	return (struct range){ n, n };
}

static struct range moved(const struct snap_xfer *x, int row)
{
	if (x->done == SNAP_NA)
		return na;
	if (row == WHATIF_KERNEL)
		return exactly(x->done);
	return (struct range){ x->needed, x->needed + x->pending + x->unknown };
}

/* The host's as they were seen, if they were. */
static void see_bytes(struct whatif_sum *sum, const struct snap_vcpu *v,
		      uint64_t guest_bytes)
{
	const struct snap_xfer *save = &v->host.save, *load = &v->host.load;

	if (save->bytes == SNAP_NA || load->bytes == SNAP_NA)
		return;
	sum->save_bytes = range__add(exactly(save->bytes),
				     times(sum->guest_save, guest_bytes));
	sum->load_bytes = range__add(exactly(load->bytes),
				     times(sum->guest_load, guest_bytes));
}

static struct whatif_sum actual(const struct snap_vcpu *v, uint64_t guest_bytes,
				int row)
{
	struct whatif_sum sum = {
		.host_save = moved(&v->host.save, row),
		.host_load = moved(&v->host.load, row),
		.guest_save = moved(&v->guest.save, row),
		.guest_load = moved(&v->guest.load, row),
		.irqoff = na,
		.irqoff_bytes = na,
	};

	count_bytes(&sum, guest_bytes);
	if (row == WHATIF_KERNEL)
		see_bytes(&sum, v, guest_bytes);
	return sum;
}

static struct whatif_sum actual_all(const struct snapshot *s, int row)
{
	struct whatif_sum sum = actual(&s->folded_sum, FP_FPSIMD_BYTES, row);
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		const struct snap_vcpu *v = &s->vcpus[i];
		struct whatif_sum one = actual(v, v->guest_bytes, row);

		whatif_sum__add(&sum, &one);
	}
	return sum;
}

/* ---- policies ---- */

static struct whatif_sum nothing(const char *why)
{
	return (struct whatif_sum){
		.why = why,
		.host_save = na,
		.host_load = na,
		.guest_save = na,
		.guest_load = na,
		.irqoff = na,
		.save_bytes = na,
		.load_bytes = na,
		.irqoff_bytes = na,
		.unsafe = na,
		.refused = na,
	};
}

static struct range irqoff(const struct policy_ops *o)
{
	return range__add(o->save.irqoff, o->load.irqoff);
}

static struct whatif_sum derived(const struct policy_row *row,
				 uint64_t guest_bytes)
{
	struct whatif_sum sum = {
		.host_save = row->host.save.done,
		.host_load = row->host.load.done,
		.guest_save = row->guest.save.done,
		.guest_load = row->guest.load.done,
		.irqoff = range__add(irqoff(&row->host), irqoff(&row->guest)),
		.unsafe = row->unsafe,
		.refused = row->refused,
	};

	sum.irqoff_bytes =
		range__add(times(irqoff(&row->host), FP_FPSIMD_BYTES),
			   times(irqoff(&row->guest), guest_bytes));
	count_bytes(&sum, guest_bytes);
	return sum;
}

/* What a guest moves more than the sum of all says. */
static void add_larger(struct whatif_sum *sum, const struct policy_row *row,
		       uint64_t more)
{
	add(&sum->save_bytes, times(row->guest.save.done, more));
	add(&sum->load_bytes, times(row->guest.load.done, more));
	add(&sum->irqoff_bytes, times(irqoff(&row->guest), more));
}

static bool find(const struct whatif *w, const struct snap_vcpu *v, int row,
		 struct policy_row *found)
{
	if (row >= WHATIF_PARAM)
		return whatif__swept(w, v->slot, v->gen,
				     (unsigned int)(row - WHATIF_PARAM), found);
	return whatif__row(w, v->slot, v->gen, row - WHATIF_POLICY, found);
}

static struct policy_row find_total(const struct whatif *w, int row)
{
	if (row >= WHATIF_PARAM)
		return whatif__swept_total(w,
					   (unsigned int)(row - WHATIF_PARAM));
	return whatif__total(w, row - WHATIF_POLICY);
}

static struct whatif_sum derived_all(const struct whatif *w,
				     const struct snapshot *s, int row)
{
	struct policy_row found = find_total(w, row);
	struct whatif_sum sum = derived(&found, FP_FPSIMD_BYTES);
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		const struct snap_vcpu *v = &s->vcpus[i];

		if (find(w, v, row, &found))
			add_larger(&sum, &found,
				   v->guest_bytes - FP_FPSIMD_BYTES);
	}
	return sum;
}

static bool hidden(const struct snapshot *s, const struct snap_vcpu *v)
{
	return v ? v->guest.save.done == SNAP_NA : snapshot__guests_hidden(s);
}

/* Were all that had the slot of @v told apart? An end may be lost. */
static bool told_apart(const struct whatif *w, const struct snapshot *s,
		       const struct snap_vcpu *v)
{
	uint32_t gen = recount__gen(whatif__recount(w), v->slot);
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].slot == v->slot && s->vcpus[i].gen > gen)
			return false;
	}
	return true;
}

bool whatif_sum__shown(uint32_t policies, int row)
{
	return row < WHATIF_POLICY || policies & 1u << (row - WHATIF_POLICY);
}

struct whatif_sum whatif_sum__row(const struct whatif *w,
				  const struct snapshot *s,
				  const struct snap_vcpu *v, int row)
{
	struct policy_row found;

	if (row < WHATIF_POLICY)
		return v ? actual(v, v->guest_bytes, row) : actual_all(s, row);
	if (hidden(s, v))
		return nothing("the host cannot see what its guests use");
	if (s->sve_vl && row < WHATIF_PARAM &&
	    !policy__knows_sve(row - WHATIF_POLICY))
		return nothing("never defined for a host with SVE");
	if (whatif__missed(w))
		return nothing("not all was seen, and nobody knows how much");
	if (!v)
		return derived_all(w, s, row);
	if (whatif__wider(w) && !told_apart(w, s, v))
		return nothing("it is not known since when this vcpu is there");
	if (!find(w, v, row, &found))
		return nothing("the stream does not have this vcpu");
	return derived(&found, v->guest_bytes);
}

static int64_t less(uint64_t a, uint64_t b, uint64_t done)
{
	return (int64_t)(a + b - done);
}

struct whatif_diff whatif_sum__diff(const struct whatif_sum *sum,
				    const struct whatif_sum *kernel)
{
	struct whatif_diff d = { .na = sum->why ||
				       range__na(kernel->guest_save) };
	uint64_t saves, loads;

	if (d.na)
		return d;
	saves = kernel->host_save.lo + kernel->guest_save.lo;
	loads = kernel->host_load.lo + kernel->guest_load.lo;
	d.save[0] = less(sum->host_save.lo, sum->guest_save.lo, saves);
	d.save[1] = less(sum->host_save.hi, sum->guest_save.hi, saves);
	d.load[0] = less(sum->host_load.lo, sum->guest_load.lo, loads);
	d.load[1] = less(sum->host_load.hi, sum->guest_load.hi, loads);
	return d;
}

/* ---- what it costs ---- */

struct range whatif_sum__bytes(const struct whatif_sum *sum)
{
	return range__add(sum->save_bytes, sum->load_bytes);
}

static uint64_t ns(uint64_t saved, uint64_t loaded, const struct cost_xfer *c)
{
	double sum = (double)saved * c->save + (double)loaded * c->load;

	return (uint64_t)(sum / FP_FPSIMD_BYTES + 0.5);
}

struct range whatif_sum__ns(const struct whatif_sum *sum,
			    const struct cost_xfer *c)
{
	const struct range *save = &sum->save_bytes, *load = &sum->load_bytes;

	if (range__na(*save) || range__na(*load))
		return na;
	return (struct range){ ns(save->lo, load->lo, c),
			       ns(save->hi, load->hi, c) };
}
