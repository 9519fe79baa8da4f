// SPDX-License-Identifier: GPL-2.0-only
/* fpstat stat: numbers for scripts, and for people who wait for a command. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "cmd.h"
#include "exit.h"
#include "loop.h"
#include "session.h"
#include "util.h"
#include "view.h"

struct stat_config {
	bool json;
	double interval; /* 0: one record set, at the end */
	unsigned long count; /* 0: no limit */
	const char *output;
	bool strict;
	struct capture_opts capture;
};

#define AT(field) offsetof(struct stat_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object a line (see fpstat-stat(8))" },
	{ .letter = 'i', .name = "interval", .type = OPT_SECONDS,
	  .offset = AT(interval), .arg = "S",
	  .help = "print every S seconds what happened since the last time "
		  "(default without CMD: 1)" },
	{ .letter = 'c', .name = "count", .type = OPT_COUNT,
	  .offset = AT(count), .arg = "N",
	  .help = "stop after N intervals" },
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(output), .arg = "FILE",
	  .help = "write to FILE, not to standard output" },
	{ .name = "strict", .offset = AT(strict),
	  .help = "exit with 4 if anything was lost, missed or undecided" },
	OPT_COMMON,
	{ .name = "witness", .offset = AT(capture.witness), .test = true,
	  .help = "count some things a second time, by other means, and print "
		  "both" },
	{ .name = "mark", .offset = AT(capture.mark), .test = true,
	  .help = "call sethostname(2) exactly where the count begins and "
		  "where it ends; the name stays" },
	{}
};
/* clang-format on */

struct stat_run {
	const struct stat_config *cfg;
	struct session ses;
	struct child child;
	struct loop *loop;
	FILE *out;
	unsigned long printed;
	int timer; /* of the interval, or -1 */
	int stops; /* signals that asked us to end .. */
	int signo; /* .. and the last of them */
	int child_code; /* -1 while CMD runs */
	int code; /* ours */
};

static void print(struct stat_run *r, bool mark)
{
	struct view v = {};

	r->code = session__sample(&r->ses, mark);
	if (r->code) {
		loop__stop(r->loop);
		return;
	}
	session__view(&r->ses, &v);
	if (r->cfg->json)
		view_json__print(r->out, &v);
	else
		view_text__print(r->out, &v);
	r->printed++;
}

/* The last of N intervals is printed by finish(), which may set a mark. */
static void on_interval(void *ctx)
{
	struct stat_run *r = ctx;

	if (r->cfg->count && r->printed + 1 >= r->cfg->count)
		loop__stop(r->loop);
	else
		print(r, false);
}

/*
 * A terminal sends SIGINT to CMD as well; what somebody sent to us alone must
 * be passed on. CMD decides when it ends, but who asks twice means it.
 */
static void on_stop(struct stat_run *r, const struct signalfd_siginfo *si)
{
	r->stops++;
	r->signo = (int)si->ssi_signo;
	if (!r->child.pid || r->stops > 1)
		loop__stop(r->loop);
	if (si->ssi_code != SI_KERNEL || r->stops > 1)
		child__kill(&r->child, r->signo);
}

/* Somebody wants a set of records now, and may wait for it to appear. */
static void print_now(struct stat_run *r)
{
	print(r, r->cfg->capture.mark);
	fflush(r->out);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct stat_run *r = ctx;

	if (si->ssi_signo == SIGUSR1)
		print_now(r);
	else if (si->ssi_signo != SIGCHLD)
		on_stop(r, si);
	else if (child__ended(&r->child, &r->child_code))
		loop__stop(r->loop);
}

static int open_output(struct stat_run *r)
{
	r->out = stdout;
	if (!r->cfg->output)
		return 0;
	r->out = fopen(r->cfg->output, "we");
	if (r->out)
		return 0;
	fps_err("cannot write %s: %s", r->cfg->output, strerror(errno));
	return EXIT_ENV;
}

static int close_output(struct stat_run *r)
{
	int bad;

	if (!r->out || r->out == stdout)
		return 0; /* main() looks at it */
	bad = ferror(r->out);
	if (!fclose(r->out) && !bad)
		return 0;
	fps_err("cannot write %s", r->cfg->output);
	return EXIT_ENV;
}

static int start_child(struct stat_run *r, char **argv)
{
	int err = child__start(&r->child);

	if (!err)
		return 0;
	fps_err("cannot run %s: %s", argv[0], strerror(-err));
	return child__exec_code(-err);
}

static int prepare(struct stat_run *r, char **argv)
{
	static const int signals[] = { SIGINT,  SIGTERM, SIGHUP,
				       SIGCHLD, SIGUSR1, 0 };
	sigset_t mask;
	int err, code;

	code = open_output(r);
	if (code)
		return code;
	r->loop = loop__new(signals, &mask, on_signal, r);
	err = r->loop ? 0 : -errno;
	if (!err && argv)
		err = child__fork(&r->child, argv, &mask);
	if (!err)
		err = loop__every(r->loop, SESSION_TICK, session__tick,
				  &r->ses);
	if (err < 0) {
		fps_err("cannot start: %s", strerror(-err));
		return EXIT_ENV;
	}
	code = session__open(&r->ses, &r->cfg->capture);
	return code ? code : session__begin(&r->ses, r->cfg->capture.mark);
}

/* Nobody counts any more, but CMD still has a status to pass on. */
static void wait_for_child(struct stat_run *r)
{
	if (!r->child.pid || r->stops > 1)
		return;
	if (r->timer >= 0)
		loop__rearm(r->loop, r->timer, 0);
	loop__run(r->loop);
}

static int finish(struct stat_run *r)
{
	if (!r->code)
		print(r, r->cfg->capture.mark);
	if (!r->code && r->cfg->strict && session__lost(&r->ses))
		r->code = EXIT_LOST;
	wait_for_child(r);
	if (r->code)
		return r->code;
	if (r->child_code >= 0)
		return r->child_code;
	return r->child.pid ? 128 + r->signo : EXIT_FINE;
}

static int count(struct stat_run *r, char **argv)
{
	int code, err = 0;

	code = prepare(r, argv);
	if (!code && argv)
		code = start_child(r, argv);
	if (code)
		return code;
	r->timer = -1;
	if (r->cfg->interval > 0) {
		r->timer =
			loop__every(r->loop, r->cfg->interval, on_interval, r);
		err = r->timer;
	}
	if (err >= 0)
		err = loop__run(r->loop);
	if (err < 0) {
		fps_err("cannot wait: %s", strerror(-err));
		return EXIT_ENV;
	}
	return finish(r);
}

static int stat_main(const struct command *cmd, int argc, char **argv)
{
	struct stat_config cfg = {};
	struct stat_run run = { .cfg = &cfg, .child_code = -1 };
	struct opt_rest rest;
	int code, bad;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (rest.argc && !rest.after_dashes)
		return opt__usage_error(cmd,
					"unknown operand '%s'; a command "
					"comes after --",
					rest.argv[0]);
	if (rest.after_dashes && !rest.argc)
		return opt__usage_error(cmd, "no command after --");
	if (cfg.count && rest.argc && !cfg.interval)
		return opt__usage_error(cmd, "--count needs --interval when "
					     "there is a command");
	if (!rest.argc && !cfg.interval)
		cfg.interval = 1;
	code = count(&run, rest.argc ? rest.argv : NULL);
	if (*run.ses.why)
		fps_err("%s", run.ses.why);
	session__close(&run.ses);
	child__release(&run.child);
	loop__free(run.loop);
	bad = close_output(&run);
	return bad ? bad : code;
}

const struct command cmd_stat = {
	.name = "stat",
	.args = "[-- CMD [ARG]...]",
	.summary = "Print numbers: once around a command, or per interval.",
	.text = "With CMD and without --interval, counts while CMD runs and "
		"prints one set of records when it has ended; its exit status "
		"is passed on. Otherwise prints what happened in each "
		"interval, until it is interrupted. SIGUSR1 makes it print "
		"what happened since the last time, at once.",
	.opts = opts,
	.run = stat_main,
};
