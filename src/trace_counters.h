/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot as text, for the counters blocks of a trace. */
#ifndef FPSTAT_TRACE_COUNTERS_H
#define FPSTAT_TRACE_COUNTERS_H

#include <stddef.h>

struct snapshot;

/* One after the other; to be freed; NULL if there is no memory. */
char *trace_counters__put(const struct snapshot *const s[], int nr,
			  size_t *len);
/* Where the second one begins; @len if there is none. */
size_t trace_counters__second(const char *text, size_t len);
/*
 * Also takes what a meta block says of the host, with no counters. Returns 0,
 * -EBADMSG or -ENOMEM. On success snapshot__free() releases what @s owns, on
 * failure it is empty.
 */
int trace_counters__get(struct snapshot *s, const char *text, size_t len);

#endif /* FPSTAT_TRACE_COUNTERS_H */
