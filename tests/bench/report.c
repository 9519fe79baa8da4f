// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many events a second one core takes through each command that reads traces: all
 * that it does, from the bytes of a trace to its last line; of traces of three lengths,
 * since neither speed nor memory may depend on that. The trace was written before, and
 * comes through a pipe: to write it at the same time would take from the same core, where
 * that has two threads. The fastest of three counts: others may run there, too. Then
 * `report` of files of two lengths, and of their last second, which may not depend on
 * that, either.
 *
 * Events are records, and exits that change nothing and have none.
 *
 * usage: report [RECORDS]
 */
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "cmd.h"
#include "host.h"
#include "trace_writer.h"

static const char about[] = "trace format=1\n"
			    "host name=bench kernel=none mode=vhe cpus=16\n"
			    "clock monotonic=0 realtime=0\n";

/* Of nothing; twice, as they are before and after the last records were read. */
static const char counters[] = "counters t=0\ncounters t=0\n";

struct shared {
	uint64_t events; /* in the trace */
	double length; /* of it, in seconds */
	double fastest; /* that it was read, in seconds */
};

static struct shared *shared; /* all processes see it */

/* With counters each second, as fpstat record does. */
static void write_trace(int fd, uint64_t n)
{
	struct trace_writer *w = trace_writer__new(fd);
	struct host h = { .rng = 1 };
	struct fp_rec rec = {};
	uint64_t told = 0;
	int err;

	shared->events = 0;
	err = !w || trace_writer__text(w, TRACE_META, about, sizeof(about) - 1);
	for (; n && !err; n--) {
		rec = host__next(&h);
		shared->events += 1 + rec.live;
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
	shared->length = (double)rec.ns / 1e9;
}

static int made_trace(uint64_t n)
{
	int fd = memfd_create("trace", MFD_CLOEXEC), status;

	if (!fork()) {
		write_trace(fd, n);
		_exit(0);
	}
	if (wait(&status) < 0 || status)
		exit(3);
	return fd;
}

/* On standard input. */
static void begin_trace(int trace)
{
	int fd[2];

	if (lseek(trace, 0, SEEK_SET) || pipe(fd))
		exit(3);
	if (!fork()) {
		close(fd[0]);
		while (sendfile(fd[1], trace, NULL, 1 << 20) > 0)
			;
		_exit(0);
	}
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	close(fd[1]);
}

/* Seconds that the command of @line takes. */
static double run(const struct command *cmd, const char *line)
{
	char copy[128], *words[16];
	double start = cpu_seconds();
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (words[0] = strtok(copy, " "); words[n];)
		words[++n] = strtok(NULL, " ");
	optind = 1; /* it is not the first time */
	if (cmd->run(cmd, n, words))
		exit(3);
	return cpu_seconds() - start;
}

/* Each in a process of its own, as a user has it; the last one tells. */
static void measure(const struct command *cmd, const char *line, uint64_t n,
		    struct limit limit)
{
	int trace = made_trace(n), i, status;
	double seconds;

	for (i = 0; i < 3; i++) {
		if (!in_child())
			continue;
		begin_trace(trace);
		seconds = run(cmd, line);
		if (wait(&status) < 0 || status)
			exit(3);
		if (!i || seconds < shared->fastest)
			shared->fastest = seconds;
		if (i == 2)
			tell(stdout, line, n, "records",
			     (double)shared->events / shared->fastest / 1e6,
			     "M events/s", limit);
		_exit(0);
	}
	close(trace);
}

static void measure_lengths(const struct command *cmd, const char *line,
			    uint64_t n, struct limit limit)
{
	measure(cmd, line, n / 100, limit);
	measure(cmd, line, n / 10, limit);
	measure(cmd, line, n, limit);
}

static void report_from(double from, const char *what, int fd, uint64_t n)
{
	char line[128];

	if (!in_child())
		return;
	snprintf(line, sizeof(line),
		 "report -o /dev/null --from %.1f /proc/self/fd/%d", from, fd);
	tell(stdout, what, n, "records", run(&cmd_report, line), "s", NO_LIMIT);
	_exit(0);
}

static void report_last_second(uint64_t n)
{
	int fd = made_trace(n);

	report_from(0.1, "report, from its begin", fd, n);
	report_from(shared->length - 1, "report, its last second", fd, n);
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 3;
	measure_lengths(&cmd_report, "report -o /dev/null -", n, AT_LEAST(20));
	measure_lengths(&cmd_whatif, "whatif -o /dev/null -r -", n,
			AT_LEAST(20));
	measure_lengths(&cmd_check, "check -o /dev/null -r -", n, NO_LIMIT);
	report_last_second(10000000);
	report_last_second(40000000);
	return 0;
}
