/* SPDX-License-Identifier: GPL-2.0-only */
/* What fpstat top shares with its replay of a trace, and with its stream. */
#ifndef FPSTAT_CMD_TOP_H
#define FPSTAT_CMD_TOP_H

#include <stdbool.h>

#include "cost.h"
#include "loop.h"
#include "playback.h"
#include "session.h"
#include "top.h"
#include "top_history.h"
#include "view_tui.h"

struct top_config {
	bool batch;
	double interval;
	unsigned long count;
	const char *sort;
	bool reverse;
	const char *read; /* NULL: live */
	unsigned long section; /* of a merged one */
	const char *view;
	const char *filter;
	bool stream;
	double budget; /* see struct capture_opts */
	bool ascii, mono, mouse;
};

/*
 * A second capture, which follows each event: only while somebody looks at what it
 * tells, or a trace is recorded. The first one goes on counting.
 */
struct top_stream {
	bool open;
	struct session ses;
	struct flow *flow;
	struct recorder *recorder; /* what happened last, in memory */
	struct cost *cost;
	double budget;
	double counted; /* when counters went there */
	double began; /* the capture */
	uint64_t lost; /* records, as told in the last interval */
	bool recording;
	char file[64];
	char why[256]; /* why it is not open */
};

struct top {
	const struct top_config *cfg;
	struct session ses; /* live .. */
	struct playback play; /* .. or not */
	struct top_stream stream;
	struct cost cost;
	struct loop *loop;
	struct tui *tui; /* NULL: batch */
	struct top_state state;
	struct table table;
	struct paint page;
	struct history history;
	struct view view; /* view.s is NULL before the first look */
	struct snapshot zero; /* where all begins .. */
	bool zeroed;
	struct snapshot since; /* .. and what came since */
	struct top_shown shown;
	char host[65];
	unsigned long looks;
	int timer;
	int code;

	/* of a replay: */
	int input; /* the pipe, as loop__watch() calls it; or negative */
	int err; /* why it can't be read on */
	struct flow *flow;
	struct top_replay replay;
	char says[32]; /* what replay.state points to */
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
/* Brings t->replay up to date. */
void top_replay__describe(struct top *t);

/* Draws what there is. */
void top__draw(struct top *t);
/* The same on paper. */
void top__print(struct top *t);
/* There are new numbers in t->view. */
void top__look(struct top *t);

/* Opens or closes it, as the view wants. */
void top_stream__want(struct top_stream *s, bool wanted);
/* Reads what came; to be called as often as session__tick(). 0, or an exit code. */
int top_stream__tick(struct top_stream *s);
/* A trace starts, or ends: @says tells. */
void top_stream__record(struct top_stream *s, char *says, size_t len);
/* Begins anew. */
void top_stream__zero(struct top_stream *s);
/* What was not written yet is written now. */
void top_stream__close(struct top_stream *s, char *says, size_t len);

/* The settings of the last time, if they were saved; @says gets what is wrong. */
void top_config__load(struct top_state *st, char *says, size_t len);
/* Saves them; @says gets where, or why not. */
void top_config__save(const struct top_state *st, char *says, size_t len);

#endif /* FPSTAT_CMD_TOP_H */
