// SPDX-License-Identifier: GPL-2.0-only
/* fpstat top: all vcpus, again and again. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "exit.h"
#include "loop.h"
#include "session.h"
#include "top.h"
#include "utf8.h"
#include "util.h"
#include "view_tui.h"

#define KEEP_ENDED 32 /* rows: the screen is for those who live */
#define FIRST_LOOK 0.25 /* seconds until there is something to see */

struct top_config {
	bool batch;
	double interval;
	unsigned long count;
	const char *sort;
	bool reverse;
};

#define AT(field) offsetof(struct top_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'b', .name = "batch", .offset = AT(batch),
	  .help = "plain text, one table after the other" },
	{ .letter = 'i', .name = "interval", .type = OPT_SECONDS,
	  .offset = AT(interval), .arg = "S",
	  .help = "seconds between two looks (default 1)" },
	{ .letter = 'c', .name = "count", .type = OPT_COUNT,
	  .offset = AT(count), .arg = "N", .help = "stop after N looks" },
	{ .letter = 'n', .name = "iterations", .type = OPT_COUNT,
	  .offset = AT(count), .arg = "N", .help = "the same as --count" },
	{ .letter = 's', .name = "sort", .type = OPT_STRING,
	  .offset = AT(sort), .arg = "COLUMN",
	  .help = "sort by COLUMN (default exit)" },
	{ .letter = 'r', .name = "reverse", .offset = AT(reverse),
	  .help = "the other way round" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct top {
	const struct top_config *cfg;
	struct session ses;
	struct loop *loop;
	struct tui *tui; /* NULL: batch */
	struct top_state state;
	struct table table;
	struct view view; /* view.s is NULL before the first look */
	char host[65];
	unsigned long looks;
	int timer;
	int code;
};

static void draw(struct top *t)
{
	struct tui_frame f = {
		.view = &t->view,
		.ever = &t->ses.now,
		.table = &t->table,
		.host = t->host,
		.interval = t->state.interval,
		.frozen = t->state.frozen,
		.help = t->state.help,
		.help_line = top_key__help,
	};

	t->view.sort = t->state.sort;
	t->view.reverse = t->state.reverse;
	if (t->view.s) {
		if (table__build(&t->table, t->view.s))
			return; /* keep what is on the screen */
		table__sort(&t->table, t->state.sort, t->state.reverse);
	}
	t->state.nr = t->table.nr;
	t->state.page = tui__page(t->tui);
	top_key__clamp(&t->state);
	f.first = t->state.first;
	tui__draw(t->tui, &f);
}

static void on_interval(void *ctx)
{
	struct top *t = ctx;

	if (t->state.frozen)
		return;
	t->code = session__sample(&t->ses, false);
	if (t->code) {
		loop__stop(t->loop);
		return;
	}
	session__view(&t->ses, &t->view);
	if (t->tui)
		draw(t);
	else
		view_text__print(stdout, &t->view);
	if (++t->looks == 1)
		loop__rearm(t->loop, t->timer, t->state.interval);
	if (t->cfg->count && t->looks >= t->cfg->count)
		loop__stop(t->loop);
}

/* A terminal that has gone is readable for ever, with nothing to read. */
static bool hung_up(uint32_t events)
{
	int waiting = 0;

	if (events & (EPOLLHUP | EPOLLERR))
		return true;
	return ioctl(STDIN_FILENO, FIONREAD, &waiting) || !waiting;
}

static void on_tty(void *ctx, uint32_t events)
{
	struct top *t = ctx;
	double interval = t->state.interval;
	int key;

	if (hung_up(events)) {
		loop__stop(t->loop);
		return;
	}
	while ((key = tui__key(t->tui)) != TUI_NONE)
		top_key__press(&t->state, key);
	if (t->state.quit)
		loop__stop(t->loop);
	if (t->state.interval != interval && t->looks)
		loop__rearm(t->loop, t->timer, t->state.interval);
	if (!t->state.quit)
		draw(t);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct top *t = ctx;

	switch (si->ssi_signo) {
	case SIGWINCH:
		if (t->tui)
			tui__resize(t->tui);
		break;
	case SIGTSTP:
		if (t->tui)
			tui__pause(t->tui);
		raise(SIGSTOP); /* SIGCONT comes next, and draws */
		break;
	case SIGCONT:
		if (t->tui)
			tui__resume(t->tui);
		break;
	default:
		loop__stop(t->loop);
		return;
	}
	if (t->tui && si->ssi_signo != SIGTSTP)
		draw(t);
}

static int start(struct top *t)
{
	static const int signals[] = { SIGINT,	SIGTERM, SIGHUP, SIGWINCH,
				       SIGTSTP, SIGCONT, 0 };
	double first = t->state.interval;
	sigset_t mask;
	int err;

	if (t->tui && first > FIRST_LOOK)
		first = FIRST_LOOK;
	t->loop = loop__new(signals, &mask, on_signal, t);
	err = t->loop ? 0 : -errno;
	if (!err)
		err = loop__every(t->loop, SESSION_TICK, session__tick,
				  &t->ses);
	if (err >= 0) {
		t->timer = loop__every(t->loop, first, on_interval, t);
		err = t->timer;
	}
	if (err >= 0 && t->tui)
		err = loop__watch(t->loop, STDIN_FILENO, on_tty, t);
	return err < 0 ? err : 0;
}

static int run(struct top *t)
{
	struct capture_opts none = {};
	char why[256];
	int err, code;

	code = session__open(&t->ses, &none);
	if (code)
		return code;
	capture__keep(t->ses.cap, KEEP_ENDED);
	code = session__begin(&t->ses, false);
	if (code)
		return code;
	if (!t->cfg->batch) {
		t->tui = tui__open(why, sizeof(why));
		if (!t->tui)
			fps_err("%s: plain text, as with --batch", why);
	}
	t->view.rate = true;
	err = start(t);
	if (!err && t->tui)
		draw(t);
	if (!err)
		err = loop__run(t->loop);
	tui__close(t->tui);
	t->tui = NULL;
	if (err)
		fps_err("cannot go on: %s", strerror(-err));
	return err ? EXIT_ENV : t->code;
}

static int bad_sort(const struct command *cmd, const char *id)
{
	size_t i;

	fprintf(stderr,
		"fpstat %s: there is no column '%s'. Columns:", cmd->name, id);
	for (i = 0; i < nr_columns; i++)
		fprintf(stderr, " %s", columns[i].id);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int top_main(const struct command *cmd, int argc, char **argv)
{
	struct top_config cfg = { .interval = 1, .sort = "exit" };
	struct top top = { .cfg = &cfg };
	struct opt_rest rest;
	char host[65] = "";
	int code;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (rest.argc)
		return opt__usage_error(cmd, "unknown operand '%s'",
					rest.argv[0]);
	top.state.sort = column__by_id(cfg.sort);
	if (!top.state.sort)
		return bad_sort(cmd, cfg.sort);
	top.state.reverse = cfg.reverse;
	top.state.interval = cfg.interval;
	top.view.sort = top.state.sort;
	top.view.reverse = cfg.reverse;
	gethostname(host, sizeof(host) - 1);
	utf8__clean(top.host, sizeof(top.host), host, sizeof(host));
	code = run(&top);
	if (*top.ses.why)
		fps_err("%s", top.ses.why);
	loop__free(top.loop);
	session__close(&top.ses);
	table__free(&top.table);
	return code;
}

const struct command cmd_top = {
	.name = "top",
	.args = "",
	.summary = "Show all vcpus, live.",
	.text = "One row for each vcpu, per second. What is charged to no "
		"vcpu is in the row 'other'. A command without a name is "
		"'top'.",
	.opts = opts,
	.more_help = top_key__print_help,
	.run = top_main,
};
