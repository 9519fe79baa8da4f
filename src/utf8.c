// SPDX-License-Identifier: GPL-2.0-only
#include <langinfo.h>
#include <string.h>
#include <wchar.h>

#include "utf8.h"

static int32_t tail(const char *s, size_t n, size_t *len, int32_t lead,
		    size_t more, int32_t least)
{
	int32_t cp = lead;
	size_t i;

	for (i = 1; i <= more; i++) {
		if (i >= n || ((unsigned char)s[i] & 0xc0) != 0x80)
			return -1;
		cp = cp << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return -1;
	*len = more + 1;
	return cp;
}

int32_t utf8__next(const char *s, size_t n, size_t *len)
{
	unsigned char c = (unsigned char)s[0];

	*len = 1; /* of garbage: one byte, and try again */
	if (c < 0x80)
		return c;
	if ((c & 0xe0) == 0xc0)
		return tail(s, n, len, c & 0x1f, 1, 0x80);
	if ((c & 0xf0) == 0xe0)
		return tail(s, n, len, c & 0x0f, 2, 0x800);
	if ((c & 0xf8) == 0xf0)
		return tail(s, n, len, c & 0x07, 3, 0x10000);
	return -1;
}

static bool harmless(int32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return false; /* C0, DEL, C1, not a character */
	if (cp >= 0x200b && cp <= 0x200f)
		return false; /* zero width, direction marks */
	if (cp >= 0x2028 && cp <= 0x202e)
		return false; /* line separators, direction overrides */
	if (cp >= 0x2060 && cp <= 0x206f)
		return false; /* invisible, direction isolates */
	return cp != 0x061c && cp != 0xfeff && cp < 0xe0000;
}

void utf8__clean(char *dst, size_t len, const char *src, size_t n)
{
	size_t out = 0, step;
	int32_t cp;

	if (!len)
		return;
	for (; n && *src; src += step, n -= step) {
		cp = utf8__next(src, n, &step);
		if (!harmless(cp)) {
			if (out + 1 >= len)
				break;
			dst[out++] = '?';
			continue;
		}
		if (out + step >= len)
			break;
		memcpy(dst + out, src, step);
		out += step;
	}
	dst[out] = '\0';
}

bool utf8__locale(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Columns of one character here; -1: can't be shown, draw a '?'. */
static int columns(int32_t cp)
{
	if (cp >= 0x20 && cp < 0x7f)
		return 1;
	if (cp < 0xa0 || !utf8__locale())
		return -1;
	return wcwidth((wchar_t)cp);
}

int utf8__width(const char *s)
{
	size_t n = strlen(s), step;
	int used = 0, w;

	for (; n; s += step, n -= step) {
		w = columns(utf8__next(s, n, &step));
		used += w < 0 ? 1 : w;
	}
	return used;
}

int utf8__fit(char *dst, size_t len, const char *s, int width)
{
	size_t n = strlen(s), step, out = 0, put;
	int used = 0, w;

	for (; n; s += step, n -= step) {
		w = columns(utf8__next(s, n, &step));
		put = w < 0 ? 1 : step;
		if (used + (w < 0 ? 1 : w) > width || out + put >= len)
			break;
		memcpy(dst + out, w < 0 ? "?" : s, put);
		out += put;
		used += w < 0 ? 1 : w;
	}
	if (len)
		dst[out] = '\0';
	return used;
}
