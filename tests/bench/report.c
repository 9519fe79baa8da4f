// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many records a second one core reports: all that `fpstat report` does, from the
 * bytes of a trace to its last line; and that memory stays flat over as many as are
 * asked for. The trace comes through a pipe, from another process. Then the same of
 * its last second, from a file in memory.
 *
 * usage: report [RECORDS]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "host.h"
#include "trace_writer.h"

static const char about[] = "trace format=1\n"
			    "host name=bench kernel=none mode=vhe cpus=16\n"
			    "clock monotonic=0 realtime=0\n";

/* Of nothing; twice, as they are before and after the last records were read. */
static const char counters[] = "counters t=0\ncounters t=0\n";

/* With counters each second, as fpstat record does. Returns how long it is. */
static double write_trace(int fd, uint64_t n)
{
	struct trace_writer *w = trace_writer__new(fd);
	struct host h = { .rng = 1 };
	struct fp_rec rec = {};
	uint64_t told = 0;
	int err;

	err = !w || trace_writer__text(w, TRACE_META, about, sizeof(about) - 1);
	for (; n && !err; n--) {
		rec = host__next(&h);
		err = trace_writer__record(w, &rec);
		if (rec.ns / 1000000000 == told || err)
			continue;
		told = rec.ns / 1000000000;
		err = trace_writer__flush(w) ||
		      trace_writer__text(w, TRACE_COUNTERS, counters,
					 sizeof(counters) - 1);
	}
	if (err || trace_writer__end(w))
		exit(3);
	trace_writer__free(w);
	return (double)rec.ns / 1e9;
}

/* On standard input. */
static void begin_trace(uint64_t n)
{
	int fd[2];

	if (pipe(fd))
		exit(3);
	if (!fork()) {
		close(fd[0]);
		write_trace(fd[1], n);
		_exit(0);
	}
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	close(fd[1]);
}

/* All of it, or from then on. Returns the seconds it took. */
static double report(char *input, char *from)
{
	char *words[] = { "report", "-o",  "/dev/null", "--from",
			  from,	    input, NULL };
	int argc = 6;
	double start = cpu_seconds();

	if (!from) {
		words[3] = input;
		words[4] = NULL;
		argc = 4;
	}
	optind = 1; /* it is not the first time */
	if (cmd_report.run(&cmd_report, argc, words))
		exit(3);
	return cpu_seconds() - start;
}

static void report_last_second(uint64_t n)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	char path[32], from[32];
	double all, last;

	snprintf(from, sizeof(from), "%.1f", write_trace(fd, n) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	all = report(path, NULL);
	last = report(path, from);
	printf("report: all of %s s in %.3f s, the last second in %.3f s\n",
	       from, all, last);
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
	double seconds;
	int status;

	begin_trace(n);
	seconds = report("-", NULL);
	if (wait(&status) < 0 || status)
		return 3;
	printf("report: %llu records in %.2f s: %.1f million/s (wanted: 20), %ld KiB\n",
	       (unsigned long long)n, seconds, (double)n / seconds / 1e6,
	       rss_kib());
	report_last_second(n < 20000000 ? n : 20000000);
	return 0;
}
