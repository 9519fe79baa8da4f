/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes and times as people write them: a number from 1 up, and a unit. */
#ifndef FPSTAT_UNITS_H
#define FPSTAT_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* "64K", "10M", "1G", "2T": units of 1024. False if it is none, or too large. */
bool units__bytes(const char *text, uint64_t *bytes);
/* "30s", "5m", "1h", "7d". */
bool units__ns(const char *text, uint64_t *ns);

#endif /* FPSTAT_UNITS_H */
