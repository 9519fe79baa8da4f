// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util.h"

/*
 * What one CPU has written is seen by another one a moment later, and nobody says
 * how much later. This is a thousand moments; what is later yet is found out.
 */
#define SETTLE_NS 100000
#define GIVE_BACK 256 /* records */
#define LOOKS 10000 /* at one that is under way */

struct lane {
	struct fp_lane *shared;
	uint64_t pos; /* the next to read */
	uint64_t head; /* those before it were begun when we looked */
	uint64_t clear; /* when it was seen last with none that was not ready */
	bool ready; /* the next one: */
	struct fp_slot next;
};

struct cpu {
	const struct fp_percpu *shared;
	struct lane lane[FP_LANES];
	struct lane *first; /* it has the next record, or NULL */
	uint64_t ns; /* its place among those of all CPUs .. */
	uint64_t handed; /* .. and that of the last one: none is before it */
	uint32_t exits, live, lost; /* told so far */
};

struct stream {
	unsigned int nr_cpus;
	const struct fp_slot *rings;
	struct cpu *cpus;
	uint64_t until; /* all that is older was handed on */
	bool stopped;
	struct cpu **heap; /* with a record that may be handed on, first first */
	unsigned int nr_heap;
};

/* Capture has begun nothing yet. */
static void share(struct cpu *c, struct fp_percpu *cpu, uint32_t first,
		  uint32_t size)
{
	unsigned int i;

	c->shared = cpu;
	for (i = 0; i < FP_LANES; i++) {
		cpu->lane[i].first = first + i * size;
		cpu->lane[i].size = cpu->lane[i].end = size;
		c->lane[i].shared = &cpu->lane[i];
	}
}

struct stream *stream__new(struct fp_percpu *cpus, unsigned int nr_cpus,
			   const struct fp_slot *rings, uint32_t size)
{
	struct stream *s = calloc(1, sizeof(*s));
	unsigned int i;

	if (!s)
		return NULL;
	s->nr_cpus = nr_cpus;
	s->rings = rings;
	s->cpus = calloc(nr_cpus, sizeof(*s->cpus));
	s->heap = calloc(nr_cpus, sizeof(struct cpu *));
	if (!s->cpus || !s->heap) {
		stream__free(s);
		return NULL;
	}
	for (i = 0; i < nr_cpus; i++)
		share(&s->cpus[i], &cpus[i], i * FP_LANES * size, size);
	return s;
}

void stream__free(struct stream *s)
{
	if (!s)
		return;
	free(s->cpus);
	free(s->heap);
	free(s);
}

/* ---- one lane ---- */

/* Is record @pos all there? Then it is copied. */
static bool read_slot(const struct stream *s, const struct lane *l,
		      uint64_t pos, struct fp_slot *copy)
{
	const struct fp_slot *slot = &s->rings[fp_ring_at(l->shared, pos)];
	const __u64 *from = (const __u64 *)slot;
	__u64 *to = (__u64 *)copy, lap = fp_ring_lap(l->shared, pos);
	size_t i;

	for (i = 0; i < FP_SLOT_WORDS; i++) {
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
		if ((to[i] & FP_LAP) != lap)
			return false;
		to[i] &= ~FP_LAP;
	}
	return true;
}

static void look_at_next(const struct stream *s, struct lane *l)
{
	l->ready = l->pos != l->head && read_slot(s, l, l->pos, &l->next);
}

/* The writer may have it again: all that we read of it was read before. */
static void give_back(const struct stream *s, struct lane *l)
{
	if (s->stopped)
		return;
	__atomic_store_n(&l->shared->end, l->pos + l->shared->size,
			 __ATOMIC_RELEASE);
}

/*
 * As old as a record can be that is still to come here. One that is under way was
 * begun after the lane was seen clear. It is the last one, but then it may look as if
 * an older one was not ready yet.
 */
static uint64_t look_at_lane(const struct stream *s, struct lane *l,
			     uint64_t now)
{
	struct fp_slot last;

	l->head = __atomic_load_n(&l->shared->head, __ATOMIC_RELAXED);
	look_at_next(s, l);
	if (l->pos == l->head ||
	    (l->ready && read_slot(s, l, l->head - 1, &last)))
		l->clear = now;
	return l->clear;
}

/* A writer that has begun a record ends it; what comes then finds no room. */
static void take_back(struct lane *l)
{
	uint64_t head = __atomic_load_n(&l->shared->head, __ATOMIC_RELAXED);

	__atomic_store_n(&l->shared->end, head, __ATOMIC_RELAXED);
}

/* ---- one CPU ---- */

/* Where the next one is in the order of its CPU. */
static uint32_t number(const struct lane *l)
{
	return (uint32_t)(l->next.order >> 32);
}

static bool before(uint32_t a, uint32_t b)
{
	return (a - b) >> 30 & 1;
}

static void find_first(struct cpu *c)
{
	struct lane *l;

	c->first = NULL;
	for (l = c->lane; l < c->lane + FP_LANES; l++) {
		if (l->ready &&
		    (!c->first || before(number(l), number(c->first))))
			c->first = l;
	}
	c->ns = c->handed;
	if (c->first && c->first->next.ns > c->ns)
		c->ns = c->first->next.ns;
}

/*
 * What is still to come in lane @l is not before this, after one of it was handed
 * on. If it was begun, nothing that is newer may overtake it.
 */
static uint64_t still_to_come(const struct cpu *c, const struct lane *l)
{
	return l->ready || l->pos == l->head ? UINT64_MAX : c->handed;
}

/* Of a sum, what was not @told; nothing, if it was taken before what told it. */
static uint32_t untold(uint32_t sum, uint32_t *told)
{
	uint32_t more = (sum - *told) & (UINT32_MAX >> 1);

	if (more > UINT32_MAX / 4)
		return 0;
	*told += more;
	return more;
}

static void tell_sums(struct cpu *c, struct fp_rec *rec, uint64_t passed,
		      uint64_t lost)
{
	rec->exits = untold((uint32_t)passed, &c->exits);
	rec->live = untold((uint32_t)(passed >> 32), &c->live);
	rec->lost = untold((uint32_t)lost, &c->lost);
	if (rec->lost)
		rec->flags |= FP_REC_GAP;
}

/* Kernel addresses and small numbers: the highest bit, cut off, is as the next. */
static uint64_t address(uint64_t word)
{
	return (uint64_t)((int64_t)(word << 1) >> 1);
}

static struct fp_rec record(const struct stream *s, struct cpu *c)
{
	const struct fp_slot *from = &c->first->next;
	union fp_event_half half = { .all = from->event };
	struct fp_rec rec = {
		.ns = from->ns,
		.ev = {
			.buf = address(from->buf),
			.gen = half.gen,
			.kind = half.kind,
			.foreign = half.foreign,
			.in_run = half.in_run,
			.arg = half.arg,
		},
		.other = address(from->other),
		.letter = address(from->letter),
		.slot = (uint32_t)(address(from->own) >> 32),
		.cpu = (uint32_t)(c - s->cpus),
		.flags = (uint32_t)from->own,
	};

	tell_sums(c, &rec, from->passed, from->order);
	if (c->ns < s->until) /* too late: what came after it was handed on */
		rec.flags |= FP_REC_GAP;
	return rec;
}

/* ---- all CPUs ---- */

static bool older(const struct cpu *a, const struct cpu *b)
{
	return a->ns < b->ns || (a->ns == b->ns && a < b);
}

/* The CPU at @i may be newer than those after it in the heap. */
static void sift(struct stream *s, unsigned int i)
{
	struct cpu *c = s->heap[i];
	unsigned int next;

	while ((next = 2 * i + 1) < s->nr_heap) {
		if (next + 1 < s->nr_heap &&
		    older(s->heap[next + 1], s->heap[next]))
			next++;
		if (!older(s->heap[next], c))
			break;
		s->heap[i] = s->heap[next];
		i = next;
	}
	s->heap[i] = c;
}

/* Returns before when all is there that was begun. */
static uint64_t look(struct stream *s, uint64_t now)
{
	uint64_t limit = now, bound;
	unsigned int i, k;

	s->nr_heap = 0;
	for (i = 0; i < s->nr_cpus; i++) {
		struct cpu *c = &s->cpus[i];

		for (k = 0; k < FP_LANES; k++) {
			bound = look_at_lane(s, &c->lane[k], now);
			limit = bound < limit ? bound : limit;
		}
		find_first(c);
		if (c->first)
			s->heap[s->nr_heap++] = c;
	}
	for (i = s->nr_heap / 2; i-- > 0;)
		sift(s, i);
	return limit;
}

/* The record that is first of all goes; what comes next takes its place. */
static uint64_t advance(struct stream *s)
{
	struct cpu *c = s->heap[0];
	struct lane *l = c->first;

	c->handed = c->ns;
	if (++l->pos % GIVE_BACK == 0)
		give_back(s, l);
	look_at_next(s, l);
	find_first(c);
	if (!c->first)
		s->heap[0] = s->heap[--s->nr_heap];
	if (s->nr_heap)
		sift(s, 0);
	return still_to_come(c, l);
}

void stream__stop(struct stream *s, bool stop)
{
	unsigned int i, k;

	s->stopped = stop;
	for (i = 0; i < s->nr_cpus; i++) {
		for (k = 0; k < FP_LANES; k++) {
			if (stop)
				take_back(&s->cpus[i].lane[k]);
			else
				give_back(s, &s->cpus[i].lane[k]);
		}
	}
}

int stream__drain_until(struct stream *s, uint64_t now,
			int (*fn)(void *ctx, const struct fp_rec *rec),
			void *ctx)
{
	uint64_t limit = look(s, now), bound;
	unsigned int i, k;
	int err = 0;

	while (!err && s->nr_heap && s->heap[0]->ns < limit) {
		struct fp_rec rec = record(s, s->heap[0]);

		bound = advance(s);
		limit = bound < limit ? bound : limit;
		err = fn(ctx, &rec);
	}
	for (i = 0; i < s->nr_cpus; i++) {
		for (k = 0; k < FP_LANES; k++)
			give_back(s, &s->cpus[i].lane[k]);
	}
	if (!err && limit > s->until)
		s->until = limit;
	return err;
}

uint64_t stream__until(const struct stream *s)
{
	return s->until;
}

static uint64_t now_ns(void)
{
	return (uint64_t)(fps_clock() * 1e9);
}

int stream__drain(struct stream *s,
		  int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	uint64_t now = now_ns();

	while (now_ns() < now + SETTLE_NS)
		;
	return stream__drain_until(s, now, fn, ctx);
}

/* What was begun by now; false: one is under way. */
static bool look_again(const struct stream *s, struct cpu *c)
{
	bool all = true;
	struct lane *l;

	for (l = c->lane; l < c->lane + FP_LANES; l++) {
		l->head = __atomic_load_n(&l->shared->head, __ATOMIC_RELAXED);
		look_at_next(s, l);
		all &= l->ready || l->pos == l->head;
	}
	find_first(c);
	return all;
}

/* By whom the reader asked, where exits have no hook. */
static uint64_t passed(const struct fp_percpu *c)
{
	uint64_t read = counter__read(&c->passed_read);

	return read ? read :
		      counter__read(&c->passed) +
			      counter__read(&c->passed_quiet);
}

/* What came after a record that is not handed on yet is told after it. */
struct fp_rec stream__rest(struct stream *s, unsigned int cpu)
{
	struct cpu *c = &s->cpus[cpu];
	uint64_t sum = passed(c->shared);
	uint64_t lost = counter__read(&c->shared->lost);
	struct fp_rec rec = {
		.ns = s->until,
		.ev.kind = FP_EV_EXIT,
		.slot = FP_NO_SLOT,
		.cpu = cpu,
		.flags = FP_REC_NO_STEP | FP_REC_NO_JUDGE,
	};
	int i;

	for (i = 0; i < LOOKS && !look_again(s, c); i++)
		;
	if (c->first) {
		sum = c->first->next.passed;
		lost = c->first->next.order;
	}
	tell_sums(c, &rec, sum, lost);
	return rec;
}
