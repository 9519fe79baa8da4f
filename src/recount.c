// SPDX-License-Identifier: GPL-2.0-only
#include "recount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "between.h"
#include "replay.h"
#include "snapshot.h"
#include "util.h"

#define KEEP 4096 /* vcpus that ended, as rows of their own */

/* One that ended, and whose slot another one has now. */
struct ended {
	uint32_t slot;
	uint32_t gen;
	struct replay_vcpu counted;
};

/* Who has a slot now. */
struct life {
	uint32_t gen; /* as fp_vcpu.gen: 1 is the first */
	bool over;
};

struct recount {
	struct replay *replay;
	struct life life[FP_MAX_VCPUS];
	struct ended ended[KEEP];
	size_t nr_ended; /* ever; the last KEEP are here */
	struct snap_vcpu folded; /* those before */
};

struct recount *recount__new(unsigned int cpus)
{
	struct recount *r = calloc(1, sizeof(*r));

	if (r)
		r->replay = replay__new(cpus);
	if (r && r->replay)
		return r;
	recount__free(r);
	return NULL;
}

void recount__free(struct recount *r)
{
	if (!r)
		return;
	replay__free(r->replay);
	free(r);
}

/* ---- from one to the other ---- */

/* What a guest's transfer moved, by the counters: no record tells. */
static uint64_t size_of(const struct snap_ops *o)
{
	if (o->save.bytes == SNAP_NA || o->load.bytes == SNAP_NA)
		return SNAP_NA;
	if (o->save.done)
		return o->save.bytes / o->save.done;
	return o->load.done ? o->load.bytes / o->load.done : 0;
}

/* Records tell of each other transfer, if the counters had seen it. */
static void set_ops(struct snap_ops *o, const struct fp_ops *n)
{
	*o = snap_ops__read(n, o->save.bytes == SNAP_NA ? SNAP_NA :
							  FP_FPSIMD_BYTES);
}

static void set_numbers(struct snap_vcpu *v, const struct replay_vcpu *n)
{
	static const struct replay_vcpu none;
	int i;

	if (!n)
		n = &none;
	v->exits = n->exits;
	v->guest_runs_live = n->runs_live;
	v->guest = snap_ops__read(&n->guest, size_of(&v->guest));
	set_ops(&v->host, &n->host);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		v->cause[i] = n->cause[i];
}

/* What no record tells. */
static void hide_rest(struct snap_vcpu *v)
{
	v->runs = SNAP_NA;
	v->collateral = SNAP_NA;
	v->guest.save.bytes = v->guest.load.bytes = SNAP_NA;
	v->host.save.bytes = v->host.load.bytes = SNAP_NA;
}

static void add_row(struct snap_vcpu *sum, const struct snap_vcpu *v)
{
	struct snapshot both = {
		.folded_sum = *sum,
		.nr_vcpus = 1,
		.vcpus = (struct snap_vcpu *)v,
	};

	snapshot__total(&both, sum);
}

/* ---- records ---- */

static void fold(struct recount *r, const struct ended *e)
{
	struct snap_vcpu v = {};

	set_numbers(&v, &e->counted);
	hide_rest(&v);
	add_row(&r->folded, &v);
}

static void archive(struct recount *r, uint32_t slot)
{
	struct ended *e = &r->ended[r->nr_ended % KEEP];
	const struct replay_vcpu *n = replay__vcpu(r->replay, slot);

	if (r->nr_ended++ >= KEEP)
		fold(r, e);
	*e = (struct ended){ .slot = slot, .gen = r->life[slot].gen };
	if (n)
		e->counted = *n;
	replay__forget(r->replay, slot);
}

static void follow_slot(struct recount *r, const struct fp_rec *rec)
{
	struct life *life = &r->life[rec->slot];

	if (rec->ev.kind == FP_EV_VCPU_END) {
		life->over = true;
	} else if (rec->ev.kind == FP_EV_VLOAD) {
		if (life->over)
			archive(r, rec->slot);
		if (life->over || !life->gen)
			life->gen++;
		life->over = false;
		replay__expect(r->replay, rec->slot);
	}
}

void recount__begin(struct recount *r, const struct snapshot *since)
{
	size_t i;

	for (i = 0; i < since->nr_vcpus; i++) {
		const struct snap_vcpu *v = &since->vcpus[i];

		if (v->slot < FP_MAX_VCPUS && v->gen > r->life[v->slot].gen)
			r->life[v->slot] = (struct life){
				.gen = v->gen,
				.over = v->state == SNAP_VCPU_ENDED,
			};
		if (v->state == SNAP_VCPU_LIVE)
			replay__expect(r->replay, v->slot);
	}
}

uint32_t recount__step(struct recount *r, const struct fp_rec *rec)
{
	if (rec->slot < FP_MAX_VCPUS)
		follow_slot(r, rec);
	return replay__step(r->replay, rec);
}

const struct replay *recount__replay(const struct recount *r)
{
	return r->replay;
}

uint32_t recount__gen(const struct recount *r, uint32_t slot)
{
	return slot < FP_MAX_VCPUS ? r->life[slot].gen : 0;
}

/* ---- snapshots ---- */

static const struct replay_vcpu *find(const struct recount *r, uint32_t slot,
				      uint32_t gen)
{
	size_t i, n = r->nr_ended < KEEP ? r->nr_ended : KEEP;

	if (recount__gen(r, slot) == gen)
		return replay__vcpu(r->replay, slot);
	for (i = 0; i < n; i++) {
		if (r->ended[i].slot == slot && r->ended[i].gen == gen)
			return &r->ended[i].counted;
	}
	return NULL;
}

static void set_other(const struct recount *r, struct snapshot *s)
{
	struct fp_ops task = replay__task(r->replay);
	struct fp_ops kernel = replay__kernel(r->replay);

	set_ops(&s->task, &task);
	set_ops(&s->kernel_neon, &kernel);
}

int recount__again(const struct recount *r, const struct snapshot *after,
		   struct snapshot *out)
{
	size_t i;

	if (snapshot__copy(out, after))
		return -ENOMEM;
	for (i = 0; i < out->nr_vcpus; i++) {
		struct snap_vcpu *v = &out->vcpus[i];

		set_numbers(v, find(r, v->slot, v->gen));
	}
	set_other(r, out);
	return 0;
}

static void put_row(const struct recount *r, struct snapshot *out,
		    uint32_t slot, uint32_t gen, const struct replay_vcpu *n)
{
	struct snap_vcpu *v = &out->vcpus[out->nr_vcpus++];

	*v = (struct snap_vcpu){ .slot = slot, .gen = gen, .vcpu_id = slot };
	if (recount__gen(r, slot) != gen || r->life[slot].over)
		v->state = SNAP_VCPU_ENDED;
	strcpy(v->vm, "unknown");
	set_numbers(v, n);
	hide_rest(v);
}

static int put_rows(const struct recount *r, struct snapshot *out)
{
	size_t i, n = r->nr_ended < KEEP ? r->nr_ended : KEEP;
	uint32_t slot;

	out->vcpus = calloc(n + FP_MAX_VCPUS, sizeof(*out->vcpus));
	if (!out->vcpus)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		put_row(r, out, r->ended[i].slot, r->ended[i].gen,
			&r->ended[i].counted);
	for (slot = 0; slot < FP_MAX_VCPUS; slot++) {
		const struct replay_vcpu *v = replay__vcpu(r->replay, slot);

		if (v)
			put_row(r, out, slot, r->life[slot].gen, v);
	}
	return 0;
}

int recount__alone(const struct recount *r, const struct snapshot *host,
		   struct snapshot *out)
{
	struct snap_ops all;
	size_t i;

	*out = *host;
	out->owners = NULL;
	out->nr_vcpus = out->nr_owners = 0;
	if (put_rows(r, out))
		return -ENOMEM;
	out->folded = r->nr_ended > KEEP ? r->nr_ended - KEEP : 0;
	out->folded_sum = r->folded;
	if (out->folded)
		hide_rest(&out->folded_sum);
	set_other(r, out);
	all = snapshot__all(out);
	out->pending = all.save.pending;
	out->lost = out->missed = out->undecided = out->impossible = SNAP_NA;
	out->efi.save.done = out->efi.load.done = SNAP_NA;
	out->task.save.bytes = out->task.load.bytes = SNAP_NA;
	out->kernel_neon.save.bytes = out->kernel_neon.load.bytes = SNAP_NA;
	for (i = 0; i < FP_EV_MAX; i++)
		out->events[i] = SNAP_NA;
	return 0;
}

/* ---- names ---- */

static int by_identity(const void *a, const void *b)
{
	const struct snap_vcpu *x = a, *y = b;

	if (x->vm_pid != y->vm_pid)
		return x->vm_pid < y->vm_pid ? -1 : 1;
	if (x->vcpu_id != y->vcpu_id)
		return x->vcpu_id < y->vcpu_id ? -1 : 1;
	return (x->gen > y->gen) - (x->gen < y->gen);
}

static void name_row(struct snap_vcpu *v, const struct snap_vcpu *known)
{
	memcpy(v->vm, known->vm, sizeof(v->vm));
	v->vm_pid = known->vm_pid;
	v->vcpu_id = known->vcpu_id;
	v->tid = known->tid;
	if (known->state == SNAP_VCPU_ENDED)
		v->state = known->state;
	v->guest_bytes = known->guest_bytes;
}

void recount__name(struct snapshot *s, const struct snapshot *known)
{
	const struct snap_vcpu *same;
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		same = snapshot__find(known, &s->vcpus[i]);
		if (same)
			name_row(&s->vcpus[i], same);
	}
	s->policy = known->policy;
	if (s->nr_vcpus)
		qsort(s->vcpus, s->nr_vcpus, sizeof(*s->vcpus), by_identity);
	if (snapshot__guests_hidden(known))
		snapshot__hide_guests(s);
}

/* ---- does it fit the counters? ---- */

bool recount__can_be(const struct recount *r, const struct snapshot *now,
		     char *why, size_t len)
{
	const struct replay_doubt *d = replay__doubt(r->replay);

	if (d->count)
		snprintf(why, len,
			 "%" PRIu64 " records cannot be, the first is number "
			 "%" PRIu64 " (CPU %u, at %.6f s): %s",
			 d->count, d->first, d->cpu, (double)d->ns / 1e9,
			 d->what);
	else if (now->lost)
		snprintf(why, len,
			 "%" PRIu64 " records of the stream were lost",
			 now->lost);
	return !d->count && !now->lost;
}

bool recount__agrees(const struct recount *r, const struct snapshot *now,
		     const struct snapshot *delta, char *why, size_t len)
{
	const struct between b = { why, len };
	struct fp_ops task, kernel;
	size_t i;

	if (!recount__can_be(r, now, why, len))
		return false;
	if (snapshot__guests_hidden(now))
		return true;
	for (i = 0; i < now->nr_vcpus; i++) {
		const struct snap_vcpu *v = &now->vcpus[i];

		if (!between__vcpu(&b, find(r, v->slot, v->gen), v,
				   &delta->vcpus[i]))
			return false;
	}
	task = replay__task(r->replay);
	kernel = replay__kernel(r->replay);
	return between__ops(&b, "tasks", &task, &now->task, &delta->task,
			    FP_FPSIMD_BYTES) &&
	       between__ops(&b, "kernel NEON", &kernel, &now->kernel_neon,
			    &delta->kernel_neon, FP_FPSIMD_BYTES);
}
