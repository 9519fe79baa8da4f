// SPDX-License-Identifier: GPL-2.0-only
/* fpstat top: all vcpus, again and again. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "cmd_top.h"
#include "exit.h"
#include "utf8.h"
#include "util.h"

#define KEEP_ENDED 32 /* rows: the screen is for those who live */
#define FIRST_LOOK 0.25 /* seconds until there is something to see */

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
	{ .letter = 'r', .name = "read", .type = OPT_STRING,
	  .offset = AT(read), .arg = "FILE",
	  .help = "show what happened in a trace, as it was then; - is standard "
		  "input, and is shown as it comes" },
	{ .name = "section", .type = OPT_COUNT, .offset = AT(section),
	  .arg = "N",
	  .help = "of a trace that was merged: section N, not the first" },
	{ .letter = 'R', .name = "reverse", .offset = AT(reverse),
	  .help = "the other way round" },
	OPT_COMMON,
	{}
};
/* clang-format on */

void top__draw(struct top *t)
{
	struct tui_frame f = {
		.view = &t->view,
		.ever = t->cfg->read ? &t->play.ever : &t->ses.now,
		.replay = t->cfg->read ? &t->shown : NULL,
		.table = &t->table,
		.host = t->host,
		.interval = t->state.interval,
		.frozen = t->state.frozen,
		.help = t->state.help,
		.help_line = top_key__help,
	};

	if (t->cfg->read)
		top_replay__describe(t);
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

void top__look(struct top *t)
{
	if (t->tui)
		top__draw(t);
	else
		view_text__print(stdout, &t->view);
	if (t->cfg->count && ++t->looks >= t->cfg->count)
		loop__stop(t->loop);
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
	if (!t->looks)
		loop__rearm(t->loop, t->timer, t->state.interval);
	top__look(t);
}

/* A terminal that has gone is readable for ever, with nothing to read. */
static bool hung_up(const struct tui *tui, uint32_t events)
{
	int waiting = 0;

	if (events & (EPOLLHUP | EPOLLERR))
		return true;
	return ioctl(tui__fd(tui), FIONREAD, &waiting) || !waiting;
}

static void on_tty(void *ctx, uint32_t events)
{
	struct top *t = ctx;
	double interval = t->state.interval;
	int key;

	if (hung_up(t->tui, events)) {
		loop__stop(t->loop);
		return;
	}
	while ((key = tui__key(t->tui)) != TUI_NONE)
		top_key__press(&t->state, key);
	if (t->state.quit)
		loop__stop(t->loop);
	if (t->cfg->read)
		top_replay__obey(t);
	else if (t->state.interval != interval && t->looks)
		loop__rearm(t->loop, t->timer, t->state.interval);
	if (!t->state.quit)
		top__draw(t);
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
		top__draw(t);
}

static int start_live(struct top *t)
{
	double first = t->state.interval;
	int err = loop__every(t->loop, SESSION_TICK, session__tick, &t->ses);

	if (t->tui && first > FIRST_LOOK)
		first = FIRST_LOOK;
	if (err >= 0)
		err = t->timer = loop__every(t->loop, first, on_interval, t);
	return err;
}

static int start(struct top *t)
{
	static const int signals[] = { SIGINT,	SIGTERM, SIGHUP, SIGWINCH,
				       SIGTSTP, SIGCONT, 0 };
	sigset_t mask;
	int err;

	t->loop = loop__new(signals, &mask, on_signal, t);
	err = t->loop ? 0 : -errno;
	if (!err)
		err = t->cfg->read ? top_replay__start(t) : start_live(t);
	if (err >= 0 && t->tui)
		err = loop__watch(t->loop, tui__fd(t->tui), on_tty, t);
	return err < 0 ? err : 0;
}

static int open_live(struct top *t)
{
	struct capture_opts none = {};
	int code = session__open(&t->ses, &none);
	char host[65] = "";

	if (code)
		return code;
	gethostname(host, sizeof(host) - 1);
	utf8__clean(t->host, sizeof(t->host), host, sizeof(host));
	capture__keep(t->ses.cap, KEEP_ENDED);
	return session__begin(&t->ses, false);
}

/* With a trace on standard input, keys come from elsewhere. */
static void open_screen(struct top *t)
{
	bool keys = !t->cfg->read || strcmp(t->cfg->read, "-");
	char why[256];

	t->tui = tui__open(keys, why, sizeof(why));
	if (!t->tui)
		fps_err("%s: plain text, as with --batch", why);
}

static int run(struct top *t)
{
	int err, code;

	code = t->cfg->read ? top_replay__open(t) : open_live(t);
	if (code)
		return code;
	if (!t->cfg->batch)
		open_screen(t);
	t->view.rate = true;
	if (t->cfg->read && !t->tui)
		return top_replay__print(t);
	err = start(t);
	if (!err && t->tui)
		top__draw(t);
	if (!err)
		err = loop__run(t->loop);
	tui__close(t->tui);
	t->tui = NULL;
	if (err)
		fps_err("cannot go on: %s", strerror(-err));
	if (!err && t->cfg->read)
		return top_replay__end(t);
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
	int code;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (rest.argc)
		return opt__usage_error(cmd, "unknown operand '%s'",
					rest.argv[0]);
	if (cfg.section && !cfg.read)
		return opt__usage_error(cmd, "--section wants --read");
	top.state.sort = column__by_id(cfg.sort);
	if (!top.state.sort)
		return bad_sort(cmd, cfg.sort);
	top.state.reverse = cfg.reverse;
	top.state.interval = cfg.interval;
	top.view.sort = top.state.sort;
	top.view.reverse = cfg.reverse;
	code = run(&top);
	if (*top.ses.why)
		fps_err("%s", top.ses.why);
	loop__free(top.loop);
	session__close(&top.ses);
	playback__close(&top.play);
	table__free(&top.table);
	return code;
}

const struct command cmd_top = {
	.name = "top",
	.args = "",
	.summary = "Show all vcpus, live.",
	.text = "One row for each vcpu, per second. What is charged to no "
		"vcpu is in the row 'other'. A command without a name is "
		"'top'. With --read, the same of another time, or of another "
		"host: ssh HOST fpstat record -o - | fpstat top -r -",
	.opts = opts,
	.more_help = top_key__print_help,
	.run = top_main,
};
