/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reading end of the stream: the rings of all CPUs, merged into one order.
 *
 * Records of one CPU come in the order in which they were made. Of two CPUs, the
 * older one comes first: what made another thing happen elsewhere, such as a switch
 * that let a thread go on there, is before it. If they are equally old, neither
 * knew of the other, and the lower CPU is first.
 *
 * A record is handed on as soon as none that is older can come any more. CPUs with
 * nothing to say hold up nobody; one that was interrupted while it made a record
 * holds up all that is newer.
 */
#ifndef FPSTAT_STREAM_READER_H
#define FPSTAT_STREAM_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/stream.h"

struct stream;

/*
 * @rings: FP_LANES of @size records, a power of two, for each CPU; all is zero, and
 * capture begins after this. NULL if there is no memory.
 */
struct stream *stream__new(struct fp_percpu *cpus, unsigned int nr_cpus,
			   const struct fp_slot *rings, uint32_t size);
/* NULL is fine. */
void stream__free(struct stream *s);

/* From now on there is no room: what would be recorded is lost, as the next one tells. */
void stream__stop(struct stream *s, bool stop);

/* All that was begun before this time, in ns, has been handed on. */
uint64_t stream__until(const struct stream *s);
/* See capture__drain(). */
int stream__drain(struct stream *s,
		  int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx);
/* The same, of all that was begun before @now; it is later than that. */
int stream__drain_until(struct stream *s, uint64_t now,
			int (*fn)(void *ctx, const struct fp_rec *rec),
			void *ctx);
/*
 * What the next record of @cpu would tell of exits and of loss, as a record now;
 * the next one tells the rest.
 */
struct fp_rec stream__rest(struct stream *s, unsigned int cpu);

#endif /* FPSTAT_STREAM_READER_H */
