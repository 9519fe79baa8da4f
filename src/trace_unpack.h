/* SPDX-License-Identifier: GPL-2.0-only */
/* From the data of one events block to its records: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_UNPACK_H
#define FPSTAT_TRACE_UNPACK_H

#include <stddef.h>
#include <linux/types.h>

#include "fpstat/stream.h"
#include "trace_block.h"

struct trace_unpack;

/* NULL if there is no memory. trace_unpack__free(NULL) is fine. */
struct trace_unpack *trace_unpack__new(void);
void trace_unpack__free(struct trace_unpack *u);

/* @plain: @b->plain bytes, which stay the caller's. 0, -EBADMSG or -ENOMEM. */
int trace_unpack__begin(struct trace_unpack *u, const void *plain,
			const struct trace_block *b);
/*
 * The next records, at most @max. How many, 0 after the last one, or -EBADMSG if
 * the block is not what its header says.
 */
int trace_unpack__next(struct trace_unpack *u, struct fp_rec *out, int max);

#endif /* FPSTAT_TRACE_UNPACK_H */
