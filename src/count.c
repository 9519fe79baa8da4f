// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "count.h"
#include "exit.h"
#include "loop.h"
#include "util.h"

static void print(struct count *c, bool mark)
{
	c->code = c->print(c, mark);
	if (c->code)
		loop__stop(c->loop);
	else
		c->printed++;
}

static void call(struct count *c, int (*fn)(struct count *c))
{
	if (!fn || c->code)
		return;
	c->code = fn(c);
	if (c->code)
		loop__stop(c->loop);
}

static void on_tick(void *ctx)
{
	struct count *c = ctx;

	session__tick(&c->ses);
	call(c, c->tick);
}

/* The last of N intervals is printed by finish(), which may set a mark. */
static void on_interval(void *ctx)
{
	struct count *c = ctx;

	if (c->cfg->count && c->printed + 1 >= c->cfg->count)
		loop__stop(c->loop);
	else
		print(c, false);
}

/*
 * A terminal sends SIGINT to CMD as well; what somebody sent to us alone must
 * be passed on. CMD decides when it ends, but who asks twice means it.
 */
static void on_stop(struct count *c, const struct signalfd_siginfo *si)
{
	c->stops++;
	c->signo = (int)si->ssi_signo;
	if (!c->child.pid || c->stops > 1)
		loop__stop(c->loop);
	if (si->ssi_code != SI_KERNEL || c->stops > 1)
		child__kill(&c->child, c->signo);
}

/* Somebody wants a set of records now, and may wait for it to appear. */
static void print_now(struct count *c)
{
	print(c, c->cfg->capture.mark);
	fflush(c->out);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct count *c = ctx;

	if (si->ssi_signo == SIGUSR1)
		print_now(c);
	else if (si->ssi_signo == SIGUSR2)
		call(c, c->next);
	else if (si->ssi_signo != SIGCHLD)
		on_stop(c, si);
	else if (child__ended(&c->child, &c->child_code))
		loop__stop(c->loop);
}

static int open_output(struct count *c)
{
	c->out = stdout;
	if (!c->cfg->output)
		return 0;
	c->out = fopen(c->cfg->output, "we");
	if (c->out)
		return 0;
	fps_err("cannot write %s: %s", c->cfg->output, strerror(errno));
	return EXIT_ENV;
}

static int close_output(struct count *c)
{
	int bad;

	if (!c->out || c->out == stdout)
		return 0; /* main() looks at it */
	bad = ferror(c->out);
	if (!fclose(c->out) && !bad)
		return 0;
	fps_err("cannot write %s", c->cfg->output);
	return EXIT_ENV;
}

static int start_child(struct count *c, char **argv)
{
	int err = child__start(&c->child);

	if (!err)
		return 0;
	fps_err("cannot run %s: %s", argv[0], strerror(-err));
	return child__exec_code(-err);
}

static int prepare(struct count *c, char **argv)
{
	const int signals[] = { SIGINT,	 SIGTERM, SIGHUP,
				SIGCHLD, SIGUSR1, c->next ? SIGUSR2 : 0,
				0 };
	sigset_t mask;
	int err, code;

	code = open_output(c);
	if (code)
		return code;
	c->loop = loop__new(signals, &mask, on_signal, c);
	err = c->loop ? 0 : -errno;
	if (!err && argv)
		err = child__fork(&c->child, argv, &mask);
	if (!err)
		err = loop__every(c->loop, SESSION_TICK, on_tick, c);
	if (err < 0) {
		fps_err("cannot start: %s", strerror(-err));
		return EXIT_ENV;
	}
	code = session__open(&c->ses, &c->cfg->capture);
	return code ? code : session__begin(&c->ses, c->cfg->capture.mark);
}

/* Nobody counts any more, but CMD still has a status to pass on. */
static void wait_for_child(struct count *c)
{
	if (!c->child.pid || c->stops > 1)
		return;
	if (c->timer >= 0)
		loop__rearm(c->loop, c->timer, 0);
	loop__run(c->loop);
}

static int finish(struct count *c)
{
	if (!c->code)
		print(c, c->cfg->capture.mark);
	if (!c->code && c->cfg->strict && (session__lost(&c->ses) || c->doubt))
		c->code = EXIT_LOST;
	wait_for_child(c);
	if (c->code)
		return c->code;
	if (c->child_code >= 0)
		return c->child_code;
	return c->child.pid ? 128 + c->signo : EXIT_FINE;
}

static int count(struct count *c, char **argv)
{
	int code, err = 0;

	code = prepare(c, argv);
	if (!code && argv)
		code = start_child(c, argv);
	if (code)
		return code;
	c->timer = -1;
	if (c->cfg->interval > 0) {
		c->timer =
			loop__every(c->loop, c->cfg->interval, on_interval, c);
		err = c->timer;
	}
	if (err >= 0)
		err = loop__run(c->loop);
	if (err < 0) {
		fps_err("cannot wait: %s", strerror(-err));
		return EXIT_ENV;
	}
	return finish(c);
}

/* Who asks too late gets no answer, but must not end us. */
static void ignore_questions(const struct count *c)
{
	signal(SIGUSR1, SIG_IGN);
	if (c->next)
		signal(SIGUSR2, SIG_IGN);
}

int count__run(struct count *c, char **argv)
{
	int code, bad;

	c->child_code = -1;
	code = count(c, argv);
	ignore_questions(c);
	if (*c->ses.why)
		fps_err("%s", c->ses.why);
	session__close(&c->ses);
	child__release(&c->child);
	loop__free(c->loop);
	bad = close_output(c);
	return bad ? bad : code;
}

int count__fail(struct count *c, const char *why)
{
	snprintf(c->ses.why, sizeof(c->ses.why), "%s", why);
	return EXIT_ENV;
}

bool count__operands(const struct command *cmd, struct opt_rest *rest)
{
	if (rest->argc && !rest->after_dashes)
		rest->code = opt__usage_error(cmd,
					      "unknown operand '%s'; a command "
					      "comes after --",
					      rest->argv[0]);
	else if (rest->after_dashes && !rest->argc)
		rest->code = opt__usage_error(cmd, "no command after --");
	else
		return true;
	return false;
}
