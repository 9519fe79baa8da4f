/* SPDX-License-Identifier: GPL-2.0-only */
/* The meta block of a trace, and names: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_META_H
#define FPSTAT_TRACE_META_H

#include <stddef.h>

struct capture;
struct snapshot;

/*
 * About this host and @c, which counts; @command is what was run, or NULL. To be
 * freed; NULL if there is no memory.
 */
char *trace_meta__put(const struct capture *c, const struct snapshot *s,
		      const char *command, size_t *len);

#endif /* FPSTAT_TRACE_META_H */
