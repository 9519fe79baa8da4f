// SPDX-License-Identifier: GPL-2.0-only
#include "top.h"
#include "util.h"
#include "view_tui.h"

static void quit(struct top_state *t)
{
	t->quit = true;
}

static void help(struct top_state *t)
{
	t->help = !t->help;
	t->first = 0;
}

static void freeze(struct top_state *t)
{
	t->frozen = !t->frozen;
}

static void reverse(struct top_state *t)
{
	t->reverse = !t->reverse;
}

static void sort_left(struct top_state *t)
{
	t->sort = t->sort == columns ? &columns[nr_columns - 1] : t->sort - 1;
}

static void sort_right(struct top_state *t)
{
	t->sort = t->sort == &columns[nr_columns - 1] ? columns : t->sort + 1;
}

static const double intervals[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 };

static void slower(struct top_state *t)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		if (intervals[i] > t->interval) {
			t->interval = intervals[i];
			return;
		}
	}
}

static void faster(struct top_state *t)
{
	size_t i;

	for (i = ARRAY_SIZE(intervals); i-- > 0;) {
		if (intervals[i] < t->interval) {
			t->interval = intervals[i];
			return;
		}
	}
}

static void up(struct top_state *t)
{
	t->first -= t->first > 0;
}

static void down(struct top_state *t)
{
	t->first++;
}

static void page_up(struct top_state *t)
{
	t->first = sat_sub(t->first, t->page);
}

static void page_down(struct top_state *t)
{
	t->first += t->page;
}

static void home(struct top_state *t)
{
	t->first = 0;
}

static void end(struct top_state *t)
{
	t->first = t->nr;
}

#define CTRL(c) ((c)&0x1f)

static const struct top_key keys[] = {
	{ "q, F10, Ctrl-C", { 'q', TUI_F10, CTRL('c') }, quit, "quit" },
	{ "h, ?, F1", { 'h', '?', TUI_F1 }, help, "this help, and back" },
	{ "space", { ' ' }, freeze, "freeze the numbers, and go on" },
	{ "<", { '<' }, sort_left, "sort by the column to the left" },
	{ ">", { '>' }, sort_right, "sort by the column to the right" },
	{ "r", { 'r' }, reverse, "reverse the order" },
	{ "+", { '+' }, slower, "a longer interval" },
	{ "-", { '-' }, faster, "a shorter interval" },
	{ "up", { TUI_UP, 'k' }, up, "scroll" },
	{ "down", { TUI_DOWN, 'j' }, down, "scroll" },
	{ "PgUp", { TUI_PAGE_UP }, page_up, "scroll by a screen" },
	{ "PgDn", { TUI_PAGE_DOWN }, page_down, "scroll by a screen" },
	{ "Home", { TUI_HOME }, home, "to the first row" },
	{ "End", { TUI_END }, end, "to the last row" },
};

static bool press(const struct top_key *k, size_t nr, struct top_state *t,
		  int key)
{
	size_t i, j;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < ARRAY_SIZE(k[i].key); j++) {
			if (k[i].key[j] && k[i].key[j] == key) {
				k[i].action(t);
				return true;
			}
		}
	}
	return false;
}

bool top_key__press(struct top_state *t, int key)
{
	const struct column *c = column__by_key(key);

	if (t->replay.typing && key != CTRL('c')) {
		top_key__type(t, key);
		return true;
	}
	if (c) {
		t->sort = c;
		return true;
	}
	return press(keys, ARRAY_SIZE(keys), t, key) ||
	       (t->replay.on &&
		press(top_keys_replay, nr_top_keys_replay, t, key));
}

static size_t help_lines(void)
{
	return ARRAY_SIZE(keys) + nr_top_keys_replay + nr_columns + 5;
}

static const char *help_line(const struct top_key *k, char *buf, size_t len)
{
	snprintf(buf, len, "  %-16s %s", k->name, k->help);
	return buf;
}

void top_key__clamp(struct top_state *t)
{
	size_t nr = t->help ? help_lines() : t->nr;
	size_t max = sat_sub(nr, t->page);

	if (t->first > max)
		t->first = max;
}

/*
 * Keys, an empty line, those of a replay, an empty line, then columns with the letters
 * that sort by them.
 */
const char *top_key__help(size_t i, char *buf, size_t len)
{
	const struct column *c;

	if (i == 0)
		return "Keys:";
	i--;
	if (i < ARRAY_SIZE(keys))
		return help_line(&keys[i], buf, len);
	i -= ARRAY_SIZE(keys);
	if (i < 2)
		return i ? "In the replay of a trace also:" : "";
	i -= 2;
	if (i < nr_top_keys_replay)
		return help_line(&top_keys_replay[i], buf, len);
	i -= nr_top_keys_replay;
	if (i < 2)
		return i ? "Columns, and the key that sorts by each:" : "";
	i -= 2;
	if (i >= nr_columns)
		return NULL;
	c = &columns[i];
	snprintf(buf, len, "  %c  %-10s %-7s %s", c->key, c->id,
		 column__title(c, true), c->help);
	return buf;
}

void top_key__print_help(FILE *out)
{
	char buf[256];
	const char *line;
	size_t i;

	fputc('\n', out);
	for (i = 0; (line = top_key__help(i, buf, sizeof(buf))); i++)
		fprintf(out, "%s\n", line);
}
