// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Of what the next record of a CPU will say: told already. */
struct told {
	__u32 exits;
	__u32 live;
	__u32 lost;
};

struct stream {
	struct ring_buffer *ring;
	unsigned int nr_cpus;
	struct told *told;
	int (*fn)(void *ctx, const struct fp_rec *rec);
	void *ctx;
	int result;
};

/* What was told may be of the record after: one was on its way meanwhile. */
static void leave_out(__u32 *n, __u32 *told)
{
	__u32 both = *n < *told ? *n : *told;

	*n -= both;
	*told -= both;
}

static void leave_out_told(struct fp_rec *rec, struct told *told)
{
	bool lost = rec->lost;

	leave_out(&rec->exits, &told->exits);
	leave_out(&rec->live, &told->live);
	leave_out(&rec->lost, &told->lost);
	if (lost && !rec->lost)
		rec->flags &= ~(__u32)FP_REC_GAP;
}

static int on_sample(void *ctx, void *data, size_t size)
{
	struct stream *s = ctx;
	struct fp_rec rec;

	if (size != sizeof(rec))
		return 0;
	memcpy(&rec, data, sizeof(rec));
	if (rec.cpu < s->nr_cpus)
		leave_out_told(&rec, &s->told[rec.cpu]);
	s->result = s->fn(s->ctx, &rec);
	/* A negative number ends it; the record counts as read. */
	return s->result ? -ECANCELED : 0;
}

struct stream *stream__new(int fd, unsigned int cpus)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->nr_cpus = cpus;
	s->told = calloc(cpus, sizeof(*s->told));
	s->ring = s->told ? ring_buffer__new(fd, on_sample, s, NULL) : NULL;
	if (s->ring)
		return s;
	stream__free(s);
	return NULL;
}

void stream__free(struct stream *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	free(s->told);
	free(s);
}

int stream__drain(struct stream *s,
		  int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	int err;

	s->fn = fn;
	s->ctx = ctx;
	s->result = 0;
	err = ring_buffer__consume(s->ring);
	return s->result || err >= 0 ? s->result : err;
}

/* A record on its way may have taken along what was told: then less is there. */
static __u32 tell(const __u32 *counter, __u32 *told)
{
	__u32 now = __atomic_load_n(counter, __ATOMIC_RELAXED);
	__u32 more = now > *told ? now - *told : 0;

	*told += more;
	return more;
}

struct fp_rec stream__rest(struct stream *s, unsigned int cpu,
			   const struct fp_percpu *c)
{
	struct told *told = &s->told[cpu];
	struct fp_rec rec = {
		.ns = (__u64)(fps_clock() * 1e9),
		.ev.kind = FP_EV_EXIT,
		.slot = FP_NO_SLOT,
		.cpu = cpu,
		.exits = tell(&c->exits, &told->exits),
		.live = tell(&c->live, &told->live),
		.lost = tell(&c->gap, &told->lost),
		.flags = FP_REC_NO_STEP | FP_REC_NO_JUDGE,
	};

	if (rec.lost)
		rec.flags |= FP_REC_GAP;
	return rec;
}
