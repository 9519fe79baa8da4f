/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a trace, block by block: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_WRITER_H
#define FPSTAT_TRACE_WRITER_H

#include <stddef.h>
#include <linux/types.h>

#include "fpstat/stream.h"
#include "trace_block.h"

struct trace_ring;
struct trace_writer;

/*
 * To @fd, from its present position on; it stays the caller's, and so may be a
 * pipe. NULL if there is no memory. trace_writer__free(NULL) is fine.
 */
struct trace_writer *trace_writer__new(int fd);
void trace_writer__free(struct trace_writer *w);
/* Blocks go to @ring, which stays the caller's, and nothing to a file. */
void trace_writer__keep(struct trace_writer *w, struct trace_ring *ring);
/* Before each write: how many bytes there will be. */
void trace_writer__before(struct trace_writer *w,
			  void (*fn)(void *ctx, uint64_t bytes), void *ctx);

/*
 * All of these: 0 or a negative errno, and then always that one. What was written
 * up to then is good.
 */
int trace_writer__record(struct trace_writer *w, const struct fp_rec *rec);
/* A block of text, before the records that wait for trace_writer__flush(). */
int trace_writer__text(struct trace_writer *w, enum trace_kind kind,
		       const char *text, size_t len);
/* All records so far go into the file. */
int trace_writer__flush(struct trace_writer *w);
/* The blocks of @ring, in order. */
int trace_writer__copy(struct trace_writer *w, const struct trace_ring *ring);
/* The index and the footer: nothing may follow. */
int trace_writer__end(struct trace_writer *w);

/* How many records will be in the next block. */
size_t trace_writer__waiting(const struct trace_writer *w);
uint64_t trace_writer__records(const struct trace_writer *w);
uint64_t trace_writer__bytes(const struct trace_writer *w);

#endif /* FPSTAT_TRACE_WRITER_H */
