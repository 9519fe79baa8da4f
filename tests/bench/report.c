// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many records a second one core reports: all that `fpstat report` does, from the
 * bytes of a trace to its last line; and that memory stays flat over as many as are
 * asked for. The trace comes through a pipe, from another process.
 *
 * usage: report [RECORDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "host.h"
#include "trace_writer.h"

static const char about[] = "trace format=1\n"
			    "host name=bench kernel=none mode=vhe cpus=16\n"
			    "clock monotonic=0 realtime=0\n";

static void write_trace(int fd, uint64_t n)
{
	struct trace_writer *w = trace_writer__new(fd);
	struct host h = { .rng = 1 };
	struct fp_rec rec;

	if (!w || trace_writer__text(w, TRACE_META, about, sizeof(about) - 1))
		_exit(3);
	for (; n; n--) {
		rec = host__next(&h);
		if (trace_writer__record(w, &rec))
			_exit(3);
	}
	_exit(trace_writer__end(w) ? 3 : 0);
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
	}
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	char *words[] = { "report", "-o", "/dev/null", "-", NULL };
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
	double start;
	int status;

	begin_trace(n);
	start = cpu_seconds();
	if (cmd_report.run(&cmd_report, 4, words))
		return 3;
	start = cpu_seconds() - start;
	if (wait(&status) < 0 || status)
		return 3;
	printf("report: %llu records in %.2f s: %.1f million/s (wanted: 20), %ld KiB\n",
	       (unsigned long long)n, start, (double)n / start / 1e6,
	       rss_kib());
	return 0;
}
