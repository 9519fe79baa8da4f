/* SPDX-License-Identifier: GPL-2.0-only */
/* The text in a trace: lines of a word and pairs key=value. See fpstat-trace(5). */
#ifndef FPSTAT_TRACE_TEXT_H
#define FPSTAT_TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- writing; @f collects it, and knows if that failed ---- */

/* A new line about @what. */
void trace_text__line(FILE *f, const char *what);
void trace_text__str(FILE *f, const char *key, const char *value);
void trace_text__num(FILE *f, const char *key, uint64_t n);
/*
 * Ends and closes what open_memstream() collects in @text. Returns it, or NULL if
 * there was no memory.
 */
char *trace_text__end(FILE *f, char **text);

/* ---- reading ---- */

struct trace_span {
	const char *at;
	const char *end;
};

struct trace_pair {
	struct trace_span key;
	struct trace_span value; /* as it was written */
};

/* Takes the next line off @text, and its first word off that. */
bool trace_text__next(struct trace_span *text, struct trace_span *line,
		      struct trace_span *what);
/* Takes the next pair off @line; what is none is passed over. */
bool trace_text__pair(struct trace_span *line, struct trace_pair *p);
bool trace_text__is(struct trace_span s, const char *word);

/*
 * The value, cleaned so that it may be printed, and cut to @len bytes: whoever
 * wrote it may be hostile.
 */
void trace_text__value(const struct trace_pair *p, char *value, size_t len);
/* False if it is no number. */
bool trace_text__u64(const struct trace_pair *p, uint64_t *n);

#endif /* FPSTAT_TRACE_TEXT_H */
