/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that others chose: names of guests and processes. It is cleaned once,
 * where it comes in, and measured where it goes out.
 */
#ifndef FPSTAT_UTF8_H
#define FPSTAT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first character of the @n > 0 bytes at @s: its code point, or -1 if they
 * are not UTF-8. @len gets the number of bytes to step over.
 */
int32_t utf8__next(const char *s, size_t n, size_t *len);

/*
 * Copies @n bytes to @dst (@len bytes, always terminated, cut between
 * characters). What could drive a terminal or fool a reader becomes '?':
 * C0, DEL, C1, line separators, text direction, invalid UTF-8.
 */
void utf8__clean(char *dst, size_t len, const char *src, size_t n);

/* Does the locale that main() has set print UTF-8? */
bool utf8__locale(void);

/* Columns that @s takes on the terminal. */
int utf8__width(const char *s);

/*
 * Copies the first @width columns of @s; what the locale cannot print becomes
 * '?'. Returns the columns used.
 */
int utf8__fit(char *dst, size_t len, const char *s, int width);

#endif /* FPSTAT_UTF8_H */
