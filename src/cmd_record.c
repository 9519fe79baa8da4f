// SPDX-License-Identifier: GPL-2.0-only
/* fpstat record: the stream, as a file that can be read elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "cost.h"
#include "count.h"
#include "exit.h"
#include "human.h"
#include "recorder.h"
#include "trace_meta.h"
#include "util.h"

#define FLUSH_EVERY 1.0 /* seconds: no more is lost if we are killed */
#define COUNTERS_EVERY 30.0

struct record_config {
	struct count_config count;
	const char *output;
	double duration;
};

#define AT(field) offsetof(struct record_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(output), .arg = "FILE",
	  .help = "write the trace to FILE; - is standard output" },
	{ .letter = 'd', .name = "duration", .type = OPT_SECONDS,
	  .offset = AT(duration), .arg = "S",
	  .help = "stop after S seconds" },
	{ .name = "strict", .offset = AT(count.strict),
	  .help = "exit with 4 if anything was lost, missed or undecided" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct record_run {
	struct record_config cfg;
	const char *command; /* CMD and its arguments, or NULL */
	struct cost cost;
	int fd;
	bool begun;
	struct recorder *recorder;
	double flushed; /* when */
	double counted;
	uint64_t shown; /* records */
};

static int fail(struct count *c, const char *what, int err)
{
	snprintf(c->ses.why, sizeof(c->ses.why), "%s: %s", what,
		 strerror(-err));
	return EXIT_ENV;
}

/* What went wrong with the file; 0 if nothing did. */
static int check(struct count *c, int err)
{
	struct record_run *r = c->ctx;
	struct stat st;
	char what[256];

	if (!err && !fstat(r->fd, &st) && S_ISREG(st.st_mode) && !st.st_nlink)
		err = -ENOENT; /* somebody removed it: nobody can read it */
	if (!err)
		return 0;
	snprintf(what, sizeof(what), "cannot write %s", r->cfg.output);
	return fail(c, what, err);
}

/* What was in the file goes when there is something to put there. */
static int begin(struct count *c)
{
	struct record_run *r = c->ctx;

	if (r->begun)
		return 0;
	r->begun = true;
	r->flushed = r->counted = fps_clock();
	(void)!ftruncate(r->fd, 0); /* a pipe has nothing */
	return check(c,
		     recorder__begin(r->recorder, &(struct trace_meta){
							  .capture = c->ses.cap,
							  .host = &c->ses.now,
							  .cost = &r->cost,
							  .command = r->command,
						  }));
}

/* ---- while it runs ---- */

static bool anything_moved(const struct snapshot *delta)
{
	struct snap_ops all = snapshot__all(delta);
	struct snap_vcpu vcpus;

	snapshot__total(delta, &vcpus);
	return all.save.done || all.load.done || vcpus.exits;
}

/*
 * All records so far, and the counters before and after these were read: the
 * truth is in between. If possible they are the same.
 */
static int take_counters(struct count *c, bool mark, int tries)
{
	struct record_run *r = c->ctx;
	int code = 0;

	do {
		code = session__sample(&c->ses, mark);
		if (!code)
			code = check(c, capture__drain_all(c->ses.cap,
							   recorder__feed,
							   r->recorder));
		if (!code)
			code = session__sample(&c->ses, false);
	} while (!code && --tries && anything_moved(&c->ses.interval));
	if (code)
		return code;
	r->counted = r->flushed = fps_clock();
	return check(c, recorder__counters(r->recorder, &c->ses.prev,
					   &c->ses.now));
}

static void show_progress(struct count *c, double seconds)
{
	struct record_run *r = c->ctx;
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
static bool is_pipe(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !S_ISREG(st.st_mode);
}

static int flush(struct count *c, double now)
{
	struct record_run *r = c->ctx;
	int code;

	if (recorder__has_strangers(r->recorder) || is_pipe(r->fd) ||
	    now - r->counted >= COUNTERS_EVERY) {
		code = take_counters(c, false, 1);
	} else {
		code = check(c, recorder__flush(r->recorder));
	}
	show_progress(c, now - r->flushed);
	r->flushed = now;
	return code;
}

static int tick(struct count *c)
{
	struct record_run *r = c->ctx;
	double now = fps_clock();
	int code = begin(c);

	if (!code)
		code = check(c, capture__drain(c->ses.cap, recorder__feed,
					       r->recorder));
	if (!code && now - r->flushed >= FLUSH_EVERY)
		code = flush(c, now);
	return code;
}

/* At the end, and whenever somebody asks. */
static int print(struct count *c, bool mark)
{
	enum { TRIES = 100 };
	int code = begin(c);

	return code ? code : take_counters(c, mark, TRIES);
}

/* ---- the file ---- */

/*
 * A trace has addresses of the kernel in it. On standard output it must be alone:
 * all else that is written there goes to standard error.
 */
static int open_output(struct record_run *r)
{
	if (strcmp(r->cfg.output, "-")) {
		r->fd = open(r->cfg.output, O_WRONLY | O_CREAT | O_CLOEXEC,
			     0600);
	} else {
		r->cfg.output = "standard output";
		r->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (r->fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
			return -errno;
	}
	return r->fd < 0 ? -errno : 0;
}

static int close_output(struct record_run *r)
{
	struct stat st;
	int err = r->begun ? recorder__end(r->recorder) : 0;

	if (!r->begun && !fstat(r->fd, &st) && S_ISREG(st.st_mode) &&
	    !st.st_size)
		unlink(r->cfg.output); /* there was none before */
	if (close(r->fd) && !err)
		err = -errno;
	return err;
}

static int record(struct record_run *r, char **argv)
{
	struct count count = {
		.cfg = &r->cfg.count,
		.ctx = r,
		.print = print,
		.tick = tick,
	};
	int err, code;

	r->recorder = recorder__new(r->fd);
	if (!r->recorder) {
		fps_err("out of memory");
		return EXIT_ENV;
	}
	cost__measure(&r->cost);
	code = count__run(&count, argv);
	err = close_output(r);
	if (isatty(STDERR_FILENO) && r->begun)
		fputc('\n', stderr);
	recorder__free(r->recorder);
	if (!err || code == EXIT_ENV)
		return code;
	fps_err("cannot write %s: %s", r->cfg.output, strerror(-err));
	return EXIT_ENV;
}

/* To be freed. */
static char *join(char **argv)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (; *argv; argv++)
		fprintf(out, "%s%s", ftell(out) ? " " : "", *argv);
	fclose(out);
	return text;
}

static int record_main(const struct command *cmd, int argc, char **argv)
{
	struct record_run r = { .cfg.count.capture.stream = true };
	struct opt_rest rest;
	char *command;
	int err, code;

	if (!opt__parse(cmd, argc, argv, &r.cfg, &rest) ||
	    !count__operands(cmd, &rest))
		return rest.code;
	if (!r.cfg.output)
		return opt__usage_error(cmd, "--output is missing");
	if (!strcmp(r.cfg.output, "-") && isatty(STDOUT_FILENO))
		return opt__usage_error(cmd, "a trace is not for a terminal");
	r.cfg.count.interval = r.cfg.duration;
	r.cfg.count.count = r.cfg.duration > 0;
	err = open_output(&r);
	if (err) {
		fps_err("cannot write %s: %s", r.cfg.output, strerror(-err));
		return EXIT_ENV;
	}
	r.command = command = rest.argc ? join(rest.argv) : NULL;
	code = record(&r, rest.argc ? rest.argv : NULL);
	free(command);
	return code;
}

const struct command cmd_record = {
	.name = "record",
	.args = "[-- CMD [ARG]...]",
	.summary = "Write each change of ownership to a file.",
	.text = "Records while CMD runs, or until it is interrupted. The "
		"trace can be read on any machine, by fpstat whatif and "
		"fpstat stat; it is complete up to a second before fpstat is "
		"killed, whatever kills it. SIGUSR1 makes it write what it "
		"has up to now.",
	.opts = opts,
	.run = record_main,
};
