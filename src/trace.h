/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace as a source: its records, and what is needed to understand them. */
#ifndef FPSTAT_TRACE_H
#define FPSTAT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_reader.h"

struct cost;
struct snapshot;
struct trace;

/*
 * @path: of a file, or "-" for standard input. On failure NULL and one sentence in
 * @why. trace__close(NULL) is fine.
 */
struct trace *trace__open(const char *path, char *why, size_t len);
void trace__close(struct trace *t);

/*
 * Goes on to the next block, and makes sense of it. Returns its kind, 0 after the last
 * one, or a negative errno; -EAGAIN is of trace__dont_wait(). An events block has to be
 * read to its end, by trace__batch(), before the next call.
 */
int trace__next(struct trace *t);
/*
 * The next records of an events block; they live until the next call. How many, 0 after
 * the last one, or -EPROTONOSUPPORT if there are kinds that we don't know.
 */
int trace__batch(struct trace *t, const struct fp_rec **rec);
/*
 * Of a file: skips what lies before the counters that were written last before @until,
 * in seconds. From there on it is one that begins in the middle: see trace__middle().
 * 1, 0 if there is nothing to skip, or a negative errno.
 */
int trace__skip(struct trace *t, double until);
/* From here on trace__next() never waits for the other end of a pipe. */
void trace__dont_wait(struct trace *t);
/* To wait for it by other means. */
int trace__fd(const struct trace *t);

/*
 * Hands all records of a section to @fn, in order, each of a kind that there is. A
 * value that is not 0 ends it, and is returned; else 0, or a negative errno:
 * -EPROTONOSUPPORT if
 * the trace knows more kinds than we.
 */
int trace__drain(struct trace *t,
		 int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx);

/*
 * When all of a section is read: goes on to the next one. All that is known below
 * is of that one then. Returns 1, 0 if there is none, or a negative errno and one
 * sentence in @why; after -EBADMSG, that section being passed over, one may call it
 * again.
 */
int trace__next_section(struct trace *t, char *why, size_t len);

/* What it says of itself. */
struct trace_about {
	char host[72]; /* its name */
	char command[256]; /* what was run, or "" */
	/* ns of both clocks when it began; 0: not known */
	uint64_t realtime;
	uint64_t monotonic;
};
const struct trace_about *trace__about(const struct trace *t);
/* Its number in a merged trace, from 1 on; 0 if it is none. */
unsigned int trace__section(const struct trace *t);

/* About the host: a snapshot without numbers, of the time of the last record. */
const struct snapshot *trace__host(const struct trace *t);
int trace__foreign_bit(const struct trace *t); /* -1: not known */
/* Seconds since the trace began. */
double trace__time(const struct trace *t, uint64_t ns);
/* How long it is, in seconds; 0: it does not say. To be asked of files only. */
double trace__length(const struct trace *t);
/* Up to where the records of this events block go. */
double trace__block_end(const struct trace *t);
/* What a transfer took there. */
const struct cost *trace__cost(const struct trace *t);

/* Up to where it was read: */

/*
 * The counters that came last: before the records up to there were read, and after.
 * NULL: there are none.
 */
const struct snapshot *trace__before(const struct trace *t);
const struct snapshot *trace__after(const struct trace *t);
/* Do these tell of all records that there were? */
bool trace__settled(const struct trace *t);
/*
 * Does it begin in the middle of a capture? Then these are the counters from there;
 * NULL: they are missing, or not in the middle.
 */
bool trace__middle(const struct trace *t);
const struct snapshot *trace__since(const struct trace *t);
struct trace_health trace__health(const struct trace *t);
uint64_t trace__bytes(const struct trace *t);
/* False if it has none. */
bool trace__function(const struct trace *t, uint64_t address, char *name,
		     size_t len);
bool trace__task(const struct trace *t, uint32_t tid, char *name, size_t len);

#endif /* FPSTAT_TRACE_H */
