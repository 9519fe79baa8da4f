// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many bytes the exits without a change take in a trace: it is written again,
 * block by block, as it is and as if there had been none. Two traces that were
 * recorded would differ in much else.
 *
 * Exits are counted in the next record of their CPU. Which of the records these are is
 * information of its own: where exits are rarer than records, it is most of it. The
 * least that it can take is told beside, for a format that would know the kind of each
 * record, that of the one before on its CPU, whether they are in KVM_RUN, and how often
 * such a record tells of exits: the logarithm of the number of choices.
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

enum { KINDS = 64, CPUS = 4096 };

struct choice {
	uint64_t records;
	uint64_t telling; /* of exits */
};

struct sum {
	uint64_t exits;
	uint64_t telling; /* records */
	unsigned int before[CPUS]; /* by CPU: kind and in_run of its last one */
	struct choice choice[2 * KINDS][2 * KINDS];
};

static void look(struct sum *sum, const struct fp_rec *rec)
{
	unsigned int now = (rec->ev.kind % KINDS) * 2 + rec->ev.in_run % 2;
	unsigned int *before = &sum->before[rec->cpu % CPUS];
	struct choice *c = &sum->choice[*before][now];

	*before = now;
	c->records++;
	c->telling += !!rec->exits;
	sum->exits += rec->exits;
	sum->telling += !!rec->exits;
}

static void copy_block(struct trace_reader *r, struct trace_writer *as_is,
		       struct trace_writer *without, struct sum *sum)
{
	const struct fp_rec *rec;
	struct fp_rec bare;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++) {
			look(sum, &rec[i]);
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
static double bytes_of(uint64_t n, uint64_t k)
{
	double ways = lgamma((double)n + 1) - lgamma((double)k + 1) -
		      lgamma((double)(n - k) + 1);

	return ways / log(2) / 8;
}

static double least(const struct sum *sum)
{
	double bytes = 0;
	int i, j;

	for (i = 0; i < 2 * KINDS; i++) {
		for (j = 0; j < 2 * KINDS; j++)
			bytes += bytes_of(sum->choice[i][j].records,
					  sum->choice[i][j].telling);
	}
	return bytes;
}

int main(int argc, char **argv)
{
	struct trace_writer *as_is = to_nowhere(), *without = to_nowhere();
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	char why[128];
	struct trace_reader *r = trace_reader__new(fd, why, sizeof(why));
	static struct sum sum;

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
	       least(&sum));
	trace_reader__free(r);
	trace_writer__free(as_is);
	trace_writer__free(without);
	close(fd);
	return 0;
}
