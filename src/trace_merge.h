/* SPDX-License-Identifier: GPL-2.0-only */
/* Traces as sections of one: see fpstat-merge(8), fpstat-trace(5). */
#ifndef FPSTAT_TRACE_MERGE_H
#define FPSTAT_TRACE_MERGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trace_reader.h"

#define TRACE_SECTIONS 65535 /* at most */

/* A trace, or a section of one that was merged before. */
struct trace_part {
	const char *path; /* not owned */
	uint64_t start; /* in that file .. */
	uint64_t bytes; /* .. are so many */
	char host[72];
	uint64_t realtime, monotonic; /* when it began, ns; 0: not known */
	uint64_t capture, number; /* which part of which; 0: of none */
	uint64_t parts; /* so many are in it, one after the other */
	uint64_t records; /* those that can be read: .. */
	uint64_t first, last; /* .. their times, ns of the second clock */
	struct trace_health health;
	unsigned int missing; /* sections before it, or after it, in that file */
	/* Its number, once it has its place; consecutive parts are one section. */
	unsigned int section;
	uint64_t group; /* when the first part of its host began */
};

struct trace_parts {
	struct trace_part *part; /* owned */
	size_t nr, room;
	unsigned int
		sections; /* with those that are missing: so they stay missing */
};

void trace_parts__free(struct trace_parts *p);
/*
 * Reads the file at @path to its end, and adds what is in it; @path must live on.
 * Returns 0, or a negative errno and one sentence in @why.
 */
int trace_parts__add(struct trace_parts *p, const char *path, char *why,
		     size_t len);
/*
 * Host by host, the one that began first before the others, and the parts of each
 * in order of time.
 */
void trace_parts__sort(struct trace_parts *p);
/*
 * Two that have records of the same capture from the same time: these would count
 * twice. NULL if there are none; else the first of them, and @other. It sorts in a
 * way of its own.
 */
const struct trace_part *trace_parts__twice(struct trace_parts *p,
					    const struct trace_part **other);
/*
 * Appends @part to @out, damage and all; @more follow. Returns 0, or a negative
 * errno if it can't be read (any more); ferror() tells of @out.
 */
int trace_part__copy(const struct trace_part *part, bool more, FILE *out);

#endif /* FPSTAT_TRACE_MERGE_H */
