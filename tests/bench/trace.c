// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many bytes a record takes in a trace, and how many records a second one core
 * writes and reads, of traces of three lengths.
 *
 * usage: trace [RECORDS]
 */
#include <stdbool.h>
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

static void measure(uint64_t n)
{
	uint64_t bytes, records = 0;
	double writing, reading, million;
	int fd;

	if (!in_child())
		return;
	fd = memfd_create("trace", MFD_CLOEXEC);
	writing = write_trace(fd, n, &bytes);
	reading = read_trace(fd, &records);
	million = (double)records / 1e6;
	tell(stdout, "trace", records, "records",
	     (double)bytes / (double)records, "bytes/record", AT_MOST(4));
	tell(stdout, "encode", records, "records", million / writing,
	     "M records/s", NO_LIMIT);
	tell(stdout, "decode", records, "records", million / reading,
	     "M records/s", AT_LEAST(20));
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;

	measure(n / 100);
	measure(n / 10);
	measure(n);
	return 0;
}
