// SPDX-License-Identifier: GPL-2.0-only
#include "slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quiet.h"
#include "util.h"
#include "vmname.h"

#define KEEP_ENDED 1024

/* What the reader knows of a slot beside the shared memory. */
struct slot_note {
	uint32_t named; /* generation that has a name already */
	uint32_t dead; /* generation that was seen dead by the last tick */
	char vm[VMNAME_LEN];
};

struct slots {
	struct fp_vcpu *vcpus;
	struct fp_percpu *cpus;
	unsigned int nr_cpus;
	const struct fp_quiet *quiet; /* by CPU */
	bool counts_away; /* .. all exits, and not the live ones alone */
	uint64_t user_bytes;
	struct vmname *names;

	struct slot_note *note;
	uint32_t *free; /* a stack of free slots */
	size_t nr_free;
	size_t high; /* no slot from here on was ever handed out */

	struct snap_vcpu *ended; /* oldest first */
	size_t nr_ended;
	size_t room_ended;
	size_t keep;
	uint64_t folded;
	struct snap_vcpu folded_sum;
};

static uint32_t state_of(const struct fp_vcpu *v)
{
	return __atomic_load_n(&v->state, __ATOMIC_ACQUIRE);
}

struct slots *slots__new(struct fp_vcpu *vcpus, struct fp_percpu *cpus,
			 unsigned int nr_cpus, uint64_t user_bytes)
{
	struct slots *s = calloc(1, sizeof(*s));
	unsigned int i;

	if (!s)
		return NULL;
	s->vcpus = vcpus;
	s->cpus = cpus;
	s->nr_cpus = nr_cpus;
	s->user_bytes = user_bytes;
	s->keep = KEEP_ENDED;
	s->names = vmname__new("/proc");
	s->note = calloc(FP_MAX_VCPUS, sizeof(*s->note));
	s->free = calloc(FP_MAX_VCPUS, sizeof(*s->free));
	if (!s->names || !s->note || !s->free) {
		slots__free(s);
		errno = ENOMEM;
		return NULL;
	}
	for (i = 0; i < FP_MAX_VCPUS; i++) /* the lowest on top */
		s->free[s->nr_free++] = FP_MAX_VCPUS - 1 - i;
	for (i = 0; i < nr_cpus; i++) {
		cpus[i].cpu = i;
		cpus[i].slot = FP_NO_SLOT;
		cpus[i].unbound_by = FP_NO_SLOT;
	}
	slots__tick(s);
	return s;
}

void slots__free(struct slots *s)
{
	if (!s)
		return;
	vmname__free(s->names);
	free(s->note);
	free(s->free);
	free(s->ended);
	free(s);
}

void slots__keep(struct slots *s, size_t ended)
{
	s->keep = ended ? ended : 1;
}

/* A guest with SVE is moved in its format, whatever it uses. */
static uint32_t guest_bytes(const struct fp_vcpu *v)
{
	return v->sve_vl ? fp_sve_bytes(v->sve_vl) : FP_FPSIMD_BYTES;
}

static const char *name_of(struct slots *s, uint32_t slot)
{
	const struct fp_vcpu *v = &s->vcpus[slot];
	struct slot_note *n = &s->note[slot];

	if (n->named != v->gen) {
		if (v->vm_pid) /* else it is being filled in just now */
			n->named = v->gen;
		vmname__get(s->names, v->vm_pid, v->comm, n->vm, sizeof(n->vm));
	}
	return n->vm;
}

/* The reader's is older once the vcpu has ended. */
static uint64_t exits(const struct slots *s, const struct fp_vcpu *v)
{
	uint64_t by_hook = counter__read(&v->exits);
	uint64_t by_reader = counter__read(&v->exits_read);

	if (s->counts_away)
		by_hook += quiet__live(s->quiet, v) + quiet__away(s->quiet, v);
	return by_hook > by_reader ? by_hook : by_reader;
}

static void read_slot(struct slots *s, const struct fp_vcpu *v, uint32_t slot,
		      struct snap_vcpu *row)
{
	int i;

	memset(row, 0, sizeof(*row));
	row->slot = slot;
	row->gen = v->gen;
	row->state = state_of(v) == FP_SLOT_LIVE ? SNAP_VCPU_LIVE :
						   SNAP_VCPU_ENDED;
	strcpy(row->vm, name_of(s, slot));
	row->vm_pid = v->vm_pid;
	row->vcpu_id = v->vcpu_id;
	row->tid = v->tid;
	row->runs = counter__read(&v->runs);
	row->guest_runs_live = counter__read(&v->runs_live) +
			       quiet__live(s->quiet, v);
	row->exits = exits(s, v);
	row->collateral = counter__read(&v->collateral);
	row->guest_bytes = guest_bytes(v);
	row->guest = snap_ops__read(&v->guest, row->guest_bytes);
	row->host = snap_ops__read(&v->host, s->user_bytes);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		row->cause[i] = counter__read(&v->cause[i]);
}

/* ---- the life of a slot ---- */

static void fold_oldest(struct slots *s)
{
	struct snapshot both = {
		.folded = s->folded,
		.folded_sum = s->folded_sum,
		.nr_vcpus = 1,
		.vcpus = &s->ended[0],
	};

	snapshot__total(&both, &s->folded_sum);
	s->folded++;
	s->nr_ended--;
	memmove(&s->ended[0], &s->ended[1], s->nr_ended * sizeof(*s->ended));
}

static int keep_ended(struct slots *s, uint32_t slot)
{
	while (s->nr_ended && s->nr_ended >= s->keep)
		fold_oldest(s);
	if (s->nr_ended == s->room_ended) {
		size_t room = s->room_ended ? s->room_ended * 2 : 64;
		struct snap_vcpu *ended =
			reallocarray(s->ended, room, sizeof(*ended));

		if (!ended)
			return -ENOMEM;
		s->ended = ended;
		s->room_ended = room;
	}
	read_slot(s, &s->vcpus[slot], slot, &s->ended[s->nr_ended++]);
	return 0;
}

/* Will a save that is not decided yet be added to @slot? */
static bool awaits_verdict(const struct slots *s, uint32_t slot)
{
	const struct fp_judge *j;
	unsigned int i;

	for (i = 0; i < s->nr_cpus; i++) {
		j = &s->cpus[i].judge;
		if (__atomic_load_n(&j->pending, __ATOMIC_ACQUIRE) &&
		    (j->who == FP_WHO_GUEST || j->who == FP_WHO_HOST) &&
		    j->slot == slot)
			return true;
	}
	return false;
}

/*
 * A slot rests for one tick after its end: a program that looked it up before
 * may still add to it. And it rests until all is decided that it did.
 */
static int recycle(struct slots *s, uint32_t slot)
{
	struct fp_vcpu *v = &s->vcpus[slot];
	uint32_t gen = v->gen;
	int err;

	if (s->note[slot].dead != gen) {
		s->note[slot].dead = gen;
		return 0;
	}
	if (awaits_verdict(s, slot))
		return 0;
	err = keep_ended(s, slot);
	if (err)
		return err;
	memset(v, 0, sizeof(*v));
	v->gen = gen;
	s->free[s->nr_free++] = slot;
	return 0;
}

/* Free slots at hand for one CPU: half of them all stay with us, to give. */
static uint32_t quota(const struct slots *s)
{
	uint32_t n = FP_MAX_VCPUS / 2 / s->nr_cpus;

	return n < 2 ? 2 : n < FP_FREE_RING ? n : FP_FREE_RING;
}

static void refill(struct slots *s, struct fp_percpu *c)
{
	uint32_t head = __atomic_load_n(&c->free_head, __ATOMIC_ACQUIRE);
	uint32_t slot;

	while (c->free_tail - head < quota(s) && s->nr_free) {
		slot = s->free[--s->nr_free];
		if (slot >= s->high)
			s->high = slot + 1;
		c->free[c->free_tail % FP_FREE_RING] = slot;
		__atomic_store_n(&c->free_tail, c->free_tail + 1,
				 __ATOMIC_RELEASE);
	}
}

int slots__tick(struct slots *s)
{
	size_t i;
	int err = 0;

	for (i = 0; i < s->high && !err; i++) {
		uint32_t state = state_of(&s->vcpus[i]);

		if (state == FP_SLOT_DEAD)
			err = recycle(s, i);
		else if (state == FP_SLOT_LIVE)
			name_of(s, i); /* while its process is there to ask */
	}
	for (i = 0; i < s->nr_cpus; i++)
		refill(s, &s->cpus[i]);
	return err;
}

/* ---- a snapshot ---- */

static int by_identity(const void *a, const void *b)
{
	const struct snap_vcpu *x = a, *y = b;

	if (x->vm_pid != y->vm_pid)
		return x->vm_pid < y->vm_pid ? -1 : 1;
	if (x->vcpu_id != y->vcpu_id)
		return x->vcpu_id < y->vcpu_id ? -1 : 1;
	if (x->gen != y->gen)
		return x->gen < y->gen ? -1 : 1;
	return 0;
}

size_t slots__high(const struct slots *s)
{
	return s->high;
}

void slots__quiet(struct slots *s, const struct fp_quiet *quiet, bool away)
{
	s->quiet = quiet;
	s->counts_away = away;
}

void slots__copy_quiet(const struct slots *s, struct fp_vcpu *vcpus)
{
	const struct fp_vcpu *v;
	size_t i;

	for (i = 0; i < s->high; i++) {
		v = &s->vcpus[i];
		vcpus[i].quiet_live = quiet__live(s->quiet, v)
				      << FP_QUIET_SHIFT;
		vcpus[i].quiet_away = quiet__away(s->quiet, v)
				      << FP_QUIET_SHIFT;
	}
}

int slots__snapshot(struct slots *s, const struct fp_vcpu *vcpus,
		    struct snapshot *snap)
{
	size_t i, n = s->nr_ended + s->high;

	/* Room for all: who comes alive just now pushes out nobody. */
	snap->vcpus = calloc(n ? n : 1, sizeof(*snap->vcpus));
	if (!snap->vcpus)
		return -ENOMEM;
	for (i = 0; i < s->nr_ended; i++)
		snap->vcpus[snap->nr_vcpus++] = s->ended[i];
	for (i = 0; i < s->high; i++) {
		if (state_of(&vcpus[i]) != FP_SLOT_FREE)
			read_slot(s, &vcpus[i], i,
				  &snap->vcpus[snap->nr_vcpus++]);
	}
	qsort(snap->vcpus, snap->nr_vcpus, sizeof(*snap->vcpus), by_identity);
	snap->folded = s->folded;
	snap->folded_sum = s->folded_sum;
	return 0;
}
