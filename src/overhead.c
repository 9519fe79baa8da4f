// SPDX-License-Identifier: GPL-2.0-only
#include "overhead.h"

#include <bpf/bpf.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVERY 2.0 /* seconds, from one measurement to the next .. */
#define LENGTH 0.1 /* .. and how long one takes */
#define FIRST 0.5 /* after the start: what that took is no part of it */

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double cpu_time(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return seconds(&used.ru_utime) + seconds(&used.ru_stime);
}

void overhead__init(struct overhead *o, double now)
{
	*o = (struct overhead){
		.bpf_ns = -1,
		.self_ns = -1,
		.stats = -1,
		.began = now - EVERY + FIRST,
		.ended = now,
		.cpu_time = cpu_time(),
	};
}

void overhead__close(struct overhead *o)
{
	if (o->stats >= 0)
		close(o->stats);
	o->stats = -1;
}

static int measure(void)
{
	/* Since Linux 5.8: d46edd671a14 ("bpf: Sharing bpf runtime stats") */
	return bpf_enable_stats(BPF_STATS_RUN_TIME);
}

static void begin(struct overhead *o, double now,
		  uint64_t (*run_time)(void *ctx), void *ctx)
{
	o->run_time = run_time(ctx);
	o->began = now;
	o->stats = measure();
}

static void end(struct overhead *o, double now, uint64_t (*run_time)(void *ctx),
		void *ctx)
{
	double used = cpu_time();

	if (o->stats >= 0)
		o->bpf_ns = (double)(run_time(ctx) - o->run_time) /
			    (now - o->began);
	o->self_ns = (used - o->cpu_time) * 1e9 / (now - o->ended);
	o->cpu_time = used;
	o->ended = now;
	overhead__close(o);
}

bool overhead__tick(struct overhead *o, double now,
		    uint64_t (*run_time)(void *ctx), void *ctx)
{
	bool measures = o->began > o->ended;

	if (!measures && now - o->began >= EVERY)
		begin(o, now, run_time, ctx);
	if (!measures || now - o->began < LENGTH)
		return false;
	end(o, now, run_time, ctx);
	return true;
}

bool overhead__possible(void)
{
	int fd = measure();

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
