// SPDX-License-Identifier: GPL-2.0-only
#include "trace_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define VALUE 4096 /* bytes of one that are looked at */

void trace_text__line(FILE *f, const char *what)
{
	if (ftell(f) > 0)
		fputc('\n', f);
	fputs(what, f);
}

static bool must_escape(unsigned char c)
{
	return c <= ' ' || c == 0x7f || c == '\\';
}

void trace_text__str(FILE *f, const char *key, const char *value)
{
	fprintf(f, " %s=", key);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (must_escape(c))
			fprintf(f, "\\%03o", c);
		else
			fputc(c, f);
	}
}

void trace_text__num(FILE *f, const char *key, uint64_t n)
{
	fprintf(f, " %s=%" PRIu64, key, n);
}

char *trace_text__end(FILE *f, char **text)
{
	bool bad;

	fputc('\n', f);
	bad = ferror(f);
	if (!fclose(f) && !bad)
		return *text;
	free(*text);
	return NULL;
}

/* Takes what is before the next @c off @from, and that, too. */
static struct trace_span take_to(struct trace_span *from, char c)
{
	size_t left = (size_t)(from->end - from->at);
	const char *found = memchr(from->at, c, left);
	struct trace_span taken = { from->at, found ? found : from->end };

	from->at = found ? found + 1 : from->end;
	return taken;
}

bool trace_text__next(struct trace_span *text, struct trace_span *line,
		      struct trace_span *what)
{
	if (text->at == text->end)
		return false;
	*line = take_to(text, '\n');
	*what = take_to(line, ' ');
	return true;
}

bool trace_text__pair(struct trace_span *line, struct trace_pair *p)
{
	while (line->at != line->end) {
		p->value = take_to(line, ' ');
		p->key = take_to(&p->value, '=');
		if (p->value.at != p->key.end)
			return true;
	}
	return false;
}

bool trace_text__is(struct trace_span s, const char *word)
{
	size_t len = (size_t)(s.end - s.at);

	return strlen(word) == len && !memcmp(s.at, word, len);
}

/* Three octal digits. Returns the character, or -1. */
static int octal(const char *at, const char *end)
{
	int i, c = 0;

	if (end - at < 3)
		return -1;
	for (i = 0; i < 3; i++) {
		if (at[i] < '0' || at[i] > '7')
			return -1;
		c = 8 * c + at[i] - '0';
	}
	return c > 255 ? -1 : c;
}

void trace_text__value(const struct trace_pair *p, char *value, size_t len)
{
	const char *at = p->value.at, *end = p->value.end;
	char plain[VALUE];
	size_t n = 0;
	int c;

	while (at < end && n < sizeof(plain)) {
		c = *at == '\\' ? octal(at + 1, end) : -1;
		plain[n++] = c < 0 ? *at : (char)c;
		at += c < 0 ? 1 : 4;
	}
	utf8__clean(value, len, plain, n);
}

bool trace_text__u64(const struct trace_pair *p, uint64_t *n)
{
	const char *at;

	*n = 0;
	for (at = p->value.at; at < p->value.end; at++) {
		if (*at < '0' || *at > '9' || *n > UINT64_MAX / 10 ||
		    10 * *n > UINT64_MAX - (uint64_t)(*at - '0'))
			return false;
		*n = 10 * *n + (uint64_t)(*at - '0');
	}
	return at != p->value.at;
}
