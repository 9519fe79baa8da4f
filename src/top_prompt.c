// SPDX-License-Identifier: GPL-2.0-only
/* The last line of the screen, when it asks for words. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"
#include "view_tui.h"

void top_prompt__open(struct top_state *t, enum top_prompt which)
{
	t->prompt = which;
	t->typed[0] = '\0';
	if (which == PROMPT_FILTER)
		strcpy(t->typed, top_state__pane(t)->filter);
}

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

static bool is_good(const struct top_state *t, int key)
{
	if (t->prompt == PROMPT_TIME)
		return key > 0 && key < 127 && strchr("0123456789.:", key);
	return key >= ' ' && key < 127;
}

static void edit(struct top_state *t, int key)
{
	size_t len = strlen(t->typed);

	if (key == TUI_BACKSPACE && len) {
		t->typed[len - 1] = '\0';
	} else if (is_good(t, key) && len + 1 < sizeof(t->typed)) {
		t->typed[len] = (char)key;
		t->typed[len + 1] = '\0';
	}
}

static void look_for(struct top_state *t, size_t from)
{
	strcpy(t->sought, t->typed);
	top_state__pane(t)->at += from;
	t->search = true;
}

/* A filter and a search are seen while they are typed. */
static void apply(struct top_state *t, int key)
{
	if (t->prompt == PROMPT_FILTER)
		strcpy(top_state__pane(t)->filter, t->typed);
	else if (t->prompt == PROMPT_SEARCH)
		look_for(t, key == TUI_F3);
}

static void finish(struct top_state *t, bool good)
{
	double to;

	if (t->prompt == PROMPT_TIME && good) {
		to = parse_time(t->typed);
		t->wish.jump = to >= 0;
		t->wish.to = to;
	} else if (t->prompt == PROMPT_FILTER && !good) {
		top_state__pane(t)->filter[0] = '\0';
	}
	t->prompt = PROMPT_NONE;
}

void top_prompt__type(struct top_state *t, int key)
{
	if (key == TUI_ENTER || key == TUI_ESCAPE) {
		finish(t, key == TUI_ENTER);
		return;
	}
	edit(t, key);
	apply(t, key);
}
