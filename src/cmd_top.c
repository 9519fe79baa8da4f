// SPDX-License-Identifier: GPL-2.0-only
/* fpstat top: all vcpus, again and again. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "cmd_top.h"
#include "exit.h"
#include "flow.h"
#include "top_events.h"
#include "top_filter.h"
#include "utf8.h"
#include "util.h"

#define KEEP_ENDED 32 /* rows: the screen is for those who live */
#define FIRST_LOOK 0.25 /* seconds until there is something to see */
#define PAPER 512 /* columns */

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
	{ .letter = 'v', .name = "view", .type = OPT_STRING,
	  .offset = AT(view), .arg = "VIEW",
	  .help = "begin with VIEW (default vcpus)" },
	{ .letter = 'f', .name = "filter", .type = OPT_STRING,
	  .offset = AT(filter), .arg = "TEXT",
	  .help = "only rows that have TEXT, or where COLUMN>VALUE" },
	{ .letter = 's', .name = "sort", .type = OPT_STRING,
	  .offset = AT(sort), .arg = "COLUMN",
	  .help = "sort by COLUMN (default exit)" },
	{ .letter = 'R', .name = "reverse", .offset = AT(reverse),
	  .help = "the other way round" },
	{ .letter = 'r', .name = "read", .type = OPT_STRING,
	  .offset = AT(read), .arg = "FILE",
	  .help = "show what happened in a trace, as it was then; - is standard "
		  "input, and is shown as it comes" },
	{ .name = "section", .type = OPT_COUNT, .offset = AT(section),
	  .arg = "N",
	  .help = "of a trace that was merged: section N, not the first" },
	{ .name = "stream", .offset = AT(stream),
	  .help = "follow each event from the beginning, so that a recording has "
		  "the seconds before it; costs more" },
	{ .name = "ascii", .offset = AT(ascii),
	  .help = "draw with ASCII only" },
	{ .name = "mono", .offset = AT(mono),
	  .help = "no colours, as with NO_COLOR" },
	{ .name = "mouse", .offset = AT(mouse),
	  .help = "a click picks a row; then the terminal can't select text" },
	{ .name = "budget", .type = OPT_PERCENT, .offset = AT(budget),
	  .arg = "PERCENT",
	  .help = "cost no more of the time of all CPUs than that: follow no "
		  "events meanwhile (counters stay exact)" },
	OPT_COMMON,
	{}
};
/* clang-format on */

/* ---- what is shown ---- */

static bool wants_stream(const struct top *t)
{
	return t->cfg->stream || t->state.view->stream;
}

/* The same vcpu, as another capture knows it; or NULL. */
static const struct snap_vcpu *find_twin(const struct snapshot *s,
					 const struct snap_vcpu *v)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].vm_pid == v->vm_pid &&
		    s->vcpus[i].vcpu_id == v->vcpu_id &&
		    s->vcpus[i].tid == v->tid)
			return &s->vcpus[i];
	}
	return NULL;
}

static void focus(struct top *t)
{
	const struct snap_vcpu *v = top_detail__vcpu(&t->shown, &t->state);
	struct flow *flow = t->cfg->read ? t->flow : t->stream.flow;

	if (!t->state.vcpu && v)
		t->state.vcpu = (uint64_t)v->slot << 32 | v->gen;
	if (v && !t->cfg->read)
		v = find_twin(&t->stream.ses.now, v);
	if (v && flow)
		flow__focus(flow, v->slot, v->gen);
}

static void set_all(struct top *t)
{
	const struct snapshot *now = t->cfg->read ? &t->play.now : &t->ses.now;

	t->shown.all = now;
	snapshot__free(&t->since);
	if (t->zeroed && now->t >= t->zero.t &&
	    !snapshot__delta(&t->since, now, &t->zero))
		t->shown.all = &t->since;
}

static void set_shown(struct top *t)
{
	bool replay = t->cfg->read;
	const struct top_stream *s = &t->stream;

	t->shown = (struct top_shown){
		.s = t->view.s,
		.ever = replay ? &t->play.ever : &t->ses.now,
		.flow = replay ? t->flow : s->flow,
		.no_flow = *s->why ? s->why : NULL,
		.stream = replay ? &t->play.now : &s->ses.now,
		.history = &t->history,
		.cost = &t->cost,
		.host = t->host,
		.replay = replay ? &t->replay : NULL,
		.recording = s->recording ? s->file : NULL,
	};
	if (replay)
		top_replay__describe(t);
	if (!t->view.s)
		return;
	set_all(t);
	if (t->state.view == &top_detail)
		focus(t);
}

static bool arrange(struct top *t)
{
	set_shown(t);
	return !t->view.s || !top__arrange(&t->table, &t->shown, &t->state);
}

void top__draw(struct top *t)
{
	if (!arrange(t))
		return; /* keep what is on the screen */
	tui__begin(t->tui, &t->page);
	top__paint(&t->page, &t->table, &t->shown, &t->state);
	if (!t->page.failed)
		tui__show(t->tui, &t->page, t->cfg->read && t->play.stream);
}

/* ---- on paper ---- */

/* The rest of the screen, as lines that begin with "# ". */
static char *notes(struct top *t)
{
	struct paint page = {};
	char *text = NULL, *line, *save;
	size_t len;
	FILE *raw = open_memstream(&text, &len), *out;
	char *all = NULL;

	if (!raw)
		return NULL;
	paint__begin(&page, 64, PAPER, false);
	top_paper__notes(&page, &t->shown);
	paint__print(&page, raw);
	paint__free(&page);
	fclose(raw);
	out = open_memstream(&all, &len);
	for (line = strtok_r(text, "\n", &save); out && line;
	     line = strtok_r(NULL, "\n", &save))
		fprintf(out, "# %s\n", line);
	if (out)
		fclose(out);
	free(text);
	return all;
}

static void print_vcpus(struct top *t)
{
	char *text = notes(t);

	t->view.notes = text;
	t->view.sort = top_state__pane(&t->state)->sort;
	t->view.reverse = top_state__pane(&t->state)->reverse;
	view_text__print(stdout, &t->view);
	t->view.notes = NULL;
	free(text);
}

static void print_view(struct top *t)
{
	if (top__arrange(&t->table, &t->shown, &t->state))
		return;
	view_text__head(stdout, t->view.s);
	paint__begin(&t->page, (int)t->table.nr + 64, PAPER, !utf8__locale());
	top_paper__paint(&t->page, &t->table, &t->shown, &t->state);
	paint__print(&t->page, stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

void top__print(struct top *t)
{
	set_shown(t);
	if (t->state.view == &top_vcpus && !t->cfg->filter)
		print_vcpus(t);
	else
		print_view(t);
}

void top__look(struct top *t)
{
	history__add(&t->history, t->view.s);
	if (t->tui)
		top__draw(t);
	else
		top__print(t);
	if (t->cfg->count && ++t->looks >= t->cfg->count)
		loop__stop(t->loop);
}

/* ---- live ---- */

/* Both captures cost something; the second one has what a budget sheds, and loses it. */
static void add_stream(struct snapshot *s, struct top_stream *stream)
{
	const struct snapshot *more = &stream->ses.now;

	if (!stream->open)
		return;
	if (s->bpf_ns != SNAP_NA && more->bpf_ns != SNAP_NA)
		s->bpf_ns += more->bpf_ns;
	s->shed = more->shed;
	s->lost += more->lost - stream->lost;
	stream->lost = more->lost;
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
	add_stream(&t->ses.interval, &t->stream);
	session__view(&t->ses, &t->view);
	if (!t->looks)
		loop__rearm(t->loop, t->timer, t->state.interval);
	top__look(t);
}

static void on_stream_error(struct top *t, int err)
{
	snprintf(t->state.says, sizeof(t->state.says),
		 "the stream ended: %.100s",
		 *t->stream.ses.why ? t->stream.ses.why : strerror(-err));
	top_stream__close(&t->stream, NULL, 0);
}

static void on_tick(void *ctx)
{
	struct top *t = ctx;
	int err = 0;

	session__tick(&t->ses);
	if (!t->state.frozen || t->stream.recording)
		err = top_stream__tick(&t->stream);
	if (err)
		on_stream_error(t, err);
}

static void say_attaching(struct top *t)
{
	if (!t->tui || t->stream.open)
		return;
	strcpy(t->state.says, "attaching, to follow each event ...");
	top__draw(t);
	t->state.says[0] = '\0';
}

static void obey(struct top *t)
{
	struct top_state *st = &t->state;

	if (wants_stream(t) && !t->stream.open && !*t->stream.why)
		say_attaching(t);
	top_stream__want(&t->stream, wants_stream(t));
	if (st->record)
		top_stream__record(&t->stream, st->says, sizeof(st->says));
	if (st->zero)
		top_stream__zero(&t->stream);
}

/* ---- keys and signals ---- */

static void set_zero(struct top *t)
{
	const struct snapshot *now = t->cfg->read ? &t->play.now : &t->ses.now;

	snapshot__free(&t->zero);
	t->zeroed = !snapshot__copy(&t->zero, now);
	strcpy(t->state.says, "all begins here");
}

/* What keys have asked for, and no key can do. */
static void obey_all(struct top *t)
{
	struct top_state *st = &t->state;

	if (st->quit)
		loop__stop(t->loop);
	if (t->cfg->read)
		top_replay__obey(t);
	else
		obey(t);
	if (st->zero)
		set_zero(t);
	if (st->save)
		top_config__save(st, st->says, sizeof(st->says));
	st->zero = st->record = st->save = false;
}

/* A terminal that has gone is readable for ever, with nothing to read. */
static bool hung_up(const struct tui *tui, uint32_t events)
{
	int waiting = 0;

	if (events & (EPOLLHUP | EPOLLERR))
		return true;
	return ioctl(tui__fd(tui), FIONREAD, &waiting) || !waiting;
}

/* Rows come before what is below them: pins, and the last line. */
static void click(struct top *t)
{
	int y, x, below;

	tui__click(t->tui, &y, &x);
	below = t->page.lines - (int)t->state.page;
	below -= (t->page.lines >= 10) +
		 (t->table.has_pins && t->page.lines >= 7);
	if (y >= below && y < below + (int)t->state.page)
		top_key__click(&t->state, (size_t)(y - below));
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
	while ((key = tui__key(t->tui)) != TUI_NONE) {
		if (key == TUI_CLICK)
			click(t);
		else
			top_key__press(&t->state, key);
		obey_all(t);
		arrange(t); /* the next key is about rows as they are now */
	}
	if (!t->cfg->read && t->state.interval != interval && t->looks)
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
	int err = loop__every(t->loop, SESSION_TICK, on_tick, t);

	if (wants_stream(t))
		obey(t);

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
	t->stream.cost = &t->cost;
	t->stream.budget = t->cfg->budget;
	return session__begin(&t->ses, false);
}

/* With a trace on standard input, keys come from elsewhere. */
static void open_screen(struct top *t)
{
	struct tui_opts opts = {
		.no_input = t->cfg->read && !strcmp(t->cfg->read, "-"),
		.mono = t->cfg->mono,
		.ascii = t->cfg->ascii,
		.mouse = t->cfg->mouse,
	};
	char why[256];

	t->tui = tui__open(&opts, why, sizeof(why));
	if (!t->tui)
		fps_err("%s: plain text, as with --batch", why);
}

static int loop(struct top *t)
{
	char says[sizeof(t->state.says)] = "";
	int err = start(t);

	if (!err && t->tui)
		top__draw(t);
	if (!err)
		err = loop__run(t->loop);
	top_stream__close(&t->stream, says, sizeof(says));
	tui__close(t->tui);
	t->tui = NULL;
	if (*says)
		fps_err("%s", says);
	return err;
}

static int run(struct top *t)
{
	int err, code;

	if (!t->cfg->read)
		cost__measure(&t->cost);
	code = t->cfg->read ? top_replay__open(t) : open_live(t);
	if (code)
		return code;
	if (!t->cfg->batch)
		open_screen(t);
	t->view.rate = true;
	if (t->cfg->read && !t->tui)
		return top_replay__print(t);
	err = loop(t);
	if (err)
		fps_err("cannot go on: %s", strerror(-err));
	if (!err && t->cfg->read)
		return top_replay__end(t);
	return err ? EXIT_ENV : t->code;
}

/* ---- options ---- */

static int bad_view(const struct command *cmd, const char *name)
{
	int i;

	fprintf(stderr, "fpstat %s: there is no view '%s'. Views:", cmd->name,
		name);
	for (i = 0; i < TOP_VIEWS; i++)
		fprintf(stderr, " %s", top_views[i]->name);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int bad_sort(const struct command *cmd, const struct top_view *v,
		    const char *id)
{
	size_t i;

	fprintf(stderr,
		"fpstat %s: there is no column '%s'. Columns:", cmd->name, id);
	for (i = 0; i < *v->nr_columns; i++)
		fprintf(stderr, " %s", v->columns[i].id);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int bad_filter(const struct command *cmd, const struct top_view *v,
		      const char *text)
{
	struct table table = {};
	struct filter f;
	char why[128];

	table__begin(&table, v->columns, *v->nr_columns);
	if (filter__parse(&f, &table, text, why, sizeof(why)))
		return 0;
	return opt__usage_error(cmd, "--filter: %s", why);
}

/* What is given here goes before what was saved. 0, or the exit code. */
static int set_state(const struct command *cmd, struct top *t)
{
	const struct top_config *cfg = t->cfg;
	struct top_state *st = &t->state;
	const struct top_view *v;
	struct top_pane *pane;
	int code = 0;

	top_state__begin(st);
	if (!cfg->batch)
		top_config__load(st, st->says, sizeof(st->says));
	v = top_view__by_name(cfg->view);
	if (!v)
		return bad_view(cmd, cfg->view);
	st->view = v;
	pane = top_state__pane(st);
	if (cfg->interval > 0)
		st->interval = cfg->interval;
	if (cfg->sort)
		pane->sort =
			column__find(v->columns, *v->nr_columns, cfg->sort);
	if (cfg->sort && !pane->sort)
		return bad_sort(cmd, v, cfg->sort);
	pane->reverse ^= cfg->reverse;
	if (cfg->filter) {
		code = bad_filter(cmd, v, cfg->filter);
		snprintf(pane->filter, sizeof(pane->filter), "%s", cfg->filter);
	}
	return code;
}

static int top_main(const struct command *cmd, int argc, char **argv)
{
	struct top_config cfg = { .view = "vcpus" };
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
	code = set_state(cmd, &top);
	if (!code)
		code = run(&top);
	if (*top.ses.why)
		fps_err("%s", top.ses.why);
	loop__free(top.loop);
	session__close(&top.ses);
	flow__free(top.flow);
	playback__close(&top.play);
	snapshot__free(&top.zero);
	snapshot__free(&top.since);
	history__free(&top.history);
	paint__free(&top.page);
	table__free(&top.table);
	return code;
}

const struct command cmd_top = {
	.name = "top",
	.args = "",
	.summary = "Show all vcpus, live.",
	.text = "One row for each vcpu, per second. What is charged to no "
		"vcpu is in the row 'other'. Other views are a key away. A command without a name is "
		"'top'. With --read, the same of another time, or of another "
		"host: ssh HOST fpstat record -o - | fpstat top -r -",
	.opts = opts,
	.more_help = top_key__print_help,
	.run = top_main,
};
