// SPDX-License-Identifier: GPL-2.0-only
/* Keys that a replay has beside those of all screens. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"
#include "util.h"
#include "view_tui.h"

#define SLOWEST (1 / 64.0)
#define FASTEST 4096.0
#define ESC 0x1b

static void step(struct top_state *t)
{
	t->replay.step = true;
	t->frozen = true;
}

static void slower(struct top_state *t)
{
	if (t->replay.speed > SLOWEST)
		t->replay.speed /= 2;
}

static void faster(struct top_state *t)
{
	if (t->replay.speed < FASTEST)
		t->replay.speed *= 2;
}

static void jump(struct top_state *t, double to)
{
	t->replay.jump = true;
	t->replay.to = to;
}

static void to_end(struct top_state *t)
{
	jump(t, INFINITY);
}

static void ask_time(struct top_state *t)
{
	t->replay.typing = true;
	t->replay.typed[0] = '\0';
}

const struct top_key top_keys_replay[] = {
	{ "n, .", { 'n', '.' }, step, "the next interval, and pause" },
	{ "]", { ']' }, faster, "twice as fast" },
	{ "[", { '[' }, slower, "half as fast" },
	{ "g", { 'g' }, ask_time, "go to a time: type seconds, or h:mm:ss" },
	{ "e", { 'e' }, to_end, "go to the end" },
};

const size_t nr_top_keys_replay = ARRAY_SIZE(top_keys_replay);

/* Seconds, m:ss or h:mm:ss; negative: none of these. */
static double parse_time(const char *text)
{
	double t = 0;
	char *end;

	for (;; text = end + 1) {
		if (!isdigit((unsigned char)*text))
			return -1;
		t = 60 * t + strtod(text, &end);
		if (*end != ':')
			return *end ? -1 : t;
	}
}

static void type(char *text, size_t room, int key)
{
	size_t len = strlen(text);

	if (key == TUI_BACKSPACE && len) {
		text[len - 1] = '\0';
	} else if (key > 0 && key < 128 && strchr("0123456789.:", key) &&
		   len + 1 < room) {
		text[len] = (char)key;
		text[len + 1] = '\0';
	}
}

void top_key__type(struct top_state *t, int key)
{
	struct top_replay *r = &t->replay;
	double to;

	if (key == TUI_ENTER) {
		to = parse_time(r->typed);
		if (to >= 0)
			jump(t, to);
	}
	if (key == TUI_ENTER || key == ESC)
		r->typing = false;
	else
		type(r->typed, sizeof(r->typed), key);
}
