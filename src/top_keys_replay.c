// SPDX-License-Identifier: GPL-2.0-only
/* Keys that a replay has beside those of all screens. */
#include <math.h>

#include "top.h"

#define SLOWEST (1 / 64.0)
#define FASTEST 4096.0

static void step(struct top_state *t)
{
	t->wish.step = true;
	t->frozen = true;
}

static void event(struct top_state *t)
{
	t->wish.event = true;
	t->frozen = true;
}

static void slower(struct top_state *t)
{
	if (t->speed > SLOWEST)
		t->speed /= 2;
}

static void faster(struct top_state *t)
{
	if (t->speed < FASTEST)
		t->speed *= 2;
}

static void to_end(struct top_state *t)
{
	t->wish.jump = true;
	t->wish.to = INFINITY;
}

static void ask_time(struct top_state *t)
{
	top_prompt__open(t, PROMPT_TIME);
}

const struct top_key top_keys_replay[] = {
	{ "n, .", { 'n', '.' }, step, "the next interval, and pause" },
	{ "v", { 'v' }, event, "up to the next event, and pause" },
	{ "]", { ']' }, faster, "twice as fast" },
	{ "[", { '[' }, slower, "half as fast" },
	{ "g", { 'g' }, ask_time, "go to a time: type seconds, or h:mm:ss" },
	{ "e", { 'e' }, to_end, "go to the end" },
	{},
};
