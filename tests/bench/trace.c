// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many bytes a record takes in a trace, and how many records a second one core
 * writes and reads.
 *
 * usage: trace [RECORDS]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "trace_reader.h"
#include "trace_writer.h"

enum { BATCH = 65536 };

static double write_trace(int fd, uint64_t n, uint64_t *bytes)
{
	static struct fp_rec batch[BATCH];
	struct trace_writer *w = trace_writer__new(fd);
	struct host h = { .rng = 1 };
	double start, seconds = 0;
	uint64_t done;
	size_t i;

	if (!w || trace_writer__text(w, TRACE_META, "trace\n", 6))
		exit(3);
	for (done = 0; done < n; done += BATCH) {
		for (i = 0; i < BATCH; i++)
			batch[i] = host__next(&h);
		start = cpu_seconds();
		for (i = 0; i < BATCH; i++) {
			if (trace_writer__record(w, &batch[i]))
				exit(3);
		}
		seconds += cpu_seconds() - start;
	}
	if (trace_writer__end(w))
		exit(3);
	*bytes = trace_writer__bytes(w);
	trace_writer__free(w);
	return seconds;
}

static double read_trace(int fd, uint64_t *records)
{
	const struct fp_rec *rec;
	struct trace_reader *r;
	double start = cpu_seconds();
	char why[128];
	int n;

	lseek(fd, 0, SEEK_SET);
	r = trace_reader__new(fd, why, sizeof(why));
	if (!r)
		exit(3);
	while (trace_reader__next(r) > 0) {
		while ((n = trace_reader__records(r, &rec)) > 0)
			*records += (uint64_t)n;
	}
	trace_reader__free(r);
	return cpu_seconds() - start;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
	uint64_t bytes, records = 0;
	int fd = memfd_create("trace", MFD_CLOEXEC);
	double writing = write_trace(fd, n, &bytes);
	double reading = read_trace(fd, &records);

	printf("trace: %.2f bytes/record (wanted: 4), %.1f million records/s written, %.1f read (wanted: 20)\n",
	       (double)bytes / (double)records,
	       (double)records / writing / 1e6,
	       (double)records / reading / 1e6);
	close(fd);
	return 0;
}
