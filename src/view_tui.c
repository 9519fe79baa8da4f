// SPDX-License-Identifier: GPL-2.0-only
/* The only file that knows curses. It shows what was painted, and nothing else. */
#include <curses.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "utf8.h"
#include "util.h"
#include "view_tui.h"

struct tui {
	SCREEN *screen;
	FILE *keys;
	int terminal; /* standard output, which is .. */
	int frame; /* .. this while curses writes; -1: there is none */
	char *bytes; /* what it wrote */
	size_t room;
	bool ascii;
	attr_t look[STYLE_MAX];
	int click_y, click_x;
};

/* ---- what a style looks like ---- */

/* Also without colours it must be seen which is which. */
static const struct look {
	attr_t mono;
	short fore, back; /* -1: that of the terminal */
	attr_t more; /* with a colour */
} looks[STYLE_MAX] = {
	[STYLE_PLAIN] = { A_NORMAL, -1, -1, 0 },
	[STYLE_BOLD] = { A_BOLD, -1, -1, A_BOLD },
	[STYLE_DIM] = { A_DIM, -1, -1, A_DIM },
	[STYLE_TITLE] = { A_REVERSE, COLOR_BLACK, COLOR_GREEN, 0 },
	[STYLE_SORTED] = { A_BOLD | A_UNDERLINE, COLOR_BLACK, COLOR_CYAN, 0 },
	[STYLE_PICKED] = { A_REVERSE, COLOR_BLACK, COLOR_CYAN, 0 },
	[STYLE_MARK] = { A_REVERSE, COLOR_BLACK, COLOR_YELLOW, 0 },
	[STYLE_ALARM] = { A_REVERSE | A_BOLD, COLOR_RED, -1, A_BOLD },
	[STYLE_WASTE] = { A_BOLD, COLOR_YELLOW, -1, A_BOLD },
	[STYLE_KEY] = { A_BOLD, -1, -1, A_BOLD },
	[STYLE_KEY_TEXT] = { A_REVERSE, COLOR_BLACK, COLOR_CYAN, 0 },
	/* unknown, none, task, guest, kernel, offline */
	[STYLE_OWNER] = { A_DIM, COLOR_YELLOW, -1, 0 },
	[STYLE_OWNER + 1] = { A_DIM, -1, -1, A_DIM },
	[STYLE_OWNER + 2] = { A_NORMAL, COLOR_CYAN, -1, 0 },
	[STYLE_OWNER + 3] = { A_BOLD, COLOR_GREEN, -1, A_BOLD },
	[STYLE_OWNER + 4] = { A_UNDERLINE, COLOR_MAGENTA, -1, 0 },
	[STYLE_OWNER + 5] = { A_DIM, -1, -1, A_DIM },
};

static bool colors_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return !no || !*no;
}

static void set_looks(struct tui *t, bool mono)
{
	bool color = !mono && colors_wanted() && has_colors() &&
		     start_color() == OK && use_default_colors() == OK;
	const struct look *l;
	short i;

	for (i = 0; i < STYLE_MAX; i++) {
		l = &looks[i];
		t->look[i] = l->mono;
		if (color && (l->fore >= 0 || l->back >= 0) &&
		    init_pair((short)(i + 1), l->fore, l->back) == OK)
			t->look[i] = COLOR_PAIR(i + 1) | l->more;
	}
}

/* ---- the terminal is given back, whatever happens ---- */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static int terminal = STDOUT_FILENO;
static struct termios before;
static volatile sig_atomic_t has_before;

/* Nothing here but what a signal may do: endwin() is no such thing. */
static void on_crash(int sig)
{
	static const char sane[] = "\033[0m\033[?1000l\033[?25h\033[?1049l\r\n";

	(void)!write(terminal, sane, sizeof(sane) - 1);
	if (has_before)
		tcsetattr(terminal, TCSANOW, &before);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void watch_crashes(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_NODEFER };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &sa, NULL);
}

/* ---- open and close ---- */

static void close_keys(FILE *keys)
{
	if (keys && keys != stdin)
		fclose(keys);
}

static void open_frame(struct tui *t)
{
	t->terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	t->frame = t->terminal < 0 ? -1 : memfd_create("frame", MFD_CLOEXEC);
	if (t->terminal >= 0)
		terminal = t->terminal;
}

static void close_frame(struct tui *t)
{
	terminal = STDOUT_FILENO;
	if (t->terminal >= 0)
		close(t->terminal);
	if (t->frame >= 0)
		close(t->frame);
	free(t->bytes);
}

static void set_modes(const struct tui_opts *opts)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	if (opts->mouse) {
		mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED |
				  BUTTON5_PRESSED,
			  NULL);
		mouseinterval(0);
	}
}

struct tui *tui__open(const struct tui_opts *opts, char *why, size_t len)
{
	FILE *keys = opts->no_input ? fopen("/dev/tty", "re") : stdin;
	const char *term = getenv("TERM");
	struct tui *t;

	if (!keys || !isatty(fileno(keys)) || !isatty(STDOUT_FILENO)) {
		snprintf(why, len, "this is not a terminal");
		close_keys(keys);
		return NULL;
	}
	has_before = !tcgetattr(STDOUT_FILENO, &before);
	t = calloc(1, sizeof(*t));
	if (t) {
		t->keys = keys;
		open_frame(t);
	}
	/* Not initscr(): that one exits if it doesn't know the terminal. */
	if (t)
		t->screen = newterm(NULL, stdout, keys);
	if (!t || !t->screen || !tigetstr("cup")) {
		snprintf(why, len, "terminal type '%s' can't show a screen",
			 term ? term : "");
		tui__close(t);
		return NULL;
	}
	watch_crashes(on_crash);
	set_modes(opts);
	set_looks(t, opts->mono);
	t->ascii = opts->ascii || !utf8__locale();
	return t;
}

void tui__close(struct tui *t)
{
	if (!t)
		return;
	if (t->screen) {
		endwin();
		delscreen(t->screen);
		watch_crashes(SIG_DFL);
	}
	close_keys(t->keys);
	close_frame(t);
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

/* ---- keys ---- */

static int mouse(struct tui *t)
{
	MEVENT e;

	if (getmouse(&e) != OK)
		return TUI_OTHER;
	if (e.bstate & BUTTON4_PRESSED)
		return TUI_UP;
	if (e.bstate & BUTTON5_PRESSED)
		return TUI_DOWN;
	t->click_y = e.y;
	t->click_x = e.x;
	return TUI_CLICK;
}

void tui__click(const struct tui *t, int *y, int *x)
{
	*y = t->click_y;
	*x = t->click_x;
}

int tui__key(struct tui *t)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ KEY_UP, TUI_UP },	    { KEY_DOWN, TUI_DOWN },
		{ KEY_LEFT, TUI_LEFT },	    { KEY_RIGHT, TUI_RIGHT },
		{ KEY_PPAGE, TUI_PAGE_UP }, { KEY_NPAGE, TUI_PAGE_DOWN },
		{ KEY_HOME, TUI_HOME },	    { KEY_END, TUI_END },
		{ KEY_ENTER, TUI_ENTER },   { '\r', TUI_ENTER },
		{ '\n', TUI_ENTER },	    { KEY_BACKSPACE, TUI_BACKSPACE },
		{ '\b', TUI_BACKSPACE },    { 0x7f, TUI_BACKSPACE },
		{ '\t', TUI_TAB },	    { KEY_BTAB, TUI_BACK_TAB },
		{ 0x1b, TUI_ESCAPE },
	};
	int c = getch();
	size_t i;

	if (c == ERR)
		return TUI_NONE;
	if (c == KEY_MOUSE)
		return mouse(t);
	if (c >= KEY_F(1) && c <= KEY_F(10))
		return TUI_F1 + c - KEY_F(1);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].curses == c)
			return keys[i].ours;
	}
	return c < KEY_MIN ? c : TUI_OTHER;
}

/* ---- frames ---- */

void tui__begin(struct tui *t, struct paint *page)
{
	paint__begin(page, LINES, COLS, t->ascii);
}

/*
 * Curses writes each part of a line by itself, and a terminal may draw in between: what
 * it writes is collected, and goes out at once.
 */
static bool collect(struct tui *t)
{
	return t->frame >= 0 && !ftruncate(t->frame, 0) &&
	       !lseek(t->frame, 0, SEEK_SET) &&
	       dup2(t->frame, STDOUT_FILENO) == STDOUT_FILENO;
}

static void put(struct tui *t)
{
	off_t len = lseek(t->frame, 0, SEEK_END), done = 0;
	ssize_t n = 1;
	char *more;

	dup2(t->terminal, STDOUT_FILENO);
	if (len > (off_t)t->room) {
		more = realloc(t->bytes, (size_t)len);
		if (!more)
			return;
		t->bytes = more;
		t->room = (size_t)len;
	}
	if (len <= 0 || pread(t->frame, t->bytes, (size_t)len, 0) != len)
		return;
	for (; done < len && n > 0; done += n)
		n = write(STDOUT_FILENO, t->bytes + done, (size_t)(len - done));
}

void tui__show(struct tui *t, const struct paint *page, bool all)
{
	const struct paint_word *w;
	bool collected;
	size_t i;

	erase();
	for (i = 0; i < page->nr; i++) {
		w = &page->word[i];
		attrset(t->look[w->style]);
		mvaddstr(w->y, w->x, paint__text(page, w));
	}
	attrset(A_NORMAL);
	if (all)
		redrawwin(stdscr);
	wnoutrefresh(stdscr);
	collected = collect(t);
	doupdate();
	if (collected)
		put(t);
}
