// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "util.h"

/* All that only grows; pending is a level and stays out. */
#define XFER_COUNTERS(X)                                                       \
	X(done)                                                                \
	X(needed)                                                              \
	X(redundant)                                                           \
	X(clean)                                                               \
	X(unclobbered)                                                         \
	X(dead)                                                                \
	X(unknown)                                                             \
	X(bytes)                                                               \
	X(irqoff)

static uint64_t moved(uint64_t done, uint64_t bytes, uint64_t more)
{
	return bytes == SNAP_NA ? SNAP_NA : done * bytes + more;
}

/* The verdicts first: what is done is counted before it is judged. */
struct snap_ops snap_ops__read(const struct fp_ops *ops, uint64_t bytes)
{
	const __u64 *v = ops->verdict;
	struct snap_ops o = {
		.save = {
			.needed = counter__read(&v[FP_VERDICT_NEEDED]),
			.clean = counter__read(&v[FP_VERDICT_CLEAN]),
			.unclobbered = counter__read(&v[FP_VERDICT_UNCLOBBERED]),
			.dead = counter__read(&v[FP_VERDICT_DEAD]),
			.unknown = counter__read(&v[FP_VERDICT_UNKNOWN]),
			.irqoff = SNAP_NA,
		},
		.load = {
			.needed = counter__read(&v[FP_VERDICT_LOAD_NEEDED]),
			.redundant = counter__read(&v[FP_VERDICT_LOAD_LIVE]),
			.irqoff = SNAP_NA,
		},
	};
	struct snap_xfer *s = &o.save, *l = &o.load;

	s->done = counter__read(&ops->save);
	l->done = counter__read(&ops->load);
	s->redundant = s->clean + s->unclobbered + s->dead;
	s->pending = s->done - s->needed - s->redundant - s->unknown;
	l->unknown = l->done - l->needed - l->redundant;
	if (counter__read(&ops->unseen))
		bytes = SNAP_NA;
	s->bytes = moved(s->done, bytes, counter__read(&ops->save_more));
	l->bytes = moved(l->done, bytes, counter__read(&ops->load_more));
	return o;
}

static void unjudge(struct snap_xfer *x)
{
	*x = (struct snap_xfer){
		.done = x->done,
		.unknown = x->done,
		.bytes = x->bytes,
		.irqoff = x->irqoff,
	};
}

void snap_ops__unjudge(struct snap_ops *ops)
{
	unjudge(&ops->save);
	unjudge(&ops->load);
}

static void sub(uint64_t *a, uint64_t b)
{
	*a = *a == SNAP_NA || b == SNAP_NA ? SNAP_NA : sat_sub(*a, b);
}

static void add(uint64_t *a, uint64_t b)
{
	*a = *a == SNAP_NA || b == SNAP_NA ? SNAP_NA : *a + b;
}

static void xfer_sub(struct snap_xfer *a, const struct snap_xfer *b)
{
#define X(field) sub(&a->field, b->field);
	XFER_COUNTERS(X)
#undef X
	a->pending_before += b->pending;
}

static void xfer_add(struct snap_xfer *a, const struct snap_xfer *b)
{
#define X(field) add(&a->field, b->field);
	XFER_COUNTERS(X)
#undef X
	a->pending += b->pending;
	a->pending_before += b->pending_before;
}

/* A load that was just being judged when it was read was unknown there. */
static void ops_sub(struct snap_ops *a, const struct snap_ops *b)
{
	a->load.pending_before += sat_sub(b->load.unknown, a->load.unknown);
	xfer_sub(&a->save, &b->save);
	xfer_sub(&a->load, &b->load);
}

void snap_ops__add(struct snap_ops *a, const struct snap_ops *b)
{
	xfer_add(&a->save, &b->save);
	xfer_add(&a->load, &b->load);
}

uint64_t snap_xfer__redundant(const struct snap_xfer *x)
{
	if (x->done == SNAP_NA || x->unknown > x->needed + x->redundant)
		return SNAP_NA;
	return x->redundant;
}

uint64_t snap_xfer__size(const struct snap_xfer *x, uint64_t one)
{
	if (x->done && x->done != SNAP_NA && x->bytes != SNAP_NA)
		return x->bytes / x->done;
	return one;
}

uint64_t snap_xfer__share(const struct snap_xfer *x)
{
	uint64_t n = snap_xfer__redundant(x);

	if (!n || n == SNAP_NA)
		return n;
	return n * 10000 / (x->needed + x->redundant + x->unknown);
}

uint64_t snap_ops__share(const struct snap_ops *ops)
{
	struct snap_xfer both = ops->save;

	xfer_add(&both, &ops->load);
	return snap_xfer__share(&both);
}

static void vcpu_sub(struct snap_vcpu *a, const struct snap_vcpu *b)
{
	size_t i;

	sub(&a->runs, b->runs);
	sub(&a->exits, b->exits);
	sub(&a->guest_runs_live, b->guest_runs_live);
	sub(&a->collateral, b->collateral);
	ops_sub(&a->guest, &b->guest);
	ops_sub(&a->host, &b->host);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		sub(&a->cause[i], b->cause[i]);
}

static void vcpu_add(struct snap_vcpu *a, const struct snap_vcpu *b)
{
	size_t i;

	add(&a->runs, b->runs);
	add(&a->exits, b->exits);
	add(&a->guest_runs_live, b->guest_runs_live);
	add(&a->collateral, b->collateral);
	snap_ops__add(&a->guest, &b->guest);
	snap_ops__add(&a->host, &b->host);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		add(&a->cause[i], b->cause[i]);
}

struct snap_oracle snap_vcpu__oracle(const struct snap_vcpu *v)
{
	const struct snap_ops *g = &v->guest, *h = &v->host;

	if (g->save.done == SNAP_NA)
		return (struct snap_oracle){ SNAP_NA, SNAP_NA };
	return (struct snap_oracle){
		.save = g->save.needed + h->save.needed,
		.load = g->load.needed + h->load.needed,
	};
}

/* A guest's state is live at an exit if it was at the entry, or was loaded. */
struct snap_window snap_vcpu__window(const struct snap_vcpu *v)
{
	if (v->guest.save.done == SNAP_NA)
		return (struct snap_window){ SNAP_NA, SNAP_NA, SNAP_NA };
	return (struct snap_window){
		.n = v->guest_runs_live + v->guest.load.done,
		.hit_softirq = v->cause[FP_CAUSE_SOFTIRQ_NEON],
		.hit_task = v->cause[FP_CAUSE_TASK_NEON],
	};
}

void snapshot__free(struct snapshot *s)
{
	if (!s)
		return;
	free(s->vcpus);
	free(s->owners);
	s->vcpus = NULL;
	s->owners = NULL;
	s->nr_vcpus = s->nr_owners = 0;
}

/* @nr * @size bytes; NULL also if there are none. */
static bool copy_rows(void *dst, const void *src, size_t nr, size_t size)
{
	void *rows = nr ? malloc(nr * size) : NULL;

	if (rows)
		memcpy(rows, src, nr * size);
	memcpy(dst, &rows, sizeof(rows));
	return rows || !nr;
}

int snapshot__copy(struct snapshot *dst, const struct snapshot *src)
{
	*dst = *src;
	dst->owners = NULL;
	if (copy_rows(&dst->vcpus, src->vcpus, src->nr_vcpus,
		      sizeof(*src->vcpus)) &&
	    copy_rows(&dst->owners, src->owners, src->nr_owners,
		      sizeof(*src->owners)))
		return 0;
	snapshot__free(dst);
	return -ENOMEM;
}

static int by_identity(const void *a, const void *b)
{
	const struct snap_vcpu *x = *(const struct snap_vcpu *const *)a;
	const struct snap_vcpu *y = *(const struct snap_vcpu *const *)b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return (x->gen > y->gen) - (x->gen < y->gen);
}

/* The rows of @s in the order of (slot, gen); NULL if out of memory. */
static struct snap_vcpu **index_rows(const struct snapshot *s)
{
	struct snap_vcpu **rows = malloc((s->nr_vcpus + 1) * sizeof(*rows));
	size_t i;

	if (!rows)
		return NULL;
	for (i = 0; i < s->nr_vcpus; i++)
		rows[i] = &s->vcpus[i];
	qsort(rows, s->nr_vcpus, sizeof(*rows), by_identity);
	return rows;
}

static void host_sub(struct snapshot *a, const struct snapshot *b)
{
	size_t i;

	a->dt = a->t > b->t ? a->t - b->t : 0;
	sub(&a->lost, b->lost);
	sub(&a->missed, b->missed);
	sub(&a->undecided, b->undecided);
	sub(&a->impossible, b->impossible);
	ops_sub(&a->task, &b->task);
	ops_sub(&a->kernel_neon, &b->kernel_neon);
	ops_sub(&a->efi, &b->efi);
	for (i = 0; i < FP_EV_MAX; i++)
		sub(&a->events[i], b->events[i]);
	sub(&a->folded, b->folded);
	vcpu_sub(&a->folded_sum, &b->folded_sum);
}

static void owners_sub(struct snapshot *a, const struct snapshot *b)
{
	size_t i, j;

	for (i = 0; i < a->nr_owners && i < b->nr_owners; i++) {
		sub(&a->owners[i].changes, b->owners[i].changes);
		for (j = 0; j < SNAP_OWNERS; j++)
			sub(&a->owners[i].held[j], b->owners[i].held[j]);
	}
}

/*
 * A row that has gone lives on in the sum of folded rows, with all of its past.
 * The part that earlier intervals have told already must not be told again.
 */
static int rows_sub(struct snapshot *a, const struct snapshot *b)
{
	struct snap_vcpu **now = index_rows(a), **then = index_rows(b);
	size_t i = 0, j = 0;
	int order;

	if (!now || !then) {
		free(now);
		free(then);
		return -ENOMEM;
	}
	while (j < b->nr_vcpus) {
		order = i < a->nr_vcpus ? by_identity(&now[i], &then[j]) : 1;
		if (order == 0)
			vcpu_sub(now[i], then[j]);
		if (order > 0)
			vcpu_sub(&a->folded_sum, then[j]);
		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
	}
	free(now);
	free(then);
	return 0;
}

int snapshot__delta(struct snapshot *out, const struct snapshot *now,
		    const struct snapshot *before)
{
	int err = snapshot__copy(out, now);

	if (err || !before)
		return err;
	host_sub(out, before);
	owners_sub(out, before);
	err = rows_sub(out, before);
	if (err)
		snapshot__free(out);
	return err;
}

static bool did_nothing(const struct snap_vcpu *v)
{
	const struct snap_xfer *x[] = { &v->guest.save, &v->guest.load,
					&v->host.save, &v->host.load };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(x); i++) {
		if (x[i]->done && x[i]->done != SNAP_NA)
			return false;
	}
	return !v->exits;
}

void snapshot__drop_ended(struct snapshot *s)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].state == SNAP_VCPU_LIVE ||
		    !did_nothing(&s->vcpus[i]))
			s->vcpus[nr++] = s->vcpus[i];
	}
	s->nr_vcpus = nr;
}

double snapshot__share(double bpf_ns, double self_ns, uint32_t cpus)
{
	return (bpf_ns + self_ns) / 1e9 / cpus;
}

double snapshot__overhead(const struct snapshot *s)
{
	if (s->bpf_ns == SNAP_NA || s->self_ns == SNAP_NA || !s->online)
		return -1;
	return snapshot__share((double)s->bpf_ns, (double)s->self_ns,
			       s->online);
}

double snapshot__ns_per_exit(const struct snapshot *s)
{
	struct snap_vcpu all;

	snapshot__total(s, &all);
	if (s->bpf_ns == SNAP_NA || !all.exits || all.exits == SNAP_NA)
		return -1;
	return (double)s->bpf_ns * s->dt / (double)all.exits;
}

void snapshot__total(const struct snapshot *s, struct snap_vcpu *total)
{
	size_t i;

	memset(total, 0, sizeof(*total));
	for (i = 0; i < s->nr_vcpus; i++)
		vcpu_add(total, &s->vcpus[i]);
	vcpu_add(total, &s->folded_sum);
}

const struct snap_vcpu *snapshot__find(const struct snapshot *s,
				       const struct snap_vcpu *v)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].slot == v->slot && s->vcpus[i].gen == v->gen)
			return &s->vcpus[i];
	}
	return NULL;
}

const struct snap_vcpu *snapshot__in_slot(const struct snapshot *s,
					  uint32_t slot)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].slot == slot &&
		    s->vcpus[i].state == SNAP_VCPU_LIVE)
			return &s->vcpus[i];
	}
	return NULL;
}

static void hide_guest(struct snap_vcpu *v)
{
	v->guest_runs_live = SNAP_NA;
	v->collateral = SNAP_NA;
	v->guest.save.done = SNAP_NA;
	v->guest.load.done = SNAP_NA;
	/* nor what it did to the host's registers */
	snap_ops__unjudge(&v->host);
}

void snapshot__hide_guests(struct snapshot *s)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++)
		hide_guest(&s->vcpus[i]);
	hide_guest(&s->folded_sum);
	snap_ops__unjudge(&s->task);
}

bool snapshot__guests_hidden(const struct snapshot *s)
{
	struct snap_vcpu total;

	snapshot__total(s, &total);
	return total.guest.save.done == SNAP_NA;
}

struct snap_ops snapshot__other(const struct snapshot *s)
{
	struct snap_ops o = s->task;

	snap_ops__add(&o, &s->kernel_neon);
	if (s->efi.save.done != SNAP_NA)
		snap_ops__add(&o, &s->efi);
	return o;
}

struct snap_ops snapshot__all(const struct snapshot *s)
{
	struct snap_ops all = snapshot__other(s);
	struct snap_vcpu vcpus;

	snapshot__total(s, &vcpus);
	snap_ops__add(&all, &vcpus.guest);
	snap_ops__add(&all, &vcpus.host);
	return all;
}

bool snapshot__has_folded(const struct snapshot *s)
{
	const struct snap_vcpu *f = &s->folded_sum;
	uint64_t guest = f->guest.save.done | f->guest.load.done;

	return s->folded || f->runs || f->exits || f->host.save.done ||
	       f->host.load.done || (guest && guest != SNAP_NA);
}

const char *snap_owner__name(enum snap_owner owner)
{
	static const char *const names[SNAP_OWNERS] = {
#define X(id, name, what) [SNAP_OWNER_##id] = name,
		SNAP_OWNER_MAP(X)
#undef X
	};

	return names[owner];
}

const char *snap_owner__what(enum snap_owner owner)
{
	static const char *const what[SNAP_OWNERS] = {
#define X(id, name, what) [SNAP_OWNER_##id] = what,
		SNAP_OWNER_MAP(X)
#undef X
	};

	return what[owner];
}

const char *snap_policy__name(enum snap_policy p)
{
	static const char *const names[] = {
		[SNAP_POLICY_UNKNOWN] = "unknown",
		[SNAP_POLICY_MARTIN] = "martin",
		[SNAP_POLICY_EAGER_HOST] = "eager-host",
		[SNAP_POLICY_PKVM] = "pkvm",
	};

	return (size_t)p < ARRAY_SIZE(names) ? names[p] : "unknown";
}

const char *snap_cause__name(int cause)
{
	static const char *const names[FP_CAUSE_MAX] = {
#define X(id, str) [FP_CAUSE_##id] = str,
		FP_CAUSE_MAP(X)
#undef X
	};

	return names[cause];
}

const char *snap_event__name(unsigned int kind)
{
	static const char *const names[FP_EV_MAX] = {
#define X(id, str, where) [FP_EV_##id] = str,
		FP_EVENT_MAP(X)
#undef X
	};

	return kind < FP_EV_MAX ? names[kind] : "unknown";
}
