/* SPDX-License-Identifier: GPL-2.0-only */
/* The reading end of the stream: a ring that the programs of all CPUs fill. */
#ifndef FPSTAT_STREAM_READER_H
#define FPSTAT_STREAM_READER_H

#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/stream.h"

struct stream;

/* @fd: of the map. NULL on failure, with errno. stream__free(NULL) is fine. */
struct stream *stream__new(int fd, unsigned int cpus);
void stream__free(struct stream *s);

/* See capture__drain(). */
int stream__drain(struct stream *s,
		  int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx);
/*
 * What the next record of @cpu would tell of exits and of loss, as a record now;
 * the next one tells the rest.
 */
struct fp_rec stream__rest(struct stream *s, unsigned int cpu,
			   const struct fp_percpu *c);

#endif /* FPSTAT_STREAM_READER_H */
