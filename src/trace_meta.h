/* SPDX-License-Identifier: GPL-2.0-only */
/* The meta block of a trace, and names: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_META_H
#define FPSTAT_TRACE_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture;
struct cost;
struct snapshot;

/* What a trace begins with. */
struct trace_meta {
	const struct capture *capture; /* which counts */
	const struct snapshot *host;
	const struct cost *cost; /* of a transfer on this machine */
	const char *command; /* what was run, or NULL */
	uint64_t begin; /* when, ns of CLOCK_MONOTONIC */
	unsigned int part; /* 0: the first */
	uint64_t number; /* of the capture, in all its parts; 0: it has none */
	bool middle; /* the capture was under way: its counters come first */
};

/* To be freed; NULL if there is no memory. */
char *trace_meta__put(const struct trace_meta *m, size_t *len);
/* From @text, of such a block. What @cost says may stand in @why. */
void trace_meta__cost(const char *text, size_t len, struct cost *cost,
		      char *why, size_t why_len);
/* Of pairs "name=number" on the line about @what: the first, or @missing. */
uint64_t trace_meta__num(const char *text, size_t len, const char *what,
			 const char *name, uint64_t missing);
/* The same of text; "" if there is none. */
void trace_meta__str(const char *text, size_t len, const char *what,
		     const char *name, char *value, size_t value_len);

#endif /* FPSTAT_TRACE_META_H */
