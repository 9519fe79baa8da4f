// SPDX-License-Identifier: GPL-2.0-only
/* A trace that is played: its numbers at any time, forwards, backwards, in drops. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "playback.h"
#include "player.h"
#include "recount.h"
#include "snapshot.h"
#include "trace.h"
#include "trace_sample.h"

/* Ten records a second on two CPUs, in blocks of a second and a bit. */
enum { SECONDS = 20, RECORDS = 10 * SECONDS, BLOCK = 11 };
#define NS 1000000000ull

#define HOST                                                                   \
	"host name=h kernel=6.1 mode=vhe backend=bpf cpus=2 foreign_bit=3\n"   \
	"clock monotonic=1000000000\n"
#define PART(number) "trace format=1 capture=7 part=" number "\n" HOST
static const char meta[] = "trace format=1\n" HOST;

static struct fp_rec record(unsigned int i)
{
	return (struct fp_rec){
		.ns = 1 * NS + (i + 1) * NS / 10,
		.slot = FP_NO_SLOT,
		.cpu = i & 1,
		.ev = { .buf = 0x1000 + (i & 1) + (i & 4),
			.kind = i & 2 ? FP_EV_SAVE : FP_EV_LOAD,
			.foreign = !(i & 2) },
	};
}

/* Each two, what a vcpu that has no record is known for. */
static void put_counters(struct trace_writer *w, unsigned int done)
{
	char one[256], text[512];

	snprintf(one, sizeof(one),
		 "counters ns=%llu lost=0 missed=0 undecided=0\n"
		 "vcpu slot=1 gen=1 vm=idle vm_pid=7 tid=8 runs=%u\n",
		 (unsigned long long)(done * NS / 10 + 5 * NS), done);
	snprintf(text, sizeof(text), "%s%s", one, one);
	assert_int_equal(trace_writer__flush(w), 0);
	assert_int_equal(
		trace_writer__text(w, TRACE_COUNTERS, text, strlen(text)), 0);
}

static unsigned char *data_of(int fd, size_t *len)
{
	unsigned char *data;

	*len = (size_t)lseek(fd, 0, SEEK_END);
	data = malloc(*len);
	assert_non_null(data);
	assert_int_equal(pread(fd, data, *len, 0), *len);
	return data;
}

static unsigned char *make_part(const char *about, size_t *len, bool counters)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	struct trace_writer *w = trace_writer__new(fd);
	unsigned char *data;
	unsigned int i;

	assert_non_null(w);
	assert_int_equal(
		trace_writer__text(w, TRACE_META, about, strlen(about)), 0);
	for (i = 0; i < RECORDS; i++) {
		struct fp_rec rec = record(i);

		assert_int_equal(trace_writer__record(w, &rec), 0);
		if ((i + 1) % BLOCK)
			continue;
		assert_int_equal(trace_writer__flush(w), 0);
		if (counters)
			put_counters(w, i + 1);
	}
	assert_int_equal(trace_writer__end(w), 0);
	trace_writer__free(w);
	data = data_of(fd, len);
	close(fd);
	return data;
}

static unsigned char *make_trace(size_t *len, bool counters)
{
	return make_part(meta, len, counters);
}

static struct player *play(const unsigned char *data, size_t len)
{
	int fd = file_of(data, len);
	struct player *p;
	char path[64], why[256];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	p = player__open(path, 0, why, sizeof(why));
	assert_non_null(p);
	close(fd);
	return p;
}

/* What it has to be: all records up to @t, counted without a player. */
static void assert_true_at(const struct snapshot *s, double t)
{
	struct recount *r = recount__new(2);
	struct snapshot host = { .mode = "vhe", .cpus = 2 }, want;
	unsigned int i;

	assert_non_null(r);
	for (i = 0; i < RECORDS && 0.1 * (i + 1) <= t + 1e-9; i++) {
		struct fp_rec rec = record(i);

		recount__step(r, &rec);
	}
	assert_int_equal(recount__alone(r, &host, &want), 0);
	assert_memory_equal(&s->task, &want.task, sizeof(want.task));
	assert_int_equal(s->pending, want.pending);
	snapshot__free(&want);
	recount__free(r);
}

static void assert_at(struct player *p, double t)
{
	struct snapshot s;

	assert_int_equal(player__to(p, t, 0, &s), PLAYER_THERE);
	assert_true(s.t == t);
	assert_true_at(&s, t);
	snapshot__free(&s);
}

static void any_time(void **state)
{
	size_t len, step;
	unsigned char *data = make_trace(&len, false);
	struct player *p = play(data, len);
	struct snapshot s;

	(void)state;
	assert_false(player__is_stream(p));
	assert_true(trace__length(player__trace(p)) == SECONDS);
	for (step = 1; step < 40; step++) {
		double t;

		for (t = 0.05; t < SECONDS; t += 0.1 * (double)step)
			assert_at(p, t);
		assert_int_equal(player__to(p, 1e9, 0, &s), PLAYER_END);
		assert_true(s.t == SECONDS);
		assert_true_at(&s, s.t);
		snapshot__free(&s);
		assert_int_equal(player__rewind(p), 0);
	}
	player__close(p);
	player__close(NULL);
	free(data);
}

/*
 * The index of the last of several parts says where it is in that part. These two are
 * as long as each other: there is one in the first part, too.
 */
static void parts_have_no_length(void **state)
{
	size_t first, second;
	unsigned char *data = make_part(PART("0"), &first, false);
	unsigned char *more = make_part(PART("1"), &second, false);
	struct player *p;

	(void)state;
	assert_int_equal(first, second);
	data = realloc(data, first + second);
	assert_non_null(data);
	memcpy(data + first, more, second);
	p = play(data, first);
	assert_true(trace__length(player__trace(p)) == SECONDS);
	player__close(p);
	p = play(data, first + second);
	assert_true(trace__length(player__trace(p)) == 0);
	player__close(p);
	free(more);
	free(data);
}

/* Where counters are near, the numbers are those of their time, with all they tell. */
static void counters_are_better(void **state)
{
	size_t len;
	unsigned char *data = make_trace(&len, true);
	struct player *p = play(data, len);
	struct snapshot s;

	(void)state;
	assert_at(p, 0.55); /* not near */
	assert_int_equal(player__to(p, 1.05, 0.25, &s), PLAYER_THERE);
	assert_true(s.t > 1.09 && s.t < 1.11);
	assert_true_at(&s, s.t);
	assert_int_equal(s.nr_vcpus, 1);
	assert_string_equal(s.vcpus[0].vm, "idle");
	assert_int_equal(s.vcpus[0].runs, 11);
	assert_int_equal(s.lost, 0);
	snapshot__free(&s);
	assert_int_equal(player__to(p, 2.25, 0.25, &s), PLAYER_THERE);
	assert_true(s.t > 2.19 && s.t < 2.21); /* before */
	assert_int_equal(s.vcpus[0].runs, 22);
	snapshot__free(&s);
	assert_int_equal(player__to(p, 2.75, 0.25, &s), PLAYER_THERE);
	assert_true(s.t == 2.75);
	assert_int_equal(s.vcpus[0].runs, SNAP_NA);
	assert_int_equal(s.lost, SNAP_NA);
	snapshot__free(&s);
	player__close(p);
	free(data);
}

/* A block ends soon, and nothing follows that is better. */
static void a_look_that_waited(void **state)
{
	size_t len;
	unsigned char *data = make_trace(&len, false);
	struct player *p = play(data, len);
	struct snapshot s;

	(void)state;
	assert_int_equal(player__to(p, 1.05, 0.25, &s), PLAYER_THERE);
	assert_true(s.t == 1.05);
	assert_true_at(&s, 1.05);
	snapshot__free(&s);
	assert_at(p, 1.45);
	player__close(p);
	free(data);
}

/* Counters that come without records tell the time, within reason. */
static void silence(void **state)
{
	static const double later[] = { 1, 2.5, 1e6, 3.5 };
	int fd = memfd_create("trace", MFD_CLOEXEC);
	struct trace_writer *w = trace_writer__new(fd);
	struct fp_rec rec = record(0);
	unsigned char *data;
	struct player *p;
	struct snapshot s;
	size_t i, len;

	(void)state;
	assert_int_equal(trace_writer__text(w, TRACE_META, meta, strlen(meta)),
			 0);
	assert_int_equal(trace_writer__record(w, &rec), 0);
	put_counters(w, 1);
	for (i = 0; i < 4; i++)
		put_counters(w, 1 + (unsigned int)(10 * later[i]));
	assert_int_equal(trace_writer__end(w), 0);
	trace_writer__free(w);
	data = data_of(fd, &len);
	close(fd);
	p = play(data, len);
	assert_int_equal(player__to(p, 1, 0.25, &s), PLAYER_THERE);
	assert_true(s.t > 1.09 && s.t < 1.11);
	snapshot__free(&s);
	assert_int_equal(player__to(p, 2.5, 0.25, &s), PLAYER_THERE);
	assert_true(s.t > 2.59 && s.t < 2.61);
	snapshot__free(&s);
	assert_int_equal(player__to(p, 1e9, 0.25, &s), PLAYER_END);
	assert_true(s.t < 10);
	snapshot__free(&s);
	player__close(p);
	free(data);
}

/* Feeds standard input. */
static int to_stdin(void)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
	close(fd[0]);
	return fd[1];
}

static int next_of(struct player *p, int *in, const unsigned char **data,
		   size_t *len, double t, struct snapshot *s)
{
	int where;

	while ((where = player__to(p, t, 0.25, s)) == PLAYER_DRY ||
	       where == PLAYER_BUSY) {
		if (where == PLAYER_BUSY)
			continue;
		if (*len) {
			assert_int_equal(write(*in, *data, 1), 1);
			(*data)++;
			(*len)--;
		} else {
			close(*in);
		}
	}
	return where;
}

/* What comes byte by byte is what a file would have been. */
static void drop_by_drop(bool counters)
{
	size_t len, left;
	unsigned char *data = make_trace(&len, counters);
	const unsigned char *more = data;
	struct player *file = play(data, len), *drops;
	char why[256];
	int in = to_stdin(), where = 0;
	double t;

	/* Its first block is waited for. */
	left = TRACE_HEADER + data[16] + 256u * data[17];
	assert_int_equal(write(in, data, left), left);
	more += left;
	left = len - left;
	drops = player__open("-", 0, why, sizeof(why));
	assert_non_null(drops);
	assert_true(player__is_stream(drops));
	player__dont_wait(drops);
	player__dont_wait(file);
	for (t = 1; where != PLAYER_END; t++) {
		struct snapshot a, b;

		where = next_of(drops, &in, &more, &left, t, &a);
		assert_int_equal(player__to(file, t, 0.25, &b), where);
		assert_true(a.t == b.t);
		assert_memory_equal(&a.task, &b.task, sizeof(a.task));
		assert_int_equal(a.nr_vcpus, b.nr_vcpus);
		assert_int_equal(a.lost, b.lost);
		if (a.nr_vcpus)
			assert_int_equal(a.vcpus[0].runs, b.vcpus[0].runs);
		snapshot__free(&a);
		snapshot__free(&b);
	}
	assert_false(trace__health(player__trace(drops)).cut);
	player__close(file);
	player__close(drops);
	free(data);
}

static void a_pipe_is_a_file(void **state)
{
	(void)state;
	drop_by_drop(false);
	drop_by_drop(true);
}

/* ---- intervals ---- */

static struct playback play_back(const unsigned char *data, size_t len)
{
	int fd = file_of(data, len);
	struct playback p;
	char path[64], why[256];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_true(playback__open(&p, path, 0, why, sizeof(why)));
	close(fd);
	return p;
}

static void intervals_add_up(void **state)
{
	size_t len;
	unsigned char *data = make_trace(&len, true);
	const double intervals[] = { 0.1, 0.3, 1, 7, 1000 };
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct playback p = play_back(data, len);
		uint64_t save = 0, load = 0;
		double t = 0;

		while (playback__next(&p, intervals[i]) > 0) {
			save += p.interval.task.save.done;
			load += p.interval.task.load.done;
			t += p.interval.dt;
		}
		assert_int_equal(save, p.now.task.save.done);
		assert_int_equal(load, p.now.task.load.done);
		assert_true(t > SECONDS - 1e-6 && t < SECONDS + 1e-6);
		assert_true_at(&p.now, SECONDS);
		assert_int_equal(p.ever.lost, 0);
		playback__close(&p);
	}
	free(data);
}

static void go_until(struct playback *p, double t)
{
	int err = 0;

	while (err >= 0 && p->jump)
		err = playback__go(p, 1);
	assert_true(err >= 0);
	assert_true(p->interval.t > t - 1e-6 && p->interval.t < t + 1e-6);
	assert_true(p->interval.dt > 0.99 && p->interval.dt < 1.26);
	assert_true_at(&p->now, p->interval.t);
}

/* There, and back, and the numbers are of the second before. */
static void jumps(void **state)
{
	static const double to[] = { 5.55, 5.75, 18.05, 3.05, 3.15, 1.05 };
	size_t len, i;
	unsigned char *data = make_trace(&len, false);
	struct playback p = play_back(data, len);

	(void)state;
	p.paused = true;
	playback__start(&p);
	for (i = 0; i < 6; i++) {
		assert_int_equal(playback__seek(&p, to[i], 1), 0);
		go_until(&p, to[i]);
		assert_false(p.ended);
	}
	playback__step(&p, 1);
	assert_int_equal(playback__go(&p, 1), 1);
	assert_true(p.interval.t > 2.04 && p.interval.t < 2.06);
	assert_int_equal(playback__go(&p, 1), 0); /* paused */
	assert_int_equal(playback__seek(&p, 1e300, 1), 0);
	go_until(&p, SECONDS);
	assert_true(p.ended);
	assert_int_equal(playback__seek(&p, 1e300, 1), 0);
	assert_true(p.ended);
	assert_int_equal(playback__seek(&p, 2.05, 1), 0);
	go_until(&p, 2.05);
	playback__close(&p);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_time),
		cmocka_unit_test(parts_have_no_length),
		cmocka_unit_test(counters_are_better),
		cmocka_unit_test(a_look_that_waited),
		cmocka_unit_test(silence),
		cmocka_unit_test(a_pipe_is_a_file),
		cmocka_unit_test(intervals_add_up),
		cmocka_unit_test(jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
