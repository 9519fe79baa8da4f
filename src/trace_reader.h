/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a trace, from a file or a pipe, block by block: see fpstat-trace(5). What
 * was cut off or damaged is told, and never shown as data. Whatever a file claims,
 * a reader has at most 48 MiB.
 */
#ifndef FPSTAT_TRACE_READER_H
#define FPSTAT_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "fpstat/stream.h"
#include "trace_block.h"

struct trace_place;
struct trace_reader;

/* What is missing in a section, as far as it was read. */
struct trace_health {
	bool cut; /* its end is missing: it is not known how much */
	bool alone; /* sections that followed it are missing */
	uint64_t damaged; /* places .. */
	uint64_t offset; /* .. and the first of them */
	uint64_t lost; /* records that were there once */
};

/*
 * From @fd, which stays the caller's. On failure NULL and one sentence in @why: it
 * is none, its writer was newer, or no memory. trace_reader__free(NULL) is fine.
 */
struct trace_reader *trace_reader__new(int fd, char *why, size_t len);
void trace_reader__free(struct trace_reader *r);

/*
 * From here on trace_reader__next() returns -EAGAIN where it would wait for the other
 * end of a pipe, and goes on when it is called again.
 */
void trace_reader__dont_wait(struct trace_reader *r);

/*
 * Goes on to the next block, the meta block the first time, and again where the next
 * part of the same capture follows. Returns its kind, 0
 * after the last one of a section, or a negative errno if the file can't be read.
 * If there are more sections, the next call begins with the first block of the
 * next one: if that is no meta block, it was lost.
 */
int trace_reader__next(struct trace_reader *r);
/*
 * Goes on with the block at @p of the index of this section; its file is no pipe. What
 * is skipped is not lost, but the first record of each CPU has FP_REC_GAP. 0 or a
 * negative errno.
 */
int trace_reader__seek(struct trace_reader *r, const struct trace_place *p);
/* The number of this section; and, only at its end: are there more? */
unsigned int trace_reader__section(const struct trace_reader *r);
bool trace_reader__more(const struct trace_reader *r);
const struct trace_block *trace_reader__block(const struct trace_reader *r);
/* The data of a block that has no records. */
const char *trace_reader__data(const struct trace_reader *r, size_t *len);
/*
 * The next records of an events block; they live until the next call. How many,
 * or 0 after the last one. The first of a CPU after some were lost has FP_REC_GAP.
 */
int trace_reader__records(struct trace_reader *r, const struct fp_rec **rec);

/* Where the section begins in the file, and how many bytes of it were read so far. */
uint64_t trace_reader__start(const struct trace_reader *r);
uint64_t trace_reader__bytes(const struct trace_reader *r);
struct trace_health trace_reader__health(const struct trace_reader *r);

#endif /* FPSTAT_TRACE_READER_H */
