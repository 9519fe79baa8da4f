/* SPDX-License-Identifier: GPL-2.0-only */
/* The screen: draws what it is given, and says which key was pressed. */
#ifndef FPSTAT_VIEW_TUI_H
#define FPSTAT_VIEW_TUI_H

#include <stdbool.h>
#include <stddef.h>

#include "column.h"
#include "view.h"

/* Keys that are not characters. */
enum tui_key {
	TUI_NONE = -1, /* no key is waiting */
	TUI_UP = 0x1000,
	TUI_DOWN,
	TUI_PAGE_UP,
	TUI_PAGE_DOWN,
	TUI_HOME,
	TUI_END,
	TUI_F1,
	TUI_F10,
	TUI_ENTER,
	TUI_BACKSPACE,
	TUI_OTHER,
};

/* Where in a trace that is. */
struct tui_replay {
	bool stream; /* comes through a pipe: no speed, no way back */
	double t; /* seconds since it began */
	double length; /* 0: not known */
	double speed;
	const char *state; /* "end", or what else there is to say; or NULL */
	bool alarm; /* .. and that is bad */
	uint64_t damaged; /* places of the trace */
	const char *typed; /* of a time to go to; NULL: nobody types */
};

struct tui_frame {
	const struct view *view; /* view->s == NULL: nothing counted yet */
	const struct snapshot *ever; /* the same, since the start */
	const struct table *table; /* sorted */
	const char *host;
	double interval;
	bool frozen;
	const struct tui_replay *replay; /* NULL: it is live */
	size_t first; /* row to begin with */
	/* instead of the table: lines of help, until NULL */
	bool help;
	const char *(*help_line)(size_t i, char *buf, size_t len);
};

struct tui;

/*
 * NULL, and a sentence in @why, if this terminal can't show a screen. @input: keys come
 * from standard input; else that is for something else, and they come from the terminal
 * that the process has.
 */
struct tui *tui__open(bool input, char *why, size_t len);
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
/* One frame, written at once. */
void tui__draw(struct tui *t, const struct tui_frame *f);
/* Rows of vcpus, or lines of help, that fit on the screen. */
size_t tui__page(const struct tui *t);

#endif /* FPSTAT_VIEW_TUI_H */
