/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last blocks of a trace, in memory. The oldest go first, from one counters
 * block to the next, so that what is left begins where the counters are known.
 */
#ifndef FPSTAT_TRACE_RING_H
#define FPSTAT_TRACE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_block.h"

struct trace_ring;

struct trace_kept {
	struct trace_kept *next;
	struct trace_block block;
	unsigned char data[]; /* room for a header, and the frame */
};

/*
 * With what happened in the last @ns, but in at most @bytes: beyond these only what
 * follows the last counters block. NULL: no memory. trace_ring__free(NULL) is fine.
 */
struct trace_ring *trace_ring__new(uint64_t ns, uint64_t bytes);
void trace_ring__free(struct trace_ring *r);

/* From here on what is kept is of the last @ns. */
void trace_ring__hold(struct trace_ring *r, uint64_t ns);

/* A copy of @b and its @frame comes last. 0 or -ENOMEM. */
int trace_ring__add(struct trace_ring *r, const struct trace_block *b,
		    const void *frame);

/* From the oldest on; NULL: there are none. */
struct trace_kept *trace_ring__first(const struct trace_ring *r);
/* Did some go? Then the first one has counters. */
bool trace_ring__forgot(const struct trace_ring *r);
uint64_t trace_ring__bytes(const struct trace_ring *r);

#endif /* FPSTAT_TRACE_RING_H */
