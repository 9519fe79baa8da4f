/* SPDX-License-Identifier: GPL-2.0-only */
/* What fpstat top shares with its replay of a trace. */
#ifndef FPSTAT_CMD_TOP_H
#define FPSTAT_CMD_TOP_H

#include <stdbool.h>

#include "loop.h"
#include "playback.h"
#include "session.h"
#include "top.h"
#include "view_tui.h"

struct top_config {
	bool batch;
	double interval;
	unsigned long count;
	const char *sort;
	bool reverse;
	const char *read; /* NULL: live */
	unsigned long section; /* of a merged one */
};

struct top {
	const struct top_config *cfg;
	struct session ses; /* live .. */
	struct playback play; /* .. or not */
	struct loop *loop;
	struct tui *tui; /* NULL: batch */
	struct top_state state;
	struct table table;
	struct view view; /* view.s is NULL before the first look */
	char host[65];
	unsigned long looks;
	int timer;
	int code;

	/* of a replay: */
	int input; /* the pipe, as loop__watch() calls it; or negative */
	int err; /* why it can't be read on */
	struct tui_replay shown;
	char says[32]; /* what shown.state points to */
};

/* All of these: 0, or an exit code after one sentence. */
int top_replay__open(struct top *t);
/* Puts into the loop what it needs; 0 or a negative errno. */
int top_replay__start(struct top *t);
/* Without a screen, all at once. */
int top_replay__print(struct top *t);
/* When the screen has gone: says what was wrong with the trace. */
int top_replay__end(struct top *t);
/* Does what keys have asked for. */
void top_replay__obey(struct top *t);
/* Brings t->shown up to date. */
void top_replay__describe(struct top *t);

/* Draws what there is. */
void top__draw(struct top *t);
/* There are new numbers in t->view. */
void top__look(struct top *t);

#endif /* FPSTAT_CMD_TOP_H */
