/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a live stream to a trace that can be understood elsewhere: with the names
 * of what records name by number, and with the counters.
 */
#ifndef FPSTAT_RECORDER_H
#define FPSTAT_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

struct fp_rec;
struct recorder;
struct snapshot;
struct trace_meta;

/* @fd stays the caller's. NULL: no memory. recorder__free(NULL) is fine. */
struct recorder *recorder__new(int fd);
void recorder__free(struct recorder *r);

/* All of these: 0 or a negative errno. This one comes first. */
int recorder__begin(struct recorder *r, const struct trace_meta *m);
/* For capture__drain(). */
int recorder__feed(void *recorder, const struct fp_rec *rec);
/* All up to now goes into the file. */
int recorder__flush(struct recorder *r);
/*
 * The same, and the counters: as they were before the last records came, and
 * after.
 */
int recorder__counters(struct recorder *r, const struct snapshot *before,
		       const struct snapshot *after);
int recorder__end(struct recorder *r);

/* Before each write: how many bytes this file will have. */
void recorder__before(struct recorder *r, void (*fn)(void *ctx, uint64_t bytes),
		      void *ctx);
/*
 * After recorder__end(): another trace goes on in @fd. recorder__begin() comes next,
 * and then recorder__counters() with those that were the last before.
 */
int recorder__next(struct recorder *r, int fd);
uint64_t recorder__part_bytes(const struct recorder *r);

/*
 * Before all else: it stays in memory, and only what happened in the last @ns. A
 * file gets nothing but recorder__dump(). See trace_ring.h for @bytes.
 */
int recorder__keep(struct recorder *r, uint64_t ns, uint64_t bytes);
/* After recorder__keep(): what happened in the last @ns from here on. */
void recorder__hold(struct recorder *r, uint64_t ns);
/* After recorder__counters(): a trace of what is kept. */
int recorder__dump(struct recorder *r, int fd, struct trace_meta m);

/* Are there vcpus that no counters have told of? */
bool recorder__has_strangers(const struct recorder *r);
uint64_t recorder__records(const struct recorder *r);
/* In all parts, or in memory. */
uint64_t recorder__bytes(const struct recorder *r);

#endif /* FPSTAT_RECORDER_H */
