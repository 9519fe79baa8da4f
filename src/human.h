/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for people: two or three digits, and a unit. */
#ifndef FPSTAT_HUMAN_H
#define FPSTAT_HUMAN_H

#include <stddef.h>
#include <stdint.h>

/* "1.9k", "0.2-1.9k": units of 1000. */
void human__count(char *out, size_t len, uint64_t lo, uint64_t hi);
/* "520", "1.9M", "0.5-1.9M", "520-1.9M": units of 1024. */
void human__bytes(char *out, size_t len, uint64_t lo, uint64_t hi);
/* "20ns", "1.2ms", "0.9-1.2ms". */
void human__ns(char *out, size_t len, uint64_t lo, uint64_t hi);

#endif /* FPSTAT_HUMAN_H */
