// SPDX-License-Identifier: GPL-2.0-only
/* The only file that knows curses. It draws a frame, and nothing else. */
#include <curses.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "layout.h"
#include "utf8.h"
#include "util.h"
#include "view_tui.h"

#define ALARM_PAIR 1

struct tui {
	SCREEN *screen;
	FILE *keys;
	bool color;
	struct layout at;
};

static bool colors_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return !no || !*no;
}

static void close_keys(FILE *keys)
{
	if (keys && keys != stdin)
		fclose(keys);
}

struct tui *tui__open(bool input, char *why, size_t len)
{
	const char *term = getenv("TERM");
	FILE *keys = input ? stdin : fopen("/dev/tty", "re");
	struct tui *t;

	if (!keys || !isatty(fileno(keys)) || !isatty(STDOUT_FILENO)) {
		snprintf(why, len, "this is not a terminal");
		close_keys(keys);
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t)
		t->keys = keys;
	/* Not initscr(): that one exits if it doesn't know the terminal. */
	if (t)
		t->screen = newterm(NULL, stdout, keys);
	if (!t || !t->screen || !tigetstr("cup")) {
		snprintf(why, len, "terminal type '%s' can't show a screen",
			 term ? term : "");
		tui__close(t);
		return NULL;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	t->color = colors_wanted() && has_colors() && start_color() == OK;
	if (t->color) {
		use_default_colors();
		init_pair(ALARM_PAIR, COLOR_RED, -1);
	}
	return t;
}

void tui__close(struct tui *t)
{
	if (!t)
		return;
	if (t->screen) {
		endwin();
		delscreen(t->screen);
	}
	close_keys(t->keys);
	free(t);
}

int tui__fd(const struct tui *t)
{
	return fileno(t->keys);
}

void tui__pause(struct tui *t)
{
	(void)t;
	endwin();
}

void tui__resume(struct tui *t)
{
	reset_prog_mode();
	clearok(curscr, TRUE);
	tui__resize(t);
}

void tui__resize(struct tui *t)
{
	struct winsize ws;

	(void)t;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_row && ws.ws_col)
		resizeterm(ws.ws_row, ws.ws_col);
}

int tui__key(struct tui *t)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ KEY_UP, TUI_UP },	    { KEY_DOWN, TUI_DOWN },
		{ KEY_PPAGE, TUI_PAGE_UP }, { KEY_NPAGE, TUI_PAGE_DOWN },
		{ KEY_HOME, TUI_HOME },	    { KEY_END, TUI_END },
		{ KEY_F(1), TUI_F1 },	    { KEY_F(10), TUI_F10 },
		{ KEY_ENTER, TUI_ENTER },   { '\r', TUI_ENTER },
		{ '\n', TUI_ENTER },	    { KEY_BACKSPACE, TUI_BACKSPACE },
		{ '\b', TUI_BACKSPACE },    { 0x7f, TUI_BACKSPACE },
	};
	int c = getch();
	size_t i;

	(void)t;
	if (c == ERR)
		return TUI_NONE;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].curses == c)
			return keys[i].ours;
	}
	return c < KEY_MIN ? c : TUI_OTHER;
}

size_t tui__page(const struct tui *t)
{
	return t->at.page > 0 ? (size_t)t->at.page : 1;
}

/* Where the next words go. */
struct pen {
	int y, x;
};

static void __attribute__((format(printf, 3, 4)))
ink(struct pen *p, attr_t attr, const char *fmt, ...)
{
	char raw[512], text[512];
	va_list ap;
	int used;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (p->x >= COLS || p->y >= LINES)
		return;
	used = utf8__fit(text, sizeof(text), raw, COLS - p->x);
	attrset(attr);
	mvaddstr(p->y, p->x, text);
	attrset(A_NORMAL);
	p->x += used;
}

static attr_t alarm_color(const struct tui *t)
{
	return t->color ? COLOR_PAIR(ALARM_PAIR) | A_BOLD : A_REVERSE;
}

/* A number that should be zero. */
static void alarm_number(struct tui *t, struct pen *p, const char *what,
			 uint64_t n)
{
	attr_t red = alarm_color(t);
	char cell[COLUMN_CELL];

	column__number(n, 0, cell);
	ink(p, A_NORMAL, "  ");
	ink(p, n && n != SNAP_NA ? red : A_NORMAL, "%s %s", what, cell);
}

static void draw_host(const struct tui_frame *f, int y)
{
	const struct snapshot *s = f->view->s;
	struct pen p = { y, 0 };

	ink(&p, A_BOLD, "fpstat");
	ink(&p, A_NORMAL, "  %s  %s  mode ", f->host, s->kernel);
	ink(&p, A_BOLD, "%s", s->mode);
	ink(&p, A_NORMAL, "  policy ");
	ink(&p, A_BOLD, "%s", snap_policy__name(s->policy));
	ink(&p, A_NORMAL, "  cpus %u", s->cpus);
	if (s->sve_vl)
		ink(&p, A_NORMAL, "  sve %u", s->sve_vl * 8);
}

static void draw_time(struct pen *p, const char *what, double t)
{
	unsigned long s = (unsigned long)t;

	ink(p, A_NORMAL, "%s %lu:%02lu:%02lu", what, s / 3600, s / 60 % 60,
	    s % 60);
}

static void draw_replay(struct tui *t, struct pen *p,
			const struct tui_replay *r)
{
	draw_time(p, r->stream ? "stream" : "replay", r->t);
	if (r->length > 0)
		draw_time(p, " of", r->length);
	if (!r->stream)
		ink(p, A_NORMAL, " x%g", r->speed);
	if (r->state) {
		ink(p, A_NORMAL, " ");
		ink(p, r->alarm ? alarm_color(t) : A_REVERSE, " %s ", r->state);
	}
	if (r->damaged)
		alarm_number(t, p, "damaged", r->damaged);
}

static void draw_health(struct tui *t, const struct tui_frame *f, int y)
{
	const struct snapshot *s = f->ever; /* loss is never forgotten */
	struct pen p = { y, 0 };

	if (f->replay)
		draw_replay(t, &p, f->replay);
	else
		draw_time(&p, "up", s->t);
	alarm_number(t, &p, "missed", s->missed);
	if (*s->missed_by)
		ink(&p, A_NORMAL, " (%s)", s->missed_by);
	alarm_number(t, &p, "lost", s->lost);
	alarm_number(t, &p, "undecided", s->undecided);
	ink(&p, A_NORMAL, "  every %g s", f->interval);
	if (f->frozen && !f->replay)
		ink(&p, A_REVERSE, "  frozen  ");
}

/* How many a second, and the redundant share of them. */
static void draw_sum(struct pen *p, const char *what, const struct snap_xfer *x,
		     double dt, const char *share_of)
{
	char number[COLUMN_CELL], share[COLUMN_CELL];

	column__short(x->done, dt, 5, number);
	column__share(snap_xfer__share(x), share);
	ink(p, A_NORMAL, "%s ", what);
	ink(p, A_BOLD, "%5s", number);
	ink(p, A_NORMAL, "%s ", share_of);
	ink(p, A_BOLD, "%4s", share);
}

static void draw_totals(const struct tui_frame *f, int y)
{
	const struct snapshot *s = f->view->s;
	struct snap_ops all = snapshot__all(s), other = snapshot__other(s);
	struct pen save = { y, 0 }, load = { y + 1, 0 };
	struct snap_vcpu v;

	snapshot__total(s, &v);
	draw_sum(&save, "save/s", &all.save, s->dt, " redundant");
	draw_sum(&load, "load/s", &all.load, s->dt, " redundant");
	draw_sum(&save, "  guest", &v.guest.save, s->dt, "");
	draw_sum(&load, "  guest", &v.guest.load, s->dt, "");
	draw_sum(&save, "  host", &v.host.save, s->dt, "");
	draw_sum(&load, "  host", &v.host.load, s->dt, "");
	draw_sum(&save, "  other", &other.save, s->dt, "");
	draw_sum(&load, "  other", &other.load, s->dt, "");
}

static void draw_cell(struct tui *t, struct pen *p, size_t i, attr_t attr,
		      const char *cell)
{
	char text[4 * COLUMN_CELL];
	int used = utf8__fit(text, sizeof(text), cell, t->at.width[i]);
	int pad = t->at.width[i] - used;

	if (columns[i].left)
		ink(p, attr, "%s%*s ", text, pad, "");
	else
		ink(p, attr, "%*s%s ", pad, "", text);
}

static void draw_title(struct tui *t, const struct tui_frame *f, int y)
{
	struct pen p = { y, 0 };
	bool sorted;
	size_t i;

	attrset(A_REVERSE);
	mvhline(y, 0, ' ' | A_REVERSE, COLS);
	for (i = 0; i < nr_columns; i++) {
		sorted = &columns[i] == f->view->sort;
		if (t->at.width[i])
			draw_cell(t, &p, i,
				  sorted ? A_BOLD | A_UNDERLINE : A_REVERSE,
				  column__title(&columns[i], true));
	}
}

static void draw_row(struct tui *t, const struct row *r, double dt, int y,
		     attr_t attr)
{
	char cell[COLUMN_CELL];
	struct pen p = { y, 0 };
	size_t i;

	for (i = 0; i < nr_columns; i++) {
		if (!t->at.width[i])
			continue;
		column__fit(&columns[i], r, dt, t->at.width[i], cell);
		draw_cell(t, &p, i, attr, cell);
	}
}

static void draw_table(struct tui *t, const struct tui_frame *f)
{
	double dt = f->view->s->dt;
	int y = t->at.head, i;

	if (t->at.title)
		draw_title(t, f, y++);
	for (i = 0; i < t->at.page && f->first + (size_t)i < f->table->nr; i++)
		draw_row(t, &f->table->row[f->first + (size_t)i], dt, y + i,
			 A_NORMAL);
	y += t->at.page;
	if (t->at.pins)
		draw_row(t, &f->table->pinned[PIN_OTHER], dt, y, A_BOLD);
}

static void draw_foot(const struct tui_frame *f)
{
	struct pen p = { LINES - 1, 0 };

	if (f->replay && !f->replay->stream)
		ink(&p, A_NORMAL,
		    "h help  q quit  space %s  n next  [ ] speed  g go to  "
		    "e end   %zu vcpus",
		    f->frozen ? "go on" : "pause", f->table->nr);
	else
		ink(&p, A_NORMAL,
		    "h help  q quit  < > sort  r reverse  space %s  "
		    "+ - interval   %zu vcpus",
		    f->frozen ? "go on" : "freeze", f->table->nr);
	if (f->ever->folded)
		ink(&p, A_NORMAL, ", %" PRIu64 " more ended", f->ever->folded);
}

static void draw_help(struct tui *t, const struct tui_frame *f)
{
	char buf[256];
	const char *line;
	int y;

	t->at.page = LINES;
	for (y = 0; y < LINES; y++) {
		line = f->help_line(f->first + (size_t)y, buf, sizeof(buf));
		if (!line)
			break;
		ink(&(struct pen){ y, 0 }, A_NORMAL, "%s", line);
	}
}

static void draw_prompt(const char *typed)
{
	struct pen p = { LINES - 1, 0 };

	move(p.y, 0);
	clrtoeol();
	ink(&p, A_BOLD, "go to (seconds, or h:mm:ss): %s", typed);
	ink(&p, A_REVERSE, " ");
}

void tui__draw(struct tui *t, const struct tui_frame *f)
{
	erase();
	if (f->help) {
		draw_help(t, f);
	} else if (!f->view->s) {
		ink(&(struct pen){ 0, 0 }, A_BOLD, "fpstat: counting ...");
	} else {
		layout__make(&t->at, LINES, COLS, f->table);
		if (t->at.head)
			draw_host(f, 0);
		if (t->at.head > 1)
			draw_health(t, f, 1);
		if (t->at.head > 2)
			draw_totals(f, 2);
		draw_table(t, f);
		if (t->at.foot)
			draw_foot(f);
	}
	if (f->replay && f->replay->typed)
		draw_prompt(f->replay->typed);
	/* Whoever sends a stream may also write to this terminal. */
	if (f->replay && f->replay->stream)
		redrawwin(stdscr);
	wnoutrefresh(stdscr);
	doupdate();
}
