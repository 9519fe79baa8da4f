// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many bytes the exits without a change take in a trace: it is written again,
 * block by block, as it is and as if there had been none. Two traces that were
 * recorded would differ in much else.
 *
 * Exits are counted in the next record of their CPU. Which of the records these are is
 * information of its own, whatever the format: where exits are rarer than records, the
 * least that it can take is told beside, as the logarithm of the number of choices.
 *
 * usage: exits FILE
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace_reader.h"
#include "trace_writer.h"

static struct trace_writer *to_nowhere(void)
{
	struct trace_writer *w = trace_writer__new(open("/dev/null", O_WRONLY));

	if (!w || trace_writer__text(w, TRACE_META, "trace\n", 6))
		exit(3);
	return w;
}

struct sum {
	uint64_t exits;
	uint64_t telling; /* records */
};

static void copy_block(struct trace_reader *r, struct trace_writer *as_is,
		       struct trace_writer *without, struct sum *sum)
{
	const struct fp_rec *rec;
	struct fp_rec bare;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++) {
			sum->exits += rec[i].exits;
			sum->telling += !!rec[i].exits;
			bare = rec[i];
			bare.exits = bare.live = 0;
			if (trace_writer__record(as_is, &rec[i]) ||
			    trace_writer__record(without, &bare))
				exit(3);
		}
	}
	if (trace_writer__flush(as_is) || trace_writer__flush(without))
		exit(3);
}

/* Bytes to say which @k of @n. */
static double choice(uint64_t n, uint64_t k)
{
	double ways = lgamma((double)n + 1) - lgamma((double)k + 1) -
		      lgamma((double)(n - k) + 1);

	return ways / log(2) / 8;
}

int main(int argc, char **argv)
{
	struct trace_writer *as_is = to_nowhere(), *without = to_nowhere();
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	char why[128];
	struct trace_reader *r = trace_reader__new(fd, why, sizeof(why));
	struct sum sum = {};

	if (!r) {
		fprintf(stderr, "exits: %s\n", argc == 2 ? why : "which file?");
		return argc == 2 ? 3 : 2;
	}
	while (trace_reader__next(r) > 0)
		copy_block(r, as_is, without, &sum);
	printf("{\"records\":%llu,\"exits\":%llu,\"telling\":%llu,\"bytes\":%llu,\"least\":%.0f}\n",
	       (unsigned long long)trace_writer__records(as_is),
	       (unsigned long long)sum.exits, (unsigned long long)sum.telling,
	       (unsigned long long)(trace_writer__bytes(as_is) -
				    trace_writer__bytes(without)),
	       choice(trace_writer__records(as_is), sum.telling));
	trace_reader__free(r);
	trace_writer__free(as_is);
	trace_writer__free(without);
	close(fd);
	return 0;
}
