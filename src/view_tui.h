/* SPDX-License-Identifier: GPL-2.0-only */
/* The screen: shows what was painted, and says which key was pressed. */
#ifndef FPSTAT_VIEW_TUI_H
#define FPSTAT_VIEW_TUI_H

#include <stdbool.h>
#include <stddef.h>

#include "paint.h"

/* Keys that are not characters. */
enum tui_key {
	TUI_NONE = -1, /* no key is waiting */
	TUI_UP = 0x110000, /* after the last of Unicode */
	TUI_DOWN,
	TUI_LEFT,
	TUI_RIGHT,
	TUI_PAGE_UP,
	TUI_PAGE_DOWN,
	TUI_HOME,
	TUI_END,
	TUI_F1,
	TUI_F2,
	TUI_F3,
	TUI_F4,
	TUI_F5,
	TUI_F6,
	TUI_F7,
	TUI_F8,
	TUI_F9,
	TUI_F10,
	TUI_ENTER,
	TUI_BACKSPACE,
	TUI_TAB,
	TUI_BACK_TAB,
	TUI_ESCAPE,
	TUI_CLICK, /* see tui__click() */
	TUI_OTHER,
};

struct tui_opts {
	bool no_input; /* standard input is for something else than keys */
	bool mono;
	bool ascii;
	bool mouse;
};

struct tui;

/*
 * NULL, and a sentence in @why, if this terminal can't show a screen. Keys come from
 * standard input, or else from the terminal that the process has.
 */
struct tui *tui__open(const struct tui_opts *opts, char *why, size_t len);
/* Where keys come from: to wait for them. */
int tui__fd(const struct tui *t);
/* Leaves the terminal as it was. NULL is fine. */
void tui__close(struct tui *t);
/* The terminal as it was for a while, and back: for job control. */
void tui__pause(struct tui *t);
void tui__resume(struct tui *t);
/* The size may have changed. */
void tui__resize(struct tui *t);
int tui__key(struct tui *t);
/* Where TUI_CLICK was. */
void tui__click(const struct tui *t, int *y, int *x);
/* An empty page of the size of the screen. */
void tui__begin(struct tui *t, struct paint *page);
/*
 * Shows it, with one write, and only what has changed. @all: somebody else may have
 * written to the terminal.
 */
void tui__show(struct tui *t, const struct paint *page, bool all);

#endif /* FPSTAT_VIEW_TUI_H */
