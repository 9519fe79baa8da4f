/* SPDX-License-Identifier: GPL-2.0-only */
/* Small things that everybody may use; they depend on libc only. */
#ifndef FPSTAT_UTIL_H
#define FPSTAT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Prints "fpstat: ", the message and a newline to stderr. */
void fps_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of CLOCK_MONOTONIC. */
double fps_clock(void);

/*
 * One of the counters that capture goes on adding to: 64 bits, of whichever type.
 * What was added before this one is seen by the loads after it.
 */
static inline uint64_t counter__read(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* a - b, but never below 0: counters may vanish, numbers may not explode. */
static inline uint64_t sat_sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * Reads a small file whole, NUL-terminated, at most @len - 1 bytes. Returns
 * the number of bytes, or a negative errno (then @buf is "").
 */
long fps_read_file(const char *path, char *buf, size_t len);

/* Is it a regular file, and no pipe, device or the like? */
bool fps_is_file(int fd);

/* What messages call the file to be read: "-" is standard input. */
const char *fps_input(const char *path);

/* "a" and "b" become "a, b", as far as there is room in @len bytes. */
void fps_append(char *list, size_t len, const char *word);

#endif /* FPSTAT_UTIL_H */
