/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A screen before it is one: styled words, and where they are. Whoever shows it knows
 * what a style looks like there, on a terminal or on paper.
 */
#ifndef FPSTAT_PAINT_H
#define FPSTAT_PAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_TITLE,
	STYLE_SORTED, /* the title that is sorted by */
	STYLE_PICKED,
	STYLE_MARK, /* a state that one should not forget */
	STYLE_ALARM,
	STYLE_WASTE,
	STYLE_KEY, /* in the last line: a key, and what it does .. */
	STYLE_KEY_TEXT,
	/* of enum snap_owner, in its order */
	STYLE_OWNER,
	STYLE_OWNERS = STYLE_OWNER + 6,
	STYLE_MAX = STYLE_OWNERS
};

struct paint_word {
	int y, x;
	enum style style;
	size_t text; /* in .text */
};

struct paint {
	int lines, cols;
	bool ascii; /* only that */
	struct paint_word *word;
	size_t nr, room;
	char *text;
	size_t len, text_room;
	bool failed; /* no memory: what is there is not all */
};

/* @p starts zeroed, and may be used again. */
void paint__begin(struct paint *p, int lines, int cols, bool ascii);
void paint__free(struct paint *p);
static inline const char *paint__text(const struct paint *p,
				      const struct paint_word *w)
{
	return p->text + w->text;
}

/* Where the next words go, up to @end. */
struct pen {
	struct paint *on;
	int y, x;
	int end;
};

static inline struct pen pen__at(struct paint *on, int y, int x)
{
	return (struct pen){ on, y, x, on->cols };
}

/* Cut where the pen ends. */
void ink(struct pen *p, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same in @width columns, to the left or to the right of them. */
void ink_field(struct pen *p, enum style style, int width, bool left,
	       const char *text);
/* To the end of the line. */
void ink_rest(struct pen *p, enum style style);
/* How high @x of @max is, in one column. */
const char *ink__bar(const struct paint *on, double x, double max);

/* On paper: no styles, and no spaces at the end of a line. */
void paint__print(const struct paint *p, FILE *out);

#endif /* FPSTAT_PAINT_H */
