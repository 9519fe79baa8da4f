// SPDX-License-Identifier: GPL-2.0-only
/* When the kernel measures our programs, for how long, and what that comes to. */
#include "test.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "overhead.h"

#define TICK 0.0625 /* seconds: sums of it are exact */
#define IN_BPF 0.02 /* of the time .. */
#define SELF 0.03 /* .. and of it in this process */

/* ---- a kernel ---- */

static bool able; /* it can measure */
static int fd; /* of the last one that makes it do so */
static double now, run_ns, cpu_us;
static double watched; /* seconds in which it measured */

int bpf_enable_stats(enum bpf_stats_type type)
{
	assert_int_equal(type, BPF_STATS_RUN_TIME);
	fd = able ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -ENOENT;
	return fd;
}

static bool measures(void)
{
	return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

int getrusage(__rusage_who_t who, struct rusage *used)
{
	assert_int_equal(who, RUSAGE_SELF);
	*used = (struct rusage){
		.ru_utime.tv_sec = (long)cpu_us / 1000000,
		.ru_stime.tv_usec = (long)cpu_us % 1000000,
	};
	return 0;
}

static uint64_t run_time(void *ctx)
{
	assert_ptr_equal(ctx, &now);
	return (uint64_t)run_ns;
}

static void pass(double seconds)
{
	now += seconds;
	cpu_us += SELF * seconds * 1e6;
	if (measures()) {
		watched += seconds;
		run_ns += IN_BPF * seconds * 1e9;
	}
}

/* ---- the tests ---- */

static struct overhead o;

static void begin(bool can)
{
	able = can;
	fd = -1;
	now = 1000;
	cpu_us = 7500000; /* the start took that */
	run_ns = 4e9; /* another one's measurement */
	watched = 0;
	overhead__init(&o, now);
}

/* How often there was something new. */
static int run(double seconds, double tick)
{
	double end = now + seconds;
	int news = 0;

	while (now < end - tick / 2) {
		pass(tick);
		news += overhead__tick(&o, now, run_time, &now);
	}
	return news;
}

static void is(double ns, double share)
{
	assert_in_range(ns, share * 1e9 - 1e4, share * 1e9 + 1e4);
}

static void at_the_start(void **state)
{
	(void)state;
	begin(true);
	run(7 * TICK, TICK);
	assert_false(measures());
	run(TICK, TICK);
	assert_true(measures());
	assert_int_equal(run(TICK, TICK), 0);
	assert_true(o.bpf_ns < 0 && o.self_ns < 0);
	assert_int_equal(run(TICK, TICK), 1);
	assert_false(measures());
	is(o.bpf_ns, IN_BPF);
	is(o.self_ns, SELF);
}

/* Two ticks in each two seconds. */
static void now_and_then(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(run(200, TICK), 100);
	assert_true(watched == 100 * 2 * TICK);
	is(o.bpf_ns, IN_BPF);
	is(o.self_ns, SELF);
}

/* Whoever ticks late measures for longer, and no more comes of it. By hand. */
static void ticks_too_late(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(run(30, 0.75), 13);
	is(o.bpf_ns, IN_BPF);
	is(o.self_ns, SELF);
}

static void cannot_be_measured(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(run(20, TICK), 10);
	assert_true(o.bpf_ns < 0);
	is(o.self_ns, SELF);
	assert_false(overhead__possible());
}

static void until_news(void)
{
	while (!run(TICK, TICK))
		;
}

/* Of all of the time since the last one, and not only while the kernel measures. */
static void of_this_process(void **state)
{
	(void)state;
	begin(true);
	until_news();
	cpu_us += 1e6;
	until_news();
	is(o.self_ns, SELF + 1 / 2.0);
	until_news();
	is(o.self_ns, SELF);
}

/* Nobody pays for it any more. */
static void nothing_stays(void **state)
{
	int others;

	(void)state;
	begin(true);
	run(8 * TICK, TICK);
	assert_true(measures());
	overhead__close(&o);
	assert_false(measures());
	others = open("/dev/null", O_RDONLY | O_CLOEXEC); /* the same number */
	overhead__close(&o);
	assert_int_equal(close(others), 0);
	assert_true(overhead__possible());
	assert_false(measures());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_start),
		cmocka_unit_test(now_and_then),
		cmocka_unit_test(ticks_too_late),
		cmocka_unit_test(cannot_be_measured),
		cmocka_unit_test(of_this_process),
		cmocka_unit_test(nothing_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
