// SPDX-License-Identifier: GPL-2.0-only
#include "paint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "util.h"

#define WORD 512 /* bytes at most */

void paint__begin(struct paint *p, int lines, int cols, bool ascii)
{
	p->lines = lines;
	p->cols = cols;
	p->ascii = ascii;
	p->nr = p->len = 0;
	p->failed = false;
}

void paint__free(struct paint *p)
{
	free(p->word);
	free(p->text);
	*p = (struct paint){};
}

static bool make_room(struct paint *p, size_t len)
{
	size_t words = 2 * p->room + 256, bytes = 2 * p->text_room + 4096 + len;
	void *more;

	if (p->nr == p->room) {
		more = reallocarray(p->word, words, sizeof(*p->word));
		if (!more)
			return false;
		p->word = more;
		p->room = words;
	}
	if (p->len + len > p->text_room) {
		more = realloc(p->text, bytes);
		if (!more)
			return false;
		p->text = more;
		p->text_room = bytes;
	}
	return true;
}

/* Puts down what fits; returns its columns. */
static int put(struct pen *pen, enum style style, const char *raw, int width)
{
	struct paint *p = pen->on;
	char text[WORD];
	size_t len;
	int used;

	if (width > pen->end - pen->x)
		width = pen->end - pen->x;
	if (pen->y < 0 || pen->y >= p->lines || width <= 0)
		return 0;
	used = utf8__fit(text, sizeof(text), raw, width);
	len = strlen(text) + 1;
	if (len == 1)
		return 0;
	if (!make_room(p, len)) {
		p->failed = true;
		return 0;
	}
	p->word[p->nr++] = (struct paint_word){ pen->y, pen->x, style, p->len };
	memcpy(p->text + p->len, text, len);
	p->len += len;
	pen->x += used;
	return used;
}

void ink(struct pen *p, enum style style, const char *fmt, ...)
{
	char raw[WORD];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	put(p, style, raw, WORD);
}

/* Is it seen without letters, too? */
static bool has_ground(enum style style)
{
	return style == STYLE_TITLE || style == STYLE_SORTED ||
	       style == STYLE_PICKED || style == STYLE_MARK ||
	       style == STYLE_KEY_TEXT;
}

static void blank(struct pen *p, enum style style, int width)
{
	char text[WORD];

	snprintf(text, sizeof(text), "%*s", width, "");
	put(p, style, text, width);
}

static void pad(struct pen *p, enum style style, int width)
{
	if (width > p->end - p->x)
		width = p->end - p->x;
	if (width > 0 && has_ground(style))
		blank(p, style, width);
	else if (width > 0)
		p->x += width;
}

void ink_field(struct pen *p, enum style style, int width, bool left,
	       const char *text)
{
	int spare = width - utf8__width(text);

	if (!left)
		pad(p, style, spare);
	put(p, style, text, width);
	if (left)
		pad(p, style, spare);
}

void ink_rest(struct pen *p, enum style style)
{
	if (p->x < p->end)
		blank(p, style, p->end - p->x);
}

const char *ink__bar(const struct paint *on, double x, double max)
{
	static const char *const high[] = { "▁", "▂", "▃", "▄",
					    "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { ".", ":", "-", "=",
					     "+", "*", "%", "#" };
	int i;

	if (!(x > 0) || !(max > 0))
		return " ";
	i = (int)(x / max * 8);
	i = i > 7 ? 7 : i;
	return on->ascii ? ascii[i] : high[i];
}

void paint__print(const struct paint *p, FILE *out)
{
	const struct paint_word *w;
	int y = 0, x = 0;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		w = &p->word[i];
		for (; y < w->y; y++, x = 0)
			fputc('\n', out);
		if (!paint__text(p, w)[strspn(paint__text(p, w), " ")])
			continue;
		fprintf(out, "%*s%s", w->x > x ? w->x - x : 0, "",
			paint__text(p, w));
		x = w->x + utf8__width(paint__text(p, w));
	}
	if (x)
		fputc('\n', out);
}
