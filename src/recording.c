// SPDX-License-Identifier: GPL-2.0-only
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checking.h"
#include "cost.h"
#include "exit.h"
#include "human.h"
#include "klog.h"
#include "parts.h"
#include "recorder.h"
#include "trace_meta.h"
#include "util.h"

#define FLUSH_EVERY 1.0 /* seconds: no more is lost if we are killed */
#define COUNTERS_EVERY 30.0
#define COUNTERS_EVERY_FLIGHT 5.0 /* or an eighth of it */
#define FLIGHT_BYTES (256ull << 20) /* of memory */

enum { TRIES = 100, PART_TRIES = 10 };

struct recording {
	const struct recording_config *cfg;
	struct cost cost;
	struct parts parts;
	int fd; /* of the present part, or -1 */
	bool begun;
	struct recorder *recorder;
	uint64_t number; /* of the capture; 0: no parts can be joined */
	double began; /* when the present part did .. */
	uint64_t head; /* .. and bytes before its first record */
	double flushed; /* when */
	double sampled;
	double counted;
	uint64_t shown; /* records */
	/* with --check */
	struct checking checking;
	uint64_t violations[FP_RULES];
	bool broken; /* a rule, and nothing was written of it yet */
};

/* What went wrong with the file; 0 if nothing did. */
static int check(struct count *c, int err)
{
	struct recording *r = c->ctx;
	struct stat st;

	if (!err && r->fd >= 0 && !fstat(r->fd, &st) && S_ISREG(st.st_mode) &&
	    !st.st_nlink)
		err = -ENOENT; /* somebody removed it: nobody can read it */
	if (!err)
		return 0;
	snprintf(c->ses.why, sizeof(c->ses.why), "cannot write %.400s: %s",
		 r->parts.name, strerror(-err));
	return EXIT_ENV;
}

static bool in_memory(const struct recording *r)
{
	return r->cfg->flight > 0;
}

static uint64_t flight_ns(const struct recording *r)
{
	return (uint64_t)(r->cfg->flight * 1e9);
}

static struct trace_meta about(struct count *c, double begin)
{
	struct recording *r = c->ctx;

	return (struct trace_meta){
		.capture = c->ses.cap,
		.host = &c->ses.now,
		.cost = &r->cost,
		.command = r->cfg->command,
		.begin = (uint64_t)(begin * 1e9),
		.part = r->parts.number,
		.number = r->number,
	};
}

/* A part begins. */
static int begin_part(struct count *c, bool middle)
{
	struct recording *r = c->ctx;
	struct trace_meta m = about(c, r->began);
	int err;

	m.middle = middle;
	(void)!ftruncate(r->fd, 0); /* a pipe has nothing */
	err = recorder__begin(r->recorder, &m);
	if (!err && middle)
		err = recorder__counters(r->recorder, &c->ses.prev,
					 &c->ses.now);
	r->head = recorder__part_bytes(r->recorder);
	return check(c, err);
}

/* That no other capture has, on any host. */
static uint64_t a_number(void)
{
	uint64_t n = 0;

	(void)!getrandom(&n, sizeof(n), 0);
	return n;
}

/* What led there is printed of the first one of each rule. */
static void on_violation(void *ctx, const struct violation *v)
{
	struct recording *r = ctx;
	struct check_names names = checking__names(&r->checking);

	if (r->violations[v->rule]++)
		return;
	r->broken = true;
	recorder__hold(r->recorder, UINT64_MAX); /* it takes time to say this */
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	view_check__violation(stderr, CHECK_TEXT, v, &names);
}

static int begin_check(struct count *c)
{
	struct recording *r = c->ctx;

	if (!r->cfg->check)
		return 0;
	r->checking.ses = &c->ses;
	r->checking.check = check__new(c->ses.now.cpus, on_violation, r);
	return r->checking.check ? 0 : count__fail(c, strerror(ENOMEM));
}

/* What was in the file goes when there is something to put there. */
static int begin(struct count *c)
{
	struct recording *r = c->ctx;

	if (r->begun)
		return 0;
	r->begun = true;
	r->began = r->flushed = r->counted = fps_clock();
	if (recording__has_parts(r->cfg) && !in_memory(r))
		r->number = a_number();
	return in_memory(r) ? begin_check(c) : begin_part(c, false);
}

/* ---- while it runs ---- */

static int feed(void *ctx, const struct fp_rec *rec)
{
	struct recording *r = ctx;
	int err = recorder__feed(r->recorder, rec);

	return err || !r->cfg->check ? err :
				       check__feed(r->checking.check, rec);
}

static int drain(struct count *c)
{
	struct recording *r = c->ctx;

	return check(c, r->cfg->check ?
				checking__drain(&r->checking, feed, r) :
				capture__drain(c->ses.cap, feed, r));
}

/*
 * All records so far, and the counters before and after these were read: the
 * truth is in between. If possible they are the same.
 */
static int take_counters(struct count *c, bool mark, int tries)
{
	struct recording *r = c->ctx;
	int err, code;

	r->sampled = fps_clock();
	code = session__record(&c->ses, r->recorder, mark, tries, feed, r,
			       &err);
	r->counted = r->flushed = fps_clock();
	return code ? code : check(c, err);
}

static void show_progress(struct count *c, double seconds)
{
	struct recording *r = c->ctx;
	uint64_t records = recorder__records(r->recorder);
	uint64_t rate = (uint64_t)((double)(records - r->shown) / seconds);
	char n[16], size[16], speed[16];

	r->shown = records;
	if (!isatty(STDERR_FILENO))
		return;
	human__count(n, sizeof(n), records, records);
	human__count(speed, sizeof(speed), rate, rate);
	human__bytes(size, sizeof(size), recorder__bytes(r->recorder),
		     recorder__bytes(r->recorder));
	fprintf(stderr, "\r%s records, %s bytes, %s/s, %" PRIu64 " lost \033[K",
		n, size, speed, c->ses.now.lost);
}

/* Whoever reads a pipe may show what comes, and no record tells of all counters. */
static double counters_every(const struct recording *r)
{
	double eighth = r->cfg->flight / 8;

	if (!in_memory(r))
		return fps_is_file(r->fd) ? COUNTERS_EVERY : 0;
	return eighth < COUNTERS_EVERY_FLIGHT ? eighth : COUNTERS_EVERY_FLIGHT;
}

static int flush(struct count *c, double now)
{
	struct recording *r = c->ctx;
	int code;

	if (recorder__has_strangers(r->recorder) ||
	    now - r->counted >= counters_every(r)) {
		code = take_counters(c, false, 1);
	} else {
		code = check(c, recorder__flush(r->recorder));
	}
	show_progress(c, now - r->flushed);
	r->flushed = now;
	return code;
}

/* ---- parts ---- */

/* One that has no records yet has no end, however small it should be. */
static bool is_due(const struct recording *r, double now)
{
	uint64_t bytes = recorder__part_bytes(r->recorder);

	return (r->cfg->part_seconds > 0 &&
		now - r->began >= r->cfg->part_seconds) ||
	       (r->cfg->part_bytes && bytes > r->head &&
		bytes >= r->cfg->part_bytes);
}

static int close_part(struct recording *r)
{
	int fd = r->fd, err = parts__done(&r->parts, fd);

	r->fd = -1;
	return close(fd) ? -errno : err;
}

static int open_part(struct recording *r)
{
	r->fd = parts__open(&r->parts);
	return r->fd < 0 ? r->fd : 0;
}

/* The counters at the end of one are those at the beginning of the next. */
static int rotate(struct count *c)
{
	struct recording *r = c->ctx;
	int code = begin(c), err;

	if (!code)
		code = take_counters(c, false, PART_TRIES);
	if (!code)
		code = check(c, recorder__end(r->recorder));
	if (!code)
		code = check(c, close_part(r));
	if (code)
		return code;
	err = open_part(r);
	if (!err)
		err = recorder__next(r->recorder, r->fd);
	r->began = r->sampled;
	return err ? check(c, err) : begin_part(c, true);
}

/* What is in memory, as a part of its own. */
static int dump(struct count *c)
{
	struct recording *r = c->ctx;
	int err = r->fd < 0 ? open_part(r) : 0;

	r->broken = false;
	if (!err)
		(void)!ftruncate(r->fd, 0);
	if (!err)
		err = recorder__dump(r->recorder, r->fd, about(c, r->began));
	recorder__hold(r->recorder, flight_ns(r));
	if (err)
		return check(c, err);
	return check(c, close_part(r));
}

/* At the end, and whenever somebody asks. */
static int print(struct count *c, bool mark)
{
	struct recording *r = c->ctx;
	int code = begin(c);

	if (!code)
		code = take_counters(c, mark, TRIES);
	return !code && in_memory(r) ? dump(c) : code;
}

/* With no wait for counters that stand still: what is kept would go meanwhile. */
static int dump_now(struct count *c)
{
	int code = take_counters(c, false, 1);

	return code ? code : dump(c);
}

static int tick(struct count *c)
{
	struct recording *r = c->ctx;
	double now = fps_clock();
	int code = begin(c);

	if (!code)
		code = drain(c);
	if (!code && now - r->flushed >= FLUSH_EVERY)
		code = flush(c, now);
	if (!code && is_due(r, now))
		code = rotate(c);
	return !code && r->broken ? dump_now(c) : code;
}

static int next(struct count *c)
{
	return in_memory(c->ctx) ? print(c, false) : rotate(c);
}

/* ---- the file ---- */

/*
 * A trace has addresses of the kernel in it. On standard output it must be alone:
 * all else that is written there goes to standard error.
 */
static int open_stdout(struct recording *r)
{
	strcpy(r->parts.name, "standard output");
	r->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (r->fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return -errno;
	return r->fd < 0 ? -errno : 0;
}

/* Says what is wrong. */
static int open_output(struct recording *r)
{
	int err;

	r->parts.path = r->cfg->output;
	r->parts.max = r->cfg->max_size;
	if (recording__has_parts(r->cfg) && parts__exist(&r->parts)) {
		fps_err("cannot write %s: there is %s of an earlier run: move "
			"it away, or write to another file",
			r->cfg->output, r->parts.name);
		return EXIT_ENV;
	}
	err = strcmp(r->cfg->output, "-") ? open_part(r) : open_stdout(r);
	if (err) {
		fps_err("cannot write %s: %s", r->parts.name, strerror(-err));
		return EXIT_ENV;
	}
	if (recording__has_parts(r->cfg) && !fps_is_file(r->fd)) {
		fps_err("cannot write %s in parts: it is not a regular file",
			r->cfg->output);
		close(r->fd);
		return EXIT_ENV;
	}
	return 0;
}

static int close_output(struct recording *r)
{
	struct stat st;
	int err = 0;

	if (r->fd < 0)
		return 0;
	if (r->begun)
		err = recorder__end(r->recorder);
	else if (!fstat(r->fd, &st) && S_ISREG(st.st_mode) && !st.st_size)
		unlink(r->cfg->output); /* there was none before */
	if (close(r->fd) && !err)
		err = -errno;
	return err;
}

static void make_room(void *ctx, uint64_t bytes)
{
	parts__make_room(ctx, bytes);
}

static int open_recorder(struct recording *r)
{
	r->recorder = recorder__new(r->fd);
	if (!r->recorder)
		return -ENOMEM;
	if (in_memory(r))
		return recorder__keep(r->recorder, flight_ns(r), FLIGHT_BYTES);
	recorder__before(r->recorder, make_room, &r->parts);
	return 0;
}

static bool say_violations(const struct recording *r)
{
	bool any = false;
	int i;

	for (i = 0; i < FP_RULES; i++) {
		if (!r->violations[i])
			continue;
		any = true;
		fps_err("%s was broken %" PRIu64 " times: see fpstat explain",
			rule__id(i), r->violations[i]);
	}
	return any;
}

static int record(struct recording *r, char **argv)
{
	struct count count = {
		.cfg = &r->cfg->count,
		.ctx = r,
		.print = print,
		.tick = tick,
		.next = recording__has_parts(r->cfg) ? next : NULL,
	};
	int code = count__run(&count, argv);
	int err = close_output(r);

	if (isatty(STDERR_FILENO) && r->begun)
		fputc('\n', stderr);
	if (code != EXIT_ENV && say_violations(r))
		code = EXIT_VIOLATION;
	if (!err || code == EXIT_ENV)
		return code;
	fps_err("cannot write %s: %s", r->parts.name, strerror(-err));
	return EXIT_ENV;
}

int recording__run(const struct recording_config *cfg, char **argv)
{
	struct recording r = { .cfg = cfg, .checking.klog = -1 };
	int code = open_output(&r);

	if (code)
		return code;
	if (open_recorder(&r)) {
		fps_err("out of memory");
		code = EXIT_ENV;
	} else {
		cost__measure(&r.cost);
		if (cfg->check)
			r.checking.klog = klog__open();
		code = record(&r, argv);
	}
	checking__close(&r.checking);
	recorder__free(r.recorder);
	parts__free(&r.parts);
	return code;
}

bool recording__has_parts(const struct recording_config *cfg)
{
	return cfg->part_bytes || cfg->part_seconds > 0 || cfg->flight > 0;
}
