// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Of what the next record of a CPU will say: told already. */
struct told {
	__u32 exits;
	__u32 live;
};

struct stream {
	struct ring_buffer *ring;
	unsigned int nr_cpus;
	struct told *told;
	int (*fn)(void *ctx, const struct fp_rec *rec);
	void *ctx;
	int result;
};

static int on_sample(void *ctx, void *data, size_t size)
{
	struct stream *s = ctx;
	struct fp_rec rec;

	if (size != sizeof(rec))
		return 0;
	memcpy(&rec, data, sizeof(rec));
	if (rec.cpu < s->nr_cpus) {
		rec.exits -= s->told[rec.cpu].exits;
		rec.live -= s->told[rec.cpu].live;
		s->told[rec.cpu] = (struct told){};
	}
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

struct fp_rec stream__rest(struct stream *s, unsigned int cpu,
			   const struct fp_percpu *c)
{
	struct told now = {
		.exits = __atomic_load_n(&c->exits, __ATOMIC_RELAXED),
		.live = __atomic_load_n(&c->live, __ATOMIC_RELAXED),
	};
	struct fp_rec rec = {
		.ns = (__u64)(fps_clock() * 1e9),
		.ev.kind = FP_EV_EXIT,
		.slot = FP_NO_SLOT,
		.cpu = cpu,
		.exits = now.exits - s->told[cpu].exits,
		.live = now.live - s->told[cpu].live,
		.flags = FP_REC_NO_STEP | FP_REC_NO_JUDGE,
	};

	s->told[cpu] = now;
	return rec;
}
