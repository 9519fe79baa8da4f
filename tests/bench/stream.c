// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many records a second one reader merges, from how many CPUs; and what is lost
 * when each CPU makes so many while it looks 20 times a second, as fpstat does. Who
 * makes them is a thread of its own, with the code and the rings of capture.
 *
 * usage: stream [RECORDS]
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "result.h"
#include "session.h"
#include "stream.h"
#include "util.h"

#define RING (1u << 14) /* records: the smallest that capture makes */
#define SECONDS 2

struct host {
	unsigned int nr_cpus;
	struct fp_percpu *cpus;
	struct fp_slot *rings;
	struct stream *stream;
	uint64_t rate; /* of each CPU, a second */
	uint64_t made; /* or lost */
	bool made_all;
	uint64_t read;
};

static void begin(struct host *h, unsigned int nr_cpus)
{
	*h = (struct host){ .nr_cpus = nr_cpus };
	h->cpus = calloc(nr_cpus, sizeof(*h->cpus));
	h->rings = calloc((size_t)nr_cpus * FP_LANES * RING, sizeof(*h->rings));
	h->stream = h->cpus && h->rings ?
			    stream__new(h->cpus, nr_cpus, h->rings, RING) :
			    NULL;
	if (!h->stream)
		exit(1);
}

static void end(struct host *h)
{
	stream__free(h->stream);
	free(h->cpus);
	free(h->rings);
}

static uint64_t now_ns(void)
{
	return (uint64_t)(fps_clock() * 1e9);
}

/* As record() in bpf/record.h. */
static void make(struct host *h, unsigned int cpu)
{
	struct fp_percpu *c = &h->cpus[cpu];
	struct fp_lane *lane = &c->lane[FP_LANE_MAIN];
	struct fp_slot *to;
	__u64 pos, lap;

	h->made++;
	if (!fp_ring_begin(lane, 1, &pos)) {
		c->lost++;
		return;
	}
	to = &h->rings[fp_ring_at(lane, pos)];
	lap = fp_ring_lap(lane, pos);
	fp_ring_put(&to->ns, now_ns(), lap);
	fp_ring_put(&to->order,
		    fp_ring_number(&c->records) << 33 >> 1 | (__u32)c->lost,
		    lap);
	fp_ring_cut(&to->passed, c->passed, lap);
	fp_ring_cut(&to->buf, 0xffff000000001000ull, lap);
	fp_ring_put(&to->event, 0, lap);
	fp_ring_cut(&to->other, 0, lap);
	fp_ring_cut(&to->letter, 0, lap);
	fp_ring_cut(&to->own, (__u64)FP_NO_SLOT << 32, lap);
	fp_ring_end(lane);
}

static int count(void *ctx, const struct fp_rec *rec)
{
	uint64_t *n = ctx;

	(void)rec;
	++*n;
	return 0;
}

static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In turn, as far apart as they can be for who merges them. */
static void merge(unsigned int nr_cpus, uint64_t records)
{
	struct host h;
	double spent = 0;
	uint64_t n = 0, i;

	begin(&h, nr_cpus);
	while (n < records) {
		for (i = 0; i < (uint64_t)nr_cpus * RING; i++)
			make(&h, (unsigned int)(i % nr_cpus));
		spent -= thread_seconds();
		if (stream__drain(h.stream, count, &n))
			exit(1);
		spent += thread_seconds();
	}
	tell(stdout, "merge", nr_cpus, "CPUs", (double)n / spent / 1e6,
	     "M records/s", NO_LIMIT);
	end(&h);
}

static void *make_all(void *ctx)
{
	struct host *h = ctx;
	uint64_t from = now_ns(), made = 0, due = 0;
	unsigned int i;

	while (made < SECONDS * h->rate) {
		due = (now_ns() - from) * h->rate / 1000000000u;
		for (; made < due; made++) {
			for (i = 0; i < h->nr_cpus; i++)
				make(h, i);
		}
	}
	__atomic_store_n(&h->made_all, true, __ATOMIC_RELEASE);
	return NULL;
}

/* What a CPU's ring holds does not depend on how many others there are. */
static void keep_up(uint64_t rate)
{
	const struct timespec tick = { .tv_nsec = (long)(SESSION_TICK * 1e9) };
	struct host h;
	pthread_t maker;
	uint64_t lost;
	bool last;

	begin(&h, 2);
	h.rate = rate;
	if (pthread_create(&maker, NULL, make_all, &h))
		exit(1);
	do {
		last = __atomic_load_n(&h.made_all, __ATOMIC_ACQUIRE);
		if (stream__drain(h.stream, count, &h.read))
			exit(1);
		nanosleep(&tick, NULL);
	} while (!last);
	pthread_join(maker, NULL);
	lost = h.cpus[0].lost + h.cpus[1].lost;
	tell(stdout, "keep up", rate, "records/s of a CPU",
	     (double)lost / SECONDS, "lost/s",
	     rate == 100000 ? AT_MOST(0) : NO_LIMIT);
	tell(stdout, "keep up", rate, "records/s of a CPU",
	     (double)(h.made - h.read - lost), "unaccounted", AT_MOST(0));
	end(&h);
}

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;

	merge(1, records);
	merge(8, records);
	merge(64, records);
	keep_up(100000);
	keep_up(200000);
	keep_up(1000000);
	return 0;
}
