/* SPDX-License-Identifier: GPL-2.0-only */
/* What a bench measured: a line of JSON each, of which `host` makes a table. */
#ifndef FPSTAT_BENCH_RESULT_H
#define FPSTAT_BENCH_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct limit {
	enum { ANY, LEAST, UTMOST } kind;
	double value;
};

#define NO_LIMIT ((struct limit){ ANY, 0 })
#define AT_LEAST(x) ((struct limit){ LEAST, x })
#define AT_MOST(x) ((struct limit){ UTMOST, x })

/* Of the processor, not of the wall: others may want it, too. */
static inline double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* At most, until now. */
static inline long rss_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/*
 * Goes on in a process of its own, whose memory nobody else has filled, and which
 * ends with _exit(0); its parent waits for that.
 */
static inline bool in_child(void)
{
	pid_t pid = fork();
	int status;

	if (pid && (waitpid(pid, &status, 0) < 0 || status))
		exit(3);
	return !pid;
}

/* @value @unit, for @n @of; @limit is in @unit. */
static inline void tell(FILE *out, const char *what, uint64_t n, const char *of,
			double value, const char *unit, struct limit limit)
{
	bool met = limit.kind == LEAST ? value >= limit.value :
					 value <= limit.value;

	fprintf(out,
		"{\"type\":\"host\",\"what\":\"%s\",\"n\":%llu,\"of\":\"%s\","
		"\"value\":%.4g,\"unit\":\"%s\",\"kib\":%ld",
		what, (unsigned long long)n, of, value, unit, rss_kib());
	if (limit.kind != ANY)
		fprintf(out, ",\"%s\":%g,\"verdict\":\"%s\"",
			limit.kind == LEAST ? "at_least" : "at_most",
			limit.value, met ? "met" : "not met");
	fprintf(out, "}\n");
	fflush(out); /* who forks has nothing left to write */
}

#endif /* FPSTAT_BENCH_RESULT_H */
