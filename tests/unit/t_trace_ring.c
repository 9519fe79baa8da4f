// SPDX-License-Identifier: GPL-2.0-only
/* The last blocks of a trace: which ones stay, and that they are a trace again. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "trace_ring.h"
#include "trace_sample.h"

#define LARGE (1ull << 30)

/* A record each ns, and counters. */
static void put_part(struct trace_writer *w, uint64_t from, uint64_t to)
{
	static const char text[] = "counters\ncounters\n";
	uint64_t ns;

	for (ns = from; ns < to; ns++) {
		struct fp_rec rec = { .ns = ns };

		assert_int_equal(trace_writer__record(w, &rec), 0);
	}
	assert_int_equal(trace_writer__flush(w), 0);
	assert_int_equal(trace_writer__text(w, TRACE_COUNTERS, text,
					    sizeof(text) - 1),
			 0);
}

static struct trace_writer *into(struct trace_ring *ring)
{
	struct trace_writer *w = trace_writer__new(-1);

	assert_non_null(ring);
	assert_non_null(w);
	trace_writer__keep(w, ring);
	return w;
}

/* The time of the first record, or 0; from there on all must be there. */
static uint64_t first(const struct trace_ring *ring, uint64_t end)
{
	struct sample s = sample__new();
	const struct fp_rec *rec;
	struct trace_reader *r;
	uint64_t from = 0, next = 0;
	unsigned char *data;
	size_t len;
	char why[64];
	int kind, n, i, fd;

	assert_int_equal(trace_writer__copy(s.w, ring), 0);
	data = sample__end(&s, &len);
	fd = file_of(data, len);
	r = trace_reader__new(fd, why, sizeof(why));
	assert_non_null(r);
	while ((kind = trace_reader__next(r)) > 0) {
		while (kind == TRACE_EVENTS &&
		       (n = trace_reader__records(r, &rec)) > 0) {
			if (!from)
				from = next = rec->ns;
			for (i = 0; i < n; i++)
				assert_int_equal(rec[i].ns, next++);
		}
	}
	assert_int_equal(next, from ? end : 0);
	assert_false(trace_reader__health(r).cut);
	assert_int_equal(trace_reader__health(r).damaged, 0);
	assert_int_equal(trace_reader__health(r).lost, 0);
	trace_reader__free(r);
	close(fd);
	free(data);
	return from;
}

/* Where nothing went, it begins as the capture did; else with counters. */
static void assert_begins(const struct trace_ring *ring, uint64_t from,
			  uint64_t end)
{
	assert_int_equal(first(ring, end), from);
	assert_int_equal(trace_ring__forgot(ring), from != 1000);
	assert_int_equal(trace_ring__first(ring)->block.kind,
			 from == 1000 ? TRACE_EVENTS : TRACE_COUNTERS);
}

static void by_time(void **state)
{
	struct trace_ring *ring = trace_ring__new(250, LARGE);
	struct trace_writer *w = into(ring);
	uint64_t ns;

	(void)state;
	for (ns = 1000; ns < 2000; ns += 100) {
		put_part(w, ns, ns + 100);
		/* 250 before the last one is in the part two before */
		assert_begins(ring, ns < 1300 ? 1000 : ns - 200, ns + 100);
	}
	/* twice is the same */
	assert_begins(ring, 1700, 2000);
	trace_writer__free(w);
	trace_ring__free(ring);
}

static void by_size(void **state)
{
	struct trace_ring *ring = trace_ring__new(LARGE, 4096);
	struct trace_writer *w = into(ring);
	uint64_t ns, most = 0;

	(void)state;
	for (ns = 1000; ns < 10000; ns += 100) {
		put_part(w, ns, ns + 100);
		if (trace_writer__bytes(w) > most)
			most = trace_writer__bytes(w);
		assert_int_equal(trace_writer__bytes(w),
				 trace_ring__bytes(ring));
	}
	assert_in_range(most, 2048, 4096);
	assert_true(trace_ring__forgot(ring));
	assert_in_range(first(ring, 10000), 9000, 9900);
	trace_writer__free(w);
	trace_ring__free(ring);
}

/* What has no room at all goes when counters follow it. */
static void no_room(void **state)
{
	struct trace_ring *ring = trace_ring__new(1, 1);
	struct trace_writer *w = into(ring);

	(void)state;
	assert_null(trace_ring__first(ring));
	put_part(w, 1000, 1100);
	assert_true(trace_ring__forgot(ring));
	assert_int_equal(first(ring, 0), 0);
	put_part(w, 1100, 1200);
	assert_int_equal(first(ring, 0), 0);
	trace_writer__free(w);
	trace_ring__free(ring);
	trace_ring__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_time),
		cmocka_unit_test(by_size),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests_name("trace_ring", tests, NULL, NULL);
}
